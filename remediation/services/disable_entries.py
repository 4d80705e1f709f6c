"""Switch off entries of the directory that staff called leftovers, where the tenant permits it. The worker's half of a repair.

Everything is read anew and judged again before the one call: an entry that is linked, young, or somebody else's by now stays as it
is, and so does one whose absence would decide which entry is meant. None is ever deleted: with an entry go its BitLocker keys, and
a deleted one keeps its id for 30 days.
"""

from contextlib import suppress
from datetime import timedelta

from ..domain.device import DirectoryDevice, ManagedKey
from ..domain.push import back_off
from ..domain.repairs import YOUNG, decides
from ..errors import NotFound, Refused, RemoteError, Stale
from ..ports import RepairWork, ToDisable
from .world import World

FOR = timedelta(hours=24)
LAST_WAIT = timedelta(minutes=1)
NO_RECORD = ManagedKey("", "")


def disable_entries(rows: RepairWork, world: World) -> int:
    """How many were switched off, seen in the directory afterwards."""
    return sum(_disable(wish, rows, world) for wish in rows.to_disable(world.clock()))


def _disable(wish: ToDisable, rows: RepairWork, world: World) -> bool:
    now, writing = world.clock(), world.directory_writing
    try:
        device = _read(wish, world)
        why = "not_permitted" if writing is None else _why_not(wish, device, world)
        if why is None and device.enabled and writing is not None:
            writing.disable(device.object_id)
            device = _read(wish, world)
            why = "not_shown" if device.enabled else None
    except RemoteError as error:
        final = isinstance(error, NotFound | Refused)
        again = max(back_off(now, wish.attempts), now + LAST_WAIT)
        rows.not_disabled(wish.device_id, reason=error.code, next_try_at=None if final or again > wish.wanted_at + FOR else again)
        return False
    if why is not None:
        again_at = now + LAST_WAIT if why == "not_shown" and now < wish.wanted_at + FOR else None
        rows.not_disabled(wish.device_id, reason=why, next_try_at=again_at)
        return False
    about = ("directory_device", wish.device_id)
    with suppress(Stale), world.store.change(world.actor, "device.disabled", about=about, at=world.clock()) as change:
        change.entry_disabled(wish.device_id)
    return True


def _read(wish: ToDisable, world: World) -> DirectoryDevice:
    device = world.directory.device(wish.device_id)
    world.store.observe_directory_device(device, at=world.clock())
    return device


def _why_not(wish: ToDisable, device: DirectoryDevice, world: World) -> str | None:
    """A stable id, or None where it may be."""
    if device.owner_oid != wish.oid:
        return "owner_changed"
    if device.registered_at is None or world.clock() - device.registered_at < YOUNG:
        return "too_young"
    if world.store.living_links(NO_RECORD, device.device_id):
        return "linked"
    journey_id = world.store.living_journey(wish.oid, device.platform, world.clock())
    journey = world.store.journey(journey_id) if journey_id is not None else None
    return "decides" if journey is not None and decides(journey) else None
