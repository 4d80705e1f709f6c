"""What widens the scope, lowers the evidence or changes what is believed, once people rely on it, and *go* itself: shown with what
it touches, signed in for anew, and done with a button (`onboarding_pages`).

What is to be changed travels in the address, signed, with the count of the settings that whoever decided saw; a sign-in that Entra
really asked for (`auth_time`) is noted on the server, for this browser, person and change, for five minutes and one use.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask import Blueprint, current_app, redirect, render_template, request
from itsdangerous import BadData, URLSafeTimedSerializer
from werkzeug.wrappers import Response

from ..domain.evidence import Level
from ..domain.onboarding import FIRST, GO, Facts
from ..domain.onboarding_steps import CERTIFICATE, LAST, MINIMUM, SECRET, SERVICE_APP, SIGN_IN_APP, SIGN_IN_SECRET, TENANT
from ..ports import Choice
from ..services import scope
from ..settings.names import MDM
from . import choices, entra_client, sign_in_states
from .desk import desk
from .error_pages import Interruption
from .guards import NotSignedIn, admin
from .id_token import LEEWAY, TokenRefused, roles_in
from .names import shown
from .onboarding_frame import StepPage, staff
from .sessions import begin, browser_id, signed_in_session
from .set_up import acting, set_up

pages = Blueprint("confirm", __name__)
LASTS = timedelta(minutes=20)
SCOPE = "scope"
"""Under which a choice of people waits here that was counted: the id of its wish."""
FRESH = timedelta(minutes=5)
TRUSTED = {TENANT, SERVICE_APP, SIGN_IN_APP, SIGN_IN_SECRET, SECRET, CERTIFICATE}
"""What this product believes, or proves itself by."""


@dataclass(frozen=True)
class Asked:
    chosen: Mapping[str, Choice | None]
    seq: int
    token: str


def needed(facts: Facts, chosen: Mapping[str, str | None]) -> bool:
    """Before anybody may use it nothing is linked or pushed, so nothing is widened."""
    return facts.relied_on and any(_widens(name, facts.values.get(name, ""), value or "") for name, value in chosen.items())


def _widens(name: str, old: str, new: str) -> bool:
    if name == MINIMUM:
        return _level(new) < _level(old)
    if name in TRUSTED or name.startswith(MDM):  # whoever points it at another MDM says what is compliant
        return True
    return name.startswith("REMEDIATION_CHANNEL_") and new != "none"


def _level(word: str) -> Level:
    return next((level for level in Level if level.name.lower() == word.strip().lower()), max(Level))


def address(chosen: Mapping[str, Choice | None]) -> str:
    """Secrets are in it as they are kept: sealed."""
    told = {name: [choice.value, choice.sealed_for] if choice is not None else None for name, choice in chosen.items()}
    token = _serializer().dumps([told, set_up().choices.seq(), acting().id])
    return f"/onboarding/confirm?{query(str(token))}"


def _go(facts: Facts) -> Mapping[str, Any]:
    return {"go_address": address({GO: Choice("yes")}) if not facts.gone else ""}


PAGE = StepPage(LAST[0], more=_go, read=lambda _: {})


@pages.get("/onboarding/confirm")
@admin
def show() -> str:
    asked, facts = asked_for(), choices.facts()
    waits = asked.chosen.get(SCOPE)
    counted = desk().store.wish(waits.value) if waits is not None else None
    changes = [(name, *_old_and_new(name, choice, facts)) for name, choice in asked.chosen.items() if name != SCOPE]
    if counted is not None:
        changes.append((SCOPE, *scope.in_names(desk().store, counted)))
    fresh = request.args.get("fresh") == "1"
    touched = set_up().choices.devices()
    most = scope.what_changes(desk().store, counted).most if counted is not None else 0
    given = {"changes": changes, "touched": touched, "people": most, "widens_scope": counted is not None}
    return render_template("onboarding/confirm.html", asked=asked, fresh=fresh, staff=staff(), **given)


@pages.get("/onboarding/confirm/sign-in")
@admin
def sign_in() -> Response:
    """A link, since it leaves the site. `prompt=login` asks for the password whatever session there is at Entra; that it was not
    taken out of the address on the way shows `auth_time` (an optional claim: entra-docs optional-claims-reference.md)."""
    asked, session = asked_for(), signed_in_session()
    if session is None or "Admin" not in session.roles:
        raise NotSignedIn
    made = entra_client.authorization(sign_in_states.redirect_uri(), prompt="login")
    kept = {"oid": session.oid, "token": asked.token, "began_at": desk().clock().isoformat()}
    sign_in_states.keep(made["state"], {"nonce": made["nonce"], "verifier": made["code_verifier"], "confirm": kept})
    return redirect(made["url"], 303)


def came_back(kept: dict[str, Any]) -> Response:
    """Entra's answer to it: noted, and the button decides."""
    about, session = kept["confirm"], signed_in_session()
    if session is None:
        raise NotSignedIn
    back = f"/onboarding/confirm?{query(about['token'])}"
    if "error" in request.args:
        raise Interruption("sign_in_failed", 400, href=back)
    try:
        claims = entra_client.redeem(
            request.args["code"], redirect_uri=sign_in_states.redirect_uri(), verifier=kept["verifier"], nonce=kept["nonce"]
        )
    except (entra_client.EntraSaysNo, TokenRefused) as refused:
        raise Interruption("sign_in_refused", 400, href=back) from refused
    if not claims["oid"] == about["oid"] == session.oid:
        raise Interruption("sign_in_other_person", 403, href=back)
    if not _signed_in_since(claims, datetime.fromisoformat(about["began_at"])):
        raise Interruption("sign_in_not_fresh", 403, href=back)
    begin(oid=session.oid, name=session.name, roles=roles_in(claims))  # what the roles are by now, Entra said just now
    desk().states.put(_fresh(session.oid, about["token"]), "signed in", until=desk().clock() + FRESH)
    return redirect(f"{back}&fresh=1", 303)


def taken(asked: Asked) -> bool:
    """Whether this very person signed in anew for this very change; uses that up."""
    return desk().states.take(_fresh(acting().id, asked.token), at=desk().clock()) is not None


def asked_for() -> Asked:
    """Of this very person, as it was signed; else the page says that it is over."""
    token = request.values.get("change", "")
    try:
        told, seq, who = _serializer().loads(token, max_age=int(LASTS.total_seconds()))
    except BadData as bad:
        raise Interruption("set_up_changed", 409, href="/onboarding") from bad
    if who != acting().id:
        raise Interruption("set_up_changed", 409, href="/onboarding")
    return Asked({name: Choice(*choice) if choice is not None else None for name, choice in told.items()}, seq, token)


def _old_and_new(name: str, choice: Choice | None, facts: Facts) -> tuple[str, str]:
    """Of people the names, as far as they are known here."""
    if name != FIRST:
        return facts.values.get(name, ""), _shown(choice)
    names = desk().store.accounts()
    before, after = facts.first, (choice.value if choice is not None else "").split(",")
    old, new = (", ".join(shown(names.get(oid) or oid) for oid in oids if oid) for oids in (before, after))
    return old, new


def _shown(choice: Choice | None) -> str:
    return "" if choice is None else choice.value if choice.sealed_for is None else "•••"


def _signed_in_since(claims: Mapping[str, Any], began_at: datetime) -> bool:
    at = claims.get("auth_time")
    return isinstance(at, int) and at >= began_at.timestamp() - LEEWAY


def _fresh(oid: str, token: str) -> str:
    return hashlib.sha256(json.dumps(["fresh", oid, browser_id(), token]).encode()).hexdigest()


def query(token: str) -> str:
    return f"change={token}"


def _serializer() -> URLSafeTimedSerializer:
    keys = [*current_app.config["SECRET_KEY_FALLBACKS"], current_app.config["SECRET_KEY"]]
    return URLSafeTimedSerializer(keys, salt="onboarding-confirm", signer_kwargs={"digest_method": hashlib.sha256})
