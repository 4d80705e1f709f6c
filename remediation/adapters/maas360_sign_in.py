"""How MaaS360 lets us in: a token of sixty minutes for the access key and an administrator's password, renewed early.

Next door: `maas360`, whose calls carry it; `http`, which asks for another one once after a 401.
"""

import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from ..errors import Refused
from ..ports import Clock
from .http import Fields, Remote
from .maas360_reading import JSON, need_whole

RENEWED_AFTER = timedelta(minutes=50)  # of 60: IBM's documentation; demisto/content IBMMaaS360Security renews as early
AT_ONCE = timedelta(seconds=60)  # a token refused so soon after its issue is a refusal of who asked for it
MOST_REFUSALS = 2  # after how many the account is locked is not public
PAUSE = timedelta(hours=1)

# The first digit of the billing id chooses the instance: Milhound/maas360api auth/auth.go
HOSTS = {
    "1": "https://services.fiberlink.com",
    "2": "https://services.m2.maas360.com",
    "3": "https://services.m3.maas360.com",
    "4": "https://services.m4.maas360.com",
    "6": "https://services.m6.maas360.com",
}


@dataclass(frozen=True)
class AccessKey:
    """What the portal's *Manage Access Keys* shows, and the administrator it is used with. Key and password are read as they are
    now, so that a changed one is tried at once."""

    billing_id: str
    app_id: str
    user: str
    access_key: Callable[[], str]
    password: Callable[[], str]
    app_version: str = "1.0"
    platform_id: str = "3"


class MaasToken:
    """A `http.Credential`. After two refusals in a row the same key and password are offered once an hour: what locks the account
    is not public. A token that is refused as soon as it was issued is such a refusal, too. Each process remembers for itself."""

    def __init__(self, remote: Remote, key: AccessKey, *, now: Clock) -> None:
        self._remote = remote
        self._key = key
        self._now = now
        self._lock = threading.Lock()
        self._token = ""
        self._refresh = ""
        self._issued: datetime | None = None
        self._refused: tuple[object, int, datetime] = ((), 0, now())

    def headers(self) -> Mapping[str, str]:
        with self._lock:
            if self._issued is None or self._now() - self._issued >= RENEWED_AFTER:
                self._fetch()
            elif self._now() - self._issued >= AT_ONCE:
                self._refused = ((), 0, self._now())  # it has served, or nobody asked
            return {"Authorization": f'MaaS token="{self._token}"'}

    def renew(self, rejected: Mapping[str, str]) -> bool:
        """401 with an `authResponse`: the token ended, or was never good."""
        with self._lock:
            if rejected.get("Authorization") == f'MaaS token="{self._token}"' and self._issued is not None:
                if self._now() - self._issued < AT_ONCE:
                    self._count((self._key.access_key(), self._key.password()))
                self._issued, self._refresh = None, ""
        return True

    def _fetch(self) -> None:
        if self._refresh:
            refresh, self._refresh = self._refresh, ""
            try:
                # IBM documentation on authentication, v2; Milhound/maas360api auth/auth.go
                self._keep(self._ask("refreshToken", refreshToken=refresh))
                return
            except Refused:
                pass  # how long a refresh token lives is not public: the password is asked next
        offered = (self._key.access_key(), self._key.password())
        self._check(offered)
        try:
            # IBM documentation on authentication, v2; Milhound/maas360api auth/auth.go
            self._keep(self._ask("authenticate", appAccessKey=offered[0], password=offered[1]))
        except Refused as refused:
            if refused.called:
                self._count(offered)
            raise

    def _ask(self, what: str, **secrets: str) -> Fields:
        key = self._key
        names = {"billingID": key.billing_id, "platformID": key.platform_id, "appID": key.app_id, "appVersion": key.app_version}
        body = {"authRequest": {"maaS360AdminAuth": {**names, "userName": key.user, **secrets}}}
        target = self._remote.path(f"auth-apis/auth/2.0/{what}/customer/{{}}", key.billing_id)
        answer = self._remote.call("POST", target, json=body, headers=JSON).fields()
        if answer.raw("authResponse") is None:
            code = need_whole(answer, "errorCode")
        else:
            answer = answer.within("authResponse")
            code = need_whole(answer, "errorCode")
        if code != 0:  # a wrong password is answered with HTTP 200
            raise Refused("sign-in refused", remote=self._remote.name, status=200, vendor_code=str(code))
        return answer

    def _keep(self, answer: Fields) -> None:
        token, refresh = answer.need_text("authToken"), answer.text("refreshToken") or ""
        if not re.fullmatch(r"[\x21\x23-\x7e]{1,4096}", token):  # it goes between double quotes into a header
            raise answer.garbled("authToken")
        self._token, self._refresh, self._issued = token, refresh, self._now()

    def _count(self, offered: object) -> None:
        what, times, _ = self._refused
        self._refused = (offered, times + 1 if what == offered else 1, self._now())

    def _check(self, offered: object) -> None:
        what, times, at = self._refused
        left = (at + PAUSE - self._now()).total_seconds()
        if what == offered and times >= MOST_REFUSALS and left > 0:
            raise Refused("not asked: this credential was refused twice", remote=self._remote.name, retry_after=left, called=False)
