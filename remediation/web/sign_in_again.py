"""*Sign in once more*: a second sign-in, of the same person on the same journey, in which Entra may name the device.

It begins here and comes back to `/signed-in` like the first. What came back is stored and nothing is decided (the worker does); no
session begins by it. Next door: `access_token`, which reads what Entra named, and `services/sign_in_again.py`.
"""

import logging
import re
from contextlib import suppress
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import uuid4

from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response

from ..domain.device import ManagedKey
from ..domain.sign_in_proof import Pair, SignIn
from ..errors import Stale
from ..services import ask
from ..services.sign_in_again import signed_in_again
from . import entra_client, sign_in_states
from .desk import desk
from .error_pages import Interruption
from .guards import NotSignedIn, signed_in
from .id_token import TokenRefused
from .journey_pages import own_journey
from .sessions import here, signed_in_session

pages = Blueprint("again", __name__)
log = logging.getLogger(__name__)

WORDS = {"access_denied", "interaction_required", "login_required", "consent_required", "invalid_request", "server_error"}


@pages.get("/sign-in/again")
@signed_in
def begin() -> Response:
    """A link and no form, like the first sign-in. Which pair it is about, the server says."""
    journey = own_journey()
    pair = journey.sign_in_asked
    if pair is None:
        return redirect("/journey", 303)
    ask.sign_in_again(desk().store, oid=here().oid, now=desk().clock())
    correlation_id = str(uuid4())
    made = entra_client.authorization(sign_in_states.redirect_uri(), naming_device=correlation_id)
    about = {"journey": journey.id, "oid": here().oid, "pair": asdict(pair)}
    moment = {"correlation_id": correlation_id, "began_at": desk().clock().isoformat()}
    sign_in_states.keep(made["state"], {"nonce": made["nonce"], "verifier": made["code_verifier"], "again": {**about, **moment}})
    return redirect(made["url"], 303)


def came_back(kept: dict[str, Any]) -> Response:
    """Entra's answer to it, in the browser that began it: as what is known of it, and never as a new session."""
    again, session = kept["again"], signed_in_session()
    if session is None:
        raise NotSignedIn
    if session.oid != again["oid"]:
        raise _somebody_else()
    error = _error() if "error" in request.args else None
    claimed = _claimed(kept, session.oid) if error is None else None
    pair = Pair(**{**again["pair"], "managed": ManagedKey(**again["pair"]["managed"])})
    sign_in = SignIn(
        id=str(uuid4()),
        pair=pair,
        app_id=desk().settings.sign_in_client_id,
        correlation_id=again["correlation_id"],
        began_at=datetime.fromisoformat(again["began_at"]),
        returned_at=desk().clock(),
        claimed=claimed,
        error=error,
    )
    with suppress(Stale):  # the journey went on in another browser: its page says so
        who = {"oid": session.oid, "browser": session.browser}
        signed_in_again(desk().store, again["journey"], sign_in, **who, now=desk().clock())
    return redirect("/journey", 303)


def _claimed(kept: dict[str, Any], oid: str) -> str | None:
    try:
        claims, claimed = entra_client.redeem_again(
            request.args["code"],
            redirect_uri=sign_in_states.redirect_uri(),
            verifier=kept["verifier"],
            nonce=kept["nonce"],
            oid=oid,
        )
    except entra_client.EntraSaysNo as no:
        log.warning("second sign-in refused by Entra: %s", no.error)
        raise Interruption("sign_in_failed", 400, href="/journey") from no
    except TokenRefused as refused:
        log.warning("second sign-in refused: %s", refused)
        raise Interruption("sign_in_refused", 400, href="/journey") from refused
    if claims["oid"] != oid:
        raise _somebody_else()
    return claimed


def _error() -> str:
    """Entra's code, or the standard's own word: never words that an address can hold."""
    found = re.search(r"AADSTS(\d{4,7})\b", request.args.get("error_description", ""))
    word = request.args["error"]
    return f"AADSTS{found.group(1)}" if found else word if word in WORDS else "other"


def _somebody_else() -> Interruption:
    return Interruption("sign_in_other_person", 403, href="/journey")
