"""How people get here, proven by one test tap: an administrator opens a window, taps, and the next arrival is recorded.

Nothing of whoever arrives is kept: the entrance, the platform that the browser names, when, and what kind of page led here.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

LASTS = timedelta(minutes=10)
BUTTON = "button"
"""Microsoft's own button, wherever it leads; the others are addresses of ours."""

# What is tested -> the path that is given out for it. All lead into the same journey; only the way there is told apart.
WAYS = {
    "clip": "/start/clip",
    "message": "/start/message",
    "sign_in_page": "/start/sign-in-page",
    "leaflet": "/start/leaflet",
}
TESTED = (BUTTON, *WAYS)
PARTNER = frozenset({"enrollment", "remediation"})
"""The entrances that Microsoft knows where we are the compliance partner."""

# Entra's own pages, by their hosts (entra-docs: sign-in endpoints of the clouds; the device login page of Intune's portal).
_MICROSOFT = (
    "login.microsoftonline.com",
    "login.microsoft.com",
    "login.windows.net",
    "login.microsoftonline.us",
    "login.partner.microsoftonline.cn",
)
_INTUNE = ("portal.manage.microsoft.com", "go.microsoft.com")


@dataclass(frozen=True)
class ArrivalTest:
    """A window, and what was recorded in it. `entrance` is the page, `way` the address that led to it, where it was one of `WAYS`;
    `referrer` is `microsoft`, `other` or `none`."""

    id: str
    tested: str
    opened_by: str
    opened_at: datetime
    expires_at: datetime
    seen_at: datetime | None = None
    entrance: str | None = None
    way: str | None = None
    platform: str | None = None
    referrer: str | None = None

    def state(self, now: datetime) -> str:
        """`open`; `nobody` came in time; `here`: the button leads to us, or the address that was tested does; `elsewhere`:
        somebody came, but by another way."""
        if self.seen_at is None:
            return "open" if now < self.expires_at else "nobody"
        return "here" if self._fits else "elsewhere"

    @property
    def _fits(self) -> bool:
        return self.entrance in PARTNER if self.tested == BUTTON else self.way == self.tested


def way_of(path: str) -> str | None:
    return next((way for way, address in WAYS.items() if path.rstrip("/").casefold() == address), None)


def referrer_kind(host: str | None, own: str | None) -> str:
    """Of a host name alone: no address of a page is ever kept. Our own host says nothing of where somebody came from."""
    if not host or host == own:
        return "none"
    known = (*_MICROSOFT, *_INTUNE)
    return "microsoft" if any(host == one or host.endswith(f".{one}") for one in known) else "other"
