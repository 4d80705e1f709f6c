"""What programs asked for under keys of their own, so that asking twice does it once. Part of `store`."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol


@dataclass(frozen=True)
class Deed:
    """What was asked for under an Idempotency-Key: a digest of it, and the answer, None while it is under way or was cut short."""

    asked: str
    at: datetime
    status: int | None
    answer: Mapping[str, Any] | None


class Deeds(Protocol):
    """What callers of the API asked for under keys of their own."""

    def begin_deed(self, caller: str, key: str, asked: str, *, at: datetime) -> Deed | None:
        """None for whoever may do it now; else what is known of whoever came first."""

    def end_deed(self, caller: str, key: str, *, status: int, answer: Mapping[str, Any]) -> None: ...

    def drop_deed(self, caller: str, key: str) -> None:
        """Nothing was done, and the key may be used again."""
