"""From a person's file to what the helpdesk's page shows: the same step and chain that the person sees, and what stands behind it.

Like `panel`, nothing raw from a remote passes here without `names.shown`. Ids are shown: staff quote them. Next door:
`helpdesk_timeline` (rows of audit and observations in words), `helpdesk_stuck` (what does not move, and who can act).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from ..domain.device import DirectoryDevice, LinkState, ManagedDevice
from ..domain.journey import Journey
from ..domain.push import Push
from ..domain.standing import Standing
from ..domain.steps import ChainLink, Step, chain, next_step
from ..ports import CaseFound, PersonFound
from ..services.look_up import File
from .helpdesk_stuck import Stuck, stuck
from .helpdesk_timeline import Entry, entry
from .names import shown


@dataclass(frozen=True)
class Fact:
    """One line of a list: `label` keys our texts; one of the others is the value. `word` keys our texts too."""

    label: str
    text: str | None = None
    id: str | None = None
    at: datetime | None = None
    word: str | None = None


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


@dataclass(frozen=True)
class Line:
    oid: str
    name: str
    user_name: str
    mail: str
    last_case_at: datetime | None


@dataclass(frozen=True)
class Panel:
    oid: str
    name: str
    user_name: str
    mail: str
    case: CaseFound | None
    others: tuple[CaseFound, ...]
    over: bool
    step: str | None
    since: datetime | None
    chain: tuple[ChainLink, ...]
    stuck: tuple[Stuck, ...]
    columns: tuple[tuple[str, tuple[Card, ...]], ...]
    differences: tuple[Difference, ...]
    evidence: tuple[Fact, ...]
    standing: tuple[Fact, ...]
    quotes: tuple[Fact, ...]
    timeline: tuple[Entry, ...]

    @property
    def kind(self) -> str:
        """How the state looks: as calm as it is."""
        if self.step == Step.OPEN:
            return "done"
        return "careful" if self.step in (Step.HELP, Step.NOT_FOR_YOU, Step.FIX) or self.stuck else "note"


def line(found: PersonFound) -> Line:
    who = found.person
    return Line(who.oid, shown(who.name), shown(who.user_name, 100), shown(who.mail, 100), found.last_case_at)


def panel(file: File, now: datetime, *, tenant_id: str) -> Panel:
    who, journey = file.person, file.journey
    case = next((case for case in file.cases if journey is not None and case.journey_id == journey.id), None)
    return Panel(
        oid=who.oid,
        name=shown(who.name),
        user_name=shown(who.user_name, 100),
        mail=shown(who.mail, 100),
        case=case,
        others=tuple(other for other in file.cases if other is not case),
        over=journey is not None and journey.expires_at <= now,
        step=next_step(journey, now).value if journey is not None else None,
        since=_since(journey) if journey is not None else None,
        chain=chain(journey, now) if journey is not None else (),
        stuck=stuck(journey, now, file.timeline) if journey is not None else (),
        columns=_columns(journey) if journey is not None else (),
        differences=tuple(_differences(journey)) if journey is not None else (),
        evidence=tuple(_evidence(journey)) if journey is not None else (),
        standing=_standing(journey.standing) if journey is not None and journey.standing is not None else (),
        quotes=(Fact("tenant", id=tenant_id), Fact("person", id=who.oid), *(_quotes(journey) if journey is not None else ())),
        timeline=tuple(entry(event, who.oid) for event in file.timeline),
    )


def _since(journey: Journey) -> datetime:
    push, link, proof = journey.push, journey.link, journey.possession
    moments = (
        push.confirmed_at if push is not None and push.at_rest else None,
        push.desired_at if push is not None else None,
        link.made_at if link is not None else None,
        proof.proven_at if proof is not None else None,
    )
    return next((at for at in moments if at is not None), journey.started_at)


# the devices, side by side


def _columns(journey: Journey) -> tuple[tuple[str, tuple[Card, ...]], ...]:
    return (
        ("managed", tuple(_managed(device, journey) for device in journey.managed)),
        ("directory", tuple(_directory(device, journey) for device in journey.directory)),
        ("sent", (_sent(journey.push),) if journey.push is not None and journey.push.desired_seq > 0 else ()),
        ("shown", tuple(_shows(device, journey) for device in journey.directory)),
    )


def _managed(device: ManagedDevice, journey: Journey) -> Card:
    posture = device.posture
    facts = (
        Fact("in_hand", word="yes") if len(journey.managed) > 1 and device == journey.in_hand else None,
        Fact("model", text=shown(device.model)),
        Fact("system", text=shown(device.os_version)),
        Fact("mdm_word", word=posture.word.value),
        Fact("enrolled", word=_yes(posture.enrolled)),
        Fact("compromised", word=_yes(posture.compromised)),
        Fact("owner", text=shown(device.owner_user_name)),
        Fact("serial", id=shown(device.serial)),
        Fact("record", id=f"{device.key.connection}/{device.key.record_id}"),
        Fact("last_seen", at=posture.last_seen),
        Fact("read", at=posture.read_at),
    )
    return Card(shown(device.name), _said(facts), tuple(shown(rule.name) for rule in posture.failing))


def _directory(device: DirectoryDevice, journey: Journey) -> Card:
    owner = device.owner_oid
    facts = (
        Fact("picked", word="yes") if device.device_id == journey.picked else None,
        Fact("model", text=shown(device.model)),
        Fact("system", text=shown(device.os_version)),
        Fact("enabled", word=_yes(device.enabled)),
        Fact("owner", word="unread" if owner is None else "this_person" if owner == journey.person.oid else "another_person"),
        Fact("registered", at=device.registered_at),
        Fact("device", id=device.device_id),
        Fact("object", id=device.object_id),
        Fact("read", at=device.read_at),
    )
    return Card(shown(device.name), _said(facts))


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
    return Card("", _said(facts))


def _shows(device: DirectoryDevice, journey: Journey) -> Card:
    push, link = journey.push, journey.link
    linked = link is not None and link.device_id == device.device_id
    facts = (
        Fact("compliant", word=_shown_word(device.compliant)),
        Fact("managed", word=_shown_word(device.managed)),
        Fact("read", at=device.read_at),
        Fact("read_back", at=push.observed_at) if push is not None and linked else None,
    )
    return Card(shown(device.name), _said(facts))


def _differences(journey: Journey) -> Iterable[Difference]:
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


# what it rests on


def _evidence(journey: Journey) -> Iterable[Fact]:
    proof, link = journey.possession, journey.link
    if proof is not None:
        said = (Fact("asked", at=proof.wanted_at), Fact("message_sent", at=proof.sent_at), Fact("tapped", at=proof.proven_at))
        yield from _said(said)
    if link is not None:
        yield Fact("level", word=f"level_{link.evidence.level.name.lower()}")
        yield Fact("how", text=shown(link.evidence.how, 200))
        yield Fact("link_state", word="link_active" if link.state is LinkState.ACTIVE else "link_pending")
        yield Fact("linked", at=link.made_at)


def _standing(standing: Standing) -> tuple[Fact, ...]:
    return (
        Fact("account", word=_yes(standing.account_enabled)),
        Fact("licence", word=_yes(standing.licensed)),
        Fact("groups", word="all_users" if standing.in_scope is None else _yes(standing.in_scope)),
        Fact("guest", word=_yes(standing.guest)),
        Fact("read", at=standing.read_at),
    )


def _quotes(journey: Journey) -> Iterable[Fact]:
    """What Microsoft's support asks for."""
    link, push = journey.link, journey.push
    devices = [d for d in journey.directory if link is None or d.device_id == link.device_id]
    for device in devices:
        yield Fact("device", id=device.device_id)
        yield Fact("object", id=device.object_id)
    if push is not None and push.message_id is not None:
        yield Fact("message", id=push.message_id)


def _yes(value: bool | None) -> str:
    return "unread" if value is None else "yes" if value else "no"


def _shown_word(value: bool | None) -> str:
    return "nothing" if value is None else "yes" if value else "no"


def _said(facts: Iterable[Fact | None]) -> tuple[Fact, ...]:
    """Without those that nobody told us."""
    return tuple(fact for fact in facts if fact is not None and (fact.text or fact.id or fact.at or fact.word))
