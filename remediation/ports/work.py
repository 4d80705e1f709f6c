"""What the work list asks of the database. Next door: `services/work.py` (the list), `operating` (whatever does not rest)."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from ..domain.device import Platform
from ..domain.work import Position, Source


@dataclass(frozen=True)
class WorkRow:
    """One row that may need people. `position.at` is what it is promised for; `reason` a stable id as `StuckRow` has it;
    `case_code` empty where no case is known."""

    position: Position
    oid: str
    name: str
    user_name: str
    what: str
    platform: Platform
    reason: str
    since: datetime
    case_code: str = ""

    @property
    def id(self) -> str:
        return self.position.row_id


@dataclass(frozen=True)
class Claim:
    """Who said *I take this*, and until when it counts."""

    oid: str
    name: str
    until: datetime


class WorkRows(Protocol):
    """Each source is read along an index of the rows that do not rest, from a position on: never all links."""

    def waits(self, now: datetime) -> Sequence[timedelta]:
        """From *desired* to *seen in Entra*, of the newest pushes of ours."""

    def rows(
        self,
        source: Source,
        after: Position | None,
        now: datetime,
        *,
        usual: timedelta,
        needs_people: Collection[str],
        limit: int,
    ) -> Sequence[WorkRow]:
        """In their order. Pushes are left out until `usual` is over, but for those with a reason that `needs_people`."""

    def claims(self, ids: Collection[str], now: datetime) -> Mapping[str, Claim]:
        """By row, those that still count."""

    def whose(self, row_id: str) -> str | None:
        """The person a row is about; None where there is no such row."""


class WorkChanges(Protocol):
    """Part of `Change`."""

    def take_work(self, row_id: str, *, oid: str, name: str, until: datetime) -> None:
        """Conflict where somebody else has it."""

    def release_work(self, row_id: str, *, oid: str) -> None:
        """Stale where it is not theirs any more."""
