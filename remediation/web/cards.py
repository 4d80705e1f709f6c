"""Devices and rules as cards: what a person may see of a record. Names are cleaned, ids stay behind, handles stand for them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from ..domain import duplicates
from ..domain.compliance import ADVICE, Rule
from ..domain.device import DirectoryDevice, ManagedDevice
from ..domain.journey import Journey
from ..domain.steps import Step, candidates, next_step
from . import handles
from .names import shown


@dataclass(frozen=True)
class DeviceCard:
    """`handle` is None where there is nothing to choose."""

    handle: str | None
    name: str
    model: str
    seen_at: datetime | None
    picked: bool = False
    registered_at: datetime | None = None


@dataclass(frozen=True)
class RuleCard:
    """`says` is what the administrator wrote, by language, and goes first. `advice` keys our texts; None shows the MDM's own words,
    as its words."""

    name: str
    detail: str
    advice: str | None
    says: Mapping[str, str] = field(default_factory=dict)


def in_hand(journey: Journey) -> DeviceCard | None:
    device = journey.in_hand
    return DeviceCard(None, shown(device.name), shown(device.model), device.posture.last_seen) if device is not None else None


def managed(journey: Journey, browser: str) -> tuple[DeviceCard, ...]:
    """The managed devices to choose from, the one that was asked about marked; a message must be able to reach them."""
    return tuple(_managed(journey, browser, one) for one in journey.reachable)


def registered(journey: Journey, browser: str) -> tuple[DeviceCard, ...]:
    """The directory devices that could be the one in hand, newest registration first."""
    found = candidates(journey)
    return tuple(_registered(journey, browser, one) for one in found.candidates) if found is not None else ()


def entries(journey: Journey) -> tuple[DeviceCard, ...]:
    """All of the linked device, the one in use first; there is nothing to choose any more."""
    found = duplicates.entries(journey)
    return tuple(DeviceCard(None, shown(d.name), shown(d.model), None, registered_at=d.registered_at) for d in found)


def to_register_again(journey: Journey, browser: str, now: datetime) -> DeviceCard | None:
    """The one picked among several, or the only one where it is in doubt: a new registration, or a person, settles it."""
    if next_step(journey, now) is not Step.REGISTER:
        return None
    offered = registered(journey, browser)
    return next((card for card in offered if card.picked or len(offered) == 1), None)


def rules(device: ManagedDevice | None) -> tuple[RuleCard, ...]:
    if device is None:
        return ()
    cards = [_rule(rule) for rule in device.posture.failing]
    if device.posture.compromised is True and all(card.advice != "jailbreak" for card in cards):
        cards.insert(0, RuleCard(name="", detail="", advice="jailbreak"))
    return tuple(cards)


def _managed(journey: Journey, browser: str, device: ManagedDevice) -> DeviceCard:
    proof = journey.possession
    return DeviceCard(
        handle=handles.make(journey.id, browser, device.key),
        name=shown(device.name),
        model=shown(device.model),
        seen_at=device.posture.last_seen,
        picked=proof is not None and proof.key == device.key,
    )


def _registered(journey: Journey, browser: str, device: DirectoryDevice) -> DeviceCard:
    return DeviceCard(
        handle=handles.make(journey.id, browser, device.device_id),
        name=shown(device.name),
        model=shown(device.model),
        seen_at=None,
        picked=device.device_id == journey.picked,
        registered_at=device.registered_at,
    )


def _rule(rule: Rule) -> RuleCard:
    return RuleCard(
        name=shown(rule.name),
        detail=shown(rule.detail, 200),
        advice=rule.advice if rule.advice in ADVICE else None,
        says={language: shown(text, 500) for language, text in rule.says},
    )
