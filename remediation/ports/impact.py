"""What counting the impact of a policy, and the start messages that follow from it, ask of the directory and of the database."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from ..domain.device import DirectoryDevice, ManagedDevice, ManagedKey, Person
from ..domain.impact import Managed, Missing, Registered
from ..domain.standing import Standing
from .remotes import Page


@dataclass(frozen=True)
class Somebody:
    """A row of the directory's list of people. `standing.in_scope` is not told: whoever is listed is in scope."""

    person: Person
    standing: Standing


class Roster(Protocol):
    """Those whom the tenant chose, in whole pages: never a call for each."""

    groups: Sequence[str]
    """Object ids; none is all users."""

    def people(self, group: str | None, cursor: str | None) -> Page[Somebody]:
        """All users, or everybody in this group, be it by way of a group in it."""


@dataclass(frozen=True)
class ListRead:
    """How far one list came: rows, rows that could not be read whole, and whether its last page came. `why` ended it before;
    `again` is how often it was begun anew."""

    rows: int = 0
    unreadable: int = 0
    whole: bool = False
    why: str | None = None
    again: int = 0


@dataclass(frozen=True)
class Count:
    """One counting. `state` is `counting`, `done`, `incomplete` or `stopped`; `stage` is the list that is read now. What is counted
    is told of whole lists alone: `by_platform` people by reason and platform, `by_reason` each person once, `touched` people who
    lack anything, and `people` all in scope."""

    id: str
    asked_by: str
    asked_at: datetime
    state: str
    stage: str
    cursor: str | None
    turn: int
    attempts: int
    reason: str | None
    next_at: datetime | None
    done_at: datetime | None
    lists: Mapping[str, ListRead] = field(default_factory=dict)
    people: int = 0
    touched: int = 0
    by_platform: Mapping[tuple[str, str], int] = field(default_factory=dict)
    by_reason: Mapping[str, int] = field(default_factory=dict)
    kept: bool = True
    """The people behind the numbers are still there."""


@dataclass(frozen=True)
class ToJudge:
    """A person with all that the lists showed of them."""

    oid: str
    licensed: bool | None
    managed: tuple[Managed, ...]
    registered: tuple[Registered, ...]


@dataclass(frozen=True)
class PersonMissing:
    """One of the people behind a number."""

    oid: str
    name: str
    user_name: str
    mail: str | None


class ImpactRows(Protocol):
    """The rows of the counting. Whoever claimed a count may write to it until somebody else claims it: each write names the `turn`
    that it was claimed with, and is False, with nothing done, where that is over."""

    def newest_count(self) -> Count | None: ...

    def counted_last(self) -> Count | None:
        """The newest that came to its end with whole lists."""

    def claim_count(self, now: datetime, *, hold: timedelta) -> Count | None:
        """The one that is due, for this caller alone until `hold` is over."""

    def begin_list(self, count: Count, *, stage: str, next_at: datetime, again: int = 0) -> bool:
        """From the list's beginning: what was kept of it goes."""

    def keep_people(self, count: Count, rows: Sequence[Somebody], after: Count) -> bool: ...

    def keep_registered(self, count: Count, rows: Sequence[DirectoryDevice], after: Count) -> bool: ...

    def keep_managed(self, count: Count, connection: str, rows: Sequence[ManagedDevice], after: Count) -> bool: ...

    def to_judge(self, count: Count, *, limit: int) -> Sequence[ToJudge]:
        """People after `count.cursor`, in order."""

    def owners_told(self, count: Count) -> bool:
        """Whether the directory's list said whose any device is. One that tells no owners says nothing of who registered."""

    def keep_missing(self, count: Count, found: Mapping[str, Sequence[Missing]], after: Count) -> bool: ...

    def park_count(self, count: Count, *, next_at: datetime, attempts: int, reason: str) -> bool: ...

    def let_go(self) -> None:
        """Of all that no number needs: what the lists showed, and the people behind older numbers. Safe at any time."""

    def people_missing(
        self, count: Count, reason: str, platform: str | None, *, limit: int | None = None
    ) -> Sequence[PersonMissing]:
        """Those behind a number, by name; None is any platform."""


@dataclass(frozen=True)
class Wave:
    """Start messages to one group of people. `state` is `sending`, `done` or `stopped`; `way` is `device` or `mail`; `told` counts
    its people by how their message stands: `waiting`, `sending`, `sent`, `failed`, `unknown`, `not_needed`."""

    id: str
    count_id: str
    reason: str
    platform: str
    way: str
    size: int
    pause: timedelta
    people: int
    asked_by: str
    asked_at: datetime
    state: str
    number: int
    next_at: datetime | None
    ended_at: datetime | None
    ended_by: str | None
    why: str | None = None
    told: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class StartMessage:
    """One person's message of a wave, claimed by one caller. `number` is which wave it belongs to."""

    wave_id: str
    oid: str
    way: str
    managed: ManagedKey | None
    mail: str | None
    number: int
    at: datetime


class WaveRows(Protocol):
    def waves(self, *, limit: int = 20) -> Sequence[Wave]:
        """Newest first."""

    def claim_start_message(self, now: datetime) -> StartMessage | None:
        """The next one whose wave is due, for one caller only and once: what is claimed is never claimed again, unless it is put
        back. A wave that has nobody left is done by this."""

    def put_back(self, message: StartMessage, *, until: datetime, reason: str) -> None:
        """Nobody was asked to carry it: it waits again, and its wave until then."""


class ImpactChange(Protocol):
    """The part of `Change` that is about all this. Each may raise `ImpactRefused`."""

    def count_impact(self, count_id: str, *, asked_by: str) -> None:
        """Refused (`counting_already`) while another one is under way."""

    def stop_count(self, count_id: str) -> None: ...

    def end_count(self, count: Count, *, state: str) -> Mapping[str, int]:
        """`done`, with numbers, or `incomplete`; returns how many people are in scope and how many lack anything. Stale where
        somebody else has the count by now."""

    def begin_wave(
        self, wave_id: str, *, count_id: str, reason: str, platform: str, way: str, size: int, pause: timedelta, asked_by: str
    ) -> int:
        """Its people are those behind the number, each once; returns how many can be told in this way."""

    def stop_wave(self, wave_id: str, *, ended_by: str) -> None: ...

    def message_ended(self, message: StartMessage, *, state: str, reason: str | None) -> None:
        """`sent`, `failed`, or `unknown` where nobody saw what came of it."""


def stages(groups: Sequence[str], connections: Sequence[str]) -> Iterator[str]:
    """The lists of one counting, in their order."""
    yield from (f"people:{group}" for group in groups or ("",))
    yield "directory"
    yield from (f"mdm:{connection}" for connection in connections)
    yield "judge"
