"""Bring one link to rest: what Microsoft should be told follows the MDM, and Entra itself has shown it.

Read the posture fresh → decide → send under a message id that is the same after any crash → ask what became of it → read back.
Safe from the top: progress lives in the row alone, and every write compares the sequence first, so that a worker that wakes late
changes nothing. No transaction stays open across a call. Where another pass wrote meanwhile, `Stale` ends this one; what it had
read may be newer than what the other told, so the row is looked at again soon, unless a later wake-up has it already.
Next door: `judge` (what should be told), `carry` (telling it), `one_pass` (what both work on).
"""

from datetime import datetime, timedelta

from ..domain.calls import last_of_each
from ..domain.device import LinkState
from ..domain.push import POLL_SLOW, TWO_WRITERS, back_off, look_again, rests_until
from ..domain.relay import look_every
from ..errors import NotFound, RemoteError, Stale
from ..ports import Listing, Relaying, in_lane
from .carry import carry
from .failed_calls import failed_call
from .judge import ended, judge, look_after_its_end
from .one_pass import OnePass
from .read_both_sides import GONE_AFTER
from .world import World

# While Microsoft is busy with what was just judged, a pass only asks how far it is: each would else read both sides anew. Any hint
# that something changed clears the mark in the row, and the next pass judges.
FOLLOWED = {"sent", "sent_again", "accepted_not_applied", "mark_not_shown"}
JUDGED_FOR = timedelta(seconds=60)
UNWELL = timedelta(days=1)
UNLISTED = timedelta(minutes=15)
RELAY_WATCHED_FOR = timedelta(hours=24)


def bring_to_rest(link_id: str, *, world: World) -> None:
    """One pass over one link; parks the row until the next one."""
    link, push = world.store.link(link_id), world.store.push(link_id)
    if link is None or push is None or link.state is LinkState.PENDING:
        return
    try:
        with in_lane(push.lane):
            _run(OnePass(world, link, push))
    except Stale:
        again = back_off(world.clock(), push.attempts)  # not at once: a host whose clock is behind is overtaken every time
        world.store.note_overtaken(link_id, wake=push.wake, next_at=again, attempts=push.attempts + 1)


def _run(one: OnePass) -> None:
    wake, attempts = one.push.wake, one.push.attempts
    error: RemoteError | None = None
    reason: str | None = None
    if one.link.state is LinkState.ACTIVE and not _only_follows(one):
        error = one.sides.read()
        if ended(one):
            return
        judge(one)
    elif one.link.state is LinkState.ENDED:
        error = look_after_its_end(one)
    try:
        with in_lane(one.push.lane):  # a verdict that just fell travels as a revocation from here on
            reason = carry(one)
    except RemoteError as failed:
        error = error or failed
    _park(one, wake, attempts, reason, error)


def _only_follows(one: OnePass) -> bool:
    push, now = one.push, one.world.clock()
    underway = push.following and push.sent_seq == push.desired_seq > push.confirmed_seq
    return underway and push.posture_read_at is not None and now - push.posture_read_at < JUDGED_FOR


def _park(one: OnePass, wake: int, attempts: int, reason: str | None, error: RemoteError | None) -> None:
    now = one.world.clock()
    follows = one.push.following if not _asked(error) else error is None and reason in FOLLOWED
    good = one.decision if one.decision and one.decision.verdict is one.push.desired else None
    one.world.store.note_push(
        one.link.id,
        wake=wake,
        seq=one.push.desired_seq,
        next_at=_next(one, now, attempts, reason, error),
        attempts=0 if one.push.at_rest and error is None else attempts + _asked(error),
        reason=f"{error.remote}_{error.why}" if error else reason,
        following=follows,
        observed=one.sides.entra.compliant if one.sides.entra else None,
        observed_at=one.sides.entra.read_at if one.sides.entra else None,
        decision=good,
        posture_read_at=one.sides.device.posture.read_at if good and one.sides.device else None,
        failed_calls=last_of_each(one.push.failed_calls, failed_call(error, now)),
        looked=error is None or isinstance(error, NotFound),
    )


def _next(one: OnePass, now: datetime, attempts: int, reason: str | None, error: RemoteError | None) -> datetime | None:
    """When to look again: by what the remotes allow, and never after the end of the lease."""
    until = one.decision.until if one.decision and one.decision.until else one.push.compliant_until
    until = until if one.push.says_compliant and until is not None and until > now else None
    at = _in_turn(one, now, attempts, reason, error, until)
    return min(at, until) if at is not None and until is not None else at


def _in_turn(
    one: OnePass, now: datetime, attempts: int, reason: str | None, error: RemoteError | None, until: datetime | None
) -> datetime | None:
    """At rest by the recheck, else sooner; never before a remote allows it."""
    if isinstance(error, NotFound):
        return min(back_off(now, attempts), now + GONE_AFTER / 2)
    if error is not None or (reason or "").startswith("failed_"):
        allowed = now + timedelta(seconds=(error.retry_after or 0.0) if error else 0.0)
        return max(back_off(now, attempts), allowed) if _asked(error) else allowed
    if reason == TWO_WRITERS:
        return now + POLL_SLOW
    channel = one.world.channel(one.link.platform, one.link.managed.connection)
    makers_turn = not one.push.at_rest and reason not in FOLLOWED and now - (one.push.desired_at or now) < RELAY_WATCHED_FOR
    if makers_turn and isinstance(channel, Relaying):
        return now + look_every(channel.every)
    if not one.push.at_rest or reason is not None:
        return look_again(now, waiting_since=_waiting_since(one), attempts=attempts)
    return None if one.link.state is LinkState.ENDED else rests_until(now, until, _recheck(one))


def _waiting_since(one: OnePass) -> datetime:
    """For Microsoft, once it was told: what could not be sent for hours is shown as soon as any other news."""
    push = one.push
    told = push.sent_at if push.sent_seq == push.desired_seq else None
    return told or push.desired_at or one.link.made_at


def _recheck(one: OnePass) -> timedelta:
    """Lists show what changes, so a direct look may be long in coming; not where nobody reads lists, nor where the next news is
    somebody's way back to work."""
    listed = isinstance(one.world.managers.get(one.link.managed.connection), Listing)
    if not listed:
        return min(one.world.recheck, UNLISTED)
    return one.world.recheck if one.push.says_compliant else min(one.world.recheck, UNWELL)


def _asked(error: RemoteError | None) -> bool:
    """Whether the remote itself had its say. What our own gate refused is no failed attempt: the gate knows when to come again."""
    return error is None or error.called
