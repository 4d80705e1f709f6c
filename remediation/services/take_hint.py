"""An MDM says that something happened to a device: have its link looked at, once, however often it is said; and where it says that
one was enrolled, whoever waits for that.

Nothing is granted, revoked or ended here; the worker reads the MDM itself (`push_compliance`). Events that change no row cost one
read; those that do are counted, bad news apart from the rest, so that a storm of the one never keeps out the other.
"""

from datetime import datetime
from enum import StrEnum

from ..domain.hints import Hint, calls_for, looks_soon
from ..domain.turns import ENROLLED, HINTS
from ..errors import TooOften
from ..ports import Store


class Taken(StrEnum):
    UNKNOWN = "unknown"
    """No device that is linked here, and nobody who waits for one."""
    WAITING = "waiting"
    """It is about to be looked at anyway."""
    MARKED = "marked"


def take_hint(store: Store, connection: str, hint: Hint, *, now: datetime) -> Taken:
    """Raises TooOften where an MDM sends more than any company has news; its list is read every few minutes as well."""
    found = store.hinted(connection, hint)
    marks = [mark for push in found if (mark := calls_for(hint, push, now)) is not None]
    for mark in marks:
        again_at = store.take_turn(f"hint:{connection}:{mark.lane.name.lower()}", HINTS, at=now)
        if again_at is not None:
            raise TooOften(again_at)
        store.note_hint(mark)
    waiting = store.waiting(connection, hint, now=now) if hint.enrolled else ()
    woken = [journey for journey, next_at in waiting if not looks_soon(next_at, now) and _wake(store, journey, now)]
    return Taken.MARKED if marks or woken else Taken.WAITING if found or waiting else Taken.UNKNOWN


def _wake(store: Store, journey_id: str, now: datetime) -> bool:
    """Now, or as soon as the last one is some seconds ago: put off, never dropped."""
    key = f"enrolled:{journey_id}"
    again_at = store.take_turn(key, ENROLLED, at=now)
    if again_at is not None:
        store.take_turn(key, ENROLLED, at=again_at)  # the one that it is put off to
    return store.wake_waiting(journey_id, due=again_at or now)
