"""The people of a seed: they look at the page and press what it offers, or press at random. Each press is a task.

Next door: `deeds` is what happens to their phones.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from remediation.domain.device import Person
from remediation.domain.journey import Journey
from remediation.domain.steps import Step, next_step
from remediation.errors import Conflict, PossessionRefused, Stale, TooOften
from remediation.ports import Clock
from remediation.services import ask, prove_possession
from remediation.services.start_journey import start_journey
from sandbox.world import Phone, World
from tests.simulator.deeds import PLATFORM
from tests.simulator.doors import SteppedStore

REFUSALS = (KeyError, PossessionRefused, Stale, Conflict, TooOften)
"""How the web answers a press that came too late; none of them is a bug."""

Press = tuple[str, Callable[[], object]]


@dataclass
class Someone:
    """`hand` is the key of the phone in their hand."""

    person: Person
    hand: str
    journey_id: str | None = None

    @property
    def browser(self) -> str:
        return f"browser of {self.person.oid}"


class People:
    def __init__(self, world: World, store: SteppedStore, clock: Clock, chance: random.Random) -> None:
        self.world, self.store, self.clock, self.chance = world, store, clock, chance
        held: dict[str, str] = {}
        for key, phone in sorted(world.phones.items()):
            held.setdefault(phone.person_oid, key)
        self.all = [Someone(self._person(oid), key) for oid, key in held.items()]

    def _person(self, oid: str) -> Person:
        known = self.world.persons[oid]
        return Person(oid=oid, name=known.name, user_name=known.upn, mail=known.mail)

    # what they see

    def journey(self, who: Someone) -> Journey | None:
        journey_id = self.store.living_journey(who.person.oid, PLATFORM, self.clock())
        return None if journey_id is None else self.store.journey(journey_id)

    def page(self, who: Someone) -> Step | None:
        journey = self.journey(who)
        return None if journey is None else next_step(journey, self.clock())

    # what they press

    def honest_press(self, who: Someone) -> Press | None:
        """What a sensible person does next, looking at the page; None where the page asks for patience."""
        journey, phone = self.journey(who), self.world.phones[who.hand]
        if journey is None:
            return self.arrives(who)
        step = next_step(journey, self.clock())
        if step in (Step.LOOKING, Step.ENROLL):  # their phone is enrolled: an MDM that hid it may show it now
            return self.checks_again(who, journey)
        if step is Step.THIS_DEVICE:
            proof = journey.possession
            if proof is not None and proof.sent_at is not None and proof.waiting(self.clock()) and phone.messages:
                return self.taps(who, phone)
            return self.in_my_hand(who, journey, phone)
        if step in (Step.REGISTER, Step.CHOOSE):
            if phone.device_id is None or self.world.device_by_device_id(phone.device_id) is None:
                phone.device_id = None
                self.world.register(phone)
            elif journey.directory:
                self.world.unregister(phone)
                self.world.register(phone)
            return self.checks_again(who, journey)
        if step is Step.FIX:
            phone.health.passcode = phone.health.encrypted = True
            phone.health.jailbroken = False
            return self.checks_again(who, journey)
        return None

    def any_press(self, who: Someone) -> Press | None:
        journey, phone = self.journey(who), self.world.phones[who.hand]
        if journey is None or self.chance.random() < 0.15:
            return self.arrives(who)
        other = self.world.phones[self.chance.choice(sorted(self.world.phones))]
        presses: list[Callable[[], Press | None]] = [
            *(lambda: self.honest_press(who), lambda: self.honest_press(who)),
            *(lambda: self.checks_again(who, journey), lambda: self.still_blocked(who, journey)),
            *(lambda: self.taps(who, phone), lambda: self.in_my_hand(who, journey, other)),
            *(lambda: self.picks(who, journey), lambda: self.not_me(who, phone)),
        ]
        return self.chance.choice(presses)()

    def arrives(self, who: Someone) -> Press:
        store, person = self.store, who.person
        run = partial(
            start_journey,
            store,
            person,
            browser=who.browser,
            entrance="enrollment",
            platform=PLATFORM,
            now=self.clock(),
        )
        return f"{person.name} arrives", run

    def in_my_hand(self, who: Someone, journey: Journey, phone: Phone) -> Press | None:
        device = next((d for d in journey.managed if d.key.record_id == str(phone.record_id)), None)
        if device is None:
            return None
        run = partial(ask.in_my_hand, self.store, journey.id, device.key, oid=who.person.oid, now=self.clock())
        return f"{who.person.name}: {phone.key} is in my hand", run

    def taps(self, who: Someone, phone: Phone) -> Press | None:
        if not phone.messages:
            return None
        message = phone.messages[-1] if self.chance.random() < 0.8 else self.chance.choice(phone.messages)
        token = re.findall(r"/possession/([\w-]+)", message.body)[-1]
        run = partial(prove_possession.prove, self.store, token, oid=who.person.oid, browser=who.browser, now=self.clock())
        return f"{who.person.name} taps the message on {phone.key}", run

    def not_me(self, who: Someone, phone: Phone) -> Press | None:
        if not phone.messages:
            return None
        token = re.findall(r"/possession/([\w-]+)", phone.messages[-1].body)[-1]
        says = partial(prove_possession.not_me, self.store, token, oid=who.person.oid, browser=who.browser, now=self.clock())
        return f"{who.person.name}: not me", says

    def checks_again(self, who: Someone, journey: Journey) -> Press:
        run = partial(ask.check_again, self.store, journey.id, oid=who.person.oid, now=self.clock())
        return f"{who.person.name} checks again", run

    def still_blocked(self, who: Someone, journey: Journey) -> Press:
        run = partial(ask.still_blocked, self.store, journey.id, oid=who.person.oid, now=self.clock())
        return f"{who.person.name} is still blocked", run

    def picks(self, who: Someone, journey: Journey) -> Press | None:
        if not journey.directory:
            return None
        device = self.chance.choice(journey.directory).device_id
        return f"{who.person.name} picks {device}", partial(
            ask.pick, self.store, journey.id, device, oid=who.person.oid, now=self.clock()
        )
