"""Is this bearer token one of Entra's, of our tenant, for our API, now, from an app that may call it; and who is it about?

Held to what `access_token` and `id_token` demand, and to what tells the two kinds of access token apart
(https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference):

* of a person: `scp` names the scope of our API, `oid` is theirs;
* of an app alone: `idtyp` is `app`, an optional claim that has to be switched on for our API, and there is no `scp`. Without it a
  token that has roles and no scope could as well be an ID token, which has our audience where one registration serves both.

Roles stand in the token and are read with each request; a token lasts an hour or so, whatever happens meanwhile (docs/security.md).
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry
from joserfc.jwt import JWTClaimsRegistry

from .id_token import LEEWAY, TokenRefused, demands, header_of, is_guest, look_before_verifying, roles_in

SCOPE = "access_as_user"
"""What the API's registration has to expose for people: https://learn.microsoft.com/entra/identity-platform/quickstart-configure-app-expose-web-apis"""


@dataclass(frozen=True)
class ApiCaller:
    """`oid` is the person's, or that of the app's service principal where it calls by itself (`alone`); `app` its client id."""

    oid: str
    app: str
    alone: bool
    roles: tuple[str, ...]


def key_id(raw: object) -> str:
    """Of the key that is said to have signed it, before anything is verified."""
    look_before_verifying(raw)
    return str(header_of(str(raw)).get("kid", ""))


def caller_of(
    raw: object, keys: KeySet, *, authority: str, tenant_id: str, audience: str, clients: Collection[str], guests: bool
) -> ApiCaller:
    """Raises TokenRefused."""
    look_before_verifying(raw)
    wanted: dict[str, Any] = {name: rule for name, rule in demands(authority, tenant_id, audience).items() if name != "nonce"}
    wanted |= {"ver": {"essential": True, "value": "2.0"}, "azp": {"essential": True}, "sub": {"essential": True}}
    try:
        token = jwt.decode(str(raw), keys, registry=JWSRegistry(algorithms=["RS256"], strict_check_header=False))
        JWTClaimsRegistry(leeway=LEEWAY, **wanted).validate(token.claims)
    except (JoseError, ValueError, KeyError, TypeError) as error:
        raise TokenRefused(type(error).__name__) from None
    return _caller(token.claims, audience=audience, clients=clients, guests=guests)


def _caller(claims: Mapping[str, Any], *, audience: str, clients: Collection[str], guests: bool) -> ApiCaller:
    if claims["aud"] != audience or "nonce" in claims:
        raise TokenRefused("another kind of token")
    if not isinstance(claims["azp"], str) or claims["azp"].lower() not in clients:
        raise TokenRefused("an app that may not call")
    try:
        oid = str(UUID(str(claims["oid"])))
    except ValueError:
        raise TokenRefused("oid is no object id") from None
    if is_guest(claims) and not guests:
        raise TokenRefused("guest")
    scopes, kind = claims.get("scp"), claims.get("idtyp")
    if scopes is None and kind == "app":
        return ApiCaller(oid, claims["azp"].lower(), True, roles_in(claims))
    if not isinstance(scopes, str) or SCOPE not in scopes.split() or kind not in (None, "user"):
        raise TokenRefused("neither a person's nor an app's")
    return ApiCaller(oid, claims["azp"].lower(), False, roles_in(claims))
