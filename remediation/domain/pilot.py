"""One named device proves a channel: compliant, not compliant, compliant, each seen in Entra.

Only `judge` ever says *compliant*, by the MDM's own word and full evidence; a pilot can hold its device down and never up. What
holds it is the row itself, within its time: when nobody drives a pilot any more, the hold ends all the same. Pure; next door:
`services/pilot.py` (which drives), `push` (the row of the link that is looked at).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from .compliance import Verdict
from .device import DeviceLink, LinkState, Platform
from .push import Push


class PilotStep(StrEnum):
    """What is waited for now."""

    COMPLIANT = "compliant"
    NOT_COMPLIANT = "not_compliant"
    AGAIN = "again"


class PilotState(StrEnum):
    RUNNING = "running"
    PROVEN = "proven"
    FAILED = "failed"
    STOPPED = "stopped"


class Down(StrEnum):
    """Whose word *not compliant* is: ours, or the MDM's, for which somebody has to break a rule on the device."""

    PUSH = "push"
    MDM = "mdm"


HELD = "pilot"
"""The reason of a verdict that a pilot holds down."""
# Longer than the worst that Microsoft takes (`push.WORST`); where somebody has to do something on the device, they need time too.
_LASTS = {Down.PUSH: timedelta(minutes=75), Down.MDM: timedelta(hours=3)}
LOOK_EVERY = timedelta(seconds=5)
LOOK_SLOWLY = timedelta(minutes=1)
FAST_FOR = timedelta(minutes=10)


def watch_of(platform: Platform) -> str:
    """The row of `watches` that drives the pilot of a platform."""
    return f"pilot/{platform.value}"


def step_lasts(down: Down, every: timedelta) -> timedelta:
    """`every` is how often the MDM's maker has its turn, where it carries; nothing elsewhere."""
    return _LASTS[down] + 2 * every


@dataclass(frozen=True)
class Pilot:
    """`step_at` is since when the step is waited for, `until` how long; the three moments are when Entra was seen to show it."""

    id: str
    platform: Platform
    channel: str
    connection: str
    link_id: str
    down: Down
    step: PilotStep
    step_at: datetime
    until: datetime
    state: PilotState
    started_at: datetime
    started_by: str
    compliant_at: datetime | None = None
    not_compliant_at: datetime | None = None
    again_at: datetime | None = None
    ended_at: datetime | None = None
    why: str | None = None

    def holds_down(self, now: datetime) -> bool:
        running = self.state is PilotState.RUNNING and self.step is PilotStep.NOT_COMPLIANT
        return running and self.down is Down.PUSH and now < self.until


@dataclass(frozen=True)
class Next:
    """What a look calls for: the next step (None: proven), or an end with its reason."""

    seen_at: datetime | None = None
    step: PilotStep | None = None
    failed: str | None = None


FOLLOWS = {PilotStep.COMPLIANT: PilotStep.NOT_COMPLIANT, PilotStep.NOT_COMPLIANT: PilotStep.AGAIN, PilotStep.AGAIN: None}


def look(pilot: Pilot, link: DeviceLink | None, push: Push | None, channel: str | None, now: datetime) -> Next | None:
    """None: wait on."""
    if link is None or push is None or link.state is not LinkState.ACTIVE:
        return Next(failed="link_ended")
    if channel != pilot.channel:
        return Next(failed="other_channel")
    seen = seen_at(pilot, push, now)
    if seen is not None:
        return Next(seen_at=seen, step=FOLLOWS[pilot.step])
    return Next(failed=f"not_seen_{pilot.step.value}") if now >= pilot.until else None


def seen_at(pilot: Pilot, push: Push, now: datetime) -> datetime | None:
    """When Entra itself was last seen to show what the step waits for, read back since the step began."""
    fresh = push.observed_at is not None and push.observed_at >= pilot.step_at
    if not fresh:
        return None
    if pilot.step is PilotStep.NOT_COMPLIANT:
        told = push.desired is Verdict.NOT_COMPLIANT and push.at_rest and push.desired_seq > 0
        return push.observed_at if told and push.observed is not True else None
    judged = push.posture_read_at is not None and push.posture_read_at >= pilot.step_at
    return push.observed_at if judged and push.open_at(now) else None


def look_again(pilot: Pilot, now: datetime) -> datetime:
    every = LOOK_EVERY if now - pilot.step_at < FAST_FOR else LOOK_SLOWLY
    return min(now + every, max(pilot.until, now))
