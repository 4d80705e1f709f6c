"""What an MDM's event notification may do: have one link, or whoever waits for a device of theirs, looked at soon. It is a hint and
nothing else.

Nobody signs an event, and it may be old, repeated, out of order or forged. So nothing in it is believed: not the state that it
tells, nor when. It names a device, and says whether it looks like bad news, which only decides how soon the MDM itself is asked.
"""

import base64
import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta

from .push import Lane, Push

USER = "remediation"
"""The user name of the HTTP Basic header that an MDM sends its events with."""
PAUSE = timedelta(seconds=5)
"""After a look, before a hint that is no bad news has the same device looked at again. It is put off until then, never dropped."""


@dataclass(frozen=True)
class Hint:
    """Which record it is about, each name None where it was not told; `revokes` where it looks like bad news. `enrolled` where a
    device is said to have come, `users` being what its person may be called: mail address, user name."""

    record_id: str | None
    udid: str | None
    serial: str | None
    revokes: bool = False
    enrolled: bool = False
    users: tuple[str, ...] = ()


@dataclass(frozen=True)
class Mark:
    """Look at this link not before `due`, in this lane."""

    link_id: str
    lane: Lane
    due: datetime


def password(key: str, connection: str) -> str:
    """What one MDM connection proves itself with: of the deployment's key and the connection's name, so that nobody keeps a list,
    and whoever learns one connection's has no other's."""
    digest = hmac.digest(key.encode(), f"event notifications of {connection}".encode(), hashlib.sha256)
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def calls_for(hint: Hint, push: Push, now: datetime) -> Mark | None:
    """None where the row waits to be looked at anyway: of a storm of events about one device, one look comes. Bad news goes with
    the revocations where Microsoft may believe something better, and waits for nothing.

    A row that only follows what was sent would be looked at, but not judged anew; it is marked all the same, for the time at which
    it comes anyway.
    """
    lane = Lane.REVOKE if hint.revokes and push.says_compliant else Lane.SWEEP
    read_at, next_at = push.posture_read_at, push.next_look_at
    due = now if lane is Lane.REVOKE or read_at is None else max(now, min(read_at, now) + PAUSE)
    comes = next_at is not None and next_at <= due
    if comes and not push.following and (lane is not Lane.REVOKE or push.lane is Lane.REVOKE):
        return None
    return Mark(push.link_id, lane, due if next_at is None else min(due, next_at))


def looks_soon(next_look_at: datetime, now: datetime) -> bool:
    """A waiting journey that is looked at within seconds anyway needs no hint."""
    return next_look_at <= now + PAUSE
