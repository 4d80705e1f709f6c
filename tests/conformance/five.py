"""The five errors, and the sandbox's faults with the error that each must become, whatever was asked of whom."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from remediation.errors import Busy, Garbled, NotFound, Refused, RemoteError, Unreachable
from sandbox.faults import Fault
from sandbox.server import Sandbox

FIVE = (NotFound, Refused, Busy, Unreachable, Garbled)


@dataclass(frozen=True)
class Spoilt:
    kind: str
    becomes: type[RemoteError]
    status: int = 503
    retry_after: int | None = None

    def __str__(self) -> str:
        return f"{self.kind}{self.status if self.kind == 'server_error' else ''}"

    def spoil(self, sandbox: Sandbox, service: str) -> None:
        sandbox.faults.add(Fault(service, self.kind, status=self.status, retry_after=self.retry_after))

    def fits(self, error: RemoteError, remote: str) -> None:
        """Named after our remote, and with the wait that it was told."""
        assert error.remote == remote
        if isinstance(error, Busy):
            assert error.retry_after == 7


SPOILT = (
    Spoilt("throttle", Busy, retry_after=7),
    Spoilt("server_error", Busy, status=503, retry_after=7),
    Spoilt("server_error", Unreachable, status=502),
    Spoilt("down", Unreachable),
    Spoilt("drop_answer", Unreachable),
    Spoilt("garbled", Garbled),
    Spoilt("html", Garbled),
    Spoilt("huge", Garbled),
)


def raised(
    sandbox: Sandbox, service: str, ask: Callable[[], object], *gone_or_refused: Callable[[], object]
) -> set[type[RemoteError]]:
    """All that `ask` raises while the service is spoilt in every way, and what the others raise while it is well."""
    kinds: set[type[RemoteError]] = set()
    for spoilt in SPOILT:
        spoilt.spoil(sandbox, service)
        kinds |= _kind(ask)
        sandbox.faults.clear()
    return kinds.union(*map(_kind, gone_or_refused))


def _kind(ask: Callable[[], object]) -> set[type[RemoteError]]:
    try:
        ask()
    except RemoteError as error:
        return {type(error)}
    return set()
