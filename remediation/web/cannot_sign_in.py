"""*I can't sign in*: a new phone, the second step on the old one. Phone, hours and a case code, without any sign-in; and the pages
of a sign-in that did not work, at an address of their own, so that they can be opened again and in another language.
"""

import re

from flask import Blueprint, Response, abort, redirect, render_template, request, session
from werkzeug.wrappers import Response as AnyResponse

from ..domain.device import Platform
from ..services.start_journey import open_case
from . import error_pages
from .browsers import platform_of
from .desk import desk
from .entrances import entrance_asked_for, platform_asked_for
from .guards import anyone
from .sessions import browser_id

pages = Blueprint("cannot_sign_in", __name__)

CASE = "c"


@pages.get("/cannot-sign-in")
@anyone
def show() -> str:
    """The code is kept in the signed cookie, so that a reload shows the same one."""
    return render_template(
        "cannot_sign_in.html", case_code=session.get(CASE), entrance=entrance_asked_for(), platform=_platform().value
    )


@pages.post("/cannot-sign-in")
@anyone
def open_one() -> AnyResponse:
    if CASE not in session:
        session[CASE] = open_case(
            desk().store, browser=browser_id(), entrance=entrance_asked_for(), platform=_platform(), now=desk().clock()
        )
    return redirect("/cannot-sign-in", 303)


@pages.get("/refused/<key>")
@anyone
def refused(key: str) -> Response:
    if key not in error_pages.SIGN_IN:
        abort(404)
    code = request.args.get("code", "")
    return error_pages.page(key, 200, quote=f"AADSTS{code}" if re.fullmatch(r"\d{4,7}", code) else None)


def _platform() -> Platform:
    return platform_asked_for() or platform_of(request.headers)
