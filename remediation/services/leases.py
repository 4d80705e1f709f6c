"""Whose leases end, and the one extension that an outage of ours may be given. Next door: `alarms`, `domain/outage.py`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from ..domain.outage import LONGEST, MDM, Source, sources
from ..errors import ExtensionRefused
from ..ports import Actor, Extension, Leases, Store

WITHIN = (1, 12, 24, 72)  # hours


@dataclass(frozen=True)
class Ending:
    """One connection: `standing` devices are compliant by it, `within` counts the leases that end in so many hours."""

    connection: str
    standing: int
    within: tuple[int, ...]
    source: Source | None
    extension: Extension | None

    @property
    def failing_since(self) -> datetime | None:
        return self.source.failing_since if self.source is not None else None


def ending(leases: Leases, now: datetime) -> Sequence[Ending]:
    counts = leases.ending(now, WITHIN)
    of = {source.connection: source for source in sources(leases.watches()) if source.connection is not None}
    extended = {extension.connection: extension for extension in leases.extensions()}
    nothing = (0,) * (len(WITHIN) + 1)
    return [
        Ending(name, found[0], found[1:], of.get(name), extended.get(name))
        for name in sorted({*counts, *of})
        for found in [counts.get(name, nothing)]
    ]


def extend(
    store: Store, leases: Leases, connection: str, *, check_in: timedelta, actor: Actor, why: str, now: datetime
) -> tuple[int, datetime]:
    """Once per outage; returns how many leases now end later, and the latest end. A device that the MDM last called anything but
    well, or that does not stand as compliant, gets nothing; nor does one whose lease ended already."""
    source = next((source for source in sources(leases.watches()) if source.name == MDM + connection), None)
    if source is None or source.failing_since is None:
        raise ExtensionRefused("not_failing" if source is not None else "unknown")
    with store.change(actor, "leases.extended", about=("connection", connection), at=now) as change:
        count, until = change.extend_leases(connection, outage_at=source.failing_since, since_read=LONGEST, since_check_in=check_in)
        change.audit(because=why, count=count, until=until.isoformat(), outage_since=source.failing_since.isoformat())
    return count, until
