"""The helpdesk's console: one search box, and a page for each person, with a repair on it for those who may act. What is shown is
made by `helpdesk_panel`.
"""

import time
from dataclasses import replace
from typing import Any

from flask import Blueprint, current_app, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from ..domain.search import READ, SHORTEST
from ..services import look_up
from ..services.end_sessions import BECAUSE, end_sessions_of
from . import helpdesk_panel, helpdesk_repairs
from .desk import desk
from .error_pages import Interruption
from .guards import helpdesk, helpdesk_acts, may_act_on
from .journey_pages import GLANCE
from .names import shown
from .repair_pages import look_at
from .sessions import here

pages = Blueprint("helpdesk", __name__)


@pages.get("/helpdesk")
@helpdesk
def search() -> str | Response:
    """A case code leads straight to its person. Names lead to a list even where it is of one, since names are easily misheard."""
    asked = request.args.get("q", "").strip()
    answer = None
    if asked:
        answer = look_up.search(desk().look_up, desk().store, asked, oid=here().oid, now=desk().clock())
        if answer.case is not None and answer.case.oid is not None:
            return redirect(url_for("helpdesk.person", oid=answer.case.oid, case=answer.case.case_code), 303)
    found = [helpdesk_panel.line(one) for one in answer.people] if answer is not None else []
    asked = shown(asked, READ)
    return render_template(
        "helpdesk/search.html", asked=asked, answer=answer, found=found, staff=_staff(), limits=_reach(), **_limits()
    )


@pages.get("/helpdesk/person/<oid>")
@helpdesk
def person(oid: str) -> str:
    """Whoever is unknown and whoever is another tenant's get the same answer."""
    case, turned = request.args.get("case", ""), _turned()
    found = look_up.open_file(desk().look_up, desk().store, oid, case_code=case, oid=here().oid, now=desk().clock(), turned=turned)
    if found is not None and "asked" in request.args:
        found = _patiently(found)
    situation = look_at(oid, case)
    if found is None or situation is None:
        raise Interruption("helpdesk_unknown", 404, href="/helpdesk")
    now = desk().clock()
    shown_file = helpdesk_panel.panel(found, now, tenant_id=desk().store.tenant_id)
    acts = may_act_on(oid)
    return render_template(
        "helpdesk/person.html",
        file=shown_file,
        staff=_staff(),
        because=BECAUSE if acts else (),
        repairs=helpdesk_repairs.panel(found, situation, now, acts=acts),
        turned=turned,
        kinds=look_up.KINDS,
        asked="asked" in request.args,
        access=desk().look_up.access.newest(oid) if desk().settings.temporary_access != "off" else None,
    )


def _patiently(found: look_up.File) -> look_up.File:
    """Whoever asked the remotes is given their answer, if it comes soon."""
    until = time.monotonic() + current_app.config["PATIENCE"]
    journey = found.journey
    while journey is not None and journey.look.under_way and time.monotonic() < until:
        time.sleep(GLANCE)
        journey = desk().store.journey(journey.id)
    return replace(found, journey=journey)


def _turned() -> look_up.Turned:
    kind, page = request.args.get("kind", ""), request.args.get("page", "")
    number = int(page) if page.isascii() and page.isdigit() and len(page) < 4 else 1
    return look_up.Turned(kind if kind in look_up.KINDS else "", min(max(number, 1), look_up.PAGES))


@pages.post("/helpdesk/person/<oid>/end-sessions")
@helpdesk_acts
def end_sessions(oid: str) -> Response:
    """Sign this person out everywhere. Their page then shows what it did: nobody signed in, when it ended, by whom and why."""
    back = url_for("helpdesk.person", oid=oid, case=request.args.get("case"), _anchor="signed-in")
    because = request.form.get("because")
    if because not in BECAUSE or "sure" not in request.form:
        raise Interruption("helpdesk_unsure", 400, href=back)
    if not end_sessions_of(desk().look_up, desk().store, oid, because=because, by=here().oid, now=desk().clock()):
        raise Interruption("helpdesk_unknown", 404, href="/helpdesk")
    return redirect(back, 303)


def _staff() -> str:
    return shown(here().name)


def _reach() -> dict[str, Any]:
    """Whose people are seen only, and since when it is known who they are: the oldest of the lists, None where one is missing."""
    look_up = desk().look_up
    listed = list(look_up.listed_at().values())
    fresh = [at for at in listed if at is not None and at >= (look_up.reach.listed_since or at)]
    return {"parts": ", ".join(look_up.reach.parts), "listed_at": min(fresh) if fresh and len(fresh) == len(listed) else None}


def _limits() -> dict[str, int]:
    return {"shortest": SHORTEST, "most": look_up.MOST}
