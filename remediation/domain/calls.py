"""Calls to the remotes that failed, by the ids that their support asks for."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class FailedCall:
    """`code` is that of `errors`; `request_id` is the remote's own, None where no answer came; `client_request_id` is ours."""

    remote: str
    code: str
    at: datetime
    client_request_id: str
    request_id: str | None = None


def last_of_each(known: Iterable[FailedCall], failed: Iterable[FailedCall]) -> tuple[FailedCall, ...]:
    """The last one of each remote, kept when the remote is well again: what is quoted is often past."""
    return tuple({call.remote: call for call in (*known, *failed)}.values())
