"""How Fleet lets us in: the token of an API-only user, which stands until somebody changes it.

Next door: `fleet`, whose calls carry it.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from ..domain.health import Cause
from ..errors import Refused
from .causes import Causes

CAUSES = Causes(unauthorized=Cause.CREDENTIALS)  # the token is the credential itself


def vendor_code(body: Any) -> object:
    """Errors have a kind in words and no code: `{"message": "Resource Not Found", "errors": [{"name": …, "reason": …}], "uuid": …}`
    (fleetdm/fleet docs/REST API/API-errors.md). Without a reason inside it is none of Fleet's."""
    if not isinstance(body["errors"][0]["reason"], str):
        raise TypeError
    return "-".join(body["message"].split())


class ApiToken:
    """A `http.Credential`: `Authorization: Bearer <token>` (fleetdm/fleet docs/REST API/rest-api.md, Authentication). It is read as
    it is now, so that a changed one is tried at once; a refused one locks nothing, since there is no password behind it."""

    def __init__(self, token: Callable[[], str]) -> None:
        self._token = token

    def headers(self) -> Mapping[str, str]:
        token = self._token()
        if not re.fullmatch(r"[\x21-\x7e]{1,4096}", token):
            raise Refused("not a token", remote="mdm", called=False)
        return {"Authorization": f"Bearer {token}"}

    def renew(self, rejected: Mapping[str, str]) -> bool:
        return rejected.get("Authorization") != self.headers()["Authorization"]
