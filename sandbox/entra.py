"""Entra's API side: discovery, keys, and the token endpoint for authorization_code and client_credentials.

Stricter than the real thing: unknown parameters, repeated ones and more than one resource are refused. Next door:
`entra_pages` is what the browser sees, `id_tokens` mints (and on request spoils) the ID token, `client_auth` checks
who calls. Codes and wording classes: entra-docs identity-platform/reference-error-codes.
"""

from __future__ import annotations

import hashlib
import hmac
import uuid
from typing import TYPE_CHECKING, Any

from flask import Flask, Response, jsonify, request
from werkzeug.exceptions import HTTPException

from sandbox.client_auth import authenticate
from sandbox.entra_errors import EntraError
from sandbox.id_tokens import mint_id_token
from sandbox.keys import b64url, b64url_json
from sandbox.own_api import access_token, own_api
from sandbox.world import GRAPH_APP_ID, INTUNE_APP_ID, AppRegistration

if TYPE_CHECKING:
    from sandbox.server import Sandbox

# The Intune identifier ends in a slash and "/.default" is appended, so the scope has two (fleetdm/fleet
# get-access-token-and-api-urls.js; microsoft/Intune-Resource-Access IntuneClient.cs).
RESOURCES = {
    "https://graph.microsoft.com/.default": (GRAPH_APP_ID, "https://graph.microsoft.com"),
    "https://api.manage.microsoft.com//.default": (INTUNE_APP_ID, "https://api.manage.microsoft.com/"),
}
_TOKEN_PARAMETERS = frozenset(
    {
        "grant_type",
        "client_id",
        "client_secret",
        "client_assertion",
        "client_assertion_type",
        "scope",
        "code",
        "redirect_uri",
        "code_verifier",
        "client_info",
        "claims",
    }
)


def create_entra(sandbox: Sandbox) -> Flask:
    app = Flask("sandbox.entra", static_folder=None)
    world, keys = sandbox.world, sandbox.keys

    def known_tenant(tenant: str) -> str:
        if tenant.lower() not in (world.tenant_id, world.other_tenant_id):
            raise EntraError(90002, "invalid_request", f"Tenant '{tenant}' not found. Check that it is correct.")
        return tenant.lower()

    @app.get("/<tenant>/v2.0/.well-known/openid-configuration")
    def discovery(tenant: str) -> dict[str, Any]:
        asked = known_tenant(tenant)
        api, pages = f"{sandbox.api_url}/{asked}", f"{sandbox.pages_url}/{asked}"
        return {
            "issuer": f"{api}/v2.0",
            "authorization_endpoint": f"{pages}/oauth2/v2.0/authorize",
            "token_endpoint": f"{api}/oauth2/v2.0/token",
            "jwks_uri": f"{api}/discovery/v2.0/keys",
            "end_session_endpoint": f"{pages}/oauth2/v2.0/logout",
            "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt", "client_secret_basic"],
            "response_modes_supported": ["query"],
            "response_types_supported": ["code"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "scopes_supported": ["openid", "profile", "email"],
            "code_challenge_methods_supported": ["S256"],
        }

    @app.get("/<tenant>/discovery/v2.0/keys")
    def jwks(tenant: str) -> dict[str, Any]:
        known_tenant(tenant)
        return {
            "keys": [
                keys.foreign.jwk(f"{sandbox.api_url}/{world.other_tenant_id}/v2.0"),
                keys.signing.jwk(f"{sandbox.api_url}/{world.tenant_id}/v2.0"),
            ]
        }

    @app.post("/<tenant>/oauth2/v2.0/token")
    def token(tenant: str) -> Response:
        asked, form = known_tenant(tenant), _form()
        if asked != world.tenant_id:
            # entra-docs reference-error-codes.md: "or sent your authentication request to the wrong tenant"
            app_id = form.get("client_id", "")
            raise EntraError(700016, "unauthorized_client", f"Application '{app_id}' was not found in the directory '{asked}'.")
        client = authenticate(sandbox, form, request.authorization)
        request.environ["sandbox.client_id"], request.environ["sandbox.tenant"] = client.client_id, tenant
        if form["grant_type"] == "client_credentials":
            return _no_store(_app_token(sandbox, client, form))
        if form["grant_type"] == "authorization_code":
            return _no_store(_redeem(sandbox, client, form))
        raise EntraError(70003, "unsupported_grant_type", f"The app requested '{form['grant_type']}', not supported.")

    _speak(app, sandbox)
    return app


def _speak(app: Flask, sandbox: Sandbox) -> None:
    """Refusals in Entra's own words, for unknown paths and methods too."""

    @app.errorhandler(EntraError)
    def refused(error: EntraError) -> tuple[Response, int]:
        return _no_store(error.body(sandbox.world.now(), request.headers.get("client-request-id"))), error.status

    @app.errorhandler(HTTPException)
    def elsewhere(error: HTTPException) -> tuple[Response, int]:
        code = error.code or 500
        body = EntraError(900561 if code == 405 else 90023, "invalid_request", f"{error.name}: {request.path}")
        return _no_store(body.body(sandbox.world.now(), None)), code


def _no_store(body: dict[str, Any]) -> Response:
    response = jsonify(body)
    response.headers["Cache-Control"] = "no-store"
    return response


def _form() -> dict[str, str]:
    if request.mimetype != "application/x-www-form-urlencoded":
        raise EntraError(900144, "invalid_request", "The request body must be application/x-www-form-urlencoded.")
    if request.args:
        raise EntraError(9000410, "invalid_request", "Token parameters belong in the body, not in the address.")
    for name, values in request.form.lists():
        if len(values) > 1:
            raise EntraError(9000411, "invalid_request", f"The parameter '{name}' is duplicated.")
        if name not in _TOKEN_PARAMETERS and not name.startswith("x-"):
            raise EntraError(9000410, "invalid_request", f"The parameter '{name}' is not known to the stand-in.")
    if "grant_type" not in request.form:
        raise EntraError(900144, "invalid_request", "The request body must contain the parameter: 'grant_type'.")
    return request.form.to_dict()


def _app_token(sandbox: Sandbox, client: AppRegistration, form: dict[str, str]) -> dict[str, Any]:
    scopes = form.get("scope", "").split()
    if len(scopes) != 1:
        raise EntraError(28000, "invalid_scope", "The scope must name exactly one resource, as '<resource>/.default'.")
    if not scopes[0].endswith("/.default"):
        raise EntraError(1002012, "invalid_scope", f"The scope '{scopes[0]}' must end in '/.default' for this grant.")
    if scopes[0] not in RESOURCES:
        raise EntraError(500011, "invalid_resource", f"The resource principal of '{scopes[0]}' was not found.")
    resource, audience = RESOURCES[scopes[0]]
    roles = sorted(client.permissions.get(resource, set()))
    answer = _access_token(sandbox, client, audience, roles=roles)
    # In life a JWT, whose claims can be read, though nobody is to rely on them (entra-docs access-tokens.md). The seal counts.
    shown = {"aud": audience, "tid": client.tenant_id, "appid": client.client_id, "idtyp": "app", "roles": roles}
    readable = f"{b64url_json({'typ': 'JWT', 'alg': 'RS256'})}.{b64url_json(shown)}"
    return {"token_type": "Bearer", **answer, "access_token": f"{readable}.{answer['access_token']}"}


def _access_token(sandbox: Sandbox, client: AppRegistration, audience: str, **claims: Any) -> dict[str, Any]:
    lifetime = sandbox.world.random.randint(3600, 5400)  # entra-docs access-tokens: random, 60 to 90 minutes
    sealed = sandbox.keys.seal(
        "access",
        {
            "aud": audience,
            "appid": client.client_id,
            "tid": client.tenant_id,
            "issued": sandbox.world.now().timestamp(),
            "exp": sandbox.world.now().timestamp() + lifetime,
            "uti": str(uuid.uuid4()),
            **claims,
        },
    )
    return {"expires_in": lifetime - 1, "ext_expires_in": lifetime - 1, "access_token": sealed}


def _redeem(sandbox: Sandbox, client: AppRegistration, form: dict[str, str]) -> dict[str, Any]:
    """One code, once, by whom it was made for, within ten minutes (entra-docs v2-oauth2-auth-code-flow)."""
    for name in ("code", "redirect_uri", "code_verifier"):
        if not form.get(name):
            raise EntraError(900144, "invalid_request", f"The request body must contain the parameter: '{name}'.")
    grant = sandbox.keys.unseal("code", form["code"])
    if grant is None:
        raise EntraError(9002313, "invalid_grant", "The authorization code is malformed.")
    if grant["client_id"] != client.client_id:
        raise EntraError(70000, "invalid_grant", "The authorization code was issued to another client.")
    if not sandbox.redeem_once(grant["id"]):
        raise EntraError(54005, "invalid_grant", "The authorization code was already redeemed.")
    if sandbox.world.now().timestamp() > grant["expires"]:
        raise EntraError(70008, "invalid_grant", "The authorization code has expired.")
    if form["redirect_uri"] != grant["redirect_uri"]:
        raise EntraError(500112, "invalid_grant", "The redirect_uri does not match that of the authorization request.")
    challenge = b64url(hashlib.sha256(form["code_verifier"].encode()).digest())
    if not hmac.compare_digest(challenge, grant["code_challenge"]):
        raise EntraError(501481, "invalid_grant", "The code_verifier does not match the code_challenge supplied.")
    if "scope" in form and not set(form["scope"].split()) <= set(grant["scope"].split()):
        raise EntraError(70011, "invalid_scope", "The scope exceeds that of the authorization request.")
    with sandbox.world.lock:
        person = sandbox.world.persons.get(grant["oid"])
    if person is None or not person.enabled:
        raise EntraError(50057, "invalid_grant", "The user account is disabled.")
    answer = _access_token(sandbox, client, "https://graph.microsoft.com", scp=grant["scope"], oid=person.oid)
    if own_api(client.client_id) in grant["scope"].split():
        answer["access_token"] = access_token(sandbox, client, person, grant["deviceid"])
    return {
        "token_type": "Bearer",
        "scope": grant["scope"],
        **answer,
        "id_token": mint_id_token(sandbox, client, person, grant["nonce"], grant["auth_time"]),
    }
