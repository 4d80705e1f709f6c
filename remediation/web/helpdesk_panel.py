"""From a person's file to what the helpdesk's page shows: the same step and chain that the person sees, and what stands behind it.

Like `panel`, nothing raw from a remote passes here without `names.shown`. Ids are shown: staff quote them. Next door:
`helpdesk_cards` (the device, side by side), `helpdesk_timeline` (rows in words), `helpdesk_stuck` (what does
not move, and who can act), `helpdesk_repairs` (what staff can do).
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from ..domain.calls import last_of_each
from ..domain.device import LinkState
from ..domain.journey import Journey
from ..domain.outage import MDM
from ..domain.standing import Standing
from ..domain.steps import ChainLink, Step, candidates, chain, next_step
from ..domain.tenant_facts import GoneEntry
from ..ports import CaseFound, PersonFound
from ..services.end_sessions import ENDED
from ..services.look_up import File
from .helpdesk_cards import Card, Difference, Fact, columns, differences, said, yes_or_no
from .helpdesk_stuck import Stuck, stuck
from .helpdesk_timeline import Entry, entry
from .names import shown

PAGES_OF_STEPS = {*(step.value for step in Step), "relay"}


@dataclass(frozen=True)
class Line:
    oid: str
    name: str
    user_name: str
    mail: str
    last_case_at: datetime | None
    device: str


@dataclass(frozen=True)
class Source:
    """One side of what is shown: since when it is known, how many minutes that is, and whether it answered last."""

    name: str
    at: datetime | None
    minutes: int
    failing: bool


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
    relayed: bool
    stuck: tuple[Stuck, ...]
    columns: tuple[tuple[str, tuple[Card, ...]], ...]
    differences: tuple[Difference, ...]
    evidence: tuple[Fact, ...]
    standing: tuple[Fact, ...]
    limits: tuple[Fact, ...]
    gone: tuple[GoneEntry, ...]
    quotes: tuple[Fact, ...]
    calls: tuple[Card, ...]
    timeline: tuple[Entry, ...]
    signed_in: tuple[datetime, ...]
    signed_out: Entry | None
    away: bool
    sources: tuple[Source, ...]
    looking: bool
    shown: tuple[tuple[datetime, str], ...]
    more: bool

    @property
    def state(self) -> str | None:
        return "relay" if self.relayed and self.step == Step.WAIT else self.step

    @property
    def kind(self) -> str:
        """How the state looks: as calm as it is."""
        if self.step == Step.OPEN:
            return "done"
        return "careful" if self.step in (Step.HELP, Step.NOT_FOR_YOU, Step.FIX, Step.IN_APP) or self.stuck else "note"


def line(found: PersonFound) -> Line:
    who = found.person
    return Line(who.oid, shown(who.name), shown(who.user_name, 100), shown(who.mail, 100), found.last_case_at, shown(found.device))


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
        relayed=journey is not None and journey.relay is not None,
        stuck=stuck(file, journey, now) if journey is not None else (),
        columns=columns(journey, file.of_others if file.nameless else frozenset()) if journey is not None else (),
        differences=tuple(differences(journey)) if journey is not None else (),
        evidence=tuple(_evidence(journey)) if journey is not None else (),
        standing=_standing(journey.standing) if journey is not None and journey.standing is not None else (),
        limits=_limits(file),
        gone=tuple(replace(one, name=shown(one.name)) for one in file.gone),
        quotes=(Fact("tenant", id=tenant_id), Fact("person", id=who.oid), *(_quotes(file, journey) if journey is not None else ())),
        calls=tuple(_calls(journey)) if journey is not None else (),
        timeline=tuple(entry(event, who.oid) for event in file.timeline),
        signed_in=file.signed_in,
        signed_out=next((entry(event, who.oid) for event in file.acts if event.what == ENDED), None),
        away=journey is not None and any(_concerns(row.what, journey) for row in file.failing),
        sources=_sources(journey, now) if journey is not None else (),
        looking=journey is not None and journey.look.under_way and journey.expires_at > now,
        shown=tuple((event.at, str(event.detail["new"])) for event in file.shown if event.detail.get("new") in PAGES_OF_STEPS),
        more=file.more,
    )


def _sources(journey: Journey, now: datetime) -> tuple[Source, ...]:
    look, push = journey.look, journey.push
    sides = (
        ("directory", look.directory_read_at, look.directory_error is not None),
        ("mdm", look.mdm_read_at, look.mdm_error is not None),
        ("channel", push.observed_at if push is not None else None, False),
    )
    return tuple(
        Source(name, at, max(0, int((now - at).total_seconds() // 60)) if at is not None else 0, failing)
        for name, at, failing in sides
        if at is not None or failing or name != "channel"
    )


def _concerns(source: str, journey: Journey) -> bool:
    """Whether what is shown of this person comes from there: their MDM, any where none is known to hold a device of theirs yet."""
    name = source.partition("/")[0]
    connections = {device.key.connection for device in journey.managed}
    return not name.startswith(MDM) or not connections or name.removeprefix(MDM) in connections


def _since(journey: Journey) -> datetime:
    push, link, proof = journey.push, journey.link, journey.possession
    moments = (
        push.confirmed_at if push is not None and push.at_rest else None,
        push.desired_at if push is not None else None,
        link.made_at if link is not None else None,
        proof.proven_at if proof is not None else None,
    )
    return next((at for at in moments if at is not None), journey.started_at)


def _evidence(journey: Journey) -> Iterable[Fact]:
    proof, link = journey.possession, journey.link
    if proof is not None:
        moments = (Fact("asked", at=proof.wanted_at), Fact("message_sent", at=proof.sent_at), Fact("tapped", at=proof.proven_at))
        yield from said(moments)
    yield from said(_second_sign_in(journey))
    if journey.tries:
        counts = {key.partition(":")[0]: journey.tries.count(key) for key in journey.tries}
        for step, count in counts.items():
            yield Fact("tries", text=f"× {count}", page=step)
    found = candidates(journey)
    if found is not None:
        yield Fact("matching", text=shown(found.how, 200))
    if link is not None:
        yield Fact("level", word=f"level_{link.evidence.level.name.lower()}")
        yield Fact("how", text=shown(link.evidence.how, 200))
        yield Fact("link_state", word="link_active" if link.state is LinkState.ACTIVE else "link_pending")
        yield Fact("linked", at=link.made_at)


def _second_sign_in(journey: Journey) -> Iterable[Fact]:
    """The last one: when, which device Entra named, and how the look for its record stands."""
    last = max(journey.sign_ins, key=lambda one: one.returned_at, default=None)
    if last is not None:
        yield Fact("second", at=last.returned_at)
        yield Fact("expected", id=last.pair.device_id)
        yield Fact("named", id=shown(", ".join(sorted(last.named)))) if last.named else Fact("named", word="nothing")
        yield Fact("second_error", id=shown(last.error))
        yield Fact("second_log", word=f"log_{last.record.value}")
        yield Fact("correlation", id=last.correlation_id)


def _standing(standing: Standing) -> tuple[Fact, ...]:
    return (
        Fact("account", word=yes_or_no(standing.account_enabled)),
        Fact("licence", word=yes_or_no(standing.licensed)),
        Fact("groups", word="all_users" if standing.in_scope is None else yes_or_no(standing.in_scope)),
        Fact("guest", word=yes_or_no(standing.guest)),
        Fact("read", at=standing.read_at),
    )


def _limits(file: File) -> tuple[Fact, ...]:
    """How many devices they have, and may have."""
    quota = file.quota
    return (
        Fact("entries", text=str(file.entries)),
        Fact("quota", text=str(quota.most)) if quota is not None and quota.most is not None else Fact("quota", word="unread"),
        *((Fact("place", word="no_place"),) if quota is not None and quota.full(file.entries) else ()),
    )


def _quotes(file: File, journey: Journey) -> Iterable[Fact]:
    """What Microsoft's support asks for."""
    link, push = journey.link, journey.push
    devices = [d for d in journey.directory if link is None or d.device_id == link.device_id]
    for device in devices:
        yield Fact("device", id=device.device_id)
        yield Fact("object", id=device.object_id)
    if push is not None and push.message_id is not None:
        yield Fact("message", id=push.message_id)
    sent = next((e for e in file.timeline if link is not None and (e.what, e.about) == ("push.sent", ("link", link.id))), None)
    if sent is not None:
        yield from said((Fact("sent", at=sent.at), *_ids(sent.detail.get("client_request_id"), sent.detail.get("request_id"))))


def _calls(journey: Journey) -> Iterable[Card]:
    """The last call to each remote that failed, also where the remote is well again."""
    of_the_push = journey.push.failed_calls if journey.push is not None else ()
    newest_last = sorted((*journey.look.failed_calls, *of_the_push), key=lambda call: call.at)
    for call in last_of_each((), newest_last):
        facts = (Fact("failed", at=call.at), Fact("error", id=call.code), *_ids(call.client_request_id, call.request_id))
        yield Card(call.remote, said(facts))


def _ids(ours: str | None, theirs: str | None) -> tuple[Fact, ...]:
    return Fact("client_request", id=shown(ours)), Fact("request", id=shown(theirs))
