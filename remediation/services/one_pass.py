"""One pass over one link: what it read, and the row as it stands after each of its own writes.

`push_compliance` begins it and parks the row, `judge` decides what Microsoft should be told, `carry` tells it.
"""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cached_property

from ..domain.compliance import Decision, Verdict
from ..domain.device import DeviceLink
from ..domain.push import Lane, Push
from ..errors import Stale
from ..ports import Alarm, Change, Marking
from .read_both_sides import BothSides
from .world import World

MARK_REPAIRED = "mark.repaired"
COUNTED = {"drift.repaired": "flipped", "push.not_applied": "not_applied"}


@dataclass
class OnePass:
    """`decision` is what this pass's own read of the posture calls for; None where it read none."""

    world: World
    link: DeviceLink
    push: Push
    decision: Decision | None = None

    def __post_init__(self) -> None:
        self.sides = BothSides(self.link, self.push, self.world)

    @cached_property
    def lock(self) -> Marking | None:
        """The second lock, where it is on for this link's device."""
        return self.world.lock_on(self.link)

    def change(self, why: str) -> AbstractContextManager[Change]:
        return self.world.store.change(self.world.actor, why, about=("link", self.link.id), at=self.world.clock())

    def reload(self, *, seq: int | None = None) -> None:
        """The row after a write of ours. Where it tells of newer news by now, this pass is over: it would say the one under the
        other's name."""
        expected = self.push.desired_seq if seq is None else seq
        self.push = self.world.store.push(self.link.id) or self.push
        if self.push.desired_seq != expected:
            raise Stale("newer news came in between")

    def desire(
        self, decision: Decision, why: str, *, lane: Lane | None = None, alarm: Alarm | None = None, **detail: object
    ) -> None:
        """From now on Microsoft should be told this, on the posture just read or, where none was, on the one known before. `alarm`
        is raised with it, `detail` is for the audit."""
        read_at = self.sides.device.posture.read_at if self.sides.device else self.push.posture_read_at or self.world.clock()
        stood = self.push.desired is Verdict.COMPLIANT or why in ("drift.repaired", "drift.seen", MARK_REPAIRED)
        down = decision.verdict is not Verdict.COMPLIANT and stood
        with self.change(why) as change:
            change.audit(verdict=decision.verdict.value, reasons=list(decision.reasons), **detail)
            if alarm is not None:
                change.raise_alarm(alarm)
            if lane is None:
                lane = Lane.REVOKE if down else Lane.PERSON
            seq, again = self.push.desired_seq, COUNTED.get(why)
            change.desire(self.link.id, seq=seq, decision=decision, posture_read_at=read_at, lane=lane, again=again)
        self.reload(seq=self.push.desired_seq + 1)
