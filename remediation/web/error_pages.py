"""Pages for what went wrong: what happened, who can do something about it, and one button that goes on.

Never a code as a headline, never a remote's own words, never what the address or a form contained.
"""

import logging
import re
from collections.abc import Callable
from datetime import datetime
from math import ceil
from typing import Any
from urllib.parse import urlencode

from flask import Flask, Response, current_app, g, make_response, redirect, render_template, request, url_for
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as AnyResponse

from ..errors import RemediationError, RemoteError, TooOften
from .api import problems
from .bearer import asked_by_a_program
from .desk import desk
from .forgery import FromElsewhere
from .guards import NotSignedIn, NotTheMachine, RoleMissing, RoleTooOld, Who, who_may
from .languages import keep_at
from .second_host import NotOverTheHop
from .sessions import has_cookie

log = logging.getLogger(__name__)

ENTRANCES = {"start", "enrollment", "remediation"}
KNOWN = {400: "bad_request", 404: "not_found", 405: "not_allowed", 413: "too_large"}
# Where the one button of a page leads; every other page's leads to the start.
SIGN_IN_AGAIN = {"sign_in_over", "sign_in_garbled", "sign_in_no_cookie", "sign_in_down", "sign_in_declined", "sign_in_failed"}
OTHER_ACCOUNT = {"sign_in_guest", "sign_in_foreign", "sign_in_personal"}
BACK_TO_JOURNEY = {"form_over", "stale", "conflict", "handle_over"}
NOBODY_GETS_IN = {"sign_in_blocked", "sign_in_consent", "sign_in_not_assigned", "sign_in_refused"}
# The pages of a sign-in that did not work. They can be opened again at `/refused/<key>` and lead to *I can't sign in* as well.
SIGN_IN = SIGN_IN_AGAIN | OTHER_ACCOUNT | NOBODY_GETS_IN
FIGURES = ("from", "to", "platform", "connection", "table", "of", "after")
ROLE_PAGES = {
    Who.HELPDESK_ACTS: "role_missing_to_act",
    Who.LEAD: "role_missing_lead",
    Who.ADMIN: "role_missing_admin",
}
# Pages of the console that a sign-in leads back to by their names.
STAFF_PAGES = {f"/helpdesk/{name}": name for name in ("connections", "work", "incident")}
RETRY_AFTER = 10  # seconds, when the database is away


class Interruption(HTTPException):
    """An expected refusal with a page of its own; `key` names its texts, `quote` is a code worth quoting to helpdesk. `deny` is the
    address of a message where the page also takes *this wasn't me*."""

    def __init__(
        self, key: str, status: int, *, quote: str | None = None, href: str | None = None, deny: str | None = None
    ) -> None:
        super().__init__()
        self.key = key
        self.code = status
        self.quote = quote
        self.href = href
        self.deny = deny


def install(app: Flask) -> None:
    pages: dict[type[Exception], Callable[[Any], AnyResponse]] = {
        HTTPException: _http,
        NotSignedIn: _not_signed_in,
        NotTheMachine: _not_the_machine,
        RoleTooOld: _role_too_old,
        RoleMissing: _role_missing,
        FromElsewhere: lambda _: page("form_elsewhere", 403),
        NotOverTheHop: lambda _: page("certificate_elsewhere", 403),
        CSRFError: _form_over,
        TooOften: _too_often,
        RemediationError: _ours,
        Exception: _bug,
    }
    for kind, page_of in pages.items():
        app.register_error_handler(kind, _or_problem(page_of))


def _or_problem(page_of: Callable[[Any], AnyResponse]) -> Callable[[Exception], AnyResponse]:
    """A program gets no page."""
    return lambda error: problems.of(error) if asked_by_a_program() else page_of(error)


def page(
    key: str,
    status: int,
    *,
    quote: str | None = None,
    href: str | None = None,
    again_at: datetime | None = None,
    deny: str | None = None,
) -> Response:
    """One of these pages. It must not fail itself: no database, no look-up of addresses."""
    if key in SIGN_IN:
        keep_at(f"/refused/{key}" + (f"?code={quote.removeprefix('AADSTS')}" if quote else ""))
    return make_response(
        render_template(
            "error.html",
            key=key,
            quote=quote,
            href=href or _way_on(key),
            of_sign_in=key in SIGN_IN,
            again_at=again_at,
            deny=deny,
        ),
        status,
    )


def _way_on(key: str) -> str:
    if key in OTHER_ACCOUNT:
        return "/sign-in?account=other"
    return "/sign-in" if key in SIGN_IN_AGAIN else "/journey" if key in BACK_TO_JOURNEY else "/"


def _http(error: HTTPException) -> AnyResponse:
    if isinstance(error, Interruption):
        return page(error.key, error.code or 400, quote=error.quote, href=error.href, deny=error.deny)
    status = error.code or 500
    if status == 404 and (entrance := _entrance()) is not None:
        return redirect(f"/{entrance}", 303)
    answer = page(KNOWN.get(status, "bug"), status)
    for name, value in error.get_headers():
        if name == "Allow":
            answer.headers[name] = value
    return answer


def _entrance() -> str | None:
    """`//remediation`, `/remediation//x`: whoever is blocked is never left with "no such page"."""
    first = next((part for part in request.path.split("/") if part), "")
    return first if first in ENTRANCES and request.method == "GET" else None


def _not_the_machine(_: NotTheMachine) -> Response:
    """For a program, not for people. The same whether such a connection is set up or not."""
    log.info("an event was sent without the connection's password: refused")
    said = {"status": "the password is missing or wrong"}
    return make_response(said, 401, {"WWW-Authenticate": 'Basic realm="events"'})


def _role_missing(missing: RoleMissing) -> Response:
    return page(ROLE_PAGES.get(missing.role, "role_missing"), 403)


def _role_too_old(_: RoleTooOld) -> Response:
    """A page that goes on by itself: the search is a form, and `form-action 'self'` would stop an answer that leads to Entra."""
    place = {
        "q": request.args.get("q", ""),
        "case": request.args.get("case", ""),
        "person": (request.view_args or {}).get("oid", ""),
        "figures": figures_asked_for(),
        "page": _page_of_staff(),
    }
    href = url_for("sign_in.sign_in", to="helpdesk", silent="1", **{name: value for name, value in place.items() if value})
    answer = page("role_too_old", 401, href=href)
    answer.headers["Refresh"] = f"0; url={href}"
    return answer


def _page_of_staff() -> str:
    """Pages to which a sign-in leads back without anything else: those that show, not those that act."""
    if request.path in STAFF_PAGES:
        return STAFF_PAGES[request.path]
    step = re.match(r"/onboarding(?:/[a-z_]+)?", request.path)
    return step.group().removeprefix("/") if step else ""


def figures_asked_for() -> str:
    """For whoever is at the figures, what they asked for, as one value; elsewhere nothing."""
    asked = {name: request.args.get(name, "") for name in FIGURES}
    return urlencode(asked) if request.path.startswith("/helpdesk/figures") else ""


def _not_signed_in(_: NotSignedIn) -> Response:
    """Back to the same place after the sign-in, which knows three: the journey, the page behind a possession link, the helpdesk."""
    if request.path.startswith("/onboarding"):
        if not desk().set_up.can_sign_in:
            return page("set_up_link_needed", 401, href="/onboarding")
        return page("admin_signed_out", 401, href=f"/sign-in?{urlencode({'to': 'helpdesk', 'page': _page_of_staff()})}")
    if request.path.startswith("/helpdesk"):
        place = {"figures": asked} if (asked := figures_asked_for()) else {}
        if request.path in STAFF_PAGES:
            place = {"page": STAFF_PAGES[request.path]}
        return page("helpdesk_signed_out", 401, href=f"/sign-in?{urlencode({'to': 'helpdesk', **place})}")
    token = re.match(r"/possession/([A-Za-z0-9_-]{16,128})(?:/|$)", request.path)
    return page("signed_out", 401, href=f"/sign-in?possession={token.group(1)}" if token else "/sign-in")


def _form_over(error: CSRFError) -> Response:
    """Without our cookie no form can be told from a forged one. Signing in finds out whether it was lost or is refused."""
    log.info("form refused: %s", error.description)
    if has_cookie():
        return page("form_over", 403, href=_page_of_theirs())
    for_anyone = who_may(current_app, request.endpoint or "") is Who.ANYONE
    return page("no_cookie", 403) if for_anyone else _not_signed_in(NotSignedIn())


def _page_of_theirs() -> str | None:
    """Where staff find the form again; everybody else is led on by their journey."""
    oid = (request.view_args or {}).get("oid")
    if request.path.startswith("/onboarding"):
        return "/onboarding"
    if not request.path.startswith("/helpdesk"):
        return None
    return url_for("helpdesk.person", oid=oid) if oid else "/helpdesk"


def _too_often(error: TooOften) -> Response:
    path = request.path
    href = "/helpdesk" if path.startswith("/helpdesk") else "/cannot-sign-in" if path == "/cannot-sign-in" else "/journey"
    answer = page("too_often", 429, href=href, again_at=error.again_at)
    answer.headers["Retry-After"] = str(max(1, ceil((error.again_at - desk().clock()).total_seconds())))
    return answer


def _ours(error: RemediationError) -> Response:
    if isinstance(error, RemoteError) and error.remote == "sign_in":
        log.warning("%s (%s)", error, error.code)
        return page("sign_in_down", 503)
    if error.code in ("stale", "conflict"):
        if request.blueprint == "work":
            return page("work_taken", 409, href="/helpdesk/work")
        if request.endpoint in ("access.approve", "access.deny", "access.end"):
            return page("access_changed", 409, href=url_for("access.show", **(request.view_args or {})))
        return page(error.code, 409)
    return _bug(error)


def _bug(error: Exception) -> Response:
    if _database_away(error):
        log.error("the database did not serve %s %s (%s)", request.method, request.endpoint, type(error).__name__)
        g.pop("signed_in", None)
        answer = page("busy", 503)
        answer.headers["Retry-After"] = str(RETRY_AFTER)
        return answer
    log.error("a bug, on %s %s", request.method, request.endpoint, exc_info=error)
    g.pop("signed_in", None)
    return page("bug", 500)


def _database_away(error: Exception) -> bool:
    """PEP 249 gives this name, in every driver, to what is not the program's fault; only `store` may know which driver it is."""
    return any(kind.__name__ == "OperationalError" for kind in type(error).__mro__)
