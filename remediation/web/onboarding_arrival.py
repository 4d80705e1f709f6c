"""The steps about how people get here: one test tap at a time, and whether the device policy lets them sign in.

Next door: `arrivals` (which records), `services/arrival.py`.
"""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response

from ..domain.arrival import BUTTON, WAYS
from ..domain.onboarding import Facts
from ..domain.onboarding_scope import ARRIVAL, EXCLUDED
from ..domain.wishes import Kind
from ..errors import StepRefused
from ..services import arrival
from ..services.scope import wish
from ..services.set_up_facts import ERRORS
from .desk import desk
from .error_pages import Interruption
from .guards import admin
from .onboarding_frame import StepPage
from .set_up import acting

pages = Blueprint("arrival", __name__)
FINDINGS = ("caught", "unclear", "excluded", "not_readable")
ENTRANCES = ("start", "enrollment", "remediation")
STATES = ("open", "nobody", "here", "elsewhere")


def _arrival(_: Facts) -> Mapping[str, Any]:
    """Each way with its address, its newest test, and the last time that it was seen to lead here."""
    now, tests, origin = desk().clock(), desk().store.arrival_tests(), desk().settings.public_origin
    newest = {one.tested: one for one in reversed(tests)}
    seen = {one.tested: one for one in reversed(tests) if one.state(now) == "here"}
    ways = [(BUTTON, ""), *((way, origin + path) for way, path in WAYS.items())]
    told = desk().store.partner_told()
    return {
        "ways": [(way, address, newest.get(way), seen.get(way)) for way, address in ways],
        "now": now,
        "told": told if told is not None and told.provisioned else None,
    }


def _excluded(_: Facts) -> Mapping[str, Any]:
    app = desk().settings.sign_in_client_id
    store = desk().store
    return {"looked": store.last_wish(Kind.POLICY), "said": store.last_wish(Kind.POLICY_SAID), "app": app, "errors": ERRORS}


def _asks_arrival(_: Facts) -> Mapping[str, str]:
    origin = desk().settings.public_origin
    return {way: origin + path for way, path in WAYS.items()}


PAGE = StepPage(ARRIVAL, more=_arrival, read=lambda _: {}, asks=_asks_arrival)
EXCLUDED_PAGE = StepPage(EXCLUDED, more=_excluded, read=lambda _: {}, asks=lambda _: {"app": desk().settings.sign_in_client_id})


@pages.post("/onboarding/arrival/open")
@admin
def open_window() -> Response:
    try:
        arrival.open_window(desk().store, request.form.get("tested", ""), actor=acting(), now=desk().clock())
    except StepRefused as refused:
        raise Interruption("bad_request", 400, href="/onboarding/arrival") from refused
    return redirect("/onboarding/arrival", 303)


@pages.post("/onboarding/excluded/check")
@admin
def check() -> Response:
    """The worker does not know with which app people sign in; this process does."""
    app = desk().settings.sign_in_client_id
    wish(desk().store, Kind.POLICY, {"app": app}, actor=acting(), now=desk().clock())
    return redirect("/onboarding/excluded", 303)


@pages.post("/onboarding/excluded/seen")
@admin
def seen() -> Response:
    wish(desk().store, Kind.POLICY_SAID, {}, actor=acting(), now=desk().clock())
    return redirect("/onboarding/excluded", 303)
