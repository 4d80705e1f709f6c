"""Temporary access as pages: the person asks, with a message; two of the staff decide; both see until when it lasts.

Next door: `services/access.py` (who may), `access_shown` (what is shown of it).
"""

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from ..domain.access import CARRIED, MOST_WORDS, OPEN, AccessRequest, State, why_not
from ..services import access
from .desk import desk
from .error_pages import Interruption
from .guards import Who, helpdesk, helpdesk_acts, signed_in
from .journey_pages import own_journey
from .names import shown
from .sessions import here

pages = Blueprint("access", __name__)


@pages.get("/journey/access")
@signed_in
def write() -> str | Response:
    journey = own_journey()
    if _off():
        return redirect("/journey", 303)
    known = desk().everybody.access.newest(here().oid)
    if known is not None and known.state in OPEN and not _over(known):
        return redirect("/journey", 303)
    return render_template(
        "access.html", case_code=journey.case_code, longest=MOST_WORDS, hours=desk().settings.temporary_access_hours
    )


@pages.post("/journey/access")
@signed_in
def ask() -> Response:
    journey, message = own_journey(), request.form.get("message", "")
    if _off():
        return redirect("/journey", 303)
    if not access.words(message):
        raise Interruption("access_empty", 400, href="/journey/access")
    access.ask(desk().store, journey, message, oid=here().oid, now=desk().clock())
    return redirect("/journey", 303)


@pages.get("/helpdesk/access/<request_id>")
@helpdesk
def show(request_id: str) -> str:
    now = desk().clock()
    found = access.see(desk().look_up.access, desk().store, request_id, by=here().oid, now=now) if not _off() else None
    if found is None:
        raise Interruption("access_gone", 404, href="/helpdesk/work")
    person = desk().look_up.person(found.oid)
    return render_template(
        "helpdesk/access.html",
        one=found,
        name=shown(person.name if person is not None else "") or found.oid,
        message=shown(found.message, MOST_WORDS),
        answer=shown(found.answer, MOST_WORDS),
        note=shown(found.note, MOST_WORDS),
        acts=Who.HELPDESK_ACTS in here().roles,
        why_not=why_not(found, here().oid, now),
        may_end=found.state in (State.APPROVED, State.GIVEN) and found.end_wanted_at is None and found.oid != here().oid,
        by_hand=desk().settings.temporary_access == "steps" or found.state is State.FAILED,
        group=desk().settings.temporary_access_group,
        most=desk().settings.temporary_access_hours,
        longest=MOST_WORDS,
        staff=shown(here().name),
    )


@pages.post("/helpdesk/access/<request_id>/approve")
@helpdesk_acts
def approve(request_id: str) -> Response:
    """The first approval brings hours and texts, the second only says yes to them."""
    found, version = _decidable(request_id)
    if found.state is State.ASKED:
        hours = request.form.get("hours", "")
        if hours not in {str(one) for one in range(1, desk().settings.temporary_access_hours + 1)}:
            raise Interruption("access_unsure", 400, href=_place(request_id))
        access.approve_first(desk().store, found, version, **_said(), hours=int(hours), now=desk().clock())
    else:
        carry = desk().settings.temporary_access in CARRIED
        access.approve_second(desk().store, found, version, by=here().oid, carry=carry, now=desk().clock())
    return redirect(_place(request_id), 303)


@pages.post("/helpdesk/access/<request_id>/deny")
@helpdesk_acts
def deny(request_id: str) -> Response:
    found, version = _decidable(request_id, denying=True)
    access.deny(desk().store, found, version, **_said(), now=desk().clock())
    return redirect(_place(request_id), 303)


@pages.post("/helpdesk/access/<request_id>/end")
@helpdesk_acts
def end(request_id: str) -> Response:
    found, version = _found(request_id), _version(request_id)
    carry = desk().settings.temporary_access in CARRIED
    access.end(desk().store, found, version, by=here().oid, carry=carry, now=desk().clock())
    return redirect(_place(request_id), 303)


def _off() -> bool:
    return desk().settings.temporary_access == "off"


def _over(known: AccessRequest) -> bool:
    return why_not(known, "", desk().clock()) == "too_late"


def _found(request_id: str) -> AccessRequest:
    found = desk().look_up.access.one(request_id) if not _off() else None
    if found is None:
        raise Interruption("access_gone", 404, href="/helpdesk/work")
    return found


def _decidable(request_id: str, *, denying: bool = False) -> tuple[AccessRequest, int]:
    """With the version that this member of staff saw. Who asked decides nothing of it, and who approved first not the rest."""
    found, version = _found(request_id), _version(request_id)
    against = why_not(found, here().oid, desk().clock())
    if against == "own":
        raise Interruption("access_own", 403, href=_place(request_id))
    if against == "same" and not denying:
        raise Interruption("access_same", 403, href=_place(request_id))
    if against in ("decided", "too_late"):
        raise Interruption("access_changed", 409, href=_place(request_id))
    return found, version


def _version(request_id: str) -> int:
    given = request.form.get("version", "")
    if not given.isascii() or not given.isdigit() or len(given) > 6 or "sure" not in request.form:
        raise Interruption("access_unsure", 400, href=_place(request_id))
    return int(given)


def _said() -> dict[str, str]:
    return {"by": here().oid, "answer": request.form.get("answer", ""), "note": request.form.get("note", "")}


def _place(request_id: str) -> str:
    return url_for("access.show", request_id=request_id)
