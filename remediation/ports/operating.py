"""What whoever runs the product asks of the database, and how they are told. Next door: `desk` (the helpdesk), `store`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from ..domain.outage import Watch


@dataclass(frozen=True)
class StuckRow:
    """One row that does not rest. `kind` is `link`, `journey`, `watch`, `remote` or `alarm`; `reason` is a stable id as the row
    holds it (`services.stuck` knows them); `whose` a user name, `what` a device or a source. None where nobody knows."""

    kind: str
    id: str
    whose: str
    what: str
    reason: str
    since: datetime | None
    next_at: datetime | None
    attempts: int


class StuckRows(Protocol):
    def count(self, now: datetime) -> Mapping[tuple[str, str], int]:
        """How many rows do not rest, by kind and reason."""

    def rows(self, now: datetime, *, limit: int) -> Sequence[StuckRow]:
        """Revocations first, then the oldest; at most `limit` of each kind."""

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
