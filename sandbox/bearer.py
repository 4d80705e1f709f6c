"""Opens the access tokens that `entra` sealed: right audience, right tenant, not expired, or nothing.

Next door: `graph` and `intune` turn a None into their vendor's 401 and a missing role into their 403.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import request

if TYPE_CHECKING:
    from sandbox.server import Sandbox


def claims_of_caller(sandbox: Sandbox, audience: str) -> dict[str, Any] | None:
    """The claims of the bearer token on this request; also tells the ledger who called."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    claims = sandbox.keys.unseal("access", token.strip().rpartition(".")[2]) if scheme.lower() == "bearer" else None
    if claims is None:
        return None
    request.environ["sandbox.client_id"], request.environ["sandbox.tenant"] = claims["appid"], claims["tid"]
    if claims["aud"] != audience or claims["tid"] != sandbox.world.tenant_id:
        return None
    if not sandbox.world.token_stands(claims["issued"]):
        return None
    return claims if claims["exp"] > sandbox.world.now().timestamp() else None
