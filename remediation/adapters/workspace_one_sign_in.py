"""How Workspace ONE lets us in: OAuth client credentials, or Basic with the REST API key. Both are a `http.Credential`.

Next door: `workspace_one`, whose calls carry these headers; `http`, which asks for new ones once after a 401.
"""

import base64
import threading
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from ..ports import Clock
from .http import Remote

EARLY = timedelta(seconds=300)  # zentralopensource/zentral ee/zentral/contrib/wsone/api_client.py renews as early


def vendor_code(body: Any) -> object:
    """OAuth's own error form (RFC 6749 5.2)."""
    return body["error"]


class OAuthClient:
    """`remote` is the token address of the region, whole: `https://emea.uemauth.workspaceone.com/connect/token`."""

    def __init__(self, remote: Remote, *, client_id: str, secret: str, now: Clock) -> None:
        self._remote = remote
        self._form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret}
        self._now = now
        self._lock = threading.Lock()
        self._token = ""
        self._until: datetime | None = None

    def headers(self) -> Mapping[str, str]:
        with self._lock:
            if self._until is None or self._now() >= self._until:
                self._fetch()
            return {"Authorization": f"Bearer {self._token}"}

    def renew(self, rejected: Mapping[str, str]) -> bool:
        with self._lock:
            if rejected.get("Authorization") == f"Bearer {self._token}":
                self._until = None
        return True

    def _fetch(self) -> None:
        # docs.omnissa.com "Using UEM Functionality With a REST API"; zentralopensource/zentral docs/apps/wsone.md
        answer = self._remote.call("POST", "", form=self._form).fields()
        token = answer.need_text("access_token")
        if not token or not token.isascii() or not token.isprintable():
            raise answer.garbled("access_token")
        self._token, self._until = token, self._now() + _life(answer.raw("expires_in"))


class BasicKey:
    """A console account and the REST API key of its organization group (demisto/content VMwareWorkspaceONEUEM)."""

    def __init__(self, *, user: str, password: str, tenant_code: str) -> None:
        pair = base64.b64encode(f"{user}:{password}".encode()).decode()
        self._headers = {"Authorization": f"Basic {pair}", "aw-tenant-code": tenant_code}

    def headers(self) -> Mapping[str, str]:
        return self._headers

    def renew(self, rejected: Mapping[str, str]) -> bool:
        return False


def _life(expires_in: object) -> timedelta:
    """A whole number or a numeric string (both seen); what is neither is used once and fetched again soon."""
    text = str(expires_in)
    seconds = timedelta(seconds=int(text)) if text.isascii() and text.isdigit() and len(text) < 8 else timedelta(seconds=60)
    return seconds - EARLY if seconds > 2 * EARLY else seconds / 2
