"""The one-time link of `remediation onboard`: opening it does nothing, since scanners open links; its button uses it up."""

from flask import Blueprint, redirect, render_template
from werkzeug.wrappers import Response

from ..errors import SetUpRefused
from ..services.onboard import digest, use_set_up_link
from .desk import desk
from .error_pages import Interruption
from .guards import anyone
from .sessions import begin_set_up, browser_id
from .set_up import set_up

pages = Blueprint("set_up", __name__)


@pages.get("/set-up/<token>")
@anyone
def show(token: str) -> str:
    if not set_up().choices.set_up_link_lives(digest(token), at=desk().clock()):
        raise Interruption("set_up_link", 410)
    return render_template("onboarding/link.html", token=token)


@pages.post("/set-up/<token>")
@anyone
def use(token: str) -> Response:
    try:
        begin_set_up(use_set_up_link(desk().store, token, browser=browser_id(), now=desk().clock()))
    except SetUpRefused as refused:
        raise Interruption("set_up_link", 410) from refused
    return redirect("/onboarding", 303)
