"""The work list: what needs people, oldest promise first, and *I take this*. Whoever may not read about people sees no name in it.

Next door: `services/work.py` (what is on it), `helpdesk_stuck` (one person's).
"""

from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from ..domain.device import Platform
from ..domain.work import Kind, Source, position_in
from ..errors import WhoActs
from ..services import work
from .desk import desk
from .error_pages import Interruption
from .guards import Who, helpdesk_acts, staff
from .names import shown
from .sessions import here

pages = Blueprint("work", __name__)

ASKED = ("kind", "who", "platform", "whose")
PROMISES = {Source.LINK: "told", Source.ENDING: "ends"}  # every other is our own target
REQUESTS = {Source.ACCESS, Source.ENDING}


@pages.get("/helpdesk/work")
@staff
def show() -> str:
    """Pages are found by a position in the list, which is no right to anything; one that is none of ours is refused."""
    after = request.args.get("after", "")
    position = position_in(after) if after else None
    if after and position is None:
        raise Interruption("work_no_such_page", 400, href="/helpdesk/work")
    named, chosen = Who.HELPDESK in here().roles, _chosen()
    if named:
        found = work.see(desk().look_up.work, desk().store, desk().clock(), oid=here().oid, chosen=chosen, after=position)
    else:
        found = work.listed(desk().everybody.work, desk().clock(), chosen=chosen, after=position)
    asked = {name: value for name in ASKED if (value := request.args.get(name, ""))}
    return render_template(
        "helpdesk/work.html",
        items=[_line(item, named=named) for item in found.items],
        asked=asked,
        first="after" not in request.args,
        more=f"/helpdesk/work?{urlencode({**asked, 'after': str(found.more)})}" if found.more is not None else None,
        usual=max(1, round(found.wait.usual.total_seconds() / 60)),
        measured=found.wait.measured,
        kinds=[kind.value for kind in Kind],
        platforms=[platform.value for platform in Platform],
        acts=Who.HELPDESK_ACTS in here().roles,
        named=named,
        lead=Who.LEAD in here().roles,
        staff=shown(here().name),
    )


@pages.post("/helpdesk/work/<row_id>/take")
@helpdesk_acts
def take(row_id: str) -> Response:
    """Where somebody was faster, the list shows who."""
    if not work.take(desk().look_up.work, desk().store, row_id, oid=here().oid, name=here().name, now=desk().clock()):
        raise Interruption("work_gone", 404, href="/helpdesk/work")
    return _back()


@pages.post("/helpdesk/work/<row_id>/release")
@helpdesk_acts
def release(row_id: str) -> Response:
    if not work.release(desk().look_up.work, desk().store, row_id, oid=here().oid, now=desk().clock()):
        raise Interruption("work_gone", 404, href="/helpdesk/work")
    return _back()


def _back() -> Response:
    asked = {name: value for name in ASKED if (value := request.args.get(name))}
    return redirect("/helpdesk/work" + (f"?{urlencode(asked)}" if asked else ""), 303)


def _chosen() -> work.Filter:
    """A word that is none of ours filters nothing."""

    def one(kind: Any, name: str) -> Any:
        return next((member for member in kind if member.value == request.args.get(name)), None)

    whose = request.args.get("whose")
    return work.Filter(
        *(one(Kind, "kind"), one(WhoActs, "who"), one(Platform, "platform")),
        mine=here().oid if whose == "mine" else None,
        free=whose == "free",
    )


def _line(item: work.Item, *, named: bool) -> dict[str, Any]:
    row = item.row
    return {
        "id": row.id,
        "kind": item.kind.value,
        "name": shown(row.name) or shown(row.user_name),
        "user_name": shown(row.user_name),
        "href": url_for("helpdesk.person", oid=row.oid, case=row.case_code or None) if named else None,
        "what": shown(row.what) if named else "",
        "case_code": row.case_code,
        "platform": row.platform.value,
        "reason": item.reason,
        "code": shown(item.reason.code),
        "since": row.since,
        "promised": row.position.at,
        "late": row.position.at <= desk().clock(),
        "promise": PROMISES.get(row.position.source, "aimed"),
        "request": url_for("access.show", request_id=row.id) if named and row.position.source in REQUESTS else None,
        "claim": item.claim,
        "taken_by": shown(item.claim.name) if item.claim is not None else "",
        "mine": item.claim is not None and item.claim.oid == here().oid,
    }
