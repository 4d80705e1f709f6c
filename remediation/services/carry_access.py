"""The worker gives temporary access and takes it back, from the row alone, and believes nothing that it did not read back.

Microsoft is asked before it is told: an assignment that somebody else made is never ours to lengthen or to end. Our own gets the
end that two people approved, as a moment and not as a duration, so that telling it twice changes nothing.
"""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from ..domain.access import CARRIED_WITHIN, CLOCKS, AccessRequest, State, as_approved
from ..domain.push import back_off
from ..errors import NotFound, Refused, RemoteError, Stale
from ..ports import AccessRows, Actor, Clock, Store, TemporaryAccess

log = logging.getLogger(__name__)

READ_BACK = timedelta(seconds=5)
TELL_AGAIN = timedelta(minutes=2)  # of what was told and is not shown: Microsoft may not have heard
WHY = "temporary access, case "
OTHER_END = "other_end"


@dataclass(frozen=True)
class Carrying:
    rows: AccessRows
    store: Store
    microsoft: TemporaryAccess
    clock: Clock
    executor: str


def carry(what: Carrying) -> int:
    """How many requests were looked at."""
    found = what.rows.claim(what.clock())
    for request in found:
        try:
            _carry(what, request)
        except Stale:
            log.info("temporary access %s moved on meanwhile", request.id)
        except RemoteError as error:
            _failed(what, request, error)
    return len(found)


def _carry(what: Carrying, request: AccessRequest) -> None:
    if request.end_wanted_at is not None:
        _take_back(what, request)
    elif request.state is State.GIVEN:
        _see_it_end(what, request)
    elif request.state is State.APPROVED:
        _give(what, request)


def _give(what: Carrying, request: AccessRequest) -> None:
    now, until = what.clock(), request.until
    if until is None or request.second_at is None:
        _move(what, request, "access.failed", state=State.FAILED, reason="no_end")
        return
    found = what.microsoft.shown(request.oid)
    ahead = what.microsoft.ahead(now)
    good = as_approved(found, until)
    if request.sent_at is None:
        if found:
            _move(what, request, "access.failed", state=State.FAILED, reason="there_already")
        elif now >= request.second_at + CARRIED_WITHIN or until <= now + CLOCKS:
            _move(what, request, "access.lapsed", state=State.LAPSED, reason="too_late")
        elif ahead is None or abs(ahead) > CLOCKS:
            _move(what, request, "access.failed", state=State.FAILED, reason="clocks")
        else:
            _tell(what, request, until)
    elif good:
        _move(what, request, "access.given", state=State.GIVEN, next_try_at=until + timedelta(minutes=1))
    elif good is False:  # never what was approved: not for a minute longer than it takes to say so
        _remove(what, request)
        what.rows.park(request, reason=OTHER_END, next_try_at=now + READ_BACK)
    elif request.reason == OTHER_END:
        _move(what, request, "access.failed", state=State.FAILED, reason=OTHER_END)
    elif now >= request.second_at + CARRIED_WITHIN:
        _take_back(what, request, reason="never_shown")
    elif now >= request.sent_at + TELL_AGAIN:
        _tell(what, request, until)
    else:
        what.rows.park(request, reason=request.reason, next_try_at=now + READ_BACK)


def _tell(what: Carrying, request: AccessRequest, until: datetime) -> None:
    """Written down before it is told: after a crash it is ours to read back, and to end. Told again, *no* may mean that it is there
    already, and reading back says so."""
    now, again = what.clock(), request.sent_at is not None
    _move(what, request, "access.sent", sent=True, next_try_at=now + READ_BACK)
    try:
        what.microsoft.assign(request.oid, start=now, until=until, why=WHY + request.case_code)
    except (Refused, NotFound) as error:
        fresh = what.rows.one(request.id)
        if fresh is not None and not again:
            _move(what, fresh, "access.failed", state=State.FAILED, reason=error.why)


def _see_it_end(what: Carrying, request: AccessRequest) -> None:
    """Microsoft ends it by itself; what outlives its end is taken back."""
    if not what.microsoft.shown(request.oid):
        _move(what, request, "access.ended", state=State.ENDED)
        return
    _remove(what, request)
    what.rows.park(request, reason="outlived", next_try_at=what.clock() + READ_BACK)


def _take_back(what: Carrying, request: AccessRequest, reason: str | None = None) -> None:
    """Over only when Microsoft shows nothing any more; what was never told is over at once."""
    if request.sent_at is not None and what.microsoft.shown(request.oid):
        _remove(what, request)
        what.rows.park(request, reason=reason or request.reason, next_try_at=what.clock() + READ_BACK)
        return
    _move(what, request, "access.ended", state=State.ENDED, reason=reason)


def _remove(what: Carrying, request: AccessRequest) -> None:
    what.microsoft.remove(request.oid, until=request.until or what.clock(), why=WHY + request.case_code)


def _failed(what: Carrying, request: AccessRequest, error: RemoteError) -> None:
    """Microsoft says no, or nothing. What may stand there is tried again until it is known to be over."""
    now = what.clock()
    log.warning("temporary access %s: %s", request.id, error.code)
    if isinstance(error, Refused | NotFound) and request.sent_at is None and request.end_wanted_at is None:
        try:
            _move(what, request, "access.failed", state=State.FAILED, reason=error.why)
        except Stale:
            log.info("temporary access %s moved on meanwhile", request.id)
        return
    what.rows.park(request, reason=error.why, next_try_at=max(back_off(now, request.attempts), now + READ_BACK))


def _move(
    what: Carrying,
    request: AccessRequest,
    why: str,
    *,
    state: State | None = None,
    sent: bool = False,
    reason: str | None = None,
    next_try_at: datetime | None = None,
) -> None:
    actor, now = Actor("worker", what.executor), what.clock()
    with what.store.change(actor, why, about=("person", request.oid), at=now) as change:
        if reason is not None:
            change.audit(refused=reason)
        change.move_access(request.id, request.version, state=state, sent=sent, reason=reason, next_try_at=next_try_at)
