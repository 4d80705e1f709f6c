"""Fresh reads of both sides in, and out what Microsoft should be told about a link: another verdict, the same, or its end.

Part of a pass (`one_pass`); `domain/compliance.py: decide` has the rule, `read_both_sides` the reads. Next door: `carry`.
"""

from dataclasses import replace
from datetime import timedelta

from ..domain.compliance import Decision, Verdict, decide
from ..domain.device import DirectoryDevice, LinkState
from ..domain.evidence import ends_link, suffices
from ..domain.partner import LEAVING
from ..domain.pilot import HELD
from ..domain.push import Lane
from ..errors import NotFound, RemoteError, Stale
from ..ports import Beating, Relaying
from .marks import put_right, wrong_mark
from .one_pass import OnePass

# Longer than four calls can take, each at its timeout. A pass that slept longer has read nothing that is true *now*: by the clock
# at which it woke, an old check-in would end a lease that others have renewed.
COUNTS_FOR = timedelta(minutes=5)


def ended(one: OnePass) -> bool:
    """Fresh reads of either side may end the link; telling Microsoft is then a wake-up of its own, with the revocations. A
    journey that still rests on the link is looked at anew."""
    why = one.sides.gone or ends_link(one.link, one.sides.device, one.sides.entra) or _too_weak(one)
    if why is None:
        return False
    journey_id = one.world.store.living_journey(one.link.oid, one.link.platform, one.world.clock())
    with one.change("link.ended") as change:
        change.audit(because=why)
        change.end_link(one.link.id, why)
        if journey_id is not None:
            change.want_look(journey_id)
    return True


def _too_weak(one: OnePass) -> str | None:
    """The tenant asks for better evidence than when this link was made. What was told stands as long as its lease, in which nobody
    has to be locked out; then the link makes room for a new proof."""
    until = one.push.compliant_until
    stands = one.push.says_compliant and until is not None and until > one.world.clock()
    return None if stands or suffices(one.link.evidence, one.world.minimum) else "evidence_below_minimum"


def judge(one: OnePass) -> None:
    """Compare what the posture calls for with what Microsoft should be told so far; then the second lock's mark."""
    before, found = one.push.desired_seq, wrong_mark(one)
    _judge(one)
    if found is not None:
        put_right(one, found, news=one.push.desired_seq != before)


def _judge(one: OnePass) -> None:
    leaving = _leaving(one)
    if one.push.says_compliant and leaving:
        one.desire(Decision(Verdict.NOT_COMPLIANT, (LEAVING,), None), "verdict.changed")  # whatever the MDM says of it by now
        return
    if one.sides.device is None:
        _lapse(one)
        return
    if one.world.clock() - one.sides.device.posture.read_at > COUNTS_FOR:
        raise Stale("slept over what it had read")
    entra, push = one.sides.entra, one.push
    one.decision = decide(one.sides.device.posture, one.world.clock(), one.world.lease)
    if one.decision.verdict is Verdict.COMPLIANT and not _may_say_compliant(one, entra):
        switched_off = entra is not None and entra.owner_enabled is False
        one.decision = (
            Decision(Verdict.NOT_COMPLIANT, ("account_disabled",), None)
            if switched_off
            else Decision(Verdict.UNKNOWN, ("owner_unclear",), None)
        )
    if one.decision.verdict is Verdict.COMPLIANT and one.world.store.held_down(one.link.id, one.world.clock()):
        one.decision = Decision(Verdict.NOT_COMPLIANT, (HELD,), None)
    if one.decision.verdict is Verdict.COMPLIANT and leaving:
        one.decision = Decision(Verdict.NOT_COMPLIANT, (LEAVING,), None)
    resting = push.at_rest and push.desired_seq > 0
    drifted = resting and entra is not None and (entra.compliant is True) is not push.says_compliant
    if one.decision.verdict is Verdict.UNKNOWN:
        _lapse(one)
    elif one.decision.verdict is not push.desired:
        one.desire(one.decision, "verdict.changed")
    elif drifted:
        one.desire(one.decision, "drift.seen" if _relayed(one) else "drift.repaired")
    elif push.to_tell_again:
        one.desire(one.decision, "push.resync", lane=Lane.SWEEP)
    elif not push.at_rest:
        _confirm_what_is_desired(one)


def _confirm_what_is_desired(one: OnePass) -> None:
    """No news, and what is desired is still to be told: the row learns now that it was judged anew. A worker that read earlier and
    comes late would else tell what it read on top of what this pass tells."""
    if one.decision is not None and one.sides.device is not None:
        read_at = one.sides.device.posture.read_at
        one.world.store.note_judged(one.link.id, seq=one.push.desired_seq, decision=one.decision, posture_read_at=read_at)


def _may_say_compliant(one: OnePass, entra: DirectoryDevice | None) -> bool:
    """Invariants checked again by the worker's own reads: owner and account (I5), evidence (I12)."""
    if entra is None or not suffices(one.link.evidence, one.world.minimum):
        return False
    return entra.owner_oid == one.link.oid and entra.owner_enabled is True and entra.enabled


def _lapse(one: OnePass) -> None:
    """Without fresh evidence *compliant* stands until its lease ends, and not a moment longer."""
    if _is_over(one):
        _renew_by_its_check_in(one)
        one.reload()  # renewing tells no news: another pass may have done it since this one began
    if _is_over(one):
        one.desire(Decision(Verdict.NOT_COMPLIANT, ("lease_ended",), None), "lease.ended")


def _renew_by_its_check_in(one: OnePass) -> None:
    """The directory was not to be had, but the MDM shows that the device was heard of since: that is no silence of the device's.
    How long ago we read both sides counts on, from when we did."""
    device, judged_at = one.sides.device, one.push.posture_read_at
    directory_spoke = one.sides.entra is not None or one.sides.not_in_directory
    if device is None or judged_at is None or directory_spoke or not suffices(one.link.evidence, one.world.minimum):
        return
    decision = decide(replace(device.posture, read_at=judged_at), one.world.clock(), one.world.lease)
    if decision.verdict is Verdict.COMPLIANT:
        one.world.store.note_judged(one.link.id, seq=one.push.desired_seq, decision=decision, posture_read_at=judged_at)


def _is_over(one: OnePass) -> bool:
    until = one.push.compliant_until
    return one.push.desired is Verdict.COMPLIANT and (until is None or until <= one.world.clock())


def _leaving(one: OnePass) -> bool:
    """We are about to be nobody's compliance partner, or are none any more by our own doing: what we told is taken back while that
    can still be done."""
    channel = one.world.channel(one.link.platform, one.link.managed.connection)
    told = one.world.store.partner_told() if isinstance(channel, Beating) else None
    return told is not None and told.leaving_at is not None


def _relayed(one: OnePass) -> bool:
    """The MDM's maker carries: we can repair nothing, only see it."""
    return isinstance(one.world.channel(one.link.platform, one.link.managed.connection), Relaying)


def look_after_its_end(one: OnePass) -> RemoteError | None:
    """The end was confirmed, and yet a list showed the device compliant: is it still, and does no other link answer for it?"""
    push, link = one.push, one.link
    beside = one.world.store.beside(link)
    told = push.at_rest and push.desired_seq > 0
    if not told or (_relayed(one) and one.lock is None):
        return None
    if any(other.state is LinkState.ACTIVE and other.device_id == link.device_id for other, _ in beside):
        return None
    try:
        one.sides.read_entra()
    except NotFound:
        return None
    except RemoteError as error:
        return error
    if one.lock is not None:
        if (found := wrong_mark(one)) is not None:
            put_right(one, found, news=False)
    elif one.sides.entra is not None and one.sides.entra.compliant is True:
        one.desire(Decision(Verdict.NOT_COMPLIANT, push.reasons, None), "drift.repaired")
    return None
