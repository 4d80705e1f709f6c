"""What whoever runs the product asks of the database, and how they are told. Next door: `desk` (the helpdesk), `store`."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from ..domain.health import Connection
from ..domain.seals import Seal
from ..domain.watch import Watch
from .store import Actor


@dataclass(frozen=True)
class StuckRow:
    """One row that does not rest. `kind` is `link`, `journey`, `watch`, `remote` or `alarm`; `reason` is a stable id as the row
    holds it (`services.stuck` knows them); `whose` a user name and `oid` theirs, `what` a device or a source. None where nobody
    knows."""

    kind: str
    id: str
    whose: str
    what: str
    reason: str
    since: datetime | None
    next_at: datetime | None
    attempts: int
    oid: str | None = None


@dataclass(frozen=True)
class StuckPlace:
    """A place in the list of one kind; everything behind it is on the next page. What is so since nobody knows when comes first."""

    urgent: int
    since: datetime
    id: str


@dataclass(frozen=True)
class StuckPage:
    """`more` is where each kind goes on that has more rows, nothing on the last page."""

    rows: Sequence[StuckRow]
    more: Mapping[str, StuckPlace]


class StuckRows(Protocol):
    def count(self, now: datetime) -> Mapping[tuple[str, str], int]:
        """How many rows do not rest, by kind and reason."""

    def rows(self, now: datetime, *, limit: int, after: Mapping[str, StuckPlace] | None = None) -> StuckPage:
        """Revocations first, then the oldest; at most `limit` of each kind. `after` is an earlier page's `more`: of the kinds in
        it, what is behind. A row that changes meanwhile may come twice, or not until the list is begun anew."""

    def find(self, row_id: str) -> str | None:
        """The kind of the row of this id (`link`, `journey` or `watch`), None where there is none."""


@dataclass(frozen=True)
class Extension:
    """`until` is the latest end that a lease got by it."""

    connection: str
    extended_at: datetime
    until: datetime
    links: int


class Leases(Protocol):
    def watches(self) -> Sequence[Watch]: ...

    def ending(self, now: datetime, hours: Sequence[int]) -> Mapping[str, tuple[int, ...]]:
        """By connection: how many devices stand as compliant in all, then by leases that end within each of `hours`."""

    def extensions(self) -> Sequence[Extension]:
        """The newest of each connection."""


@dataclass(frozen=True)
class Figures:
    """What a monitoring system may want to draw. Ages in seconds. `confirmed`: active links by what Entra's showing it was (our
    change, already so, the maker's); `not_applied`: messages that Microsoft accepted and did not apply within the hour."""

    links: Mapping[str, int]
    stuck: Mapping[tuple[str, str], int]
    oldest_revocation: float
    leases_ending: Mapping[str, int]
    since_good: Mapping[str, float]
    well: Mapping[str, bool]
    since_good_call: Mapping[str, float]
    confirmed: Mapping[str, int] = field(default_factory=dict)
    not_applied: int = 0


class FigureRows(Protocol):
    def read(self, now: datetime) -> Figures: ...


class FigureSink(Protocol):
    def write(self, figures: Figures) -> None: ...


class Connections(Protocol):
    def connections(self, now: datetime) -> Sequence[Connection]:
        """Microsoft's three first, then the MDM connections by name, without those that were taken out of the settings."""


class PersonRows(Protocol):
    """What is held of one person, in all tables but the audit."""

    def held(self, oid: str) -> int:
        """How many rows."""

    def living_links(self, oid: str) -> Sequence[str]: ...

    def ends_under_way(self, oid: str) -> int:
        """How many of their links live, or have an end that Microsoft has not shown yet."""

    def everything(self, oid: str) -> Mapping[str, Sequence[Mapping[str, Any]]]:
        """By table, the audit rows by and about them too; no token, and nothing that one is compared with."""


class PrunedRows(Protocol):
    """Rows that nobody needs any more. All but the first and the last return how many went."""

    def last_done(self, why: str) -> datetime | None:
        """When the audit last says so of this tenant."""

    def ended_sessions(self, now: datetime) -> int:
        """Sessions and sign-ins under way that can be used no more."""

    def older_than(self, before: datetime) -> Mapping[str, int]:
        """By table: journeys that ended before then, their messages, cases opened and alarms raised before then."""

    def links_ended(self, before: datetime) -> Mapping[str, int]:
        """By table: links that ended before then and rest, with what was told of them; what was seen before then; then devices and
        people whom no journey, link or session needs any more."""

    def throttlings(self, before: datetime) -> int:
        """Days of remotes that were over by then."""

    def released(self) -> int:
        """Records that left their person's list, and that no living link is with, lose their serial number and UDID."""

    def mend_terms(self) -> int:
        """What a search finds people by, for rows of a version that did not write it; how many rows got it."""


@dataclass(frozen=True)
class AuditEntry:
    """A seal and the row that it is of: every column but the tenant, None where the row is gone. What cannot be read comes as it
    is."""

    seq: int
    audit_id: int
    digest: str
    key: str
    sealed_at: Any
    row: Mapping[str, Any] | None


@dataclass(frozen=True)
class Unsealed:
    """`oldest` of all; `missed` is id, time and reason of the first that should have been sealed by now. What cannot be read as a
    time comes as it is."""

    count: int
    oldest: Any
    missed: tuple[int, Any, str] | None


class AuditSnapshot(Protocol):
    def count(self) -> int:
        """Of seals."""

    def checkpoint(self, through: int) -> Mapping[str, Any] | None:
        """What the row says that a cut behind this place of the log left, None where there is none."""

    def entries(self) -> Iterator[AuditEntry]:
        """In the order of sealing, one after the other: the log may be long."""

    def unsealed(self, before: datetime) -> Unsealed: ...


class AuditLog(Protocol):
    """The sealed audit. `key` is the worker's."""

    def seal(self, key: str, at: datetime, *, late: bool = False) -> int: ...

    def head(self) -> Seal | None: ...

    def cut(self, before: datetime, key: str, actor: Actor, at: datetime) -> int: ...

    def snapshot(self) -> AbstractContextManager[AuditSnapshot]: ...
