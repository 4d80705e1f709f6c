"""Carry what is desired to Microsoft: send, ask what became of it, read back. Part of a pass (`one_pass`); next door: `judge`.

Each function returns why the row does not rest yet, a stable id, or None where it may.
"""

from contextlib import suppress
from dataclasses import asdict
from datetime import datetime, timedelta

from ..domain.channel import ChannelKind
from ..domain.compliance import Decision, Verdict
from ..domain.device import LinkState, Mark
from ..domain.push import POLL_FAST_FOR, POLL_SLOW, TWO_WRITERS, Push, message_id, two_writers, update_time
from ..errors import NotFound, RemoteError, Stale
from ..ports import Marking, Relaying, Report, Sending
from .confirm import confirm
from .one_pass import OnePass
from .relay import watch_relay

# How long an accepted message of ours may still come to show; over before the row that waits for it is looked at but hourly.
SETTLES = POLL_FAST_FOR - timedelta(minutes=1)


def carry(one: OnePass) -> str | None:
    if one.push.at_rest:
        return one.decision.reasons[0] if one.decision and one.decision.verdict is Verdict.UNKNOWN else None
    channel = one.world.channel(one.link.platform, one.link.managed.connection)
    if isinstance(channel, Relaying):
        return watch_relay(one, channel) if one.lock is None else _mark_and_watch(one, one.lock, channel)
    if not isinstance(channel, Sending):
        return "no_channel"
    if one.link.state is LinkState.ENDED and _deleted(one):
        confirm(one, "gone")
        return None
    if one.push.sent_seq < one.push.desired_seq:
        if (not_yet := _not_yet(one) or _fought_over(one, channel)) is not None:
            if not_yet != TWO_WRITERS or one.sides.entra is None or one.sides.entra.compliant is not True:
                return not_yet
            confirm(one, "already_so")  # the other writer says the same by now
            return None
        _send(one, channel)
        return "sent"  # Microsoft takes its time (microsoft.md 1.9): an answer in this same second would be *in progress*
    return follow(one, channel)


def _mark_and_watch(one: OnePass, lock: Marking, relay: Relaying) -> str | None:
    """The second lock: the mark is ours to set and to take away, under the same sequence; the rest is the maker's."""
    if one.link.state is LinkState.ENDED and _deleted(one):
        confirm(one, "gone")
        return None
    if one.push.sent_seq < one.push.desired_seq:
        if (not_yet := _not_yet(one)) is not None:
            return not_yet
        _send(one, lock)
        return "sent"
    if one.push.accepted_seq < one.push.desired_seq:
        one.sides.read_back()
        if one.sides.entra is None or (one.sides.entra.mark is Mark.OURS) is not one.push.says_compliant:
            _tell_again_in_time(one, one.push.sent_at)
            return "mark_not_shown"
        _note_accepted(one)
    return watch_relay(one, relay)


def follow(one: OnePass, channel: Sending) -> str | None:
    """What became of what was sent."""
    if one.push.accepted_seq < one.push.desired_seq:
        waiting = _ask(one, channel)
        if waiting is not None:
            return waiting
    return _read_back(one)


def _not_yet(one: OnePass) -> str | None:
    """Why *compliant* must not leave now, be it for the first time or again."""
    if not one.push.says_compliant:
        return None
    if one.decision is None or one.decision.verdict is not Verdict.COMPLIANT:
        return "no_fresh_evidence"  # an old *compliant*: a crash or an outage must not make it true
    now = one.world.clock()
    for link, push in one.world.store.beside(one.link):
        another = link.device_id != one.link.device_id
        if link.state is LinkState.ENDED and (not push.at_rest or (another and _may_rise_yet(push, now))):
            return "old_link_first"
    return None


def _may_rise_yet(push: Push, now: datetime) -> bool:
    """Entra showed this end before it was told: a *compliant* of ours may have been on its way by then, and show for a moment. On
    the entry of another phone, that is: on the new link's own it says what is to be told next."""
    told_more = push.desired_seq > 1 and push.confirmed_by == "already_so"
    return told_more and push.sent_at is not None and now - push.sent_at < SETTLES


def _fought_over(one: OnePass, channel: Sending) -> str | None:
    """Where somebody else writes the other value, *compliant* is not sent again and again, and staff are told. A revocation is."""
    alone = channel.kind is not ChannelKind.GRAPH_DEVICE or not two_writers(one.push, one.world.clock())
    return None if alone or not one.push.says_compliant else TWO_WRITERS


def _send(one: OnePass, channel: Sending | Marking) -> None:
    seq, now = one.push.desired_seq, one.world.clock()
    mid = message_id(one.world.store.tenant_id, one.link.id, seq)
    if one.push.message_id != mid:
        stamp, seen = update_time(_last_told(one), now), _seen_before(one)
        with one.change("push.prepared") as change:
            change.audit(message=mid)
            change.about_to_send(one.link.id, seq=seq, message_id=mid, update_time=stamp, seen_before=seen)
        one.reload()
    _is_awake(one)
    sent = channel.send(_report(one, mid))
    with one.change("push.sent") as change:
        change.audit(message=mid, compliant=one.push.says_compliant, **asdict(sent))
        change.sent(one.link.id, seq=seq)
    one.reload()


def _is_awake(one: OnePass) -> None:
    """A process may sleep for days between two lines. What it read is then no evidence any more, and the next pass reads anew."""
    until = one.decision.until if one.decision is not None else None
    if one.push.says_compliant and until is not None and one.world.clock() >= until:
        raise Stale("push.sent: slept over its evidence")


def _last_told(one: OnePass) -> datetime | None:
    """The newest time told of this directory device, by an earlier link too: a worker whose clock is behind counts on."""
    beside = one.world.store.beside(one.link)
    times = [push.last_update_time for link, push in beside if link.device_id == one.link.device_id]
    return max((at for at in (one.push.last_update_time, *times) if at is not None), default=None)


def _seen_before(one: OnePass) -> bool | None:
    """What Entra shows now; for a revocation, which does not wait for Entra to answer, else what it showed last."""
    if one.sides.entra is None:
        try:
            one.sides.read_back()
        except RemoteError:
            if one.push.says_compliant:
                raise
    return one.sides.entra.compliant if one.sides.entra else one.push.observed


def _report(one: OnePass, mid: str) -> Report:
    device = one.sides.device or one.world.store.managed_device(one.link.managed)
    return Report(
        message_id=mid,
        update_time=one.push.last_update_time or one.world.clock(),
        compliant=one.push.says_compliant,
        managed=one.link.state is LinkState.ACTIVE,
        device_id=one.link.device_id,
        oid=_owner(one),
        name=device.name if device else "",
        platform=one.link.platform,
        os_version=device.os_version if device else None,
        last_seen=device.posture.last_seen if device else one.push.posture_read_at,
    )


def _owner(one: OnePass) -> str:
    """Microsoft takes a message only under the device's owner, and since the link ended that may be somebody else: without them the
    device would stay compliant for ever."""
    shown = one.sides.entra.owner_oid if one.sides.entra and one.link.state is LinkState.ENDED else None
    return shown or one.link.oid


def _ask(one: OnePass, channel: Sending) -> str | None:
    """What became of the message; None once accepted. One id is one message, so a failed one is told anew by the next."""
    try:
        carried = channel.carried(one.push.message_id or "")
    except NotFound:
        if (not_yet := _not_yet(one)) is not None:
            return not_yet
        channel.send(_report(one, one.push.message_id or ""))
        return "sent_again"
    if carried.failed is not None:
        _retell(one, "push.failed")
        return f"failed_{carried.failed}"
    if not carried.accepted:
        return "sent"
    _note_accepted(one)
    return None


def _note_accepted(one: OnePass) -> None:
    with one.change("push.accepted") as change:
        change.accepted(one.link.id, seq=one.push.desired_seq)
    one.reload()


def _read_back(one: OnePass) -> str | None:
    """Only what Entra itself shows after our send is success. A null there opens nothing, so it is *not compliant*."""
    one.sides.read_back()
    if (one.sides.entra is not None and one.sides.entra.compliant is True) is not one.push.says_compliant:
        _tell_again_in_time(one, one.push.accepted_at)
        return "accepted_not_applied"
    confirm(one, "changed" if (one.push.seen_before is True) is not one.push.says_compliant else "already_so")
    return None


def _deleted(one: OnePass) -> bool:
    """The directory device is gone for good: there is nothing left to take down, and Microsoft would refuse to."""
    to_send = one.push.sent_seq < one.push.desired_seq
    with suppress(RemoteError):
        (one.sides.read_entra if to_send else one.sides.read_back)()
    return one.sides.gone is not None


def _tell_again_in_time(one: OnePass, taken_at: datetime | None) -> None:
    """Accepted, and an hour later still not applied: what was wrong there may be mended, and only a new message can tell."""
    if taken_at is not None and one.world.clock() - taken_at >= POLL_SLOW:
        _retell(one, "push.not_applied")


def _retell(one: OnePass, why: str) -> None:
    """The same news under the next sequence, and so under a message id of its own."""
    one.desire(Decision(one.push.desired or Verdict.UNKNOWN, one.push.reasons, one.push.compliant_until), why)
