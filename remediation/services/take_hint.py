"""An MDM says that something happened to a device: have its link looked at, once, however often it is said.

Nothing is granted, revoked or ended here; the worker reads the MDM itself (`push_compliance`). Events that change no row cost one
read; those that do are counted, bad news apart from the rest, so that a storm of the one never keeps out the other.
"""

from datetime import datetime
from enum import StrEnum

from ..domain.hints import Hint, calls_for
from ..domain.turns import HINTS
from ..errors import TooOften
from ..ports import Store


class Taken(StrEnum):
    UNKNOWN = "unknown"
    """No device that is linked here."""
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
    return Taken.UNKNOWN if not found else Taken.MARKED if marks else Taken.WAITING
