"""Pages for what went wrong: what happened, who can do something about it, and one button that goes on.

Never a code as a headline, never a remote's own words, never what the address or a form contained.
"""

import logging
import re

from flask import Flask, Response, g, make_response, render_template, request
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException

from ..errors import RemediationError, RemoteError
from .forgery import FromElsewhere
from .guards import NotSignedIn

log = logging.getLogger(__name__)

KNOWN = {400: "bad_request", 404: "not_found", 405: "not_allowed", 413: "too_large"}
# Where the one button of a page leads; every other page's leads to the start.
SIGN_IN_AGAIN = {"sign_in_over", "sign_in_garbled", "sign_in_no_cookie", "sign_in_down", "sign_in_declined", "sign_in_failed"}
BACK_TO_JOURNEY = {"form_over", "stale", "conflict", "handle_over"}


class Interruption(HTTPException):
    """An expected refusal with a page of its own; `key` names its texts, `quote` is a code worth quoting to helpdesk."""

    def __init__(self, key: str, status: int, *, quote: str | None = None, href: str | None = None) -> None:
        super().__init__()
        self.key = key
        self.code = status
        self.quote = quote
        self.href = href


def install(app: Flask) -> None:
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(NotSignedIn, _not_signed_in)
    app.register_error_handler(FromElsewhere, lambda _: page("form_elsewhere", 403))
    app.register_error_handler(CSRFError, _form_over)
    app.register_error_handler(RemediationError, _ours)
    app.register_error_handler(Exception, _bug)


def page(key: str, status: int, *, quote: str | None = None, href: str | None = None) -> Response:
    """One of these pages. It must not fail itself: no database, no look-up of addresses."""
    if href is None:
        href = "/sign-in" if key in SIGN_IN_AGAIN else "/journey" if key in BACK_TO_JOURNEY else "/"
    return make_response(render_template("error.html", key=key, quote=quote, href=href), status)


def _http(error: HTTPException) -> Response:
    if isinstance(error, Interruption):
        return page(error.key, error.code or 400, quote=error.quote, href=error.href)
    status = error.code or 500
    answer = page(KNOWN.get(status, "bug"), status)
    for name, value in error.get_headers():
        if name == "Allow":
            answer.headers[name] = value
    return answer


def _not_signed_in(_: NotSignedIn) -> Response:
    """Back to the same place after the sign-in, which knows two: the journey, and the page behind a possession link."""
    token = re.match(r"/possession/([A-Za-z0-9_-]{16,128})(?:/|$)", request.path)
    return page("signed_out", 401, href=f"/sign-in?possession={token.group(1)}" if token else "/sign-in")


def _form_over(error: CSRFError) -> Response:
    log.info("form refused: %s", error.description)
    return page("form_over", 403)


def _ours(error: RemediationError) -> Response:
    if isinstance(error, RemoteError) and error.remote == "sign_in":
        log.warning("%s (%s)", error, error.code)
        return page("sign_in_down", 503)
    if error.code in ("stale", "conflict"):
        return page(error.code, 409)
    return _bug(error)


def _bug(error: Exception) -> Response:
    log.error("a bug, on %s %s", request.method, request.endpoint, exc_info=error)
    g.pop("signed_in", None)
    return page("bug", 500)
