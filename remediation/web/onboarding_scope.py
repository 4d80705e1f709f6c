"""The step that says for whom it is: search, pick, count, choose. The worker asks the directory; this only writes wishes and rows.

Next door: `services/scope.py`, `onboarding_confirm` (which asks for another sign-in before the scope is widened).
"""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response

from ..domain.onboarding import Facts
from ..domain.onboarding_scope import SCOPE
from ..domain.wishes import Kind
from ..errors import Stale, StepRefused
from ..services import scope
from . import choices, onboarding_confirm
from .desk import desk
from .guards import admin
from .onboarding_frame import StepPage
from .set_up import acting
from .wishes import awaited

pages = Blueprint("scope", __name__)
HERE = "/onboarding/scope"
REFUSED = ("by_setting", "too_many", "gone", "no_people", "not_managed", "not_counted", "nothing_chosen", "meanwhile", "too_short")
NOTES = (
    "gone",
    "no_people",
    "not_managed",
    "mdm_away",
    "renamed",
    "same_name",
    "same_name_at_mdm",
    "mail_only",
    "dynamic",
    "nested",
)
SHORTEST = 2  # letters; one would find half a directory


def _more(facts: Facts) -> Mapping[str, Any]:
    store, stands = desk().store, scope.standing(desk().store, choices.by_setting(facts))
    found, counted = awaited("found"), awaited("count")
    changes = scope.what_changes(store, counted) if counted is not None and scope.refusal(counted) != "not_counted" else None
    why = request.args.get("why", "")
    return {
        "stands": stands,
        "draft": scope.being_chosen(store),
        "found": found if found is not None and found.kind is Kind.GROUPS else None,
        "counted": counted if counted is not None and counted.kind is Kind.COUNT else None,
        "refusal": scope.refusal(counted) if counted is not None and counted.done_at is not None else None,
        "changes": changes,
        "why": why if why in REFUSED else "",
        "can_filter": any(kind in ("workspace_one", "maas360") for kind in facts.connections.values()),
    }


PAGE = StepPage(SCOPE, more=_more, read=lambda _: {})


@pages.post("/onboarding/scope/search")
@admin
def search() -> Response:
    words = request.form.get("words", "").strip()
    if len(words) < SHORTEST:
        return _back(why="too_short")
    wish = scope.search(desk().store, words, only_managed=_only_managed(), actor=acting(), now=desk().clock())
    return _back(found=wish)


@pages.post("/onboarding/scope/add")
@admin
def add() -> Response:
    """The place of a group in what a search found, never its id."""
    found, place = request.form.get("found", ""), request.form.get("place", "")
    try:
        number = int(place) if place.isdecimal() and len(place) < 4 else -1
        scope.add(desk().store, found, number, by_setting=_setting(), actor=acting(), now=desk().clock())
    except StepRefused as refused:
        return _back(why=refused.why, found=found)
    return _back(found=found)


@pages.post("/onboarding/scope/remove")
@admin
def remove() -> Response:
    try:
        scope.remove(desk().store, request.form.get("group", ""), by_setting=_setting(), actor=acting(), now=desk().clock())
    except StepRefused as refused:
        return _back(why=refused.why)
    return _back()


@pages.post("/onboarding/scope/forget")
@admin
def forget() -> Response:
    scope.forget_draft(desk().store, actor=acting(), now=desk().clock())
    return _back()


@pages.post("/onboarding/scope/count")
@admin
def count() -> Response:
    """Nothing is chosen before it was counted."""
    try:
        wish = scope.ask_for_count(
            desk().store,
            everybody=request.form.get("who") == "all",
            only_managed=_only_managed(),
            by_setting=_setting(),
            actor=acting(),
            now=desk().clock(),
        )
    except StepRefused as refused:
        return _back(why=refused.why)
    return _back(count=wish)


@pages.post("/onboarding/scope/choose")
@admin
def choose() -> Response:
    """What widens the scope once people rely on it goes by way of another sign-in."""
    counted = request.form.get("count", "")
    facts, wish = choices.facts(), desk().store.wish(counted)
    if facts.gone and wish is not None and scope.refusal(wish) is None and scope.what_changes(desk().store, wish).widens:
        return redirect(onboarding_confirm.address({onboarding_confirm.SCOPE: counted}), 303)
    return take(counted)


def take(counted: str) -> Response:
    try:
        scope.choose(desk().store, counted, by_setting=_setting(), actor=acting(), now=desk().clock())
    except StepRefused as refused:
        return _back(why=refused.why)
    except Stale:
        return _back(why="meanwhile")
    return _back()


def _setting() -> tuple[str, ...]:
    return choices.by_setting(choices.facts())


def _only_managed() -> bool:
    return request.form.get("only_managed") == "yes"


def _back(**query: str) -> Response:
    asked = "&".join(f"{name}={value}" for name, value in query.items() if value.replace("-", "").replace("_", "").isalnum())
    return redirect(f"{HERE}?{asked}" if asked else HERE, 303)
