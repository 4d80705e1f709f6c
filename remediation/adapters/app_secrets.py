"""When the secrets of an app registration end, read through Microsoft Graph v1.0, as `ports.AppSecrets`. The answer holds none.

Permission: Application.Read.All, which may be missing.
"""

from collections.abc import Sequence

from ..domain.credential_ends import AppSecret
from .http import Remote


class GraphAppSecrets:
    def __init__(self, remote: Remote) -> None:
        self._remote = remote

    def secrets(self, client_id: str) -> Sequence[AppSecret]:
        # graph-docs api-reference/v1.0/api/application-get.md: by appId; resources/passwordcredential.md
        target = self._remote.path("applications(appId='{}')", self._remote.guid(client_id))
        query = {"$select": "appId,passwordCredentials"}
        app = self._remote.call("GET", target, query=query, may_be_refused=True).fields()
        found = [(item.moment("endDateTime"), item.text("hint") or "") for item in app.items("passwordCredentials")]
        return [AppSecret(ends, hint) for ends, hint in found if ends is not None]
