"""Bring one link to rest: what Microsoft should be told follows the MDM, and Entra itself has shown it.

Read the posture fresh → decide → send under a message id that is the same after any crash → ask what became of it → read back.
Safe from the top: progress lives in the row alone, and every write compares the sequence first, so that a worker that wakes late
changes nothing. No transaction stays open across a call. Newer news raises `Stale` here, and whoever wrote it finishes the work.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from ..domain.compliance import Decision, Verdict, decide
from ..domain.device import DeviceLink, DirectoryDevice, LinkState
from ..domain.evidence import ends_link, suffices
from ..domain.push import POLL_SLOW, Lane, Push, back_off, look_again, message_id, rests_until, update_time
from ..errors import Busy, NotFound, RemoteError, Stale
from ..ports import Change, LinkNoting, Report, Sending
from .read_both_sides import GONE_AFTER, BothSides
from .world import World


def bring_to_rest(link_id: str, *, world: World) -> None:
    """One pass over one link; parks the row until the next one."""
    link, push = world.store.link(link_id), world.store.push(link_id)
    if link is None or push is None or link.state is LinkState.PENDING:
        return
    try:
        _Pass(world, link, push).run()
    except Stale:
        return


@dataclass
class _Pass:
    """What this pass read, and the row as it stands after each of its own writes."""

    world: World
    link: DeviceLink
    push: Push
    decision: Decision | None = None

    def __post_init__(self) -> None:
        self.sides = BothSides(self.link, self.world)

    def run(self) -> None:
        wake, attempts = self.push.wake, self.push.attempts
        error: RemoteError | None = None
        reason: str | None = None
        if self.link.state is LinkState.ACTIVE:
            error = self.sides.read()
            if self._ended():
                return
            self._decide()
        else:
            error = self._look_after_its_end()
        try:
            reason = self._carry()
        except RemoteError as failed:
            error = error or failed
        self._park(wake, attempts, reason, error)

    # what is true now

    def _ended(self) -> bool:
        """Fresh reads of either side may end the link; telling Microsoft is then a wake-up of its own, with the revocations. A
        journey that still rests on the link is looked at anew."""
        why = self.sides.gone or ends_link(self.link, self.sides.device, self.sides.entra)
        if why is None:
            return False
        journey_id = self.world.store.living_journey(self.link.oid, self.link.platform, self.world.clock())
        with self._change("link.ended") as change:
            change.audit(because=why)
            change.end_link(self.link.id, why)
            if journey_id is not None:
                change.want_look(journey_id)
        return True

    def _decide(self) -> None:
        """Compare what the posture calls for with what Microsoft should be told so far."""
        if self.sides.device is None:
            self._lapse()
            return
        posture, push, entra = self.sides.device.posture, self.push, self.sides.entra
        self.decision = decide(posture, self.world.clock(), self.world.lease)
        if self.decision.verdict is Verdict.COMPLIANT and not self._may_say_compliant(entra):
            self.decision = Decision(Verdict.UNKNOWN, ("owner_unclear",), None)
        resting = push.at_rest and push.desired_seq > 0
        drifted = resting and entra is not None and (entra.compliant is True) is not push.says_compliant
        if self.decision.verdict is Verdict.UNKNOWN:
            self._lapse()
        elif self.decision.verdict is not push.desired:
            self._desire(self.decision, posture.read_at, "verdict.changed")
        elif drifted:
            self._desire(self.decision, posture.read_at, "drift.repaired")

    def _may_say_compliant(self, entra: DirectoryDevice | None) -> bool:
        """Invariants checked again by the worker's own reads: owner (I5) and evidence (I12)."""
        if entra is None:
            return False
        return entra.owner_oid == self.link.oid and entra.enabled and suffices(self.link.evidence, self.world.minimum)

    def _lapse(self) -> None:
        """Without fresh evidence *compliant* stands until its lease ends, and not a moment longer."""
        until, now = self.push.compliant_until, self.world.clock()
        if self.push.desired is Verdict.COMPLIANT and (until is None or until <= now):
            ended = Decision(Verdict.NOT_COMPLIANT, ("lease_ended",), None)
            self._desire(ended, self.push.posture_read_at or now, "lease.ended")

    def _look_after_its_end(self) -> RemoteError | None:
        """The end was confirmed, and yet a list showed the device compliant: is it still, and does no other link answer for it?"""
        push, link = self.push, self.link
        told = push.at_rest and push.desired_seq > 0
        if not told or any(other.state is LinkState.ACTIVE and other.device_id == link.device_id for other, _ in self._beside()):
            return None
        try:
            self.sides.read_entra()
        except NotFound:
            return None
        except RemoteError as error:
            return error
        if self.sides.entra is not None and self.sides.entra.compliant is True:
            again = Decision(Verdict.NOT_COMPLIANT, push.reasons, None)
            self._desire(again, push.posture_read_at or self.world.clock(), "drift.repaired")
        return None

    def _beside(self) -> Sequence[tuple[DeviceLink, Push]]:
        return self.world.store.beside(self.link)

    def _desire(self, decision: Decision, read_at: datetime, why: str) -> None:
        down = decision.verdict is not Verdict.COMPLIANT and (self.push.desired is Verdict.COMPLIANT or why == "drift.repaired")
        with self._change(why) as change:
            change.audit(verdict=decision.verdict.value, reasons=list(decision.reasons))
            lane = Lane.REVOKE if down else Lane.PERSON
            change.desire(self.link.id, seq=self.push.desired_seq, decision=decision, posture_read_at=read_at, lane=lane)
        self._reload()

    # carrying it

    def _carry(self) -> str | None:
        """Send, ask, read back; returns why the row does not rest yet, None where it does."""
        if self.push.at_rest:
            return self.decision.reasons[0] if self.decision and self.decision.verdict is Verdict.UNKNOWN else None
        channel = self.world.channel(self.link.platform)
        if not isinstance(channel, Sending):
            return "no_channel" if channel is None else "waiting_for_mdm"
        if self.link.state is LinkState.ENDED and self._deleted():
            self._confirm("gone")
            return None
        if self.push.sent_seq < self.push.desired_seq:
            if (not_yet := self._not_yet()) is not None:
                return not_yet
            self._send(channel)
        if self.push.accepted_seq < self.push.desired_seq:
            waiting = self._ask(channel)
            if waiting is not None:
                return waiting
        return self._read_back()

    def _not_yet(self) -> str | None:
        """Why *compliant* must not leave now, be it for the first time or again."""
        if not self.push.says_compliant:
            return None
        if self.decision is None or self.decision.verdict is not Verdict.COMPLIANT:
            return "no_fresh_evidence"  # an old *compliant*: a crash or an outage must not make it true
        old = [push for link, push in self._beside() if link.state is LinkState.ENDED]
        return "old_link_first" if any(not push.at_rest for push in old) else None

    def _send(self, channel: Sending) -> None:
        seq, now = self.push.desired_seq, self.world.clock()
        mid = message_id(self.world.store.tenant_id, self.link.id, seq)
        if self.push.message_id != mid:
            stamp, seen = update_time(self._last_told(), now), self._seen_before()
            with self._change("push.prepared") as change:
                change.audit(message=mid)
                change.about_to_send(self.link.id, seq=seq, message_id=mid, update_time=stamp, seen_before=seen)
            self._reload()
        channel.send(self._report(mid))
        with self._change("push.sent") as change:
            change.audit(message=mid, compliant=self.push.says_compliant)
            change.sent(self.link.id, seq=seq)
        self._reload()

    def _last_told(self) -> datetime | None:
        """The newest time told of this directory device, by an earlier link too: a worker whose clock is behind counts on."""
        beside = self._beside()
        times = [push.last_update_time for link, push in beside if link.device_id == self.link.device_id]
        return max((at for at in (self.push.last_update_time, *times) if at is not None), default=None)

    def _seen_before(self) -> bool | None:
        """What Entra shows now; for a revocation, which does not wait for Entra to answer, else what it showed last."""
        if self.sides.entra is None:
            try:
                self.sides.read_entra()
            except RemoteError:
                if self.push.says_compliant:
                    raise
        return self.sides.entra.compliant if self.sides.entra else self.push.observed

    def _report(self, mid: str) -> Report:
        device = self.sides.device or self.world.store.managed_device(self.link.managed)
        return Report(
            message_id=mid,
            update_time=self.push.last_update_time or self.world.clock(),
            compliant=self.push.says_compliant,
            managed=self.link.state is LinkState.ACTIVE,
            device_id=self.link.device_id,
            oid=self.link.oid,
            name=device.name if device else "",
            platform=self.link.platform,
            os_version=device.os_version if device else None,
            last_seen=device.posture.last_seen if device else self.push.posture_read_at,
        )

    def _ask(self, channel: Sending) -> str | None:
        """What became of the message; None once accepted. One id is one message, so a failed one is told anew by the next."""
        try:
            carried = channel.carried(self.push.message_id or "")
        except NotFound:
            if (not_yet := self._not_yet()) is not None:
                return not_yet
            channel.send(self._report(self.push.message_id or ""))
            return "sent_again"
        if carried.failed is not None:
            self._retell("push.failed")
            return f"failed_{carried.failed}"
        if not carried.accepted:
            return "sent"
        with self._change("push.accepted") as change:
            change.accepted(self.link.id, seq=self.push.desired_seq)
        self._reload()
        return None

    def _read_back(self) -> str | None:
        """Only what Entra itself shows after our send is success. A null there opens nothing, so it is *not compliant*."""
        self.sides.read_entra()
        if (self.sides.entra is not None and self.sides.entra.compliant is True) is not self.push.says_compliant:
            self._tell_again_in_time()
            return "accepted_not_applied"
        self._confirm("changed" if (self.push.seen_before is True) is not self.push.says_compliant else "already_so")
        return None

    def _confirm(self, by: str) -> None:
        with self._change("push.confirmed") as change:
            change.audit(by=by, shown=self.sides.entra.compliant if self.sides.entra else None)
            change.confirmed(self.link.id, seq=self.push.desired_seq, by=by)
            if self.link.state is LinkState.ENDED:
                self._wake_those_who_waited(change)
        self._reload()
        self._note_link()

    def _deleted(self) -> bool:
        """The directory device is gone for good: there is nothing left to take down, and Microsoft would refuse to."""
        with suppress(RemoteError):
            self.sides.read_entra()
        return self.sides.gone is not None

    def _wake_those_who_waited(self, change: Change) -> None:
        for link, _ in self._beside():
            if link.state is LinkState.ACTIVE:
                change.wake_link(link.id, lane=Lane.PERSON)

    def _note_link(self) -> None:
        """Leave the Azure device id on the MDM's record, so that staff find the pair there too. Nothing depends on it, so a refusal
        is not worth a retry: the next confirmation tries again."""
        manager = self.world.managers.get(self.link.managed.connection)
        if self.link.state is LinkState.ACTIVE and isinstance(manager, LinkNoting):
            with suppress(RemoteError):
                manager.note_link(self.link.managed.record_id, self.link.device_id)

    def _tell_again_in_time(self) -> None:
        """Accepted, and an hour later still not applied: what was wrong there may be mended, and only a new message can tell."""
        accepted, now = self.push.accepted_at, self.world.clock()
        if accepted is not None and now - accepted >= POLL_SLOW:
            self._retell("push.not_applied")

    def _retell(self, why: str) -> None:
        """The same news under the next sequence, and so under a message id of its own."""
        decision = Decision(self.push.desired or Verdict.UNKNOWN, self.push.reasons, self.push.compliant_until)
        self._desire(decision, self.push.posture_read_at or self.world.clock(), why)

    # bookkeeping

    def _park(self, wake: int, attempts: int, reason: str | None, error: RemoteError | None) -> None:
        now = self.world.clock()
        good = self.decision if self.decision and self.decision.verdict is self.push.desired else None
        self.world.store.note_push(
            self.link.id,
            wake=wake,
            next_at=self._next(now, attempts, reason, error),
            attempts=0 if self.push.at_rest and error is None else attempts + 1,
            reason=f"{error.remote}_{error.code}" if error else reason,
            observed=self.sides.entra.compliant if self.sides.entra else None,
            observed_at=self.sides.entra.read_at if self.sides.entra else None,
            decision=good,
            posture_read_at=self.sides.device.posture.read_at if good and self.sides.device else None,
        )

    def _next(self, now: datetime, attempts: int, reason: str | None, error: RemoteError | None) -> datetime | None:
        """When to look again: by what the remotes allow, and never after the end of the lease."""
        at = self._in_turn(now, attempts, reason, error)
        until = self.decision.until if self.decision and self.decision.until else self.push.compliant_until
        lease_runs = self.push.says_compliant and until is not None and until > now
        return min(at, until) if lease_runs and at is not None and until is not None else at

    def _in_turn(self, now: datetime, attempts: int, reason: str | None, error: RemoteError | None) -> datetime | None:
        """At rest by the recheck, else sooner; never before a remote allows it."""
        if isinstance(error, NotFound):
            return min(back_off(now, attempts), now + GONE_AFTER / 2)
        if error is not None or (reason or "").startswith("failed_"):
            asked = error.retry_after if isinstance(error, Busy) and error.retry_after is not None else 0.0
            return max(back_off(now, attempts), now + timedelta(seconds=asked))
        if not self.push.at_rest or reason is not None:
            return look_again(now, waiting_since=self.push.desired_at or self.link.made_at, attempts=attempts)
        return None if self.link.state is LinkState.ENDED else rests_until(now, None, self.world.recheck)

    def _change(self, why: str) -> AbstractContextManager[Change]:
        return self.world.store.change(self.world.actor, why, about=("link", self.link.id), at=self.world.clock())

    def _reload(self) -> None:
        self.push = self.world.store.push(self.link.id) or self.push
