"""What needs people, in which order, and by when they were told it would be done. Next door: `services/work.py` (the list).

A row is promised for a clock time. Of a push that is what the person's page told them (`push.WORST`); where no page names a time it
is a target of our own, `ANSWER`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from .push import USUAL

ANSWER = timedelta(minutes=30)
"""Our own target for what waits for a person, shown as one."""
TAKEN_FOR = timedelta(minutes=30)
"""*I take this* releases itself: whoever went home keeps nobody waiting."""
ENDS_SOON = timedelta(hours=1)
ENOUGH = 20  # measured waits, below which the usual wait is the one that Microsoft's documentation lets one expect
LONGEST_ID = 80


class Kind(StrEnum):
    STUCK = "stuck"
    LOOPING = "looping"
    HELP = "help"
    PENDING = "pending"
    AGEING = "ageing"
    MISMATCHED = "mismatched"
    ACCESS = "access"
    ENDING = "ending"


class Source(StrEnum):
    """Where a row comes from, in the order in which rows of the same moment are listed."""

    ACCESS = "access"
    ENDING = "ending"
    JOURNEY = "journey"
    LINK = "link"
    MISMATCH = "mismatch"
    PENDING = "pending"


@dataclass(frozen=True, order=True)
class Position:
    """A place in the list: everything behind it is on the next page. It is shown in addresses and gives no right to anything."""

    at: datetime
    source: Source
    row_id: str

    def __str__(self) -> str:
        return f"{self.at.astimezone(UTC):%Y%m%dT%H%M%S.%f}~{self.source.value}~{self.row_id}"


def position_in(text: str) -> Position | None:
    """None for whatever is none of ours."""
    at, _, rest = text.partition("~")
    source, _, row_id = rest.partition("~")
    if not row_id or len(row_id) > LONGEST_ID or not row_id.isprintable():
        return None
    try:
        return Position(datetime.strptime(at, "%Y%m%dT%H%M%S.%f").replace(tzinfo=UTC), Source(source), row_id)
    except ValueError:
        return None


@dataclass(frozen=True)
class Wait:
    """How long a push usually takes: nine of ten of the newest `measured` ones were done within it."""

    usual: timedelta
    measured: int


def usual_wait(took: Sequence[timedelta]) -> Wait:
    """By our own measurement; too few of them say nothing."""
    good = sorted(one for one in took if one >= timedelta(0))
    if len(good) < ENOUGH:
        return Wait(USUAL, 0)
    return Wait(max(good[(len(good) * 9 - 1) // 10], timedelta(seconds=30)), len(good))
