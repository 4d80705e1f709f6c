"""Authlib's client for our tenant, and the three calls it makes: metadata, code for token, keys. The web calls nothing else.

MSAL never signs anyone in: it hands ID tokens back unchecked. What is checked here beyond Authlib is in `id_token`.
"""

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit

import requests
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.base_client import OAuthError
from authlib.integrations.flask_client import FlaskOAuth2App, OAuth
from flask import Flask
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from ..errors import Garbled, RemoteError, Unreachable
from ..settings import WebSettings
from . import id_token
from .access_token import device_named
from .desk import desk
from .id_token import TokenRefused

TIMEOUTS = (3, 7)  # seconds to connect, to answer
DEVICE_CLAIM = '{"access_token":{"deviceid":{"essential":true}}}'
KEYS_FORCED_EVERY = timedelta(minutes=1)  # however many tokens come that name a key nobody knows
KEYS_LAST = timedelta(hours=24)  # https://learn.microsoft.com/entra/identity-platform/signing-key-rollover: read again daily

log = logging.getLogger(__name__)


class EntraSaysNo(Exception):
    """Entra answered with an error of its own. `description` is for reading codes out of, never for showing."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(error)
        self.error = error
        self.description = description


class OurTenant(FlaskOAuth2App):  # type: ignore[misc]  # Authlib has no types
    """Authlib's client, but for the keys: Entra may list keys of single tenants among its own, each with the issuer it signs for.

    https://learn.microsoft.com/entra/identity-platform/access-tokens#validate-the-signing-key-issuer
    """

    keys_read_at: datetime | None = None
    keys_forced_at: datetime | None = None

    def fetch_jwk_set(self, force: bool = False) -> dict[str, Any]:
        """`force` is Authlib's word for a token whose key is unknown: a new key of Entra's, or a forged token."""
        issuer = self.load_server_metadata()["issuer"]
        tenant, now = desk().settings.tenant_id, desk().clock()
        forced = force and (self.keys_forced_at is None or now - self.keys_forced_at >= KEYS_FORCED_EVERY)
        old = self.keys_read_at is None or now - self.keys_read_at >= KEYS_LAST
        found = None if forced or old else self.server_metadata.get("jwks")
        if found is None:
            self.keys_forced_at = now if forced else self.keys_forced_at
            found = super().fetch_jwk_set(force=True)
            self.keys_read_at = now
        keys = [key for key in found["keys"] if str(key.get("issuer", issuer)).replace("{tenantid}", tenant) == issuer]
        return {"keys": keys}


def client(app: Flask, settings: WebSettings) -> Any:
    """Per-tenant metadata: that of `common` names no issuer, and the usual way around it accepts any tenant."""
    logging.getLogger("authlib").setLevel(logging.INFO)  # at DEBUG it writes the PKCE verifier
    issuer = id_token.expected_issuer(settings.entra_authority, settings.tenant_id)
    return OAuth(app).register(
        "entra",
        client_cls=OurTenant,
        client_id=settings.sign_in_client_id,
        client_secret=settings.sign_in_client_secret.get_secret_value(),
        # https://learn.microsoft.com/entra/identity-platform/v2-protocols-oidc
        server_metadata_url=f"{issuer}/.well-known/openid-configuration",
        client_kwargs={
            # Nothing of Graph: an app that asks for it can itself be blocked by an "all resources" policy.
            "scope": "openid profile",
            "code_challenge_method": "S256",
            "token_endpoint_auth_method": "client_secret_post",
            "default_timeout": TIMEOUTS,
            "trust_env": False,  # a proxy's or a bundle's environment variable would override `verify`
            "verify": settings.ca_file or True,
            "max_redirects": 0,
        },
    )


def metadata() -> dict[str, Any]:
    """Our tenant's metadata, read once; refused, and read again next time, where it is not our tenant's."""
    settings, sign_in = desk().settings, desk().sign_in
    try:
        found: dict[str, Any] = sign_in.load_server_metadata()
        if found["issuer"] != id_token.expected_issuer(settings.entra_authority, settings.tenant_id):
            raise ValueError("issuer")
        # The secret goes to the token endpoint, and the keys decide everything: both stay where the issuer is.
        home = urlsplit(settings.entra_authority)[:2]
        if any(urlsplit(found[name])[:2] != home for name in ("token_endpoint", "jwks_uri")):
            raise ValueError("endpoint on another host")
        if urlsplit(found["authorization_endpoint"]).scheme not in ("https", "http"):
            raise ValueError("authorization endpoint")
    except (requests.RequestException, ValueError, KeyError, TypeError, AttributeError) as error:
        sign_in.server_metadata.clear()
        raise _remote(error) from error
    return found


def authorization(redirect_uri: str, *, prompt: str | None = None, naming_device: str | None = None) -> dict[str, str]:
    """The address to send the browser to, with the state, nonce and verifier that belong to it.

    `naming_device`, a correlation id, asks for a token of our own API that names the device.
    """
    metadata()
    choice = {"prompt": prompt} if prompt is not None else {}
    if naming_device is not None:
        # An app that asks for a token for itself names itself by its client id (AADSTS90009). The claim is asked for as Microsoft's
        # own clients do, which makes Entra demand device authentication (microsoft-authentication-library-for-android, TLS tests);
        # `client-request-id` becomes the record's correlationId (graph-docs resources/signin.md; MSAL sends it here, too).
        choice |= {"scope": f"openid profile {desk().settings.sign_in_client_id}/.default", "claims": DEVICE_CLAIM}
        choice |= {"client-request-id": naming_device}
    # https://learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow; `query`, so that a Lax cookie comes back with it
    made: dict[str, str] = desk().sign_in.create_authorization_url(redirect_uri, response_mode="query", **choice)
    return made


def consent_address(asked: Mapping[str, str], tenant_id: str) -> str:
    """Microsoft's page of admin consent: beside the authorize page, wherever this cloud has it. Where the metadata do not come, as
    with a wrong tenant id, the page says by itself what is wrong."""
    suffix = "/oauth2/v2.0/authorize"
    try:
        beside = str(metadata()["authorization_endpoint"])
    except RemoteError:
        beside = ""
    home = beside.removesuffix(suffix) if beside.endswith(suffix) else f"{desk().settings.entra_authority}/{tenant_id}"
    return f"{home}/adminconsent?{urlencode(asked)}"


def redeem(code: str, *, redirect_uri: str, verifier: str, nonce: str, guests: bool = False) -> dict[str, Any]:
    """The claims about the person, every check passed. Raises EntraSaysNo, TokenRefused or a RemoteError."""
    return _person_of(_tokens(code, redirect_uri, verifier), nonce, guests=guests)


def redeem_again(code: str, *, redirect_uri: str, verifier: str, nonce: str, oid: str) -> tuple[dict[str, Any], str | None]:
    """The claims, as `redeem` gives them, and the device that the access token names, if it does so of this person."""
    token = _tokens(code, redirect_uri, verifier)
    claims = _person_of(token, nonce)
    sign_in, settings = desk().sign_in, desk().settings
    who = {"authority": settings.entra_authority, "tenant_id": settings.tenant_id, "client_id": settings.sign_in_client_id}
    try:
        keys = KeySet.import_key_set(sign_in.fetch_jwk_set())  # read anew by `_person_of` a moment ago where they had changed
        return claims, device_named(token.get("access_token"), keys, **who, oid=oid)
    except requests.RequestException as error:
        raise _remote(error) from error
    except (TokenRefused, JoseError, ValueError, KeyError, TypeError) as error:
        log.warning("the access token names no device: %s", error if isinstance(error, TokenRefused) else type(error).__name__)
        return claims, None


def keys(key_id: str) -> KeySet:
    """Entra's keys, read again where this one is unknown: as often as `OurTenant` allows, however many tokens name it."""
    sign_in = desk().sign_in
    metadata()
    try:
        found = sign_in.fetch_jwk_set()
        if not any(key.get("kid") == key_id for key in found["keys"]):
            found = sign_in.fetch_jwk_set(force=True)
        return KeySet.import_key_set(found)
    except requests.RequestException as error:
        raise _remote(error) from error
    except (JoseError, ValueError, KeyError, TypeError, AttributeError) as error:
        _forget_garbled_keys(sign_in)
        raise _remote(error) from error


def _tokens(code: str, redirect_uri: str, verifier: str) -> Any:
    metadata()
    try:
        return desk().sign_in.fetch_access_token(redirect_uri=redirect_uri, code=code, code_verifier=verifier)
    except OAuthError as error:
        raise EntraSaysNo(str(error.error), str(error.description)) from error
    except (requests.RequestException, ValueError, KeyError, TypeError, AttributeError) as error:
        raise _remote(error) from error


def _person_of(token: Any, nonce: str, *, guests: bool = False) -> dict[str, Any]:
    sign_in, settings = desk().sign_in, desk().settings
    id_token.look_before_verifying(token.get("id_token"))
    demands = id_token.demands(settings.entra_authority, settings.tenant_id, settings.sign_in_client_id)
    # The metadata may list more; we take one.
    sign_in.server_metadata["id_token_signing_alg_values_supported"] = ["RS256"]
    try:
        claims: dict[str, Any] = dict(sign_in.parse_id_token(token, nonce=nonce, claims_options=demands, leeway=id_token.LEEWAY))
    except requests.RequestException as error:
        raise _remote(error) from error
    except (JoseError, AuthlibBaseError, ValueError, KeyError, TypeError, AttributeError) as error:
        _forget_garbled_keys(sign_in)
        raise TokenRefused(id_token.whose(token["id_token"], settings.tenant_id) or type(error).__name__) from error
    id_token.look_after_verifying(claims, client_id=settings.sign_in_client_id, guests=guests)
    return claims


def _forget_garbled_keys(sign_in: Any) -> None:
    """A key set that is none must not stay; a good one stays, or each forged token would cost Entra a question."""
    try:
        KeySet.import_key_set(sign_in.server_metadata["jwks"])
    except (JoseError, ValueError, KeyError, TypeError, AttributeError):
        sign_in.server_metadata.pop("jwks", None)


def end_session_address() -> str | None:
    """Where the person can sign out of Entra too; None while Entra does not answer."""
    try:
        found = metadata().get("end_session_endpoint")
    except RemoteError:
        return None
    return found if isinstance(found, str) and urlsplit(found).scheme in ("https", "http") else None


def _remote(error: Exception) -> RemoteError:
    if isinstance(error, requests.RequestException) and not isinstance(error, ValueError):
        return Unreachable("sign-in: no answer", remote="sign_in")
    return Garbled("sign-in: not as specified", remote="sign_in")
