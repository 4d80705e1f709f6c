"""The helpdesk's repairs: a page that says what one will do and asks for a reason, and the button that does it.
`services/repair.py` does them; the person's page then shows the effect.
"""

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from ..domain.repairs import BECAUSE, Repair, Situation, offer
from ..errors import ChangedMeanwhile, NotOffered, Stale
from ..ports import Actor
from ..services import repair as repairs
from .desk import desk
from .entrances import CHOICES
from .error_pages import Interruption
from .guards import RoleMissing, Who, anyone, helpdesk_acts
from .helpdesk_repairs import WAY_IN_ENTRA, shown_target
from .helpdesk_timeline import entry
from .languages import keep_at
from .names import shown
from .sessions import here

pages = Blueprint("repair", __name__)


@pages.post("/helpdesk/person/<oid>/ask")
@helpdesk_acts
def ask(oid: str) -> Response:
    """*Ask the remotes now*: a wish. The page then waits a moment for the answer."""
    found = _known(look_at(oid, _case()))
    asked = repairs.ask_now(desk().store, found, by=here().oid, now=desk().clock())
    return redirect(url_for("helpdesk.person", oid=oid, case=_case() or None, asked="1" if asked else None), 303)


@pages.get("/helpdesk/person/<oid>/repair/<which>")
@helpdesk_acts
def confirm(oid: str, which: str) -> Response:
    repair = _named(which)
    found = repairs.begin(
        desk().look_up, desk().store, oid, case_code=_case(), allowed=_allowed(), by=here().oid, now=desk().clock()
    )
    return _page(_known(found), repair, 200)


@pages.post("/helpdesk/person/<oid>/repair/<which>")
@helpdesk_acts
def act(oid: str, which: str) -> Response:
    """Whoever confirms what somebody else changed meanwhile is shown what that was, and confirms again."""
    repair, form = _named(which), request.form
    now = desk().clock()
    found = _known(repairs.begin(desk().look_up, desk().store, oid, case_code=_case(), allowed=_allowed(), by=here().oid, now=now))
    seen, target, because = form.get("seen", ""), form.get("target", ""), form.get("because", "")
    if not (seen.isascii() and seen.isdigit() and len(seen) < 19) or because not in BECAUSE:
        return _page(found, repair, 400)
    offered = offer(found, repair, now)
    if offered is not None and offered.targets and not target:
        return _page(found, repair, 400)
    order = repairs.Order(repair, target, because, int(seen))
    try:
        repairs.repair(desk().store, found, order, actor=Actor("helpdesk", here().oid), now=now)
    except (ChangedMeanwhile, NotOffered, Stale) as error:
        known = int(seen) if isinstance(error, ChangedMeanwhile) else None
        return _page(_known(look_at(oid, _case())), repair, 409, seen=known)
    return redirect(url_for("helpdesk.person", oid=oid, case=_case() or None, _anchor="repairs"), 303)


@pages.get("/s/<code>")
@anyone
def start(code: str) -> Response:
    """A start link leads to the start page, with the kind of device chosen; one that is over, or never was, leads there as well."""
    platform = desk().look_up.start_link(code.upper()[:8], desk().clock())
    return redirect(url_for("entrances.start", platform=platform.value if platform in CHOICES else None), 303)


@pages.get("/s")
@pages.get("/s/<path:rest>")
@anyone
def cut_off(rest: str = "") -> Response:
    return redirect(url_for("entrances.start"), 303)


def look_at(oid: str, case_code: str) -> Situation | None:
    return repairs.situation(desk().look_up, desk().store, oid, case_code=case_code, allowed=_allowed())


def _allowed() -> repairs.Allowed:
    return repairs.Allowed(mail=desk().settings.start_link_mail, disable=desk().settings.disable_entries)


def _page(found: Situation, which: Repair, status: int, *, seen: int | None = None) -> Response:
    """With what was chosen already, where it was sent once: 400 says that something is missing, 409 that something changed."""
    oid = found.person.oid
    keep_at(url_for("repair.confirm", oid=oid, which=which.value, case=_case() or None))
    offered = offer(found, which, desk().clock())
    changed = repairs.changed_since(desk().look_up, oid, seen) if seen is not None else ()
    return make_response(
        render_template(
            "helpdesk/repair.html",
            oid=oid,
            name=shown(found.person.name) or shown(found.person.user_name, 100),
            user_name=shown(found.person.user_name, 100),
            case=found.journey.case_code if found.journey is not None else "",
            repair=which.value,
            offer=[shown_target(one) for one in offered.targets] if offered is not None else None,
            target=request.form.get("target", ""),
            because=request.form.get("because", ""),
            reasons=BECAUSE,
            seen=found.seen,
            unsure=status == 400,
            conflict=status == 409,
            changed=[entry(event, oid) for event in changed],
            in_entra=which in WAY_IN_ENTRA,
            staff=shown(here().name),
        ),
        status,
    )


def _named(name: str) -> Repair:
    """What these pages show of a person takes the other role as well."""
    if Who.HELPDESK not in here().roles:
        raise RoleMissing(Who.HELPDESK)
    try:
        return Repair(name)
    except ValueError:
        raise Interruption("helpdesk_no_repair", 404, href="/helpdesk") from None


def _known(found: Situation | None) -> Situation:
    if found is None:
        raise Interruption("helpdesk_unknown", 404, href="/helpdesk")
    return found


def _case() -> str:
    return request.args.get("case", "")
