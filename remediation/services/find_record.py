"""Staff ask which records of an MDM an identifier names, and which of them stands for the device.

The MDM is asked, so this is the worker's and the command line's, never a page's. Each look leaves one audit row, with the records
that were shown and without what was typed.
"""

from dataclasses import dataclass

from ..domain.device import ManagedDevice, ManagedKey
from ..domain.identifiers import bare
from ..domain.matching import one_per_device
from ..ports import Actor, Clock, Searching, Store

MOST_AUDITED = 20


@dataclass(frozen=True)
class Found:
    """`standing` are those records that a journey would offer, each device's enrolled one seen last: several with one serial are
    a question for a person. `unreadable` are the ids of records that are there and could not be read."""

    records: tuple[ManagedDevice, ...]
    standing: frozenset[ManagedKey]
    unreadable: tuple[str, ...] = ()

    @property
    def undecided(self) -> bool:
        """More than one record stands for what may be one device, by its serial number."""
        serials = [bare(record.serial) for record in self.records if record.key in self.standing]
        named = [serial for serial in serials if serial is not None]
        return len(set(named)) < len(named)


def find(store: Store, manager: Searching, connection: str, identifier: str, *, actor: Actor, clock: Clock) -> Found:
    page = manager.find(identifier)
    seen = [record.key.record_id for record in page.rows] + list(page.unreadable)
    with store.change(actor, "record.looked_up", about=("connection", connection), at=clock()) as change:
        change.audit(found=len(seen), records=seen[:MOST_AUDITED])
    enrolled = [record for record in page.rows if record.posture.enrolled is not False]
    return Found(page.rows, frozenset(record.key for record in one_per_device(enrolled)), page.unreadable)
