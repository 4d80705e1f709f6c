"""The MDM step: connections by a name of their own, the fields that each kind needs, and the worker's look at it."""

import re
from collections.abc import Mapping
from typing import Any

from flask import Blueprint, redirect, render_template, request
from werkzeug.wrappers import Response

from ..domain.onboarding import Facts, checklist
from ..domain.onboarding_steps import AFTER_SCOPE
from ..settings.mdm import KINDS
from ..settings.names import MDM
from ..settings.typed import whose_secret
from . import choices, onboarding_confirm
from .error_pages import Interruption
from .guards import admin
from .onboarding_frame import StepPage, Typed, around
from .set_up import set_up

pages = Blueprint("mdm", __name__)
STEP = next(step for step in AFTER_SCOPE if step.name == "mdm")
NAME = re.compile(r"[a-z][a-z0-9]{0,15}")
# What a form asks of each kind: what it, or a channel, cannot do without, and its ways to sign in. The rest has defaults
# (docs/settings.md).
FIELDS: Mapping[str, tuple[str, ...]] = {
    "workspace_one": (
        "url",
        "token_url",
        "client_id",
        "client_secret",
        "user",
        "password",
        "tenant_code",
        "windows_hub",
        "relay_minutes",
    ),
    "maas360": ("billing_id", "url", "app_id", "access_key", "user", "password", "relay_minutes"),
    "fleet": ("url", "token"),
}


@pages.get("/onboarding/mdm/connection/<connection>")
@admin
def connection(connection: str) -> str:
    return _page(connection)


@pages.post("/onboarding/mdm/connection/<connection>")
@admin
def save(connection: str) -> Response | tuple[str, int]:
    facts, kind = choices.facts(), _kind(connection)
    typed = _typed(connection, kind, facts)
    wrong = choices.wrong_with(typed)
    if wrong:
        return _page(connection, wrong=wrong, kept={name: value or "" for name, value in typed.items()}), 400
    try:
        kept = choices.sealed(typed)
        if onboarding_confirm.needed(facts, typed):
            return redirect(onboarding_confirm.address(kept), 303)
        choices.store(kept, (STEP,))
    except choices.CannotSeal:
        return _page(connection, no_seal=True), 409
    return redirect("/onboarding/mdm", 303)


def _typed(connection: str, kind: str, facts: Facts) -> Typed:
    """Secrets that came empty stay; anything else that came empty is taken back."""
    found: dict[str, str | None] = {_name(connection, "kind"): kind}
    for field in FIELDS[kind]:
        name, value = _name(connection, field), request.form.get(field, "").strip()
        if value or (whose_secret(name) is None and name in facts.given):
            found[name] = value or None
    return {name: value for name, value in found.items() if name not in facts.elsewhere}


def _kind(connection: str) -> str:
    kind = choices.facts().connections.get(connection) or request.values.get("kind", "")
    if not NAME.fullmatch(connection) or kind not in KINDS:
        raise Interruption("mdm_name", 400, href="/onboarding/mdm")
    return kind


def _name(connection: str, field: str) -> str:
    return f"{MDM}{connection.upper()}_{field.upper()}"


def _page(connection: str, **more: object) -> str:
    facts, kind = choices.facts(), _kind(connection)
    fields = [(field, _name(connection, field), whose_secret(_name(connection, field)) is not None) for field in FIELDS[kind]]
    given = {"facts": facts, "can_seal": set_up().half_of("worker") is not None, "wrong": (), "kept": {}, "no_seal": False}
    about = {"connection": connection, "kind_of": kind, "fields": fields, "looked": facts.look(f"mdm:{connection}")}
    return render_template("onboarding/connection.html", **{**given, **about, **around(checklist((STEP,), facts), "mdm"), **more})


def _more(facts: Facts) -> Mapping[str, Any]:
    looks = [(name, kind, facts.look(f"mdm:{name}")) for name, kind in sorted(facts.connections.items())]
    return {"looks": looks, "kinds": tuple(KINDS)}


PAGE = StepPage(
    STEP, more=_more, read=lambda _: {}, asks=lambda facts: {"connections": ", ".join(sorted(facts.connections)) or "–"}
)
