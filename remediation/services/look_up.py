"""The helpdesk looks something up: a case by its code, or a person by the beginning of a name. Reads only, and each look-up leaves
one audit row: who looked up whom. Next door: `store/look_up.py` (the reads), `web/helpdesk_panel.py` (what is shown of them).
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from ..domain.device import Person
from ..domain.journey import Journey
from ..domain.search import READ, Asked, asked, long_enough
from ..domain.turns import SEARCHES
from ..errors import TooOften
from ..ports import Actor, CaseFound, Event, LookUp, PeopleFound, PersonFound, Store, StuckRow
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
    shown last, `entries` how many the directory listed as theirs."""

    person: Person
    journey: Journey | None
    cases: tuple[CaseFound, ...]
    timeline: tuple[Event, ...]
    failing: tuple[StuckRow, ...] = ()
    not_me_at: datetime | None = None
    signed_in: tuple[datetime, ...] = ()
    more: bool = False
    shown: tuple[Event, ...] = ()
    acts: tuple[Event, ...] = ()
    entries: int = 0


@dataclass(frozen=True)
class Turned:
    """Which page of the timeline: `kind` is one of `KINDS`, empty for everything."""

    kind: str = ""
    page: int = 1


def search(look_up: LookUp, store: Store, text: str, *, oid: str, now: datetime) -> Answer:
    """`oid` is who asks. Whom they found stands in their audit row; what they typed, a name as often as not, stands nowhere: the
    audit is kept for years, and holds ids alone."""
    codes, wanted = _codes(text[:READ]), asked(text, most=WORDS)
    if not codes and not any(map(long_enough, wanted.words)):
        return Answer(asked_enough=False)
    _turn(store, oid, now)
    case = next((one for code in codes if (one := look_up.case(code)) is not None), None)
    people = _people(look_up, wanted) if case is None else NOBODY
    answer = Answer(asked_enough=True, case=case, people=tuple(people.people), more=people.more)
    found = [case.oid or case.case_code] if case is not None else [one.person.oid for one in answer.people]
    with store.change(Actor("helpdesk", oid), "look_up.searched", about=("helpdesk", oid), at=now) as change:
        change.audit(words=len(wanted.words), codes=len(codes), found=found)
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
    look_up: LookUp, store: Store, whose: str, *, case_code: str, oid: str, now: datetime, turned: Turned = Turned()
) -> File | None:
    """None for whoever is unknown in this tenant. A `case_code` that is not this person's is ignored."""
    _turn(store, oid, now)
    person = look_up.person(whose)
    if person is None:
        return None
    cases = tuple(look_up.cases_of(whose))
    chosen = next((case for case in cases if case.case_code == case_code), cases[0] if cases else None)
    journey = store.journey(chosen.journey_id) if chosen is not None and chosen.journey_id is not None else None
    skip = EVENTS * (turned.page - 1)
    timeline = tuple(look_up.timeline(whose, limit=EVENTS + 1, kind=turned.kind or None, skip=skip))
    with store.change(Actor("helpdesk", oid), "look_up.viewed", about=("person", whose), at=now) as change:
        change.audit(case=chosen.case_code if chosen is not None else None)
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
    )


def _turn(store: Store, oid: str, now: datetime) -> None:
    """Whoever reads people one after the other is soon slower than anybody who helps one."""
    again_at = store.take_turn(f"look_up:{oid}", SEARCHES, at=now)
    if again_at is not None:
        raise TooOften(again_at)


def _codes(text: str) -> list[str]:
    """The case codes in a text, however they were written down: small letters, spaces, any kind of dash, words around them."""
    written = (re.sub(_GAP, "", found).upper() for found in _CODE.findall(text))
    return list(dict.fromkeys(f"{code[:3]}-{code[3:]}" for code in written))
