"""A person says that it is about a device of another kind. Each device has a journey and a case of its own: this one stays alive,
and is gone on with by choosing its kind again; the other is begun, or gone on with, in this browser.
"""

from datetime import datetime

from ..domain.device import Platform
from ..domain.journey import Journey
from ..domain.turns import LOOKS
from ..errors import TooOften
from ..ports import Actor, Store
from .start_journey import start_journey


def other_device(store: Store, journey: Journey, platform: Platform, *, oid: str, browser: str, now: datetime) -> str:
    """The id of the journey that this browser is on afterwards."""
    if journey.person.oid != oid:
        raise KeyError(journey.id)
    if platform is journey.platform:
        return journey.id
    again_at = store.take_turn(f"look:{oid}", LOOKS, at=now)
    if again_at is not None:
        raise TooOften(again_at)
    journey_id = start_journey(store, journey.person, browser=browser, entrance="start", platform=platform, now=now)
    with store.change(Actor("person", oid), "journey.left", about=("journey", journey.id), at=now) as change:
        change.audit(for_journey=journey_id, platform=platform.value)
        change.bind_journey(journey.id, f"left {browser}")  # a browser is on one journey at a time
    return journey_id
