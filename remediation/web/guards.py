"""Who may come to a page. Every view declares it beside its route; a route without a declaration fails at start.

Staff roles join `Who` when the helpdesk's pages do.
"""

from collections.abc import Callable
from enum import StrEnum
from typing import Any, TypeVar

from flask import Flask, current_app, request

from .sessions import signed_in_session

View = TypeVar("View", bound=Callable[..., Any])


class Who(StrEnum):
    ANYONE = "anyone"
    SIGNED_IN = "signed_in"


class NotSignedIn(Exception):
    """Shown as a page with one button: sign in, and come back to where you were."""


def anyone(view: View) -> View:
    return _declare(view, Who.ANYONE)


def signed_in(view: View) -> View:
    return _declare(view, Who.SIGNED_IN)


def _declare(view: View, who: Who) -> View:
    view.guard = who  # type: ignore[attr-defined]
    return view


def who_may(app: Flask, endpoint: str) -> Who | None:
    return getattr(app.view_functions.get(endpoint), "guard", None)


def demand_one_for_every_route(app: Flask) -> None:
    naked = sorted(rule.rule for rule in app.url_map.iter_rules() if who_may(app, rule.endpoint) is None)
    if naked:
        raise RuntimeError(f"routes that declare nobody who may come: {', '.join(naked)}")


def install(app: Flask) -> None:
    app.before_request(_check)


def _check() -> None:
    if request.endpoint is None:  # no such page; the error page may be seen by anyone
        return
    if who_may(current_app, request.endpoint) is not Who.ANYONE and signed_in_session() is None:
        raise NotSignedIn
