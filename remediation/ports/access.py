"""Temporary access: Microsoft's side of it, and the rows. Next door: `services/access.py`."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

from ..domain.access import AccessRequest, Assignment, State
from ..domain.device import Platform


class TemporaryAccess(Protocol):
    """Microsoft's assignments to the one group that the device policy leaves out, directly or by way of a package that holds it.
    `permission` is what the service app needs for them."""

    permission: str
    called: str

    def shown(self, oid: str) -> Sequence[Assignment]:
        """The person's assignments that count now."""

    def assign(self, oid: str, *, start: datetime, until: datetime, why: str) -> None:
        """Refused for an end that is not within a day."""

    def remove(self, oid: str, *, until: datetime, why: str) -> None: ...

    def ahead(self, now: datetime) -> timedelta | None:
        """By how much Microsoft's clock is ahead of ours; None before it said its time."""


class AccessRows(Protocol):
    def one(self, request_id: str) -> AccessRequest | None: ...

    def newest(self, oid: str) -> AccessRequest | None: ...

    def claim(self, now: datetime) -> Sequence[AccessRequest]:
        """What the worker is to look at now, each for one worker only for some minutes."""

    def park(self, request: AccessRequest, *, reason: str | None, next_try_at: datetime) -> None:
        """Looked at, and nothing to tell of; does nothing where it moved on meanwhile."""


class AccessChanges(Protocol):
    """Part of `Change`. Each compares the version that was seen, and raises Stale where somebody changed it since; the database
    itself refuses one who approves twice, or for themselves."""

    def ask_for_access(self, request_id: str, *, oid: str, case_code: str, platform: Platform, message: str) -> None:
        """Conflict where one of theirs is open."""

    def approve_first(self, request_id: str, version: int, *, by: str, hours: int, answer: str, note: str) -> None: ...

    def approve_second(self, request_id: str, version: int, *, by: str, until: datetime, carry: bool) -> None:
        """`carry`: the worker is to give it."""

    def deny_access(self, request_id: str, version: int, *, by: str, answer: str, note: str) -> None: ...

    def want_access_ended(self, request_id: str, version: int, *, by: str, carry: bool) -> None: ...

    def move_access(
        self,
        request_id: str,
        version: int,
        *,
        state: State | None = None,
        sent: bool = False,
        reason: str | None = None,
        next_try_at: datetime | None = None,
    ) -> None:
        """The worker's: what came of it, and when it is looked at again."""
