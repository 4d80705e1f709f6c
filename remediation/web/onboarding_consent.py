"""Admin consent: the way to Microsoft and back. What comes back is a hint; the worker proves it by a token and a call.

The state is random, kept on the server for ten minutes and one use, and bound to this browser and to whoever is signed in or came
by the set-up link. `error` is read first. `tenant` is shown where it differs from ours, and decides nothing.
"""

import re
import secrets
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response

from ..domain import powers
from ..domain.channel import choice
from ..domain.onboarding import Facts, Looked
from ..domain.onboarding_steps import (
    BEFORE_SCOPE,
    CONSENT,
    CONSENT_CAUSES,
    PLATFORMS,
    SERVICE_APP,
    TENANT,
    channel,
)
from ..services import onboard
from . import choices, entra_client, sign_in_states
from .desk import desk
from .error_pages import Interruption
from .guards import admin
from .onboarding_choices import apps
from .onboarding_frame import StepPage
from .set_up import acting

pages = Blueprint("consent", __name__)


@pages.get("/onboarding/consent/begin")
@admin
def begin() -> Response:
    """A link and no form, since it leaves the site (`form-action 'self'`)."""
    facts = choices.facts()
    if not {TENANT, SERVICE_APP} <= facts.values.keys():
        raise Interruption("set_up_too_early", 409, href="/onboarding/tenant")
    state, who = secrets.token_urlsafe(32), acting()
    kept = {"kind": who.kind, "id": who.id, "tenant": facts.values[TENANT], "app": facts.values[SERVICE_APP]}
    sign_in_states.keep(state, {"consent": kept})
    # The page for the permissions of all resources, as the registration lists them: entra-docs v2-admin-consent.md knows one
    # resource only; the older page is the one that Fleet leads to (get-compliance-partner-settings.js).
    asked = {"client_id": kept["app"], "redirect_uri": _back_address(), "state": state}
    return redirect(entra_client.consent_address(asked, kept["tenant"]), 303)


@pages.get("/onboarding/consent/back")
@admin
def back() -> Response:
    kept, now = sign_in_states.take_consent(), desk().clock()
    who, facts = acting(), choices.facts()
    mine = kept.get("consent") == {
        "kind": who.kind,
        "id": who.id,
        "tenant": facts.values.get(TENANT),
        "app": facts.values.get(SERVICE_APP),
    }
    if not mine:
        raise Interruption("consent_over", 400, href="/onboarding/consent")
    if "error" in request.args:  # first: the answer says `admin_consent=True` all the same (entra-docs v2-admin-consent.md)
        cause = CONSENT_CAUSES.get(_code() or "") or CONSENT_CAUSES.get(request.args["error"], "not_given")
        before = facts.look(CONSENT)
        looked = Looked(CONSENT, before.wanted_at, now, before.good_at, now, cause, {"code": _code() or ""})
        onboard.note(desk().store, looked, actor=who, now=now)
        return redirect("/onboarding/consent", 303)
    onboard.want_look(desk().store, CONSENT, actor=who, now=now)
    elsewhere = request.args.get("tenant", "").lower() not in ("", facts.values[TENANT].lower())
    return redirect("/onboarding/consent?hint=other_tenant" if elsewhere else "/onboarding/consent", 303)


def _code() -> str | None:
    """Entra's code and nothing else: anyone can put words into an address."""
    found = re.search(r"AADSTS(\d{4,7})\b", request.args.get("error_description", ""))
    return f"AADSTS{found.group(1)}" if found else None


def _back_address() -> str:
    return f"{desk().settings.public_origin}/onboarding/consent/back"


def permissions(facts: Facts) -> list[dict[str, Any]]:
    """Each that is asked for: of which resource, why or what is lost without it, and whether the token had it when last looked."""
    looked = facts.look(CONSENT)
    roles = looked.detail.get("roles", {})
    found = []
    for resource, needed in needed_of(facts).items():
        has = roles.get(resource)
        optional = sorted(set(powers.OPTIONAL) - needed) if resource == "graph" else []
        for name in (*sorted(needed), *optional):
            missing = has is not None and name in powers.judge(has, {name}).missing
            state = "unknown" if has is None else "missing" if missing else "granted"
            found.append({"resource": resource, "name": name, "needed": name in needed, "state": state})
    return found


def needed_of(facts: Facts) -> Mapping[str, frozenset[str]]:
    words = [channel(facts, platform) for platform in PLATFORMS]
    kinds = {found.kind for word in words if (found := choice(word, facts.connections)) is not None}
    needed = {resource: powers.needed(resource, kinds) for resource in ("graph", "intune")}
    return {resource: names for resource, names in needed.items() if names}


def _more(facts: Facts) -> Mapping[str, Any]:
    looked = facts.look(CONSENT)
    too_many = looked.detail.get("too_many", [])
    entra = urlsplit(desk().settings.entra_authority).hostname
    return {
        "permissions": permissions(facts),
        "looked": looked,
        "too_many": too_many,
        "entra": entra,
        "hint": request.args.get("hint") == "other_tenant",
    }


def _asks(facts: Facts) -> Mapping[str, str]:
    names = {resource: ", ".join(sorted(needed)) for resource, needed in needed_of(facts).items()}
    optional = ", ".join(sorted(powers.OPTIONAL))
    return {**apps(facts), "graph": names.get("graph", "–"), "intune": names.get("intune", "–"), "optional": optional}


PAGE = StepPage(next(step for step in BEFORE_SCOPE if step.name == "consent"), more=_more, read=lambda _: {}, asks=_asks)
