"""Signing in and coming back. Where to go afterwards is a key, never an address (T12, T13, T15 in docs/security.md).

Next door: `sign_in_states` (what waits meanwhile), `sign_in_again` (the second sign-in, which comes back here as well).
"""

import logging
import re
from collections.abc import Mapping
from typing import Any

from flask import Blueprint, redirect, request, url_for
from werkzeug.wrappers import Response

from ..domain.device import Person, Platform
from ..domain.onboarding import Looked
from ..domain.onboarding_steps import SIGN_IN
from ..domain.reach import reaches
from ..ports import Actor, Session
from ..services import onboard
from ..services.prove_possession import see_link
from ..services.start_journey import start_journey
from . import entra_client, figures_pages, onboarding_confirm, sign_in_again, sign_in_states
from .browsers import platform_of
from .desk import desk
from .entra_client import EntraSaysNo
from .entrances import CHOICES, entrance_asked_for, platform_asked_for
from .error_pages import STAFF_PAGES, Interruption
from .guards import anyone
from .id_token import TokenRefused, is_guest, roles_in
from .names import shown
from .sessions import begin

pages = Blueprint("sign_in", __name__)
log = logging.getLogger(__name__)

TOKEN = re.compile(r"[A-Za-z0-9_-]{16,128}")
# https://learn.microsoft.com/entra/identity-platform/reference-error-codes. A device rule that stops people *here* means that the
# administrator has to exclude our own app from it.
OUR_APP_IS_BLOCKED = {
    "50097",
    "50129",
    "53000",
    "53001",
    "53002",
    "53003",
    "501291",
    "501313",
    "530001",
    "530002",
    "530003",
    "530031",
}
CONSENT = {"65001", "65004", "90094", "90095", "90097"}
NOT_ASSIGNED = {"50105"}
OTHER_TENANT = {"50020", "50034", "90072", "16000"}
GUEST = {"530004"}
# A silent sign-in found that Entra has to show itself: https://openid.net/specs/openid-connect-core-1_0.html#AuthError
NOT_SILENTLY = {"login_required", "interaction_required", "consent_required", "account_selection_required"}
# Where in the console somebody was; each is a value in a route of ours, never an address.
STAFF_PLACE = ("q", "person", "case", "page", "figures")
LONGEST = 200
IN_THE_SET_UP = re.compile(r"onboarding(/[a-z_]{1,30})?")
REFUSED = {"guest": "sign_in_guest", "foreign": "sign_in_foreign", "personal": "sign_in_personal"}


@pages.get("/sign-in")
@anyone
def sign_in() -> Response:
    """Reached by a link and never as the answer to a form: `form-action 'self'` would stop it."""
    token = request.args.get("possession", "")
    asked = platform_asked_for()
    made = entra_client.authorization(sign_in_states.redirect_uri(), prompt=_prompt())
    kept = {
        "nonce": made["nonce"],
        "verifier": made["code_verifier"],
        "possession": token if TOKEN.fullmatch(token) else None,
        "to": "helpdesk" if request.args.get("to") == "helpdesk" else None,
        **{name: request.args.get(name, "")[:LONGEST] for name in STAFF_PLACE},
        "entrance": entrance_asked_for(),
        "platform": asked.value if asked is not None else None,
        "guess": platform_of(request.headers).value,
    }
    sign_in_states.keep(made["state"], kept)
    return redirect(made["url"], 303)


@pages.get("/signed-in")
@anyone
def signed_in() -> Response:
    kept = sign_in_states.take()
    if "again" in kept:
        return sign_in_again.came_back(kept)
    if "confirm" in kept:
        return onboarding_confirm.came_back(kept)
    if kept.get("to") == "helpdesk" and request.args.get("error") in NOT_SILENTLY:
        raise Interruption("helpdesk_signed_out", 401, href=sign_in_for_staff(kept))
    if "error" in request.args:
        raise _explained(request.args["error"], request.args.get("error_description", ""))
    claims = _claims(kept)
    if is_guest(claims) and not reaches(roles_in(claims), desk().settings.helpdesk_parts, desk().clock()):
        raise Interruption(REFUSED["guest"], 400)
    name = shown(claims.get("name")) or shown(claims.get("preferred_username"))
    # A mutable name is for showing; the key is (tenant, oid). https://learn.microsoft.com/entra/identity-platform/claims-validation
    person = Person(oid=str(claims["oid"]), name=name, user_name=str(claims.get("preferred_username") or ""))
    session = begin(oid=person.oid, name=name, roles=roles_in(claims))
    _note_the_first_administrator(session)
    platform, place = _place(kept, person)
    if platform is not None:
        if not desk().set_up.lets_in(person.oid):
            raise Interruption("not_set_up", 503, href="/onboarding")
        start_journey(
            desk().store, person, browser=session.browser, entrance=kept["entrance"], platform=platform, now=desk().clock()
        )
    return redirect(place, 303)


def _note_the_first_administrator(session: Session) -> None:
    """The set-up waits for it: from then on nobody needs its link."""
    if "Admin" in session.roles and not desk().set_up.gone:
        now = desk().clock()
        onboard.note(desk().store, Looked(SIGN_IN, looked_at=now, good_at=now), actor=Actor("admin", session.oid), now=now)


def _claims(kept: dict[str, Any]) -> dict[str, Any]:
    try:
        return entra_client.redeem(
            request.args["code"],
            redirect_uri=sign_in_states.redirect_uri(),
            verifier=kept["verifier"],
            nonce=kept["nonce"],
            guests=desk().settings.staff_guests and kept.get("to") == "helpdesk",
        )
    except EntraSaysNo as no:
        raise _explained(no.error, no.description) from no
    except TokenRefused as refused:
        log.warning("sign-in refused: %s", refused)
        raise Interruption(REFUSED.get(str(refused), "sign_in_refused"), 400) from refused


def _place(kept: dict[str, Any], person: Person) -> tuple[Platform | None, str]:
    """The platform of the journey to go on with, None where none is to begin, and the page to go to."""
    token = kept["possession"]
    if kept.get("to") == "helpdesk":
        if kept.get("figures"):
            return None, figures_pages.place_of(kept["figures"])
        if kept.get("person"):
            return None, url_for("helpdesk.person", oid=kept["person"], case=kept.get("case") or None)
        if IN_THE_SET_UP.fullmatch(kept.get("page") or ""):
            return None, f"/{kept['page']}"
        if f"/helpdesk/{kept.get('page')}" in STAFF_PAGES:
            return None, f"/helpdesk/{kept['page']}"
        return None, url_for("helpdesk.search", q=kept.get("q") or None)
    if token is None:
        return _platform(kept, person), "/journey"
    link = see_link(desk().store, token, desk().clock())
    journey = desk().store.journey(link.journey_id) if link is not None and link.oid == person.oid else None
    return (journey.platform if journey is not None else None), f"/possession/{token}"


def _platform(kept: dict[str, Any], person: Person) -> Platform | None:
    """What the person said; else that of a journey they are on, since a guess must not lead away from it; else the guess."""
    if kept["platform"] is not None:
        return Platform(kept["platform"])
    guess, now = Platform(kept["guess"]), desk().clock()
    for platform in (guess, *CHOICES):
        if desk().store.living_journey(person.oid, platform, now) is not None:
            return platform
    return guess if guess in CHOICES else None


def _explained(error: str, description: str) -> Interruption:
    """Entra's own words are never shown, since anyone can put words into an address; its code is."""
    found = re.search(r"AADSTS(\d{4,7})\b", description)
    code = found.group(1) if found else None
    if code in OUR_APP_IS_BLOCKED:
        key = "sign_in_blocked"
    elif code in CONSENT or error == "consent_required":
        key = "sign_in_consent"
    elif code in NOT_ASSIGNED:
        key = "sign_in_not_assigned"
    elif code in OTHER_TENANT | GUEST:
        key = "sign_in_guest" if code in GUEST else "sign_in_foreign"
    elif error in ("temporarily_unavailable", "server_error"):
        key = "sign_in_down"
    else:
        key = "sign_in_declined" if error == "access_denied" else "sign_in_failed"
    return Interruption(key, 400, quote=f"AADSTS{code}" if code else None)


def sign_in_for_staff(place: Mapping[str, str]) -> str:
    """The link that signs a member of staff in, and leads back to where they were."""
    said: dict[str, Any] = {name: place[name] for name in STAFF_PLACE if place.get(name)}
    return url_for("sign_in.sign_in", to="helpdesk", **said)


def _prompt() -> str | None:
    """https://learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow (prompt)"""
    if request.args.get("account") == "other":
        return "select_account"
    return "none" if request.args.get("silent") == "1" else None
