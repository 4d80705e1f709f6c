"""What is held of the second lock, and what checks of it ask for. Next door: `remotes` (`Marking`, which writes)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from ..domain.second_lock import SecondLock, SeenBlocked, SignInRecord


class SignInRecords(Protocol):
    def record(self, record_id: str) -> SignInRecord:
        """One line of Entra's sign-in log, by the request id that the block page shows; NotFound while it is not there yet."""


class LockRows(Protocol):
    """Part of `Store`."""

    def second_lock(self) -> SecondLock | None: ...

    def keep_second_lock(self, attribute: int, value: str, *, at: datetime) -> SecondLock:
        """The one there is, or this one from now on."""

    def seen_blocked(self) -> Sequence[SeenBlocked]:
        """The newest of each kind."""
