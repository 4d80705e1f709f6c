"""ID tokens with the v2.0 claims, and every way to get one wrong that a relying party must notice.

Claims: entra-docs identity-platform/id-token-claims-reference. Next door: `entra` hands them out, `control` orders the
spoiled ones.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import uuid
from typing import TYPE_CHECKING, Any

from sandbox.keys import SigningKey, b64url, b64url_json
from sandbox.world import AppRegistration, Person

if TYPE_CHECKING:
    from sandbox.server import Sandbox

_REQUIRED = ("iss", "aud", "exp", "iat", "sub", "oid", "tid", "nonce")
ID_TOKEN_FAULTS = (
    "alg_none",
    "hs256",
    "wrong_iss",
    "wrong_aud",
    "wrong_tid",
    "wrong_nonce",
    "expired",
    "not_yet_valid",
    "other_key",
    "other_tenant_key",
    "other_tenant",
    "bad_signature",
    *(f"missing_{claim}" for claim in _REQUIRED),
)
ACCESS_TOKEN_FAULTS = (
    *(fault for fault in ID_TOKEN_FAULTS if not fault.endswith(("_nonce", "_sub"))),
    *("wrong_oid", "wrong_azp", "with_nonce", "missing_azp", "missing_scp", "missing_ver", "missing_nbf"),
)


def mint_id_token(sandbox: Sandbox, client: AppRegistration, person: Person, nonce: str, auth_time: int) -> str:
    """A good one, unless the control port ordered a bad one for the next sign-in. `auth_time` is when the person last proved who
    they are, which the registration has to ask for (entra-docs optional-claims-reference.md)."""
    asked = {"auth_time": auth_time} if "auth_time" in client.optional_claims else {}
    return mint(sandbox, {**_claims(sandbox, client, person, nonce), **asked}, sandbox.id_token_faults)


def mint(sandbox: Sandbox, claims: dict[str, Any], faults: list[str]) -> str:
    """A signed token of these claims, spoiled by the first of the faults that were ordered."""
    with sandbox.world.lock:
        fault = faults.pop(0) if faults else None
    return sandbox.keys.signing.jwt(claims) if fault is None else _spoiled(sandbox, fault, claims)


def subject(client: AppRegistration, person: Person) -> str:
    """Pairwise: another app sees another subject for the same person."""
    return b64url(hashlib.sha256(f"{client.client_id}/{person.oid}".encode()).digest())


def _claims(sandbox: Sandbox, client: AppRegistration, person: Person, nonce: str) -> dict[str, Any]:
    now = int(sandbox.world.remote_now().timestamp())
    claims: dict[str, Any] = {
        # An optional claim of the registration: 0 is a member, 1 a guest (entra-docs optional-claims-reference).
        "acct": int(person.guest),
        "aud": client.client_id,
        "iss": f"{sandbox.api_url}/{client.tenant_id}/v2.0",
        "iat": now,
        "nbf": now,
        "exp": now + 3900,
        "name": person.name,
        "nonce": nonce,
        "oid": person.oid,
        "preferred_username": person.upn,
        "sub": subject(client, person),
        "tid": client.tenant_id,
        "uti": b64url(uuid.uuid4().bytes),
        "ver": "2.0",
    }
    if person.roles:
        claims["roles"] = list(person.roles)
    return claims


def _forged(sandbox: Sandbox, spec: dict[str, Any], claims: dict[str, Any]) -> str:
    """As told: `header` and `claims` over the usual ones (None takes one away), `twice` says a claim again with another value,
    `sign` is `signing`, `foreign`, `stranger`, `hs256`, `none` or `broken`."""
    keys, sign = sandbox.keys, spec.get("sign", "signing")
    key = SigningKey() if sign == "stranger" else keys.foreign if sign == "foreign" else keys.signing
    header = {"typ": "JWT", "alg": "RS256", "kid": key.kid, **spec.get("header", {})}
    payload = json.dumps({name: value for name, value in {**claims, **spec.get("claims", {})}.items() if value is not None})
    for name, value in spec.get("twice", {}).items():
        payload = f"{payload[:-1]}, {json.dumps(name)}: {json.dumps(value)}}}"
    signed = f"{b64url_json({k: v for k, v in header.items() if v is not None})}.{b64url(payload.encode())}"
    if sign == "hs256":
        return f"{signed}.{b64url(hmac.digest(keys.signing.public_pem, signed.encode(), 'sha256'))}"
    return f"{signed}." if sign == "none" else f"{signed}.{key.sign(signed + ('x' if sign == 'broken' else ''))}"


def _spoiled(sandbox: Sandbox, fault: str, claims: dict[str, Any]) -> str:
    if fault.startswith("{"):
        return _forged(sandbox, json.loads(fault), claims)
    keys, other = sandbox.keys, sandbox.world.other_tenant_id
    if fault == "alg_none":
        return f"{b64url_json({'typ': 'JWT', 'alg': 'none'})}.{b64url_json(claims)}."
    if fault == "hs256":
        signed = f"{b64url_json({'typ': 'JWT', 'alg': 'HS256', 'kid': keys.signing.kid})}.{b64url_json(claims)}"
        return f"{signed}.{b64url(hmac.digest(keys.signing.public_pem, signed.encode(), 'sha256'))}"
    if fault == "other_key":
        return SigningKey().jwt(claims)
    if fault == "other_tenant_key":
        return keys.foreign.jwt(claims)
    if fault == "bad_signature":
        good = keys.signing.jwt(claims)
        return good[:-8] + ("A" * 8 if not good.endswith("A" * 8) else "B" * 8)
    if fault.startswith("missing_"):
        claims.pop(fault.removeprefix("missing_"), None)
    else:
        claims |= {
            "wrong_iss": {"iss": f"{sandbox.api_url}/{other}/v2.0"},
            "wrong_aud": {"aud": str(uuid.uuid4())},
            "wrong_tid": {"tid": other},
            "wrong_nonce": {"nonce": uuid.uuid4().hex},
            "expired": {"iat": claims["iat"] - 7200, "nbf": claims["nbf"] - 7200, "exp": claims["iat"] - 3300},
            "not_yet_valid": {"iat": claims["iat"] + 3600, "nbf": claims["nbf"] + 3600, "exp": claims["exp"] + 3600},
            "wrong_oid": {"oid": str(uuid.uuid4())},
            "wrong_azp": {"azp": str(uuid.uuid4())},
            "with_nonce": {"nonce": uuid.uuid4().hex},
            "other_tenant": {"iss": f"{sandbox.api_url}/{other}/v2.0", "tid": other},
        }[fault]
    return keys.signing.jwt(claims)
