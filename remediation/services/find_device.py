"""A program of the helpdesk's looks a device up: by its Azure device id, the MDM's record or a serial number. Reads only, within
what the caller may see, and each look-up leaves one audit row with whom it showed. Next door: `look_up` (people).
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from ..domain.device import ManagedKey
from ..ports import Actor, DeviceFound, LookUp, Store, StuckPlace, StuckRow
from .look_up import Through, by_program, take_look
from .stuck import AllStuck, find


def by_device_id(look_up: LookUp, store: Store, device_id: str, *, oid: str, now: datetime, through: Through) -> DeviceFound | None:
    found = _looked(store, lambda: _listed(look_up.device(device_id)), oid=oid, now=now, through=through)
    return found[0] if found else None


def by_record(look_up: LookUp, store: Store, key: ManagedKey, *, oid: str, now: datetime, through: Through) -> DeviceFound | None:
    found = _looked(store, lambda: _listed(look_up.record(key)), oid=oid, now=now, through=through)
    return found[0] if found else None


def by_serial(look_up: LookUp, store: Store, serial: str, *, oid: str, now: datetime, through: Through) -> Sequence[DeviceFound]:
    """The number itself is not written down: the audit is kept for years, and holds ids alone."""
    return _looked(store, lambda: look_up.devices_with_serial(serial), oid=oid, now=now, through=through)


def all_stuck(
    look_up: LookUp,
    store: Store,
    *,
    limit: int,
    oid: str,
    now: datetime,
    through: Through,
    after: Mapping[str, StuckPlace] | None = None,
) -> AllStuck:
    """What does not move, of the people whom the caller may see, and the sources that hold up everybody."""
    take_look(store, oid, now, through)
    found = find(look_up.stuck(), now, limit=limit, after=after)
    with store.change(Actor("helpdesk", oid), "look_up.stuck", about=("helpdesk", oid), at=now) as change:
        change.audit(found=_of_whom([one.row for one in found.shown]), **by_program(through))
    return found


def _looked(
    store: Store, look: Callable[[], Sequence[DeviceFound]], *, oid: str, now: datetime, through: Through
) -> Sequence[DeviceFound]:
    take_look(store, oid, now, through)
    found = look()
    with store.change(Actor("helpdesk", oid), "look_up.device", about=("helpdesk", oid), at=now) as change:
        change.audit(found=sorted({whose for one in found for whose in one.whose}), **by_program(through))
    return found


def _listed(found: DeviceFound | None) -> Sequence[DeviceFound]:
    return [found] if found is not None else []


def _of_whom(rows: Sequence[StuckRow]) -> list[str]:
    return sorted({row.oid for row in rows if row.oid is not None})
