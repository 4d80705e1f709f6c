"""A person tells what is going on: kept in their case as one of a fixed list, with the browser that they told it in.

Nothing is decided by it: anybody can press any answer. Next door: `domain/troubles.py` has the list, `microsoft_said` the codes.
"""

from datetime import datetime

from ..domain.journey import Journey
from ..domain.troubles import Trouble
from ..domain.turns import SAID
from ..ports import Actor, Store
from .ask import take_turn


def keep(store: Store, journey: Journey, trouble: Trouble, *, browser: str, system: str, oid: str, now: datetime) -> None:
    """`browser` and `system` are what the browser calls itself, by our own words for them. Raises TooOften."""
    take_turn(store, f"said:{oid}", SAID, now)
    with store.change(Actor("person", oid), "trouble.told", about=("journey", journey.id), at=now) as change:
        change.audit(trouble=trouble.value, browser=browser, platform=system)
