"""How people arrive. Where we are the compliance partner, Microsoft knows `/enrollment` and `/remediation`; all others come to `/`.

All lead into the same journey; which one it was is a hint that is counted. No parameter of Microsoft's is documented, so none is
read, and none is ever shown again.
"""

from flask import Blueprint, redirect, render_template, request
from werkzeug.wrappers import Response

from ..domain.device import Platform
from .browsers import platform_of
from .desk import desk
from .guards import anyone
from .sessions import signed_in_session

pages = Blueprint("entrances", __name__)

ENTRANCES = ("start", "enrollment", "remediation", "possession")
CHOICES = (Platform.IOS, Platform.ANDROID, Platform.MACOS, Platform.WINDOWS)


@pages.get("/")
@pages.get("/start")
@anyone
def start() -> str | Response:
    return _welcome("start")


@pages.get("/leaflet")
@anyone
def leaflet() -> str:
    """To print, and for screens in the hall: where to go when mail and chat are shut."""
    return render_template("leaflet.html")


@pages.get("/enrollment")
@anyone
def enrollment() -> str | Response:
    return _welcome("enrollment")


@pages.get("/remediation")
@anyone
def remediation() -> str | Response:
    return _welcome("remediation")


@pages.get("/start/<path:rest>")
@pages.get("/enrollment/<path:rest>")
@pages.get("/remediation/<path:rest>")
@anyone
def below(rest: str) -> Response:
    """Old, long and mistyped addresses: whoever is blocked is never left with "no such page"."""
    return redirect(f"/{request.path.split('/')[1]}", 303)


def _welcome(entrance: str) -> str | Response:
    session = signed_in_session()
    if session is not None and desk().store.journey_of_browser(session.browser, session.oid, desk().clock()) is not None:
        return redirect("/journey", 303)
    platform = platform_asked_for() or platform_of(request.headers)
    return render_template(
        "welcome.html", entrance=entrance, platform=platform.value, platforms=[choice.value for choice in CHOICES]
    )


def entrance_asked_for() -> str:
    asked = request.values.get("entrance", "")
    return asked if asked in ENTRANCES else "start"


def platform_asked_for() -> Platform | None:
    """The platform in the address or the form, where it is one that we know."""
    asked = request.values.get("platform", "")
    return Platform(asked) if asked in CHOICES else None
