"""The pretend phone and its story page: plain pages, links and forms at the second socket.

Opening an app is a link; whatever changes the phone or the world is a form answered by 303. Next door: `phone_scene`
reads the world for these pages, `policy` decides about Outlook, `control` does the same deeds for tests.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from flask import Flask, Response, redirect, render_template, request, url_for
from werkzeug.exceptions import BadRequest
from werkzeug.wrappers import Response as BaseResponse

from sandbox.enrollment import enroll
from sandbox.faults import Fault
from sandbox.own_api import PHONE_COOKIE
from sandbox.phone_scene import LAGS, look
from sandbox.policy import open_outlook
from sandbox.relay import register_in_app
from sandbox.scenarios import SCENARIOS
from sandbox.troubles import cure, refusal

if TYPE_CHECKING:
    from sandbox.server import Sandbox

POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
SERVICES = (
    ("workspace_one", "Workspace ONE"),
    ("maas360", "IBM MaaS360"),
    ("fleet", "Fleet"),
    ("graph", "Microsoft Graph"),
    ("intune", "Intune partner service"),
    ("entra", "Entra sign-in and tokens"),
)
KINDS = (
    ("down", "Down: hangs up without an answer"),
    ("throttle", "Throttled: 429"),
    ("slow", "Slow: half a minute each call"),
    ("garbled", "Garbled: half of each answer"),
    ("html", "A web page where JSON should be"),
    ("server_error", "503 on everything"),
    ("drop_answer", "Does it, but loses the answer"),
    ("first_401", "Refuses each fresh token once"),
    ("ignore_writes", "Takes what is written, and changes nothing"),
    ("fail_upload", "Intune: fails every message"),
    ("unlisted", "Devices are missing in listings"),
    ("huge", "Ten megabytes for an answer"),
)
INBOX = (
    {
        "sender": "Noah Lind",
        "at": "09:12",
        "title": "Slides for Thursday",
        "start": "Here is the second draft, pages 4 and 7 are new.",
    },
    {"sender": "Payroll", "at": "08:40", "title": "Your November statement", "start": "Your statement is ready in the portal."},
    {
        "sender": "Hanna Roth",
        "at": "Yesterday",
        "title": "Welcome to your new phone",
        "start": "If anything is stuck, call us on extension 4100.",
    },
    {"sender": "Canteen", "at": "Yesterday", "title": "This week’s menu", "start": "Monday: lentil soup with lemon. Tuesday: …"},
)


def create_phone(sandbox: Sandbox) -> Flask:
    """`/` and `/phone/…`."""
    app = Flask("sandbox.phone", template_folder="templates/phone", static_folder="static/phone", static_url_path="/phone/static")
    app.config["MAX_CONTENT_LENGTH"] = 100_000
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    _screens(app, sandbox)
    _deeds(app, sandbox)
    _steering(app, sandbox)

    @app.before_request
    def from_here_only() -> None:
        # Another site's page in the same browser must not be able to steer this world by a form.
        if request.method == "POST" and request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
            raise BadRequest("This form came from another site.")

    @app.after_request
    def headers(answer: Response) -> Response:
        answer.headers["Content-Security-Policy"] = POLICY
        answer.headers["X-Content-Type-Options"] = "nosniff"
        answer.headers["Referrer-Policy"] = "no-referrer"
        # By it Entra's pages know the browser of the pretend phone, as the platform's broker would vouch for it.
        answer.set_cookie(PHONE_COOKIE, sandbox.keys.seal("phone", {}), httponly=True, samesite="Lax")
        if request.endpoint != "static":
            answer.headers["Cache-Control"] = "no-store"
        return answer

    return app


def _page(sandbox: Sandbox, template: str, **more: Any) -> str:
    return render_template(template, scene=look(sandbox), services=SERVICES, kinds=KINDS, **more)


def _back(endpoint: str = "home") -> BaseResponse:
    return redirect(url_for(endpoint), 303)


def _screens(app: Flask, sandbox: Sandbox) -> None:
    @app.get("/")
    def home() -> str:
        return _page(sandbox, "home.html")

    @app.get("/phone/outlook")
    def outlook() -> str:
        """Opening the app is one sign-in attempt; a glance at the open app (the script's, or coming back) is none."""
        with sandbox.world.settled() as world:
            shown = world.in_hand.outlook
            if shown is None or "glance" not in request.args:
                shown = open_outlook(world, world.in_hand).as_json()
        return _page(sandbox, "inbox.html" if shown["opens"] else "blocked.html", mails=INBOX)

    @app.get("/phone/authenticator")
    def authenticator() -> str:
        return _page(sandbox, "authenticator.html")

    @app.get("/phone/hub")
    def hub() -> str:
        return _page(sandbox, "hub.html")


def _deeds(app: Flask, sandbox: Sandbox) -> None:
    @app.post("/phone/register")
    def register() -> BaseResponse | tuple[str, int]:
        address = request.form.get("address", "").strip()
        with sandbox.world.settled() as world:
            phone = world.in_hand
            if world.person(address) is not world.persons[phone.person_oid]:
                wrong = f"This {phone.kind.noun} can only be registered with its owner’s work address."
                return _page(sandbox, "authenticator.html", address=address, refusal=wrong), 422
            if (why := refusal(world, phone)) is not None:
                return _page(sandbox, "authenticator.html", address=address, refusal=why), 422
            world.register(phone)
        return _back("authenticator")

    @app.post("/phone/register-in-app")
    def begin_in_app() -> BaseResponse:
        with sandbox.world.settled() as world:
            register_in_app(world, world.in_hand)
        return _back("hub")

    @app.post("/phone/unregister")
    def unregister() -> BaseResponse:
        with sandbox.world.settled() as world:
            world.unregister(world.in_hand)
        return _back("authenticator")

    @app.post("/phone/enroll")
    def put_under_management() -> BaseResponse:
        with sandbox.world.settled() as world:
            enroll(world, world.in_hand)
        return _back("hub")

    @app.post("/phone/switch")
    def switch() -> BaseResponse:
        """Take another of her devices in the hand; nothing in the world changes by it."""
        key = request.form.get("key", "")
        with sandbox.world.lock:
            world = sandbox.world
            if key not in world.phones or world.phones[key].person_oid != world.in_hand.person_oid:
                raise BadRequest("She has no such device.")
            world.hand = key
        return _back()

    @app.post("/phone/sync")
    def sync() -> BaseResponse:
        """Hub reports at once: what the person does, not what the MDM asks for."""
        with sandbox.world.settled() as world:
            record_id = world.in_hand.record_id
            if record_id is not None:
                world.check_in(record_id)
        return _back("hub")

    @app.post("/phone/cure")
    def end_the_trouble() -> BaseResponse:
        with sandbox.world.lock:
            cure(sandbox.world, sandbox.world.in_hand)
        return _where_it_was()

    @app.post("/phone/truth")
    def set_truth() -> BaseResponse:
        with sandbox.world.lock:
            health = sandbox.world.in_hand.health
            for key, value in request.form.items():
                if key == "screen":
                    continue
                if key not in ("passcode", "encrypted", "jailbroken") or value not in ("on", "off"):
                    raise BadRequest(f"{key}={value} is not one of the switches.")
                setattr(health, key, value == "on")
        return _where_it_was()


def _where_it_was() -> BaseResponse:
    """Back to the screen that the phone showed; a glance, so that a switch beside Outlook is no attempt to sign in."""
    screen = request.form.get("screen", "")
    if screen == "outlook":
        return redirect(url_for("outlook", glance=1), 303)
    return _back(screen if screen in ("authenticator", "hub") else "home")


def _steering(app: Flask, sandbox: Sandbox) -> None:
    @app.post("/phone/scenario")
    def scenario() -> BaseResponse:
        name = request.form.get("name", "")
        if name not in SCENARIOS:
            raise BadRequest("There is no such story.")
        with sandbox.world.lock:
            # Other numbers each time: a product that played the last story must not take this phone for that one.
            sandbox.begin(name, devices_seed=secrets.randbits(64))
        return _back()

    @app.post("/phone/lags")
    def lags() -> BaseResponse:
        try:
            seconds = {name: float(request.form[name]) for name in LAGS}
        except ValueError:
            raise BadRequest("A lag is a number of seconds.") from None
        if not all(0 <= value <= 3600 for value in seconds.values()):
            raise BadRequest("A lag is between 0 and 3600 seconds.")
        with sandbox.world.lock:
            for name, value in seconds.items():
                setattr(sandbox.world.lags, name, value)
        return _where_it_was()

    @app.post("/phone/faults")
    def add_fault() -> BaseResponse:
        service, kind = request.form.get("service", ""), request.form.get("kind", "")
        if service not in dict(SERVICES) or kind not in dict(KINDS):
            raise BadRequest("There is no such fault.")
        sandbox.faults.add(Fault(service, kind))
        return _where_it_was()

    @app.post("/phone/faults/clear")
    def clear_faults() -> BaseResponse:
        sandbox.faults.clear()
        return _where_it_was()
