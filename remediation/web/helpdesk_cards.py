"""The device side by side, as the helpdesk sees it: what the MDM says, what the directory says, what was sent, what Entra shows;
and where two of them differ, told in words.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from ..domain.device import DirectoryDevice, ManagedDevice, ManagedKey
from ..domain.journey import Journey
from ..domain.push import Push
from ..domain.steps import candidates
from .names import shown


@dataclass(frozen=True)
class Fact:
    """One line of a list: `label` keys our texts; one of the others is the value. `word` keys our texts too, and `page` is a step
    whose page is quoted before `text`."""

    label: str
    text: str | None = None
    id: str | None = None
    at: datetime | None = None
    word: str | None = None
    page: str | None = None


@dataclass(frozen=True)
class Card:
    name: str
    facts: tuple[Fact, ...]
    rules: tuple[str, ...] = ()


@dataclass(frozen=True)
class Difference:
    """Two sides that say different things of one device; `key` keys our texts, which put `here` and `there` into a sentence."""

    key: str
    here: str = ""
    there: str = ""


def columns(journey: Journey, nameless: Collection[ManagedKey] = ()) -> tuple[tuple[str, tuple[Card, ...]], ...]:
    """`nameless` are records whose owner is another person, whom the reader may not see."""
    return (
        ("managed", tuple(_managed(device, journey, hidden=device.key in nameless) for device in journey.managed)),
        ("directory", tuple(_directory(device, journey) for device in journey.directory)),
        ("sent", (_sent(journey.push),) if journey.push is not None and journey.push.desired_seq > 0 else ()),
        ("shown", tuple(_shows(device, journey) for device in journey.directory)),
    )


def _managed(device: ManagedDevice, journey: Journey, *, hidden: bool) -> Card:
    posture = device.posture
    facts = (
        Fact("in_hand", word="yes") if len(journey.managed) > 1 and device == journey.in_hand else None,
        Fact("model", text=shown(device.model)),
        Fact("system", text=shown(device.os_version)),
        Fact("mdm_word", word=posture.word.value),
        Fact("enrolled", word=yes_or_no(posture.enrolled)),
        Fact("compromised", word=yes_or_no(posture.compromised)),
        Fact("owner", word="another_person") if hidden else Fact("owner", text=shown(device.owner_user_name)),
        Fact("serial", id=shown(device.serial)),
        Fact("record", id=f"{device.key.connection}/{device.key.record_id}"),
        Fact("last_seen", at=posture.last_seen),
        Fact("read", at=posture.read_at),
    )
    return Card(shown(device.name), said(facts), tuple(shown(rule.name) for rule in posture.failing))


def _directory(device: DirectoryDevice, journey: Journey) -> Card:
    owner = device.owner_oid
    found = candidates(journey)
    why = next((one.why for one in found.refused if one.device_id == device.device_id), None) if found is not None else None
    facts = (
        Fact("cannot_be", word=f"why_{why}") if why is not None else None,
        Fact("picked", word="yes") if device.device_id == journey.picked else None,
        Fact("model", text=shown(device.model)),
        Fact("system", text=shown(device.os_version)),
        Fact("enabled", word=yes_or_no(device.enabled)),
        Fact("owner", word="unread" if owner is None else "this_person" if owner == journey.person.oid else "another_person"),
        Fact("registered", at=device.registered_at),
        Fact("device", id=device.device_id),
        Fact("object", id=device.object_id),
        Fact("read", at=device.read_at),
    )
    return Card(shown(device.name), said(facts))


def _sent(push: Push) -> Card:
    facts = (
        Fact("verdict", word=push.desired.value if push.desired is not None else "unknown"),
        Fact("decided", at=push.desired_at),
        Fact("sent", at=push.sent_at if push.sent_seq >= push.desired_seq else None),
        Fact("accepted", at=push.accepted_at if push.accepted_seq >= push.desired_seq else None),
        Fact("until", at=push.compliant_until),
        Fact("message", id=push.message_id or ""),
        Fact("next_look", at=push.next_look_at),
    )
    return Card("", said(facts))


def _shows(device: DirectoryDevice, journey: Journey) -> Card:
    push, link = journey.push, journey.link
    linked = link is not None and link.device_id == device.device_id
    facts = (
        Fact("compliant", word=_shown_word(device.compliant)),
        Fact("managed", word=_shown_word(device.managed)),
        Fact("read", at=device.read_at),
        Fact("read_back", at=push.observed_at) if push is not None and linked else None,
    )
    return Card(shown(device.name), said(facts))


def differences(journey: Journey) -> Iterable[Difference]:
    """Of the pair that is linked, or that can only be the pair."""
    managed, link, push = journey.in_hand, journey.link, journey.push
    ids = {link.device_id} if link is not None else {device.device_id for device in journey.directory}
    pair = [device for device in journey.directory if device.device_id in ids]
    if managed is None or len(pair) != 1:
        return
    device = pair[0]
    for key, ours, theirs in (
        ("name", managed.name, device.name),
        ("model", managed.model, device.model),
        ("system", managed.os_version, device.os_version),
    ):
        if ours and theirs and shown(ours) != shown(theirs):
            yield Difference(key, shown(ours), shown(theirs))
    if not device.enabled:
        yield Difference("disabled")
    if device.owner_oid is not None and device.owner_oid != journey.person.oid:
        yield Difference("owner")
    if device.device_id in journey.taken:
        yield Difference("taken")
    if push is not None and push.desired is not None and push.desired_seq > 0:
        if managed.posture.word.value != push.desired.value:
            yield Difference("verdict")
        if push.sent_seq >= push.desired_seq and (device.compliant is True) is not push.says_compliant:
            yield Difference("shown")


def yes_or_no(value: bool | None) -> str:
    return "unread" if value is None else "yes" if value else "no"


def _shown_word(value: bool | None) -> str:
    return "nothing" if value is None else "yes" if value else "no"


def said(facts: Iterable[Fact | None]) -> tuple[Fact, ...]:
    """Without those that nobody told us."""
    return tuple(fact for fact in facts if fact is not None and (fact.text or fact.id or fact.at or fact.word))
