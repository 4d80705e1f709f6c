"""How Workspace ONE lets us in: OAuth client credentials, or Basic with the REST API key. Both are a `http.Credential`.

Next door: `workspace_one`, whose calls carry these headers; `http`, which asks for new ones once after a 401.
"""

import base64
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from ..domain.health import Cause
from ..errors import Refused
from ..ports import Clock
from .causes import Causes
from .http import Remote

EARLY = timedelta(seconds=300)  # zentralopensource/zentral ee/zentral/contrib/wsone/api_client.py renews as early

# 1005 bad credentials (401), 1013 unknown tenant code (403): fixtures of demisto/content VMwareWorkspaceONEUEM. With OAuth the
# credential was taken at the token's address, so a 401 is about the token.
BASIC_CAUSES = Causes({"1005": Cause.CREDENTIALS, "1013": Cause.GROUP}, unauthorized=Cause.CREDENTIALS)
OAUTH_CAUSES = Causes({"1005": Cause.REVOKED, "1013": Cause.GROUP})
TOKEN_CAUSES = Causes(refused=Cause.CREDENTIALS)
HELD_FIRST, HELD_MOST = timedelta(minutes=1), timedelta(hours=1)


def vendor_code(body: Any) -> object:
    """OAuth's own error form (RFC 6749 5.2)."""
    return body["error"]


class _Hold:
    """What was refused is not tried again at once: a console locks an account after a few wrong passwords, and how many is not
    published. Another secret is not held. Each process remembers for itself."""

    def __init__(self, now: Clock, *, most: timedelta) -> None:
        """The wait doubles with each refusal in a row, up to `most`."""
        self._now, self._most = now, most
        self._what: object = None
        self._wait, self._until = HELD_FIRST, datetime.min.replace(tzinfo=UTC)

    def refused(self, what: object) -> None:
        again = what == self._what and self._now() < self._until + self._wait
        self._wait = min(self._wait * 2, self._most) if again else HELD_FIRST
        self._what, self._until = what, self._now() + self._wait

    def check(self, what: object) -> None:
        left = (self._until - self._now()).total_seconds()
        if what == self._what and left > 0:
            raise Refused("not asked: this credential was refused a moment ago", remote="mdm", retry_after=left, called=False)


class OAuthClient:
    """`remote` is the token address of the region, whole: `https://emea.uemauth.workspaceone.com/connect/token`. `secret` may be
    what gives it as it is now: a rotated one is used with the next token."""

    def __init__(self, remote: Remote, *, client_id: str, secret: str | Callable[[], str], now: Clock) -> None:
        self._remote = remote
        self._client_id = client_id
        self._secret = secret if callable(secret) else lambda: secret
        self._now = now
        self._hold = _Hold(now, most=HELD_FIRST)
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
        secret = self._secret()
        self._hold.check(secret)
        form = {"grant_type": "client_credentials", "client_id": self._client_id, "client_secret": secret}
        try:
            answer = self._remote.call("POST", "", form=form).fields()
        except Refused:
            self._hold.refused(secret)
            raise
        token = answer.need_text("access_token")
        if not token or not token.isascii() or not token.isprintable():
            raise answer.garbled("access_token")
        self._token, self._until = token, self._now() + _life(answer.raw("expires_in"))


class BasicKey:
    """A console account and the REST API key of its organization group (demisto/content VMwareWorkspaceONEUEM). Password and key
    may be what gives them as they are now."""

    def __init__(self, *, user: str, password: str | Callable[[], str], tenant_code: str | Callable[[], str], now: Clock) -> None:
        self._user = user
        self._password = password if callable(password) else lambda: password
        self._tenant_code = tenant_code if callable(tenant_code) else lambda: tenant_code
        self._hold = _Hold(now, most=HELD_MOST)

    def headers(self) -> Mapping[str, str]:
        headers = self._headers()
        self._hold.check(headers)
        return headers

    def renew(self, rejected: Mapping[str, str]) -> bool:
        sent = {name: rejected[name] for name in ("Authorization", "aw-tenant-code") if name in rejected}
        if sent != self._headers():
            return True
        self._hold.refused(sent)
        return False

    def _headers(self) -> dict[str, str]:
        pair = base64.b64encode(f"{self._user}:{self._password()}".encode()).decode()
        return {"Authorization": f"Basic {pair}", "aw-tenant-code": self._tenant_code()}


def _life(expires_in: object) -> timedelta:
    """A whole number or a numeric string (both seen); what is neither is used once and fetched again soon."""
    text = str(expires_in)
    seconds = timedelta(seconds=int(text)) if text.isascii() and text.isdigit() and len(text) < 8 else timedelta(seconds=60)
    return seconds - EARLY if seconds > 2 * EARLY else seconds / 2
