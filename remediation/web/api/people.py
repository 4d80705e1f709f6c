"""The API's operations about people: search, registration state, timeline. Each leaves the audit row that the console's leaves."""

from datetime import datetime

from ...ports import Mark
from ...services import look_up as looking
from ...services.look_up import Through
from .. import helpdesk_panel
from ..bearer import caller
from ..desk import desk
from ..guards import Who
from ..helpdesk_timeline import entry
from . import cursors
from .operations import operation
from .problems import Refusal
from .shapes import (
    Found,
    OfPerson,
    PersonState,
    SearchAsked,
    TimelineAsked,
    TimelineShape,
    WhichCase,
    case_shape,
    event_shape,
    line_shape,
    person_state,
)


def through() -> Through:
    return Through(caller().app, caller().alone)


def search(body: SearchAsked) -> Found:
    """Find people and cases by a case code or the beginnings of words.

    A POST, though it changes nothing: names have no place in addresses.
    """
    answer = looking.search(desk().look_up, desk().store, body.text, oid=caller().oid, now=desk().clock(), through=through())
    lines = [line_shape(helpdesk_panel.line(one)) for one in answer.people]
    case = case_shape(answer.case) if answer.case is not None else None
    return Found(asked_enough=answer.asked_enough, case=case, people=lines, more=answer.more)


def person(path: OfPerson, query: WhichCase) -> PersonState:
    """The registration state of a person: the chain, both sides' records, what was sent and what Entra shows."""
    return state_of(path.oid, query.case)


def state_of(oid: str, case_code: str = "") -> PersonState:
    asked = {"case_code": case_code, "oid": caller().oid, "now": desk().clock(), "through": through()}
    found = looking.open_file(desk().look_up, desk().store, oid, **asked)  # type: ignore[arg-type]
    if found is None:
        raise Refusal("not_found")
    return person_state(helpdesk_panel.panel(found, desk().clock(), tenant_id=desk().store.tenant_id))


def timeline(path: OfPerson, query: TimelineAsked) -> TimelineShape:
    """What was done and seen for a person, newest first."""
    purpose = f"timeline of {path.oid}"
    after = _mark(cursors.unseal(purpose, query.since)) if query.since is not None else None
    who = {"oid": caller().oid, "now": desk().clock(), "through": through()}
    page = looking.timeline_page(desk().look_up, desk().store, path.oid, after, limit=query.limit, **who)  # type: ignore[arg-type]
    if page is None:
        raise Refusal("not_found")
    events = [event_shape(entry(event, path.oid)) for event in page.events]
    mark = page.next
    goes_on = cursors.seal(purpose, [mark.at.isoformat(), mark.book, mark.row]) if mark is not None else None
    return TimelineShape(events=events, next=goes_on)


def _mark(place: list[str | int]) -> Mark:
    at, book, row = place
    return Mark(datetime.fromisoformat(str(at)), int(book), int(row))


OPERATIONS = (
    operation("POST", "/search", search, role=Who.HELPDESK),
    operation("GET", "/people/{oid}", person, role=Who.HELPDESK, tagged=True, refuses=("not_found",)),
    operation("GET", "/people/{oid}/timeline", timeline, role=Who.HELPDESK, tagged=True, refuses=("not_found", "bad_cursor")),
)
