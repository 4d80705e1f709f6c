"""An app that asks for a token of its own API, and the device that such a token may name.

The `deviceid` claim is in it only where it was asked for and where the browser is that of a device whose registration the platform
vouches for; what other tokens carry it is not public, so no others do here. Next door: `entra_pages` and `entra` ask this,
`phone` leaves the cookie by which a browser is that of the pretend phone.
"""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any

from flask import request

from sandbox.entra_errors import EntraError
from sandbox.id_tokens import mint, subject
from sandbox.world import AppRegistration, DirectoryDevice, Person

if TYPE_CHECKING:
    from sandbox.server import Sandbox

PHONE_COOKIE = "sandbox_phone"
_WANTED = {"access_token": {"deviceid": {"essential": True}}}


def own_api(client_id: str) -> str:
    """AADSTS90009: an app may ask for a token for itself only by its client id, not by an `api://` address."""
    return f"{client_id}/.default"


def own_api_fault(asked: dict[str, Any], scopes: list[str]) -> EntraError | None:
    client_id = asked["client_id"]
    if any(scope.startswith(f"api://{client_id}/") for scope in scopes):
        return EntraError(
            90009, "invalid_request", "The application asks for a token for itself: use its GUID to name the resource."
        )
    if own_api(client_id) in scopes and not asked["exposes"]:
        return EntraError(650057, "invalid_resource", "The application exposes no API of its own.")
    return None


def claims_fault(asked: dict[str, Any]) -> EntraError | None:
    """OpenID Connect Core section 5.5; the stand-in knows one claim, asked for in one way."""
    if "client-request-id" in asked:
        try:
            uuid.UUID(asked["client-request-id"])
        except ValueError:
            return EntraError(9002313, "invalid_request", "client-request-id is no GUID.")
    if "claims" not in asked:
        return None
    try:
        known = json.loads(asked["claims"]) == _WANTED
    except ValueError:
        known = False
    return (
        None if known else EntraError(9002313, "invalid_request", "The claims parameter is malformed or asks for unknown claims.")
    )


def wants_device(asked: dict[str, Any]) -> bool:
    return "claims" in asked and own_api(asked["client_id"]) in asked["scope"].split()


def proven_device(sandbox: Sandbox) -> DirectoryDevice | None:
    """Of the browser that asks: nothing for one that never was on the pretend phone, such as an attacker's."""
    if sandbox.keys.unseal("phone", request.cookies.get(PHONE_COOKIE, "")) is None:
        return None
    with sandbox.world.settled() as world:
        return world.proven_by_browser()


def access_token(sandbox: Sandbox, client: AppRegistration, person: Person, device_id: str | None) -> str:
    """For the app's own API, so that it may read it: entra-docs identity-platform/access-token-claims-reference."""
    now = int(sandbox.world.remote_now().timestamp())
    claims: dict[str, Any] = {
        "iat": now,
        "nbf": now,
        "exp": now + sandbox.world.random.randint(3600, 5400),
        "name": person.name,
        "oid": person.oid,
        "scp": " ".join(client.exposes),
        "sub": subject(client, person),
        "tid": client.tenant_id,
    }
    if client.token_version == 2:
        issuer = f"{sandbox.api_url}/{client.tenant_id}/v2.0"
        claims |= {"aud": client.client_id, "iss": issuer, "azp": client.client_id, "azpacr": "1", "ver": "2.0"}
        claims |= {"preferred_username": person.upn}
    else:
        issuer = f"https://sts.windows.net/{client.tenant_id}/"
        claims |= {"aud": f"api://{client.client_id}", "iss": issuer, "appid": client.client_id, "appidacr": "1", "ver": "1.0"}
        claims |= {"upn": person.upn}
    if device_id is not None:
        claims["deviceid"] = device_id
    return mint(sandbox, claims, sandbox.access_token_faults)
