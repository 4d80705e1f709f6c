"""The step in which one named device proves each channel. The worker does it; here it is asked for, watched and stopped. Before
*go* a few people are named who may use the product already, since only what was linked can prove anything.

Next door: `services/pilot.py`.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response

from ..domain.device import ManagedKey, Platform
from ..domain.onboarding import FIRST, MOST_FIRST, Facts
from ..domain.onboarding_scope import PILOT
from ..domain.pilot import Pilot, PilotState, PilotStep
from ..domain.wishes import Kind
from ..errors import SetUpRefused, StepRefused
from ..ports import Choice
from ..services import pilot
from ..services.scope import wish
from . import choices, onboarding_confirm
from .desk import desk
from .error_pages import Interruption
from .guards import admin
from .onboarding_frame import StepPage
from .set_up import acting

pages = Blueprint("pilot", __name__)
HERE = "/onboarding/pilot"
PLATFORMS = (Platform.IOS, Platform.ANDROID, Platform.MACOS, Platform.WINDOWS)
ENDS = ("not_seen_compliant", "not_seen_not_compliant", "not_seen_again", "link_ended", "other_channel", "by_hand")
REFUSED = ("no_link", "no_channel", "runs")
NOBODY = ("no_account", "asked", "too_many")


def _more(facts: Facts) -> Mapping[str, Any]:
    known, asked = desk().store.pilots(), desk().store.last_wish(Kind.PILOT)
    why = request.args.get("why", "") or (asked.answer.get("why", "") if asked is not None else "")
    return {
        "platforms": [(platform.value, _newest(known, platform), _proven(known, platform)) for platform in PLATFORMS],
        "waiting": asked is not None and asked.done_at is None,
        "refused": why if why in REFUSED else "",
        "steps": [step.value for step in PilotStep],
        "connections": sorted(facts.connections),
        "origin": desk().settings.public_origin,
        **_first(facts),
    }


def _first(facts: Facts) -> Mapping[str, Any]:
    """Who may use it already, and whom the worker found last: let in by a link that asks for another sign-in."""
    asked = desk().store.last_wish(Kind.ACCOUNT)
    answer = asked.answer if asked is not None else {}
    found, why, names = str(answer.get("oid") or ""), answer.get("why", ""), desk().store.accounts()
    if asked is not None and asked.failed is not None:
        why = "asked"
    if found and found not in facts.first and len(facts.first) >= MOST_FIRST:
        why = "too_many"
    named = found and not why and found not in facts.first
    letting = onboarding_confirm.address({FIRST: Choice(",".join((*facts.first, found)))}) if named else ""
    return {
        "first": [(oid, names.get(oid, "")) for oid in facts.first],
        "found": str(answer.get("name") or found) if letting else "",
        "letting": letting,
        "nobody": why if why in NOBODY else "",
        "asking": asked is not None and asked.done_at is None,
    }


def _newest(known: Sequence[Pilot], platform: Platform) -> tuple[Pilot, str] | None:
    """With the MDM's number of its device, as far as its link is still known. Nobody's name is shown here."""
    found = next((one for one in known if one.platform is platform), None)
    link = desk().store.link(found.link_id) if found is not None else None
    return None if found is None else (found, link.managed.record_id if link is not None else "–")


def _proven(known: Sequence[Pilot], platform: Platform) -> list[Pilot]:
    return [one for one in known if one.platform is platform and one.state is PilotState.PROVEN]


PAGE = StepPage(PILOT, more=_more, read=lambda _: {})


@pages.post("/onboarding/pilot/account")
@admin
def account() -> Response:
    """The worker finds out whose name it is."""
    name = request.form.get("name", "").strip()[:200]
    if name:
        wish(desk().store, Kind.ACCOUNT, {"name": name}, actor=acting(), now=desk().clock())
    return redirect(HERE, 303)


@pages.post("/onboarding/pilot/first/remove")
@admin
def remove_first() -> Response:
    """Narrows: no other sign-in is asked for."""
    facts = choices.facts()
    rest = ",".join(oid for oid in facts.first if oid != request.form.get("oid"))
    try:
        choices.store({FIRST: Choice(rest) if rest else None}, ())
    except SetUpRefused as refused:
        raise Interruption("set_up_changed", 409, href=HERE) from refused
    return redirect(HERE, 303)


@pages.post("/onboarding/pilot/without")
@admin
def without() -> Response:
    """Somebody decides to go on without; that is kept as said, by whom and when."""
    wish(desk().store, Kind.PILOT_SAID, {}, actor=acting(), now=desk().clock())
    return redirect(HERE, 303)


@pages.post("/onboarding/pilot/start")
@admin
def start() -> Response:
    key = ManagedKey(request.form.get("connection", "").strip(), request.form.get("record", "").strip()[:100])
    link_id = desk().store.active_link(key)
    if link_id is None:
        return redirect(f"{HERE}?why=no_link", 303)
    asked = {"link": link_id, "by_mdm": request.form.get("by_mdm") == "yes"}
    wish(desk().store, Kind.PILOT, asked, actor=acting(), now=desk().clock())
    return redirect(HERE, 303)


@pages.post("/onboarding/pilot/stop")
@admin
def stop() -> Response:
    with suppress(StepRefused):  # it ended by itself meanwhile, and the page says how
        pilot.stop(desk().store, _platform(), actor=acting(), now=desk().clock())
    return redirect(HERE, 303)


def _platform() -> Platform:
    asked = request.form.get("platform", "")
    if asked not in {one.value for one in PLATFORMS}:
        raise Interruption("bad_request", 400, href=HERE)
    return Platform(asked)
