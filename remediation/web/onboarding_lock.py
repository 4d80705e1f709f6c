"""The step about the second lock: its attribute, the rule to paste, and what was seen blocked.

The worker reads every device before the attribute is ours, and looks at the policy; what an administrator saw is stored here. Next
door: `services/set_up_lock.py`, `remediation lock`, which does the same at the terminal.
"""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response

from ..domain.onboarding import Facts
from ..domain.onboarding_lock import ATTRIBUTE, GIVE_UP, LOOK, PREPARE, SECOND_LOCK
from ..domain.second_lock import MUST_BE_BLOCKED, missing_before_go
from ..ports import Choice
from ..services import onboard, set_up_lock
from ..settings.proposal import Wrong
from . import onboarding_confirm
from .desk import desk
from .error_pages import Interruption
from .guards import admin
from .names import shown
from .onboarding_frame import StepPage, Typed
from .set_up import acting

pages = Blueprint("second_lock", __name__)


def _more(facts: Facts) -> Mapping[str, Any]:
    store = desk().store
    held, seen = store.second_lock(), store.seen_blocked()
    return {
        "held": held if ATTRIBUTE in facts.given else None,
        "seen": [(one, shown(one.what, 200), shown(one.by)) for one in seen],
        "missing": missing_before_go(held, seen),
        "kinds": MUST_BE_BLOCKED,
        "looked": facts.look(LOOK),
        "prepared": facts.look(PREPARE),
        "given_up": facts.look(GIVE_UP),
        "give_up_address": onboarding_confirm.address({GIVE_UP: Choice("yes")}) if held is not None else "",
    }


def _asks(facts: Facts) -> Mapping[str, str]:
    held = desk().store.second_lock()
    return {"rule": held.rule if held is not None and ATTRIBUTE in facts.given else "…"}


def _marks_stand(chosen: Typed) -> list[Wrong]:
    """The attribute is another one, or none, while our marks stand in this one."""
    held = desk().store.second_lock()
    if ATTRIBUTE in chosen and set_up_lock.stands_in_the_way(held, chosen[ATTRIBUTE]):
        return [Wrong(ATTRIBUTE, "holds marks of ours, which would stay there: give the lock up first.", "lock_held")]
    return []


PAGE = StepPage(SECOND_LOCK, more=_more, asks=_asks, stops=_marks_stand)


@pages.post("/onboarding/second_lock/prepare")
@admin
def prepare() -> Response:
    """The worker reads every device; where the attribute is free, it is ours from then on."""
    if desk().store.second_lock() is None:
        raise Interruption("set_up_too_early", 409, href="/onboarding/second_lock")
    onboard.want_look(desk().store, PREPARE, actor=acting(), now=desk().clock())
    return redirect("/onboarding/second_lock", 303)


@pages.post("/onboarding/second_lock/seen")
@admin
def seen() -> Response:
    """An administrator saw such a device blocked; in their own words, which the audit keeps."""
    kind, what = request.form.get("kind", ""), request.form.get("what", "").strip()[:500]
    if kind not in MUST_BE_BLOCKED or not what:
        raise Interruption("bad_request", 400, href="/onboarding/second_lock")
    try:
        set_up_lock.confirm_blocked(desk().store, kind, what, actor=acting(), clock=desk().clock)
    except set_up_lock.NoLock:
        raise Interruption("set_up_too_early", 409, href="/onboarding/second_lock") from None
    onboard.want_look(desk().store, LOOK, actor=acting(), now=desk().clock())
    return redirect("/onboarding/second_lock", 303)
