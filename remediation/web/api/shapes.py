"""What goes in and comes out, as pydantic models: requests are checked by them, answers are made of them, and the description is
generated from them. A person's state is the page's own (`helpdesk_panel`): a program sees what its role sees there, and no more.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, PlainSerializer

from ...domain.device import Platform
from ...errors import WhoActs
from ...ports import CaseFound, DeviceFound
from ..helpdesk_cards import Card, Fact
from ..helpdesk_panel import Line, Panel
from ..helpdesk_stuck import Stuck
from ..helpdesk_timeline import Entry
from ..names import shown
from .cursors import LONGEST
from .operations import Shape

Moment = Annotated[datetime, PlainSerializer(lambda at: at.astimezone(UTC).isoformat(timespec="microseconds"), return_type=str)]
Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9-]{0,63}$")]
Cursor = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]+$", max_length=LONGEST)]


def _whole(value: object) -> object:
    """Of an address only digits are a number: no sign, blank, fraction or underscore."""
    if isinstance(value, str) and not (value.isascii() and value.isdigit() and len(value) < 10):
        raise ValueError("must be a whole number")
    return value


Limit = Annotated[int, BeforeValidator(_whole)]


class OfPerson(Shape):
    oid: Id = Field(description="The person's object id in Entra.")


class OfDevice(Shape):
    device_id: Id = Field(description="The Azure device id.")


class OfRecord(Shape):
    connection: str = Field(pattern=r"^[a-z][a-z0-9]{0,15}$", description="The MDM connection, as the settings name it.")
    record_id: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:~-]{0,127}$", description="The MDM's number of the device.")


class SearchAsked(Shape):
    text: str = Field(
        min_length=1,
        max_length=200,
        description="A case code, or the beginnings of words of a name, a mail address, or a device's name or identifier.",
    )


class SerialAsked(Shape):
    serial: str = Field(min_length=3, max_length=64, description="As on the device; case, blanks and dashes do not matter.")


class WhichCase(Shape):
    case: str = Field(default="", max_length=20, description="A case code of theirs; without it the newest is told.")


class TimelineAsked(Shape):
    since: Cursor | None = Field(default=None, description="`next` of the page before.")
    limit: Limit = Field(default=50, ge=1, le=200)


class FeedAsked(Shape):
    since: Cursor | None = Field(default=None, description="`next` of the page before; without it, from the oldest row kept.")
    limit: Limit = Field(default=200, ge=1, le=1000)


class StuckAsked(Shape):
    since: Cursor | None = Field(default=None, description="`next` of the page before.")
    limit: Limit = Field(default=100, ge=1, le=200, description="Rows of each kind at most.")


class FiguresAsked(Shape):
    from_: str = Field(default="", alias="from", max_length=10, description="The first day, as 2026-11-01.")
    to: str = Field(default="", max_length=10, description="The last day.")
    platform: str = Field(default="", max_length=20)
    connection: str = Field(default="", max_length=16)


class Told(Shape):
    """One thing that is known: `label` is stable; `word` is a stable word, `at` a moment, else `text`."""

    label: str
    text: str | None = None
    word: str | None = None
    at: Moment | None = None


class DeviceCard(Shape):
    name: str
    facts: list[Told]
    failing_rules: list[str]


class CaseShape(Shape):
    case: str
    platform: Platform
    entrance: str
    opened_at: Moment
    oid: str | None = Field(description="Null for somebody who could not sign in.")


class ChainShape(Shape):
    link: str
    state: str
    at: Moment | None


class StuckShape(Shape):
    """What does not move. `code` is stable and may be quoted; `repair` names a safe one."""

    reason: str
    code: str
    who_acts: WhoActs
    repair: str
    since: Moment | None
    next_at: Moment | None
    source: str


class DifferenceShape(Shape):
    what: str
    here: str
    there: str


class GoneShape(Shape):
    """An entry of the directory that was listed as this person's and is no more. `kept_until`: if it was deleted, its id cannot be
    registered again before then, at the latest, unless it is restored or removed for good."""

    device_id: str
    name: str
    gone_at: Moment
    kept_until: Moment


class PersonState(Shape):
    """The registration state of a person, as the console shows it of this case. `version` is for If-Match."""

    oid: str
    name: str
    user_name: str
    mail: str
    case: CaseShape | None
    other_cases: list[CaseShape]
    over: bool
    state: str | None
    since: Moment | None
    chain: list[ChainShape]
    stuck: list[StuckShape]
    differences: list[DifferenceShape]
    managed: list[DeviceCard]
    directory: list[DeviceCard]
    sent: list[DeviceCard]
    shown: list[DeviceCard]
    evidence: list[Told]
    standing: list[Told]
    gone: list[GoneShape]
    quotes: list[Told]
    signed_in_since: list[Moment]
    data_may_be_old: bool = Field(description="A source of this data gives no good answers now.")


class PersonLine(Shape):
    oid: str
    name: str
    user_name: str
    mail: str
    last_case_at: Moment | None
    found_by_device: str


class Found(Shape):
    """`asked_enough` is false where the text was too short to look for. `more`: others fit, too."""

    asked_enough: bool
    case: CaseShape | None
    people: list[PersonLine]
    more: bool


class DeviceState(Shape):
    """One device: both sides, what stands between them, and what Entra shows."""

    oids: list[str] = Field(description="Whose it is, by the link and by the lists.")
    platform: Platform
    name: str
    device_id: str | None
    object_id: str | None
    connection: str | None
    record_id: str | None
    registered_at: Moment | None
    entra_shows_compliant: bool | None
    mdm_says: str | None
    mdm_last_seen: Moment | None
    link: Literal["pending", "active", "ended"] | None
    linked_at: Moment | None
    evidence: str | None
    microsoft_should_be_told: str | None
    sent: bool
    accepted: bool
    confirmed: bool
    stuck: str | None
    read_at: Moment


class DevicesFound(Shape):
    devices: list[DeviceState]


class EventShape(Shape):
    at: Moment
    what: str
    actor: str
    actor_id: str
    details: list[Told]


class TimelineShape(Shape):
    """Newest first. `next` is null behind the last row."""

    events: list[EventShape]
    next: str | None


def case_shape(case: CaseFound) -> CaseShape:
    return CaseShape(case=case.case_code, platform=case.platform, entrance=case.entrance, opened_at=case.opened_at, oid=case.oid)


def line_shape(line: Line) -> PersonLine:
    said = {name: getattr(line, name) for name in ("oid", "name", "user_name", "mail", "last_case_at")}
    return PersonLine(**said, found_by_device=line.device)


def person_state(panel: Panel) -> PersonState:
    cards = {name: [_card(card) for card in of_them] for name, of_them in panel.columns}
    return PersonState(
        oid=panel.oid,
        name=panel.name,
        user_name=panel.user_name,
        mail=panel.mail,
        over=panel.over,
        state=panel.state,
        since=panel.since,
        case=case_shape(panel.case) if panel.case is not None else None,
        other_cases=[case_shape(case) for case in panel.others],
        chain=[ChainShape(link=link.name, state=link.state, at=link.at) for link in panel.chain],
        stuck=[stuck_shape(one) for one in panel.stuck],
        differences=[DifferenceShape(what=one.key, here=one.here, there=one.there) for one in panel.differences],
        managed=cards.get("managed", []),
        directory=cards.get("directory", []),
        sent=cards.get("sent", []),
        shown=cards.get("shown", []),
        evidence=_facts(panel.evidence),
        standing=_facts((*panel.standing, *panel.limits)),
        gone=[GoneShape(**{name: getattr(one, name) for name in GoneShape.model_fields}) for one in panel.gone],
        quotes=_facts(panel.quotes),
        signed_in_since=list(panel.signed_in),
        data_may_be_old=panel.away,
    )


def stuck_shape(one: Stuck) -> StuckShape:
    said = {name: getattr(one, name) for name in ("code", "repair", "since", "next_at", "source")}
    return StuckShape(reason=one.key, who_acts=WhoActs(one.who), **said)


def event_shape(entry: Entry) -> EventShape:
    details = [
        Told(label=one.label, **({"word": one.value} if one.is_word else {"text": one.value}))  # type: ignore[arg-type]
        for one in entry.details
    ]
    return EventShape(at=entry.at, what=entry.what, actor=entry.actor, actor_id=entry.actor_id, details=details)


def device_state(found: DeviceFound) -> DeviceState:
    directory, managed, link, push = found.directory, found.managed, found.link, found.push
    side = managed or directory
    if side is None:
        raise ValueError("a device without a side")
    read = (directory.read_at if directory is not None else None, managed.posture.read_at if managed is not None else None)
    news = push is not None and push.desired_seq > 0
    return DeviceState(
        oids=sorted(found.whose),
        platform=side.platform,
        name=shown(side.name),
        device_id=directory.device_id if directory is not None else None,
        object_id=directory.object_id if directory is not None else None,
        connection=managed.key.connection if managed is not None else None,
        record_id=managed.key.record_id if managed is not None else None,
        registered_at=directory.registered_at if directory is not None else None,
        entra_shows_compliant=directory.compliant if directory is not None else None,
        mdm_says=managed.posture.word.value if managed is not None else None,
        mdm_last_seen=managed.posture.last_seen if managed is not None else None,
        link=link.state.value if link is not None else None,
        linked_at=link.made_at if link is not None else None,
        evidence=link.evidence.level.name.lower() if link is not None else None,
        microsoft_should_be_told=push.desired.value if push is not None and push.desired is not None and news else None,
        sent=push is not None and news and push.sent_seq >= push.desired_seq,
        accepted=push is not None and news and push.accepted_seq >= push.desired_seq,
        confirmed=push is not None and news and push.confirmed_seq >= push.desired_seq,
        stuck=push.reason if push is not None else None,
        read_at=min(at for at in read if at is not None),
    )


def _card(card: Card) -> DeviceCard:
    return DeviceCard(name=card.name, facts=_facts(card.facts), failing_rules=list(card.rules))


def _facts(facts: Iterable[Fact] | Sequence[Fact]) -> list[Told]:
    def text(fact: Fact) -> str | None:
        return f"{fact.page} {fact.text}" if fact.page else fact.text or fact.id

    return [Told(label=fact.label, text=text(fact), word=fact.word, at=fact.at) for fact in facts]
