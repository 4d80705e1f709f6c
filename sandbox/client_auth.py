"""Who calls the token endpoint: a secret in the form, Basic, or an assertion signed with a registered certificate.

Source: entra-docs identity-platform/certificate-credentials and v2-oauth2-client-creds-grant-flow.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from werkzeug.datastructures import Authorization

from sandbox.entra_errors import EntraError
from sandbox.keys import b64url
from sandbox.world import AppRegistration

if TYPE_CHECKING:
    from sandbox.server import Sandbox

_ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def authenticate(sandbox: Sandbox, form: dict[str, str], basic: Authorization | None) -> AppRegistration:
    """The registration that proved itself, by exactly one means."""
    client_id, secret = form.get("client_id", ""), form.get("client_secret")
    if basic is not None and basic.type == "basic":
        if secret is not None:
            raise EntraError(9000411, "invalid_request", "The client secret came twice.")
        client_id, secret = basic.username or "", basic.password
    client = find_client(sandbox, client_id)
    if not client.consented:
        text = f"The client application {client_id} is missing service principal in the tenant {sandbox.world.tenant_id}."
        raise EntraError(7000229, "invalid_client", text)
    if "client_assertion" in form:
        if form.get("client_assertion_type") != _ASSERTION_TYPE or secret is not None:
            raise EntraError(50027, "invalid_request", "The client assertion is malformed or not the only credential.")
        _check_assertion(sandbox, client, form["client_assertion"])
        return client
    if not secret:
        raise EntraError(7000218, "invalid_client", "The body must contain 'client_assertion' or 'client_secret'.")
    if not hmac.compare_digest(secret.encode(), client.secret.encode()):
        raise EntraError(7000215, "invalid_client", f"Invalid client secret provided for app '{client_id}'.")
    if client.secret_expired:
        raise EntraError(7000222, "invalid_client", f"The provided client secret keys for app '{client_id}' are expired.")
    return client


def find_client(sandbox: Sandbox, client_id: str) -> AppRegistration:
    with sandbox.world.lock:
        for app in sandbox.world.apps.values():
            if app.client_id == client_id.lower():
                return app
    raise EntraError(700016, "unauthorized_client", f"Application '{client_id}' was not found in the directory.")


def _decoded(part: str) -> dict[str, Any]:
    value = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    if not isinstance(value, dict):
        raise ValueError("not an object")
    return value


def _check_assertion(sandbox: Sandbox, client: AppRegistration, assertion: str) -> None:
    try:
        head, payload, signature = assertion.split(".")
        header, claims = _decoded(head), _decoded(payload)
        raw_signature = base64.urlsafe_b64decode(signature + "=" * (-len(signature) % 4))
    except ValueError as error:
        raise EntraError(50027, "invalid_request", "The client assertion is not a JWT.") from error
    certificate = _certificate(client, header)
    _check_signature(certificate, header, f"{head}.{payload}".encode(), raw_signature)
    now = sandbox.world.remote_now().timestamp()
    if claims.get("iss") != client.client_id or claims.get("sub") != client.client_id:
        raise EntraError(700021, "invalid_client", "iss and sub of the assertion must be the client id.")
    if claims.get("aud") != f"{sandbox.api_url}/{sandbox.world.tenant_id}/oauth2/v2.0/token":
        raise EntraError(700023, "invalid_client", "The audience of the assertion is not this token endpoint.")
    if not claims.get("nbf", 0) - 300 <= now <= claims.get("exp", 0) + 300:
        raise EntraError(700024, "invalid_client", "The assertion is not within its valid time range.")
    # Its reuse is tolerated: MSAL sends one assertion for the tokens of several resources, as long as it is in force.
    if not claims.get("jti"):
        raise EntraError(50027, "invalid_client", "The assertion carries no jti.")


def _certificate(client: AppRegistration, header: dict[str, Any]) -> x509.Certificate:
    for pem in client.certificates:
        certificate = x509.load_pem_x509_certificate(pem.encode())
        der = certificate.public_bytes(serialization.Encoding.DER)
        prints = {"x5t#S256": hashlib.sha256(der), "x5t": hashlib.sha1(der, usedforsecurity=False)}
        # Padded by some clients (MSAL for x5t), unpadded by others: both are taken.
        if any(str(header.get(name)).rstrip("=") == b64url(digest.digest()) for name, digest in prints.items()):
            return certificate
    raise EntraError(700027, "invalid_client", "The certificate of the assertion is not registered on application.")


def _check_signature(certificate: x509.Certificate, header: dict[str, Any], signed: bytes, signature: bytes) -> None:
    key = certificate.public_key()
    pads: dict[Any, padding.AsymmetricPadding] = {
        "RS256": padding.PKCS1v15(),
        "PS256": padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.DIGEST_LENGTH),
    }
    if header.get("alg") not in pads or not isinstance(key, rsa.RSAPublicKey):
        raise EntraError(700027, "invalid_client", "The assertion must be signed with RS256 or PS256.")
    try:
        key.verify(signature, signed, pads[header["alg"]], hashes.SHA256())
    except InvalidSignature as error:
        raise EntraError(700027, "invalid_client", "The signature of the assertion is not valid.") from error
