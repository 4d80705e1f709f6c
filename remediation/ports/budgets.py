"""Whose turn a call is, and the shared budgets that it is asked of before it leaves."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Protocol

from ..domain.budget import Admitted, Outcome, Refused, Room
from ..domain.health import Heard
from ..domain.push import Lane

_lane: ContextVar[Lane | None] = ContextVar("lane", default=None)


def lane_now() -> Lane:
    """In whose name the calls of this thread are made; a sweep's where nobody said."""
    lane = _lane.get()
    return Lane.SWEEP if lane is None else lane


@contextmanager
def in_lane(lane: Lane) -> Iterator[None]:
    """The calls inside are made in this lane, or in that around it where that is more urgent.

    Not an argument of every port: what is asked of a remote is the same in each lane, and only the gate on the way out differs.
    """
    around = _lane.get()
    token = _lane.set(lane if around is None else min(lane, around))
    try:
        yield
    finally:
        _lane.reset(token)


class Budgets(Protocol):
    """One row for each remote, shared by all processes. `remote` is a gate's name: `directory`, `channel`, `mdm:ws1`, `tokens`."""

    def enter(self, remote: str, lane: Lane, *, writes: bool) -> Admitted | Refused:
        """Take a token, or be told how long there is none. One short transaction, over before the call begins."""

    def leave(self, remote: str, admitted: Admitted, outcome: Outcome) -> None:
        """Tell how the call ended. Touches the database only where that is news."""

    def heard(self, remote: str, heard: Heard) -> None:
        """Remember how the remote is, by what came of a call: for people, and nothing is decided by it."""

    def room(self) -> Room:
        """How many rows it makes sense to wake now."""

    def woken(self, rows: int) -> None:
        """So many rows were woken that may write: as many fewer are to be woken next."""
