"""What every call passes on its way out: a place among those in flight, and a token of the budget that all processes share.

Nothing here waits: a call that may not leave becomes `Busy` or `Unreachable` at once, with `called` False, and whoever wanted it
parks its row. `http.Remote` passes each call through one of these.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import structlog

from ..domain.budget import BUSY, NO_TOKEN, REFUSED, UNREACHABLE, Admitted, Outcome
from ..domain.budget import Refused as Shut
from ..domain.health import Cause, Heard
from ..domain.push import Lane
from ..errors import Busy, Garbled, NotFound, Refused, RemoteError, Unreachable
from ..ports import Budgets, lane_now

log = structlog.get_logger("remediation.gate")

NO_PLACE = 1.0  # seconds until a place may be free again


@dataclass
class Passage:
    """One call on its way. `page`: what came back was a page and no answer of an API; `closes_for`: seconds for which the remote
    wants no further call, as it said in an answer that was good; `refused_for`: seconds for which it will refuse every call.
    `may_be_refused`: that a permission is lacking is no trouble."""

    page: bool = False
    closes_for: float | None = None
    refused_for: float | None = None
    may_be_refused: bool = False


class Gate:
    """One for each remote and process. `name` is the budget's; `in_flight` calls at once, and a few more for revocations, so that a
    slow remote never holds every thread nor keeps a revocation out.

    With `refused_for`, a refusal closes it as well, for so many seconds by its code: every process then knows that a credential is
    not taken.
    """

    def __init__(
        self, name: str, budgets: Budgets, *, in_flight: int, refused_for: Callable[[str | None], float] | None = None
    ) -> None:
        self.name = name
        self._budgets = budgets
        self._in_flight = in_flight
        self._refused_for = refused_for
        self._lock = threading.Lock()
        self._inside = 0

    @contextmanager
    def passing(self, remote: str, *, writes: bool) -> Iterator[Passage]:
        """`remote` is what errors call it. Any error that is no remote's, such as the end of the process, tells nobody anything:
        a probe is then given up by its time."""
        lane = lane_now()
        self._take_place(remote, lane)
        try:
            admitted, passage = self._ask(remote, lane, writes), Passage()
            try:
                yield passage
            except RemoteError as error:
                self._budgets.leave(self.name, admitted, self._outcome(error, passage))
                self._budgets.heard(self.name, _heard(error, passage))
                raise
            self._budgets.leave(self.name, admitted, Outcome(closes_for=passage.closes_for))
            self._budgets.heard(self.name, Heard())
        finally:
            with self._lock:
                self._inside -= 1

    def _take_place(self, remote: str, lane: Lane) -> None:
        places = self._in_flight + (max(1, self._in_flight // 4) if lane is Lane.REVOKE else 0)
        with self._lock:
            if self._inside >= places:
                raise Busy("enough calls in flight", remote=remote, retry_after=NO_PLACE, ours=True)
            self._inside += 1

    def _ask(self, remote: str, lane: Lane, writes: bool) -> Admitted:
        answer = self._budgets.enter(self.name, lane, writes=writes)
        if isinstance(answer, Admitted):
            return answer
        log.debug("gate.shut", gate=self.name, lane=lane.name, why=answer.why, wait=round(answer.wait, 3))
        raise _error(answer, remote)

    def _outcome(self, error: RemoteError, passage: Passage) -> Outcome:
        if self._refused_for is not None:
            refused = isinstance(error, Refused)
            return Outcome(REFUSED, self._refused_for(error.vendor_code), error.vendor_code) if refused else Outcome()
        if passage.refused_for is not None:
            return Outcome(REFUSED, passage.refused_for, error.why)
        if isinstance(error, Busy):
            return Outcome(BUSY, error.retry_after)
        if isinstance(error, Unreachable) or (isinstance(error, Garbled) and passage.page and error.status not in (404, 410)):
            # a maintenance page under any status is a remote that is away; a 404 page may be about one path only
            return Outcome(UNREACHABLE, error.retry_after)
        return Outcome(closes_for=passage.closes_for)


def _heard(error: RemoteError, passage: Passage) -> Heard:
    if isinstance(error, NotFound) or (passage.may_be_refused and error.status == 403):
        return Heard()
    cause = Cause(error.cause) if error.cause is not None else None
    return Heard(error.code, cause, error.status, error.vendor_code, error.words)


def _error(shut: Shut, remote: str) -> RemoteError:
    if shut.why == NO_TOKEN:
        return Busy("our own limit", remote=remote, retry_after=shut.wait, ours=True)
    if shut.why == UNREACHABLE:
        return Unreachable("not asked: it failed again and again", remote=remote, retry_after=shut.wait, called=False)
    if shut.why == REFUSED:
        return Refused("not asked: refused a moment ago", remote=remote, vendor_code=shut.code, retry_after=shut.wait, called=False)
    return Busy("not asked: it wants no calls yet", remote=remote, retry_after=shut.wait, called=False)
