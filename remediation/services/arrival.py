"""A test of how people arrive: an administrator opens a window, taps, and the next arrival is recorded. Once.

Next door: `domain/arrival.py` (what is kept of it), `web/entrances.py` (where people arrive).
"""

from datetime import datetime
from uuid import uuid4

from ..domain.arrival import LASTS, TESTED, ArrivalTest, referrer_kind
from ..domain.device import Platform
from ..errors import Stale, StepRefused
from ..ports import Actor, Store


def open_window(store: Store, tested: str, *, actor: Actor, now: datetime) -> ArrivalTest:
    """Whatever window was open is closed by it: an arrival belongs to one test."""
    if tested not in TESTED:
        raise StepRefused("no_such_way")
    test = ArrivalTest(str(uuid4()), tested, actor.id, now, now + LASTS)
    with store.change(actor, "arrival.opened", about=("arrival", test.id), at=now) as change:
        change.audit(tested=tested)
        change.open_arrival(test)
    return test


def arrived(
    store: Store, *, entrance: str, way: str | None, platform: Platform, came_from: str | None, own_host: str | None, now: datetime
) -> None:
    """Somebody arrived. Nothing is written unless a window is open, and then nothing of who it was."""
    test = store.open_arrival_test(now)
    if test is None:
        return
    kind = referrer_kind(came_from, own_host)
    try:
        with store.change(Actor("browser", "somebody"), "arrival.seen", about=("arrival", test.id), at=now) as change:
            change.audit(tested=test.tested, entrance=entrance, way=way, platform=platform.value)
            change.record_arrival(test.id, entrance=entrance, way=way, platform=platform.value, referrer=kind)
    except Stale:
        return  # of two at once the other one is recorded
