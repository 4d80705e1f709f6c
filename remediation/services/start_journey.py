"""A signed-in person begins a journey, or goes on with the one they left. Next door: `ask` (what its buttons say)."""

import secrets
from datetime import datetime
from uuid import uuid4

from ..domain.device import Person, Platform
from ..domain.journey import LASTS
from ..domain.turns import CASES
from ..errors import TooOften
from ..ports import Actor, Store

# Without vowels (no words), and without 0 O 1 I L, which people confuse when they read aloud.
LETTERS = "23456789BCDFGHJKMNPQRSTVWXZ"


def start_journey(store: Store, person: Person, *, browser: str, entrance: str, platform: Platform, now: datetime) -> str:
    """The id of the journey this person is on, bound to this browser, with a look at the remotes asked for."""
    actor = Actor("person", person.oid)
    living = store.living_journey(person.oid, platform, now)
    journey_id = living or str(uuid4())
    why = "journey.resumed" if living else "journey.started"
    with store.change(actor, why, about=("journey", journey_id), at=now) as change:
        change.audit(entrance=entrance, platform=platform.value)
        change.save_person(person)
        if living:
            change.bind_journey(journey_id, browser)
        else:
            change.start_journey(
                journey_id=journey_id,
                case_code=case_code(),
                oid=person.oid,
                platform=platform,
                browser=browser,
                entrance=entrance,
                expires_at=now + LASTS,
            )
        change.want_look(journey_id)
    return journey_id


def open_case(store: Store, *, browser: str, entrance: str, platform: Platform, now: datetime) -> str:
    """A case code for somebody who cannot sign in, to read out to the helpdesk. Nothing tells them
    apart, so they share their turns: rows that anybody can make have to be bounded."""
    again_at = store.take_turn("cases", CASES, at=now)
    if again_at is not None:
        raise TooOften(again_at)
    code = case_code()
    with store.change(Actor("browser", browser), "case.opened", about=("case", code), at=now) as change:
        change.audit(entrance=entrance, platform=platform.value)
        change.open_case(case_code=code, browser=browser, platform=platform, entrance=entrance)
    return code


def case_code() -> str:
    """Six characters that can be read out over a bad line, such as `K7M-2QX`: 387 million of them; unique by the database."""
    code = "".join(secrets.choice(LETTERS) for _ in range(6))
    return f"{code[:3]}-{code[3:]}"
