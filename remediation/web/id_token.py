"""Is this ID token about a person of our tenant, for us, now, for this very sign-in? Authlib verifies; what it leaves open is here.

Authlib 1.9 compares neither `tid` with our tenant nor pins the algorithm by itself, and the issuer only with the metadata.
"""

import json
from base64 import urlsafe_b64decode
from collections.abc import Mapping
from typing import Any
from uuid import UUID

LONGEST_TOKEN = 16 * 1024
LEEWAY = 60
# The tenant of personal Microsoft accounts: https://learn.microsoft.com/entra/identity-platform/id-token-claims-reference (tid)
PERSONAL = "9188040d-6c67-4c5b-b112-36a304b66dad"
# Headers by which a token could bring or point at its own key (RFC 8725 section 3.10).
FOREIGN_KEYS = {"jwk", "jku", "x5u", "x5c", "crit"}


class TokenRefused(Exception):
    """`why` is for the log."""


def expected_issuer(authority: str, tenant_id: str) -> str:
    # https://learn.microsoft.com/entra/identity-platform/id-token-claims-reference (iss, v2.0)
    return f"{authority.rstrip('/')}/{tenant_id}/v2.0"


def look_before_verifying(raw: object) -> None:
    """What can be refused without any key: size, algorithm, keys that travel in the token, claims said twice."""
    if not isinstance(raw, str) or len(raw) > LONGEST_TOKEN:
        raise TokenRefused("no token, or too large")
    parts = raw.split(".")
    if len(parts) != 3:
        raise TokenRefused("not a signed token")
    header, _ = _json(parts[0]), _json(parts[1])
    if header.get("alg") != "RS256":
        raise TokenRefused("algorithm")
    if FOREIGN_KEYS & header.keys():
        raise TokenRefused("brings its own key")
    if str(header.get("typ", "JWT")).upper() != "JWT":
        raise TokenRefused("another type of token")


def demands(authority: str, tenant_id: str, client_id: str) -> dict[str, dict[str, Any]]:
    """For Authlib's claims: what must be there, and its value where there is only one."""
    return {
        "iss": {"essential": True, "value": expected_issuer(authority, tenant_id)},
        "aud": {"essential": True, "value": client_id},
        "tid": {"essential": True, "value": tenant_id},
        "oid": {"essential": True},
        "nonce": {"essential": True},
        "exp": {"essential": True},
        "nbf": {"essential": True},
        "iat": {"essential": True},
    }


def look_after_verifying(claims: Mapping[str, Any], *, client_id: str, guests: bool = False) -> None:
    """One audience, a person's object id, and no guest but where the helpdesk may be one (`guests`). `acct` is an optional claim
    that an administrator switches on: https://learn.microsoft.com/entra/identity-platform/optional-claims-reference
    """
    if claims.get("aud") != client_id:
        raise TokenRefused("more than one audience")
    try:
        UUID(str(claims["oid"]))
    except ValueError:
        raise TokenRefused("oid is no object id") from None
    if is_guest(claims) and not guests:
        raise TokenRefused("guest")


def is_guest(claims: Mapping[str, Any]) -> bool:
    return claims.get("acct") in (1, "1")


def header_of(raw: str) -> dict[str, Any]:
    return _json(raw.split(".")[0])


def whose(raw: str, tenant_id: str) -> str | None:
    """For the words on the page of a token that was refused anyway, and for nothing else: `personal`, `foreign`, or None."""
    claims = _json(raw.split(".")[1])
    if claims.get("tid") in (None, tenant_id):
        return None
    return "personal" if claims["tid"] == PERSONAL else "foreign"


def roles_in(claims: Mapping[str, Any]) -> tuple[str, ...]:
    roles = claims.get("roles")
    return tuple(role for role in roles if isinstance(role, str)) if isinstance(roles, list) else ()


def _json(part: str) -> dict[str, Any]:
    try:
        value = json.loads(urlsafe_b64decode(part + "=" * (-len(part) % 4)), object_pairs_hook=_said_once)
    except ValueError:
        raise TokenRefused("garbled") from None
    if not isinstance(value, dict):
        raise TokenRefused("garbled")
    return value


def _said_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise TokenRefused("a name said twice")
    return found
