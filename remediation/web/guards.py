"""Who may come to a page. Every view declares it beside its route; a route without a declaration fails at start.

A staff role is an app role of Entra's, as the ID token said it at sign-in; no role stands for another. It may end in the name of a
part of the company, and then reaches its people alone (domain/reach.py). The API's callers say theirs with each request (`bearer`).
"""

import base64
import hmac
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import timedelta
from enum import StrEnum
from typing import Any, TypeVar

from flask import Flask, current_app, g, has_request_context, request

from ..domain.hints import USER, password
from ..domain.reach import NOBODY, Reach, reaches
from . import bearer
from .desk import desk
from .sessions import set_up_session, signed_in_session

View = TypeVar("View", bound=Callable[..., Any])


class Who(StrEnum):
    ANYONE = "anyone"
    SIGNED_IN = "signed_in"
    MACHINE = "machine"
    HELPDESK = "Helpdesk.Read"
    HELPDESK_ACTS = "Helpdesk.Act"
    STAFF = "Helpdesk.Read or Admin"
    LEAD = "Helpdesk.Lead"
    ADMIN = "Admin"
    BEARER = "bearer"


ROLES = {
    Who.HELPDESK: {"Helpdesk.Read"},
    Who.HELPDESK_ACTS: {"Helpdesk.Act"},
    Who.STAFF: {"Helpdesk.Read", "Admin"},
    Who.LEAD: {"Helpdesk.Lead"},
    Who.ADMIN: {"Admin"},
}
ACT = {Who.HELPDESK_ACTS, Who.LEAD, Who.ADMIN}
"""Guards of what changes something."""
# Roles stand in the ID token and are as old as the sign-in. Staff whose role was taken away are out after this long: by then their
# browser asks Entra again, which takes a moment and shows nothing while they are signed in there.
ROLE_LASTS = timedelta(minutes=5)
# Whoever types into a long form of the set-up is not asked in the middle of it; what widens anything is signed in for anew.
TYPING_LASTS = timedelta(minutes=30)


class RoleMissing(Exception):
    """Shown as a page that names the role and who grants it."""

    def __init__(self, role: Who) -> None:
        super().__init__(role)
        self.role = role


class RoleTooOld(Exception):
    """Entra is to say again whether this person still has the role."""


class NotTheMachine(Exception):
    """No right password came with it."""


class NotSignedIn(Exception):
    """Shown as a page with one button: sign in, and come back to where you were."""


def anyone(view: View) -> View:
    return _declare(view, Who.ANYONE)


def signed_in(view: View) -> View:
    return _declare(view, Who.SIGNED_IN)


def machine(view: View) -> View:
    """For what an MDM sends: no person, session or form, but HTTP Basic with the password of the connection in the address."""
    return _declare(view, Who.MACHINE)


def helpdesk(view: View) -> View:
    """For `Helpdesk.Read`, which may only read: a route that takes anything but GET cannot have this guard."""
    return _declare(view, Who.HELPDESK)


def helpdesk_acts(view: View) -> View:
    """For `Helpdesk.Act`: a repair. What there is to see is behind the other guard."""
    return _declare(view, Who.HELPDESK_ACTS)


def admin(view: View) -> View:
    """For the set-up: `Admin`, or whoever came in by the set-up link of `remediation onboard`."""
    return _declare(view, Who.ADMIN)


def staff(view: View) -> View:
    """For whoever helps people or runs the set-up, where nobody's data is shown; it may only read, too."""
    return _declare(view, Who.STAFF)


def lead(view: View) -> View:
    """For `Helpdesk.Lead`: what everybody is told. It shows nobody's data."""
    return _declare(view, Who.LEAD)


def of_the_api(view: View, role: Who) -> View:
    """For programs: a bearer token with each request, and this role in it."""
    view.role = role  # type: ignore[attr-defined]
    return _declare(view, Who.BEARER)


def _declare(view: View, who: Who) -> View:
    view.guard = who  # type: ignore[attr-defined]
    return view


def who_may(app: Flask, endpoint: str) -> Who | None:
    return getattr(app.view_functions.get(endpoint), "guard", None)


def is_for_staff() -> bool:
    """Whether the page that is being answered is behind a role, also where it is refused; or behind the set-up's link, whose first
    visitor cannot have one yet."""
    if not has_request_context() or request.endpoint is None:
        return False
    return request.blueprint == "set_up" or who_may(current_app, request.endpoint) in ROLES


def demand_one_for_every_route(app: Flask) -> None:
    naked = sorted(rule.rule for rule in app.url_map.iter_rules() if who_may(app, rule.endpoint) is None)
    if naked:
        raise RuntimeError(f"routes that declare nobody who may come: {', '.join(naked)}")
    read = (rule for rule in app.url_map.iter_rules() if who_may(app, rule.endpoint) in ROLES.keys() - ACT)
    unsafe = sorted(rule.rule for rule in read if (rule.methods or set()) - {"GET", "HEAD", "OPTIONS"})
    if unsafe:
        raise RuntimeError(f"routes that act under a role that may only read: {', '.join(unsafe)}")


def install(app: Flask) -> None:
    app.extensions["desk"].texts.for_staff = is_for_staff
    app.before_request(_check)
    app.jinja_env.globals["somebody"] = lambda: g.get("signed_in")  # looked up already or not at all: error pages ask too


def _check() -> None:
    if request.endpoint is None:  # no such page; the error page may be seen by anyone
        return
    who = who_may(current_app, request.endpoint)
    if who is Who.ANYONE:
        return
    if who is Who.MACHINE:
        connection = str((request.view_args or {}).get("connection", ""))
        proven = _proves_itself(connection)
        if request.method == "POST" or not proven:
            desk().store.note_event(connection, forged=not proven, at=desk().clock())
        if not proven:
            raise NotTheMachine
        return
    if who is Who.BEARER:
        role: Who = vars(current_app.view_functions[request.endpoint])["role"]
        _reach_of(role, bearer.read_token().roles)
        return
    session = signed_in_session()
    if who is Who.ADMIN and not (session is not None and "Admin" in session.roles) and set_up_session() is not None:
        return
    if session is None:
        raise NotSignedIn
    if who in ROLES:
        _reach_of(who, session.roles)
        g.signed_in = replace(session, roles=tuple(g.held))  # whatever part of the company they are for
    lasts = TYPING_LASTS if who is Who.ADMIN and request.method == "POST" else ROLE_LASTS
    if who in ROLES and session.signed_in_at <= desk().clock() - lasts:
        raise RoleTooOld


def _reach_of(who: Who, told: Iterable[str]) -> None:
    """Whom the rest of this request may see: `desk().look_up` goes by it."""
    held = reaches(told, desk().settings.helpdesk_parts, desk().clock())
    if not ROLES[who] & held.keys():
        raise RoleMissing(who)
    g.held = held
    g.reach = held.get("Helpdesk.Act" if who is Who.HELPDESK_ACTS else "Helpdesk.Read", NOBODY)


def reach_to_act() -> Reach:
    """Whom the caller of this request may act on, which may be fewer than they see."""
    held: Mapping[str, Reach] = g.get("held", {})
    return held.get("Helpdesk.Act", NOBODY)


def may_act_on(oid: str) -> bool:
    reach = reach_to_act()
    return reach.everybody or (bool(reach.groups) and desk().everybody.within(reach).person(oid) is not None)


def _proves_itself(connection: str) -> bool:
    """Against every key that is in force, in constant time; nothing is looked up. HTTP Basic (RFC 7617), compared as it was sent:
    Werkzeug's reading of it fails on a header that is not ASCII."""
    scheme, _, told = request.headers.get("Authorization", "").partition(" ")
    right = [base64.b64encode(f"{USER}:{password(key, connection)}".encode()) for key in desk().hook_keys()]
    fits = [hmac.compare_digest(told.strip().encode("utf-8", "replace"), one) for one in right]
    return scheme.lower() == "basic" and any(fits)  # each of them was compared, so that time tells nothing
