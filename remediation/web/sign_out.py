"""Signing out: here by a button, and from Entra by a link, since a form of ours may not lead off the site."""

from flask import Blueprint, redirect, render_template
from werkzeug.wrappers import Response

from ..ports import Actor
from ..services.end_sessions import end_sessions
from . import entra_client, sessions
from .desk import desk
from .guards import anyone, signed_in

pages = Blueprint("sign_out", __name__)


@pages.get("/sign-out")
@anyone
def sign_out() -> str:
    return render_template("sign_out.html", session=sessions.signed_in_session())


@pages.post("/sign-out")
@anyone
def end() -> Response:
    sessions.end()
    # The cookies go, the language's among them: the address keeps it.
    answer = redirect(f"/signed-out?lang={desk().texts.language()}", 303)
    answer.headers["Clear-Site-Data"] = '"cache", "cookies", "storage"'
    return answer


@pages.post("/sign-out/everywhere")
@signed_in
def everywhere() -> Response:
    """A phone was lost, or somebody else may have signed in: every session of this person ends, this one with them."""
    oid = sessions.here().oid
    end_sessions(desk().store, oid, actor=Actor("person", oid), because="asked", now=desk().clock())
    return end()


@pages.get("/signed-out")
@anyone
def signed_out() -> str:
    return render_template("signed_out.html", entra=entra_client.end_session_address())
