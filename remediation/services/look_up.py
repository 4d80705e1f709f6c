"""The helpdesk looks something up: a case by its code, or a person by the beginning of a name. Reads only, and each look-up leaves
one audit row: who looked up whom. Next door: `store/look_up.py` (the reads), `web/helpdesk_panel.py` (what is shown of them).
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from ..domain.device import ManagedDevice, ManagedKey, Person
from ..domain.journey import Journey
from ..domain.search import READ, Asked, asked, long_enough
from ..domain.tenant_facts import KEPT_DELETED, DeviceQuota, GoneEntry
from ..domain.turns import APP_LOOK_UPS, SEARCHES
from ..errors import TooOften
from ..ports import Actor, CaseFound, Event, LookUp, Mark, PeopleFound, PersonFound, Store, StuckRow, TimelinePage
from .start_journey import LETTERS

MOST = 20
WORDS = 6
EVENTS = 50
PAGES = 40
KINDS = ("person", "staff", "push", "seen", "pages")
SHOWN, ACTS = 6, 5
NOBODY = PeopleFound((), more=False)
NOT_ME_SHOWN = timedelta(days=30)

_GAP = r"[\s._\-‐-―−]*"
_CODE = re.compile(rf"(?<![^\W_])((?:[{LETTERS}]{_GAP}){{5}}[{LETTERS}])(?![^\W_])", re.IGNORECASE)


@dataclass(frozen=True)
class Through:
    """The program by which somebody looks; `alone` where it looks for itself, for a whole helpdesk as often as not."""

    app: str
    alone: bool


@dataclass(frozen=True)
class Answer:
    """`asked_enough` is False where nothing was looked up. `more` says that the list was cut. Whoever is not there and whoever is
    another tenant's get the same: nothing found."""

    asked_enough: bool
    case: CaseFound | None = None
    people: tuple[PersonFound, ...] = ()
    more: bool = False

    @property
    def nothing(self) -> bool:
        return self.asked_enough and self.case is None and not self.people


@dataclass(frozen=True)
class File:
    """Everything that is known of one person. `journey` is the chosen case's, else the newest; None where there is none left.
    `failing` are the sources that give no good answers now. `not_me_at` is when the person last said *this wasn't me*: read for
    itself, since whoever it was said against could fill the timeline. `signed_in` is since when, for each browser in which they are
    signed in here now. `timeline` is one page of it, `more` says that there are older ones; `shown` are the pages that they were
    shown last, `entries` how many the directory listed as theirs, `gone` those that it listed in the last month and lists no more.
    `of_others` are records that the MDM calls somebody else's; `nameless`: whoever looks may not see whose."""

    person: Person
    journey: Journey | None
    cases: tuple[CaseFound, ...]
    timeline: tuple[Event, ...]
    failing: tuple[StuckRow, ...] = ()
    not_me_at: datetime | None = None
    signed_in: tuple[datetime, ...] = ()
    of_others: frozenset[ManagedKey] = frozenset()
    nameless: bool = False
    more: bool = False
    shown: tuple[Event, ...] = ()
    acts: tuple[Event, ...] = ()
    entries: int = 0
    quota: DeviceQuota | None = None
    gone: tuple[GoneEntry, ...] = ()


@dataclass(frozen=True)
class Turned:
    """Which page of the timeline: `kind` is one of `KINDS`, empty for everything."""

    kind: str = ""
    page: int = 1


def search(look_up: LookUp, store: Store, text: str, *, oid: str, now: datetime, through: Through | None = None) -> Answer:
    """`oid` is who asks. Whom they found stands in their audit row; what they typed, a name as often as not, stands nowhere: the
    audit is kept for years, and holds ids alone."""
    codes, wanted = _codes(text[:READ]), asked(text, most=WORDS)
    if not codes and not any(map(long_enough, wanted.words)):
        return Answer(asked_enough=False)
    take_look(store, oid, now, through)
    case = next((one for code in codes if (one := look_up.case(code)) is not None), None)
    people = _people(look_up, wanted) if case is None else NOBODY
    answer = Answer(asked_enough=True, case=case, people=tuple(people.people), more=people.more)
    found = [case.oid or case.case_code] if case is not None else [one.person.oid for one in answer.people]
    with store.change(Actor("helpdesk", oid), "look_up.searched", about=("helpdesk", oid), at=now) as change:
        change.audit(words=len(wanted.words), codes=len(codes), found=found, **by_program(through))
    return answer


def _people(look_up: LookUp, wanted: Asked) -> PeopleFound:
    """All words together; where that finds nobody, each identifier in the text by itself: it was pasted with words around it."""
    for words in (wanted.words, *((one,) for one in wanted.identifiers)):
        if any(map(long_enough, words)):
            found = look_up.people(words, limit=MOST)
            if found.people:
                return found
    return NOBODY


def open_file(
    look_up: LookUp,
    store: Store,
    whose: str,
    *,
    case_code: str,
    oid: str,
    now: datetime,
    turned: Turned = Turned(),
    through: Through | None = None,
) -> File | None:
    """None for whoever is unknown here, or not to be seen by this one. A `case_code` that is not this person's is ignored.
    Where another owner's name is shown with it, the audit row says of how many records."""
    take_look(store, oid, now, through)
    person = look_up.person(whose)
    if person is None:
        return None
    cases = tuple(look_up.cases_of(whose))
    chosen = next((case for case in cases if case.case_code == case_code), cases[0] if cases else None)
    journey = store.journey(chosen.journey_id) if chosen is not None and chosen.journey_id is not None else None
    skip, nameless = EVENTS * (turned.page - 1), not look_up.reach.everybody
    timeline = tuple(look_up.timeline(whose, limit=EVENTS + 1, kind=turned.kind or None, skip=skip))
    if nameless:
        timeline = tuple(map(without_owners, timeline))
    of_others = _of_others(person, journey.managed if journey is not None else ())
    with store.change(Actor("helpdesk", oid), "look_up.viewed", about=("person", whose), at=now) as change:
        names = {"other_owners": len(of_others)} if of_others and not nameless else {}
        change.audit(case=chosen.case_code if chosen is not None else None, **names, **by_program(through))
    said = look_up.said_not_me(whose)
    not_me_at = said if said is not None and said > now - NOT_ME_SHOWN else None
    return File(
        *(person, journey, cases, timeline[:EVENTS]),
        failing=tuple(look_up.failing()),
        not_me_at=not_me_at,
        signed_in=tuple(look_up.signed_in(whose, now)),
        more=len(timeline) > EVENTS,
        shown=tuple(look_up.timeline(whose, limit=SHOWN, kind="pages")),
        acts=tuple(look_up.timeline(whose, limit=ACTS, kind="staff")),
        entries=look_up.registered(whose),
        quota=look_up.device_quota(),
        gone=tuple(look_up.gone(whose, now - KEPT_DELETED)),
        of_others=of_others,
        nameless=nameless,
    )


def timeline_page(
    look_up: LookUp,
    store: Store,
    whose: str,
    after: Mark | None,
    *,
    limit: int,
    oid: str,
    now: datetime,
    through: Through | None = None,
) -> TimelinePage | None:
    """A page of what was done and seen; each is a view of the person, and leaves its row."""
    take_look(store, oid, now, through)
    if look_up.person(whose) is None:
        return None
    page = look_up.timeline_page(whose, after, limit=limit)
    with store.change(Actor("helpdesk", oid), "look_up.viewed", about=("person", whose), at=now) as change:
        change.audit(timeline=len(page.events), **by_program(through))
    return page if look_up.reach.everybody else TimelinePage([without_owners(event) for event in page.events], page.next)


def without_owners(event: Event) -> Event:
    """For whoever may not see everybody: a record may have been another's before."""
    return replace(event, detail={}) if event.what == "managed_device.owner_user_name" else event


def _of_others(person: Person, managed: Iterable[ManagedDevice]) -> frozenset[ManagedKey]:
    """By the names that both sides use; where they share none, the owner's name may be another's, and is treated as such."""
    own = {name.casefold() for name in (person.user_name, person.mail, person.match) if name}
    return frozenset(
        device.key
        for device in managed
        if (named := {name.casefold() for name in (device.owner_user_name, device.owner_mail) if name}) and not named & own
    )


def by_program(through: Through | None) -> dict[str, str]:
    return {"app": through.app} if through is not None else {}


def take_look(store: Store, oid: str, now: datetime, through: Through | None = None) -> None:
    """Whoever reads people one after the other is soon slower than anybody who helps one."""
    again_at = store.take_turn(f"look_up:{oid}", APP_LOOK_UPS if through is not None and through.alone else SEARCHES, at=now)
    if again_at is not None:
        raise TooOften(again_at)


def _codes(text: str) -> list[str]:
    """The case codes in a text, however they were written down: small letters, spaces, any kind of dash, words around them."""
    written = (re.sub(_GAP, "", found).upper() for found in _CODE.findall(text))
    return list(dict.fromkeys(f"{code[:3]}-{code[3:]}" for code in written))
