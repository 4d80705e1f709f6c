"""What a person is told where the same instruction did not help: never the same one again.

Each step that asks something of a person has three rungs: its usual instruction, another one, and a person of the helpdesk. What
was tried is counted for the whole journey, so that whoever is led in a circle comes to the next rung as well. Next door: `steps`.
"""

from datetime import datetime, timedelta
from enum import StrEnum

from .journey import Journey
from .steps import LOOP, Step, next_step


class Rung(StrEnum):
    USUAL = "usual"
    ANOTHER = "another"
    HELPDESK = "helpdesk"


ASKS = frozenset({Step.ENROLL, Step.THIS_DEVICE, Step.REGISTER, Step.CHOOSE, Step.SIGN_IN, Step.CERTIFICATE, Step.FIX, Step.IN_APP})
"""Of the others, time has its turn in `looking` and `wait`, `not_for_you` and `help` name a person already, and `open` has rungs of
its own in `steps`, after *still blocked*."""
AGAIN_AFTER = timedelta(minutes=1)
"""What is pressed sooner is impatience, not another try: records take their time to be listed."""
KEPT = 50


def rung(journey: Journey, now: datetime) -> Rung:
    """Which instruction the step of this moment gives."""
    step = next_step(journey, now)
    if step not in ASKS or _under_way(journey, step, now):
        return Rung.USUAL
    count = tried(journey, step)
    return Rung.USUAL if count < LOOP else Rung.ANOTHER if count < 2 * LOOP else Rung.HELPDESK


def tried(journey: Journey, step: Step) -> int:
    """How often this was done in vain; a second sign-in and a certificate leave rows of their own."""
    if step is Step.SIGN_IN:
        return len(journey.sign_ins)
    if step is Step.CERTIFICATE:
        return len(journey.certificates)
    return journey.tries.count(_key(journey, step))


def with_this_try(journey: Journey, now: datetime) -> tuple[str, ...] | None:
    """`tries` after a person says that they did what this step asks; None where it does not count as another try."""
    step = next_step(journey, now)
    soon = journey.tried_at is not None and now - journey.tried_at < AGAIN_AFTER
    if step not in ASKS or soon or _under_way(journey, step, now):
        return None
    return (*journey.tries, _key(journey, step))[-KEPT:]


def _under_way(journey: Journey, step: Step, now: datetime) -> bool:
    """A message can still be tapped, or Entra's record of a sign-in may still come: nothing was in vain yet."""
    proof, last = journey.possession, journey.last_sign_in
    if step is Step.THIS_DEVICE:
        return proof is not None and proof.error is None and proof.waiting(now)
    return step is Step.SIGN_IN and last is not None and last.record_due is not None


def _key(journey: Journey, step: Step) -> str:
    """One rule less that fails is another matter."""
    device = journey.in_hand
    return f"{step.value}:{len(device.posture.failing)}" if step is Step.FIX and device is not None else step.value
