"""Which device does this access token name? A token for our own API, so that we may read it, held to what an ID token is held to.

Whether Entra puts the `deviceid` claim into the token of a third-party web client is not public (docs/unproven.md), so that its
absence is no error. A token that is not what it should be names nothing.
"""

from typing import Any
from uuid import UUID

from joserfc import jwt
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry
from joserfc.jwt import JWTClaimsRegistry

from ..domain.identifiers import identifier
from .id_token import LEEWAY, TokenRefused, demands, look_before_verifying


def device_named(raw: object, keys: KeySet, *, authority: str, tenant_id: str, client_id: str, oid: str) -> str | None:
    """The Azure device id, or None. Raises TokenRefused or a JoseError where the token is not one for us about this person.

    https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference, v2.0: `azp` is who asked for it, `scp` for
    what. An ID token has the same audience, and neither of the two.
    """
    look_before_verifying(raw)
    token = jwt.decode(str(raw), keys, registry=JWSRegistry(algorithms=["RS256"], strict_check_header=False))
    # Of a first ID token's demands all but the nonce, which belongs to that.
    wanted: dict[str, Any] = {name: rule for name, rule in demands(authority, tenant_id, client_id).items() if name != "nonce"}
    wanted |= {"oid": {"essential": True, "value": oid}, "azp": {"essential": True, "value": client_id}}
    wanted |= {"ver": {"essential": True, "value": "2.0"}, "scp": {"essential": True}}
    JWTClaimsRegistry(leeway=LEEWAY, **wanted).validate(token.claims)
    if token.claims["aud"] != client_id or "nonce" in token.claims:
        raise TokenRefused("another kind of token")
    device = token.claims.get("deviceid")
    if device is None:
        return None
    try:
        return identifier(str(UUID(str(device))))
    except ValueError:
        raise TokenRefused("deviceid is no device id") from None
