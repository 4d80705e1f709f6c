"""What a person's buttons ask for. Each is a wish in the database; the worker does the rest.

Every function takes the `oid` of who asks and does nothing for a journey that is not theirs (KeyError: a bug or a forged handle).
What makes the remotes work raises `TooOften` where one person asks for more of it than anybody needs.
"""

from datetime import datetime

from ..domain.device import LinkState, ManagedKey
from ..domain.journey import Journey
from ..domain.loops import with_this_try
from ..domain.push import Lane
from ..domain.steps import Step, candidates, next_step
from ..domain.turns import LOOKS, MESSAGES, PROOFS, Turns
from ..errors import TooOften
from ..ports import Actor, Change, Store


def check_again(store: Store, journey_id: str, *, oid: str, now: datetime) -> None:
    """*I've done it, check now*: look at the remotes, and let the MDM hear from the device first."""
    journey = _own(store, journey_id, oid)
    take_turn(store, f"look:{oid}", LOOKS, now)
    with store.change(Actor("person", oid), "journey.check_again", about=("journey", journey_id), at=now) as change:
        _count_this_try(journey, change, now)
        change.want_look(journey_id, refresh=True)
        if next_step(journey, now) is Step.IN_APP:
            change.registered_in_app(journey_id)
        _wake_link(journey, change)


def in_my_hand(store: Store, journey_id: str, key: ManagedKey, *, oid: str, now: datetime) -> None:
    """*This is the phone in my hand*: have the MDM deliver a possession link to it. Pressing again while one waits does nothing."""
    journey = _own(store, journey_id, oid)
    if key not in {device.key for device in journey.managed}:
        raise KeyError(key.record_id)
    if key.connection in journey.unproven:
        return  # the page says that it is off; a form of before may still be open
    proof = journey.possession
    if proof is not None and proof.key == key and (journey.proven or (proof.error is None and proof.waiting(now))):
        return
    take_turn(store, f"message:{oid}", MESSAGES, now)
    with store.change(Actor("person", oid), "possession.wanted", about=("journey", journey_id), at=now) as change:
        change.audit(connection=key.connection, record=key.record_id)
        _count_this_try(journey, change, now)
        change.want_possession(journey_id, key)


def pick(store: Store, journey_id: str, device_id: str, *, oid: str, now: datetime) -> None:
    """*This one is mine*, among several registered devices: remembered for staff, and no evidence (`domain.steps.candidates`)."""
    journey = _own(store, journey_id, oid)
    found = candidates(journey)
    if found is None or device_id not in {device.device_id for device in found.candidates}:
        raise KeyError(device_id)
    with store.change(Actor("person", oid), "device.picked", about=("journey", journey_id), at=now) as change:
        change.audit(device=device_id)
        change.pick(journey_id, device_id)


def sign_in_again(store: Store, *, oid: str, now: datetime) -> None:
    """*Sign in once more*: may it begin? What it brings back is kept, and has the worker look in Entra's log for an hour."""
    take_turn(store, f"proof:{oid}", PROOFS, now)


def still_blocked(store: Store, journey_id: str, *, oid: str, now: datetime) -> None:
    """*Still blocked?* after *open*: take the person at their word and look again."""
    journey = _own(store, journey_id, oid)
    take_turn(store, f"look:{oid}", LOOKS, now)
    with store.change(Actor("person", oid), "journey.still_blocked", about=("journey", journey_id), at=now) as change:
        change.still_blocked(journey_id)
        change.want_look(journey_id, refresh=True)
        _wake_link(journey, change)


def tell_when_open(store: Store, journey_id: str, *, oid: str, now: datetime) -> None:
    """*Send a message when it is open*. Only to a device that shows messages; pressing again changes nothing."""
    journey = _own(store, journey_id, oid)
    if journey.tell_open_at is not None or journey.in_hand not in journey.reachable:
        return
    with store.change(Actor("person", oid), "journey.tell_me", about=("journey", journey_id), at=now) as change:
        change.want_told(journey_id)


def take_turn(store: Store, key: str, turns: Turns, now: datetime) -> None:
    again_at = store.take_turn(key, turns, at=now)
    if again_at is not None:
        raise TooOften(again_at)


def _own(store: Store, journey_id: str, oid: str) -> Journey:
    journey = store.journey(journey_id)
    if journey is None or journey.person.oid != oid:
        raise KeyError(journey_id)
    return journey


def _count_this_try(journey: Journey, change: Change, now: datetime) -> None:
    tries = with_this_try(journey, now)
    if tries is not None:
        change.tried(journey.id, tries)


def _wake_link(journey: Journey, change: Change) -> None:
    link = journey.link
    if link is not None and link.state is LinkState.ACTIVE:
        change.wake_link(link.id, lane=Lane.PERSON)
