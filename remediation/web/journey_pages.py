"""The journey: one dispatcher that shows the step which the facts call for, and the buttons, which all come back to it.

`panel` says what is shown; `templates/steps/` has one template for each step, used for the page and for its live fragment alike.
"""

import hashlib
import time
from datetime import timedelta

from flask import Blueprint, Response, current_app, make_response, redirect, render_template, request
from flask_wtf.csrf import generate_csrf
from werkzeug.wrappers import Response as AnyResponse

from ..domain.journey import Journey
from ..domain.promise import DOCUMENTED, promised
from ..domain.steps import Step, candidates, next_step
from ..services import ask, device_quota
from ..services.other_device import other_device
from . import device_app, handles
from .access_shown import access_card
from .desk import desk
from .entrances import CHOICES, platform_asked_for
from .error_pages import Interruption
from .guards import signed_in
from .panel import Panel, panel
from .sessions import here

pages = Blueprint("journey", __name__)

GLANCE = 0.1  # seconds between glances at the database while a page waits
AGAIN_AFTER = timedelta(seconds=3)  # a button pressed twice is one wish


@pages.get("/journey")
@signed_in
def show() -> str:
    journey = _patiently(own_journey())
    device_app.shows(journey)  # a device may have been found meanwhile
    seen, access = _seen(journey), access_card(journey, desk().clock())
    fragment = render_template("panel.html", panel=seen, access=access)
    told = {"etag": etag_of(fragment), "case_code": seen.case_code, "usual": _usual_again()}
    return render_template("journey.html", panel=seen, access=access, **told)


@pages.get("/journey/status")
@signed_in
def status() -> Response:
    """The same fragment for the script: 204 while nothing changed, `X-Watch: stop` when nothing more will."""
    journey = own_journey()
    seen = _seen(journey)
    fragment = render_template("panel.html", panel=seen, access=access_card(journey, desk().clock()))
    etag = etag_of(fragment)
    unchanged = etag in request.if_none_match
    answer = make_response("" if unchanged else fragment, 204 if unchanged else 200)
    answer.set_etag(etag)
    answer.headers["X-Watch"] = "stop" if seen.final else "on"
    return answer


@pages.post("/journey/check")
@signed_in
def check() -> AnyResponse:
    journey = own_journey()
    asked_at = journey.look.refresh_wanted_at
    if asked_at is None or desk().clock() - asked_at > AGAIN_AFTER:
        ask.check_again(desk().store, journey.id, oid=here().oid, now=desk().clock())
    return _back()


@pages.post("/journey/this-device")
@signed_in
def this_device() -> AnyResponse:
    journey = own_journey()
    key = handles.find(request.form.get("device", ""), journey.id, here().browser, [one.key for one in journey.managed])
    if key is None:
        raise Interruption("handle_over", 400)
    ask.in_my_hand(desk().store, journey.id, key, oid=here().oid, now=desk().clock())
    return _back()


@pages.post("/journey/choose")
@signed_in
def choose() -> AnyResponse:
    journey = own_journey()
    found = candidates(journey)
    offered = [one.device_id for one in found.candidates] if found is not None else []
    device_id = handles.find(request.form.get("device", ""), journey.id, here().browser, offered)
    if device_id is None:
        raise Interruption("handle_over", 400)
    ask.pick(desk().store, journey.id, device_id, oid=here().oid, now=desk().clock())
    return _back()


@pages.get("/journey/device")
@signed_in
def device() -> str:
    """*Not an iPhone?*: the platform was a guess, or it is about another device. Each device is a case of its own; none is lost."""
    journey = own_journey()
    return render_template(
        "device.html",
        platform=journey.platform.value,
        platforms=[choice.value for choice in CHOICES if choice is not journey.platform],
        case_code=journey.case_code,
    )


@pages.post("/journey/device")
@signed_in
def change_device() -> AnyResponse:
    journey, platform = own_journey(), platform_asked_for()
    if platform is None:
        raise Interruption("handle_over", 400)
    other_device(desk().store, journey, platform, oid=here().oid, browser=here().browser, now=desk().clock())
    return _back()


@pages.get("/journey/<path:rest>")
@signed_in
def below(rest: str) -> AnyResponse:
    """The address of a button, opened again by a browser that restores its tabs, and whatever else was cut off or mistyped."""
    return _back()


@pages.post("/journey/tell-me")
@signed_in
def tell_me() -> AnyResponse:
    ask.tell_when_open(desk().store, own_journey().id, oid=here().oid, now=desk().clock())
    return _back()


@pages.post("/journey/still-blocked")
@signed_in
def still_blocked() -> AnyResponse:
    ask.still_blocked(desk().store, own_journey().id, oid=here().oid, now=desk().clock())
    return _back()


def _seen(journey: Journey) -> Panel:
    """What the page shows; another page than the last is noted for the helpdesk, who will be asked about it."""
    now = desk().clock()
    step = next_step(journey, now)
    promise = promised(desk().store.waits(journey.platform, now)) if step is Step.WAIT else DOCUMENTED
    full = step is Step.REGISTER and device_quota.full(desk().everybody, here().oid)
    seen = panel(journey, now, browser=here().browser, usual=_usual_again(), promise=promise, full=full)
    if seen.title != journey.shown:
        desk().store.note_shown(journey.id, journey.shown, seen.title, at=desk().clock())
    return seen


def _usual_again() -> bool:
    return request.args.get("steps") == "1"


def _back() -> AnyResponse:
    return redirect("/journey", 303)


def own_journey() -> Journey:
    """The journey of this browser and this person. Where it went on elsewhere, or is over, signing in again resumes it."""
    journey_id = desk().store.journey_of_browser(here().browser, here().oid, desk().clock())
    journey = desk().store.journey(journey_id) if journey_id is not None else None
    if journey is None:
        raise Interruption("elsewhere", 409, href="/sign-in" if _goes_on_somewhere() else "/start")
    device_app.shows(journey)
    return journey


def _goes_on_somewhere() -> bool:
    """Signing in again finds a journey to go on with; otherwise the start page asks for which device a new one is."""
    return any(desk().store.living_journey(here().oid, platform, desk().clock()) for platform in CHOICES)


def _patiently(journey: Journey) -> Journey:
    """Give a look that is under way a moment, so that most people never see the page that says *looking*."""
    until = time.monotonic() + current_app.config["PATIENCE"]
    while journey.look.under_way and time.monotonic() < until:
        time.sleep(GLANCE)
        journey = desk().store.journey(journey.id) or journey
    return journey


def etag_of(fragment: str) -> str:
    """Of what a person sees: the token of the forms differs each time and does not count."""
    return hashlib.sha256(fragment.replace(generate_csrf(), "").encode()).hexdigest()[:20]
