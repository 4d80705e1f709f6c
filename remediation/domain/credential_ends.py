"""When the credentials of both app registrations end, and when somebody has to be told. Pure.

Next door: `services/credential_ends.py`, which finds out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

LOOK = "credentials"
"""Among the looks of the set-up: what was found when somebody last looked."""
DAYS = (30, 7, 1)
OVER = 0


class App(StrEnum):
    SERVICE = "service"
    SIGN_IN = "sign_in"


class How(StrEnum):
    """How an end is known: by the worker's own certificate, Microsoft's directory, or what an administrator typed."""

    CERTIFICATE = "certificate"
    DIRECTORY = "directory"
    TYPED = "typed"


@dataclass(frozen=True)
class AppSecret:
    """One secret of an app registration, as the directory lists it. `hint` is what it begins with."""

    ends: datetime
    hint: str = ""


@dataclass(frozen=True)
class Ends:
    """Of the credential of one app; `ends` is None where nobody knows."""

    app: App
    ends: datetime | None = None
    how: How | None = None


def in_use(secrets: Sequence[AppSecret], hint: str, now: datetime) -> datetime | None:
    """Which of several is in use shows by its beginning, where it is known here; else the next to end is meant, since a warning too
    many costs less than one that never came."""
    mine = [one for one in secrets if hint and one.hint == hint] or list(secrets)
    living = [one.ends for one in mine if one.ends > now]
    return min(living) if living else max((one.ends for one in mine), default=None)


def level(ends: datetime | None, now: datetime) -> int | None:
    """Days of the nearest warning that is due, `OVER` once it has ended; None: nothing is to be said."""
    if ends is None:
        return None
    if ends <= now:
        return OVER
    return next((days for days in sorted(DAYS) if ends - now <= timedelta(days=days)), None)
