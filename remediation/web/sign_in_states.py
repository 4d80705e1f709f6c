"""What a sign-in under way has to remember: in the database, under a key that only this browser can name, for ten minutes and one
use (T13 in docs/security.md). Next door: `sign_in` and `sign_in_again`.
"""

import hashlib
import json
from datetime import timedelta
from typing import Any

from flask import request

from .desk import desk
from .error_pages import Interruption
from .id_token import expected_issuer
from .sessions import browser_id, has_cookie

LASTS = timedelta(minutes=10)


def redirect_uri() -> str:
    return f"{desk().settings.public_origin}/signed-in"


def keep(state: str, kept: dict[str, Any]) -> None:
    desk().states.put(_key(state), json.dumps({**kept, "issuer": _issuer()}), until=desk().clock() + LASTS)


def take() -> dict[str, Any]:
    """What we kept for this answer: of this browser, once, in time."""
    args = request.args
    if any(len(args.getlist(name)) > 1 for name in args) or not args.get("state") or ("code" in args) == ("error" in args):
        raise Interruption("sign_in_garbled", 400)
    if not has_cookie():
        raise Interruption("sign_in_no_cookie", 400)
    kept = desk().states.take(_key(args["state"]), at=desk().clock())
    if kept is None or "consent" in json.loads(kept):
        raise Interruption("sign_in_over", 400)
    found: dict[str, Any] = json.loads(kept)
    # An answer of another authorization server than was asked (RFC 9207), or from before the settings changed.
    if found.get("issuer", _issuer()) != _issuer() or args.get("iss", _issuer()) != _issuer():
        raise Interruption("sign_in_garbled", 400)
    return found


def take_consent() -> dict[str, Any]:
    """The same for the way back from admin consent, which has neither code nor issuer. A state that was replayed, is too old, is
    another browser's or a sign-in's says nothing."""
    args = request.args
    if any(len(args.getlist(name)) > 1 for name in args) or not args.get("state"):
        raise Interruption("consent_over", 400, href="/onboarding/consent")
    kept = desk().states.take(_key(args["state"]), at=desk().clock())
    found: dict[str, Any] = json.loads(kept) if kept is not None else {}
    return found


def _issuer() -> str:
    return expected_issuer(desk().settings.entra_authority, desk().settings.tenant_id)


def _key(state: str) -> str:
    return hashlib.sha256(f"{state}\n{browser_id()}".encode()).hexdigest()
