"""The signed cookie and the session it points at. The cookie holds a random token, the browser's id and the secret of the forms,
nothing more; who is signed in stands in the database and can be ended there (`ports.Sessions`).
"""

import secrets
from collections.abc import Sequence

from flask import g, session

from ..ports import Session
from ..services.onboard import digest
from .desk import desk

TOKEN, BROWSER, SET_UP = "t", "b", "u"


def has_cookie() -> bool:
    """Whether this browser brought a cookie of ours: without one it refuses cookies, or is not the browser that began."""
    return BROWSER in session


def browser_id() -> str:
    """This browser's own random id, made at the first need."""
    if BROWSER not in session:
        session[BROWSER] = secrets.token_urlsafe(32)
    return str(session[BROWSER])


def signed_in_session() -> Session | None:
    """The living session, looked up once in a request."""
    if "signed_in" not in g:
        token = session.get(TOKEN)
        g.signed_in = desk().sessions.find(token, at=desk().clock()) if isinstance(token, str) else None
    found: Session | None = g.signed_in
    return found


def here() -> Session:
    """The session behind a guarded page."""
    found = signed_in_session()
    if found is None:
        raise LookupError("no session behind a guarded page")
    return found


def begin(*, oid: str, name: str, roles: Sequence[str]) -> Session:
    """A new session under a new token and a new browser id: whatever cookie was planted here before is worth nothing now."""
    end()
    token = desk().sessions.begin(oid=oid, name=name, roles=roles, browser=browser_id(), at=desk().clock())
    session[TOKEN] = token
    g.pop("signed_in", None)
    return here()


def end() -> None:
    """End the session in the database too, so that a copy of the cookie ends with it."""
    token = session.get(TOKEN)
    if isinstance(token, str):
        desk().sessions.end(token, at=desk().clock())
    session.clear()
    g.pop("signed_in", None)


def begin_set_up(token: str) -> None:
    """Whoever used the set-up link of `remediation onboard` gets this far without a sign-in, and no further than the set-up."""
    end()
    session[SET_UP] = token
    g.pop("set_up", None)


def set_up_session() -> str | None:
    """Which set-up link brought this browser in, as long as its session lives; looked up once in a request."""
    if "set_up" not in g:
        token = session.get(SET_UP)
        g.set_up = desk().set_up.choices.set_up_session(digest(token), at=desk().clock()) if isinstance(token, str) else None
    found: str | None = g.set_up
    return found
