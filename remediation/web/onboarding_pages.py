"""The checklist of the set-up, and the page of each step. GET shows what is stored; POST stores, and answers 303.

`PAGES` has the steps in Microsoft's order; each comes from a small module of its own (`onboarding_frame` says how to add one).
Next door: `onboarding_consent`, `onboarding_credential`, `onboarding_mdm`, `onboarding_choices`, and `onboarding_confirm` for what
needs another sign-in.
"""

from collections.abc import Sequence

from flask import Blueprint, redirect, render_template, request
from werkzeug.wrappers import Response

from ..domain.onboarding import FIRST, GO, Facts, Standing, checklist
from ..domain.onboarding_lock import GIVE_UP
from ..domain.onboarding_scope import PILOT
from ..errors import SetUpRefused
from ..services import onboard
from . import (
    choices,
    credential_ends,
    onboarding_arrival,
    onboarding_choices,
    onboarding_confirm,
    onboarding_consent,
    onboarding_credential,
    onboarding_doctor,
    onboarding_lock,
    onboarding_mdm,
    onboarding_partner,
    onboarding_pilot,
    onboarding_scope,
)
from .desk import desk
from .error_pages import Interruption
from .guards import admin
from .onboarding_frame import StepPage, around, staff
from .set_up import acting, set_up

pages = Blueprint("onboarding", __name__)

PAGES: Sequence[StepPage] = (
    onboarding_choices.COMPANY,
    onboarding_choices.TENANT_PAGE,
    onboarding_credential.PAGE,
    onboarding_choices.SIGN_IN,
    onboarding_consent.PAGE,
    onboarding_partner.PAGE,
    onboarding_scope.PAGE,
    onboarding_mdm.PAGE,
    onboarding_choices.EVIDENCE,
    onboarding_choices.CHANNEL,
    onboarding_lock.PAGE,
    onboarding_arrival.PAGE,
    onboarding_arrival.EXCLUDED_PAGE,
    onboarding_pilot.PAGE,
    onboarding_confirm.PAGE,
)
BY_NAME = {page.name: page for page in PAGES}
STEPS = tuple(page.step for page in PAGES)
for _part in (
    *(onboarding_consent, onboarding_credential, onboarding_mdm, onboarding_confirm),
    *(onboarding_partner, onboarding_scope, onboarding_arrival, onboarding_pilot, onboarding_lock, onboarding_doctor),
):
    pages.register_blueprint(_part.pages)


def stands() -> tuple[Facts, tuple[Standing, ...]]:
    facts = choices.facts()
    return facts, checklist(STEPS, facts)


@pages.get("/onboarding")
@admin
def overview() -> str:
    facts, standings = stands()
    done = sum(one.state.value == "done" for one in standings)
    shown = {"standings": standings, "done": done, "facts": facts, "ends": credential_ends.shown(facts), "staff": staff()}
    return render_template("onboarding/overview.html", **shown)


@pages.post("/onboarding/confirm")
@admin
def confirm() -> Response:
    """What was asked for, after another sign-in; *go* only once every step before it is done."""
    asked, now = onboarding_confirm.asked_for(), desk().clock()
    if any(waits in asked.chosen and _blocked(step) for waits, step in ((GO, GO), (FIRST, PILOT.name))):
        raise Interruption("set_up_too_early", 409, href="/onboarding")
    if not onboarding_confirm.taken(asked):
        raise Interruption("confirm_again", 403, href=f"/onboarding/confirm?{onboarding_confirm.query(asked.token)}")
    try:
        scope = asked.chosen.get(onboarding_confirm.SCOPE)
        if scope is not None:
            return onboarding_scope.take(scope.value)
        if GIVE_UP in asked.chosen:
            onboard.want_look(desk().store, GIVE_UP, actor=acting(), now=now)
            return redirect("/onboarding/second_lock", 303)
        if GO in asked.chosen:
            onboard.go(desk().store, actor=acting(), now=now, seen=asked.seq)
        else:
            choices.store(asked.chosen, STEPS, seen=asked.seq)
    except SetUpRefused as refused:
        raise Interruption("set_up_changed", 409, href="/onboarding") from refused
    return redirect("/onboarding", 303)


@pages.get("/onboarding/<step>")
@admin
def show(step: str) -> str:
    return _page(_known(step))


@pages.post("/onboarding/<step>")
@admin
def save(step: str) -> Response | tuple[str, int]:
    page = _known(step)
    facts = choices.facts()
    chosen = {name: value for name, value in page.typed(facts).items() if value != facts.values.get(name)}
    if not chosen:
        return redirect(f"/onboarding/{step}", 303)
    wrong = choices.wrong_with(chosen) or page.stops(chosen)
    if wrong:
        return _page(page, wrong=wrong, kept={name: value or "" for name, value in chosen.items()}), 400
    try:
        kept = choices.sealed(chosen)
        if onboarding_confirm.needed(facts, chosen):
            return redirect(onboarding_confirm.address(kept), 303)
        choices.store(kept, STEPS)
    except choices.CannotSeal:
        return _page(page, no_seal=True), 409
    except SetUpRefused as refused:
        raise Interruption("set_up_changed", 409, href=f"/onboarding/{step}") from refused
    return redirect(f"/onboarding/{step}", 303)


@pages.post("/onboarding/<step>/look")
@admin
def look(step: str) -> Response:
    """The worker is to look again at what this step rests on."""
    page = _known(step)
    known = {*page.step.looks, *(f"mdm:{name}" for name in choices.facts().connections)}
    name = request.form.get("look", next(iter(page.step.looks), ""))
    if name not in known:
        raise Interruption("bad_request", 400, href="/onboarding")
    onboard.want_look(desk().store, name, actor=acting(), now=desk().clock())
    return redirect(f"/onboarding/{step}", 303)


@pages.get("/onboarding/<step>/request")
@admin
def change_request(step: str) -> str:
    """What somebody with another role needs to be told, as plain text to copy; no secret is in it."""
    page = _known(step)
    facts, standings = stands()
    asks = {"origin": desk().settings.public_origin, "organisation": desk().settings.organisation, **page.asks(facts)}
    return render_template("onboarding/request.html", asks=asks, **around(standings, step))


def _page(page: StepPage, **more: object) -> str:
    facts, standings = stands()
    given = {"facts": facts, "can_seal": set_up().half_of("worker") is not None, "wrong": (), "kept": {}, "no_seal": False}
    return render_template(page.page, **{**given, **page.more(facts), **around(standings, page.name), **more})


def _blocked(step: str) -> bool:
    return bool(next(one for one in stands()[1] if one.step.name == step).blocked_by)


def _known(step: str) -> StepPage:
    if step not in BY_NAME:
        raise Interruption("not_found", 404, href="/onboarding")
    return BY_NAME[step]
