"""Troubles that the records show by themselves, beside the step: said without being asked. Next door: `troubles`, which asks."""

import re
from datetime import datetime, timedelta

from .device import Platform
from .journey import Journey
from .steps import Step, next_step
from .troubles import Trouble

AWAY = timedelta(minutes=15)
"""Registered so long ago, and not linked since: they were called away, or never saw the page."""
LATELY = timedelta(hours=24)
ASKS_AGAIN = re.compile(r"15\.[0-2](\.|$)")
"""macOS 15.0 to 15.2 (Microsoft's notes on Platform SSO: mended in 15.3)."""


def noticed(journey: Journey, now: datetime, *, full: bool = False) -> tuple[Trouble, ...]:
    """`full`: the person has as many entries as they may have, by what was last read."""
    step, device = next_step(journey, now), journey.in_hand
    known = [d.registered_at for d in journey.directory if d.enabled and d.registered_at is not None]
    found = []
    if step is Step.THIS_DEVICE and journey.possession is None and any(AWAY <= now - at <= LATELY for at in known):
        found.append(Trouble.HALF_WAY)
    if step is Step.REGISTER and full:
        found.append(Trouble.TOO_MANY)
    if step is Step.REGISTER and device is not None:
        if device.enrolled_at is not None and known and max(known) < device.enrolled_at - LATELY:
            found.append(Trouble.NEW_PHONE)
        if journey.platform is Platform.MACOS and ASKS_AGAIN.match(device.os_version or ""):
            found.append(Trouble.ASKED_AGAIN)
    return tuple(found)
