"""How far each journey of a period came, when, and with whose help. Next door: `told` (what this is read from), `runs`."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from .device import Platform
from .journey import LASTS
from .steps import LOOP
from .told import DESIRED, STAFF, Deed, KnownLink, Told

FUNNEL = ("arrived", "chosen", "proven", "linked", "compliant", "sent", "accepted", "open")
NEWLY = timedelta(days=1)
"""A registration that is older at the arrival began no wait that ended here."""


@dataclass
class Way:
    """One journey. Each moment is the first after the arrival, None where it never came. `already` where Entra showed the device
    compliant when the person came. `judged_at` is the first verdict about a link that this journey made."""

    id: str
    oid: str
    entrance: str
    platform: str
    started_at: datetime
    connection: str | None = None
    record: tuple[str, str] | None = None
    chosen_at: datetime | None = None
    proven_at: datetime | None = None
    made: list[str] = field(default_factory=list)
    link_id: str | None = None
    linked_at: datetime | None = None
    registered_at: datetime | None = None
    judged_at: datetime | None = None
    compliant_at: datetime | None = None
    sent_at: datetime | None = None
    accepted_at: datetime | None = None
    open_at: datetime | None = None
    already: bool = False
    help: list[str] = field(default_factory=list)
    still_blocked: int = 0
    staffed: bool = False

    @property
    def finished(self) -> bool:
        return self.already or self.open_at is not None

    @property
    def unaided(self) -> bool:
        """Nobody of staff so much as looked at the person while it lasted, and no page said that only a person can help."""
        return self.finished and not self.help and not self.staffed

    @property
    def ends_at(self) -> datetime:
        return self.started_at + LASTS

    @property
    def reached(self) -> int:
        """How many steps of the funnel; whoever is at one has passed those before it, however they did."""
        if self.finished:
            return len(FUNNEL)
        times = (self.chosen_at, self.proven_at, self.linked_at, self.compliant_at, self.sent_at, self.accepted_at)
        return max((place for place, at in enumerate(times, 2) if at is not None), default=1)

    @property
    def from_arrival(self) -> timedelta | None:
        return self.open_at - self.started_at if self.open_at is not None else None

    @property
    def from_registration(self) -> timedelta | None:
        at = self.registered_at
        if self.open_at is None or at is None or not self.started_at - NEWLY <= at <= self.open_at:
            return None
        return self.open_at - at

    @property
    def ours(self) -> timedelta | None:
        """From the proof, or the registration where that came later, until the message left, less the time in which the device was
        not compliant and only its holder could mend it. Then it is Microsoft's."""
        marks = self.proven_at, self.judged_at, self.compliant_at, self.sent_at
        if self.open_at is None or None in marks or not self.made:
            return None
        proven, judged, compliant, sent = (at for at in marks if at is not None)
        begun = max(proven, self.registered_at or proven)
        return max(judged - begun, timedelta()) + max(sent - compliant, timedelta())


def ways(told: Told) -> list[Way]:
    """Of the journeys that began in this period."""
    found = {way.id: way for way in _begun(told)}
    helped: dict[tuple[str, str], list[datetime]] = defaultdict(list)
    for deed in told.deeds:
        if deed.actor_kind in STAFF:
            helped[deed.about_kind, deed.about_id].append(deed.at)
        way = found.get(_journey_of(deed))
        if way is not None and deed.at <= way.ends_at:
            _happened(way, deed)
    of_person: dict[str, list[KnownLink]] = defaultdict(list)
    for link in told.links.values():
        of_person[link.oid].append(link)
    deeds = told.by_link
    for way in found.values():
        known = _link_of(way, of_person[way.oid], told.links)
        if way.link_id is not None:
            _pushed(way, deeds.get(way.link_id, ()))
        elif not way.made and way.chosen_at is None and not way.still_blocked:
            way.already = (way.oid, way.platform) in told.found_open
        if known is not None:
            way.connection, way.registered_at = known.connection, known.registered_at
        if way.still_blocked >= LOOP:
            way.help.append("loop")
        if way.id in told.problems:
            way.help.append(told.problems[way.id])
        about = (("journey", way.id), ("link", way.link_id or ""), ("person", way.oid))
        way.staffed = any(way.started_at <= at <= way.ends_at for key in about for at in helped.get(key, ()))
    return list(found.values())


def _begun(told: Told) -> Iterator[Way]:
    for deed in told.deeds:
        if deed.why == "journey.started" and deed.at in told.period:
            yield Way(deed.about_id, deed.actor_id, str(deed.detail.get("entrance", "")), platform_of(deed), deed.at)


def platform_of(deed: Deed) -> str:
    told = str(deed.detail.get("platform", ""))
    return told if told in set(Platform) else Platform.UNKNOWN.value


def _journey_of(deed: Deed) -> str:
    return deed.about_id if deed.about_kind == "journey" else str(deed.detail.get("journey", ""))


def _happened(way: Way, deed: Deed) -> None:
    detail = deed.detail
    if deed.why == "possession.wanted":
        way.chosen_at = way.chosen_at or deed.at
        connection = detail.get("connection")
        if isinstance(connection, str):
            way.connection, way.record = connection, (connection, str(detail.get("record")))
    elif deed.why == "possession.proven":
        way.proven_at = way.proven_at or deed.at
    elif deed.why == "link.replaced" or (deed.why == "link.made" and detail.get("state") == "active"):
        way.made.append(deed.about_id)
        way.linked_at = way.linked_at or deed.at
    elif deed.why == "journey.needs_help":
        way.help.append(str(detail.get("because", "")))
    elif deed.why == "journey.still_blocked":
        way.still_blocked += 1


def _link_of(way: Way, theirs: Sequence[KnownLink], links: Mapping[str, KnownLink]) -> KnownLink | None:
    """The link that this journey made; else the one that lived when the person came, where there is no doubt which."""
    if way.made:
        way.link_id = way.made[-1]
        return links.get(way.link_id)
    lived = [
        link
        for link in theirs
        if link.platform.value == way.platform
        and link.made_at <= way.started_at
        and (link.ended_at is None or link.ended_at > way.started_at)
        and (way.record is None or (link.connection, link.record_id) == way.record)
    ]
    if len(lived) != 1:
        return None
    way.link_id, way.linked_at = lived[0].id, way.started_at
    return lived[0]


def _pushed(way: Way, deeds: Sequence[Deed]) -> None:
    """Along what was told of the link: as it stood when the person came, and on until Entra showed it."""
    desired: bool | None = None
    for deed in deeds:
        before = deed.at <= way.started_at
        if deed.at > way.ends_at:
            return
        if deed.why == "link.ended":
            desired, way.already = False, way.already and not before
        elif deed.why in DESIRED and "verdict" in deed.detail:
            again = desired is True
            desired = deed.detail["verdict"] == "compliant"
            way.already = way.already and not before
            if not before:
                way.judged_at = way.judged_at or deed.at
            if desired and not again:
                way.compliant_at, way.sent_at, way.accepted_at = deed.at, None, None
        elif deed.why == "push.sent" and desired:
            way.sent_at = way.sent_at or deed.at
        elif deed.why == "push.accepted" and desired:
            way.accepted_at = way.accepted_at or deed.at
        elif deed.why == "push.confirmed" and desired and deed.detail.get("shown") is True:
            if not before:
                way.open_at = None if way.already else deed.at
                return
            way.already = True
