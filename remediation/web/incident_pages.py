"""Where a lead tells everybody that something is wrong: write, see it as everybody will, publish, and end it early.

The preview is a GET, so it changes nothing; what is published are the same words once more, checked again.
"""

from datetime import datetime, timedelta

from flask import Blueprint, redirect, render_template, request
from werkzeug.wrappers import Response

from ..domain.incident import LONGEST
from ..ports import Actor
from ..services import incident
from .desk import desk
from .error_pages import Interruption
from .guards import lead
from .names import shown
from .sessions import here

pages = Blueprint("incident", __name__)

HOURS = (1, 2, 4, 8, 24)


@pages.get("/helpdesk/incident")
@lead
def show() -> tuple[str, int]:
    now, asked = desk().clock(), "hours" in request.args
    texts, until = _texts(request.args), _until(request.args.get("hours", ""), now)
    said, faults = incident.checked(texts, until, now) if asked else ({}, ())
    page = render_template(
        "helpdesk/incident.html",
        current=desk().board.current(now),
        texts=texts,
        hours=request.args.get("hours", "2"),
        choices=HOURS,
        languages_of={name: catalogue.gettext("page.language") for name, catalogue in desk().texts.catalogues.items()},
        said=said if asked and not faults else {},
        until=until,
        faults=faults,
        longest=LONGEST,
        staff=shown(here().name),
    )
    return page, 400 if faults else 200


@pages.post("/helpdesk/incident")
@lead
def publish() -> Response:
    now = desk().clock()
    until = _until(request.form.get("hours", ""), now)
    if until is None or incident.publish(desk().store, _texts(request.form), until, actor=_actor(), now=now):
        raise Interruption("incident_faulty", 400, href="/helpdesk/incident")
    desk().board.forget()
    return redirect("/helpdesk/incident", 303)


@pages.post("/helpdesk/incident/end")
@lead
def end() -> Response:
    """Pressed twice, or after it was over: the page shows that there is none."""
    incident.end(desk().store, desk().board.rows, actor=_actor(), now=desk().clock())
    desk().board.forget()
    return redirect("/helpdesk/incident", 303)


def _actor() -> Actor:
    return Actor("helpdesk", here().oid)


def _texts(given: object) -> dict[str, str]:
    get = given.get  # type: ignore[attr-defined]
    return {name: get(f"text_{name}", "")[: 4 * LONGEST] for name in desk().texts.catalogues}


def _until(hours: str, now: datetime) -> datetime | None:
    return now + timedelta(hours=int(hours)) if hours in {str(one) for one in HOURS} else None
