"""The second lock: a further Conditional Access policy holds a device back until our mark stands in an extension attribute of it.

Where an MDM's maker carries compliance we can neither hold back, limit in time nor revoke what it tells. The mark we can. It opens
nothing by itself: Entra shows the attribute to policies only on devices that are compliant, Intune-managed or hybrid joined, and
the rule asks for *compliant* beside it. Pure; next door: `lock_policy` (is the policy the right one), `push` (whose news it is).
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from .device import DeviceLink, LinkState, Mark
from .push import Push

ATTRIBUTES = range(1, 16)
SETTLES = timedelta(minutes=10)
"""So long one replica of Entra's may still show what stood before our last write: no sign of another writer."""

UNREGISTERED, UNMARKED = "unregistered", "unmarked"
MUST_BE_BLOCKED = (UNREGISTERED, UNMARKED)
"""Devices that must both have been seen blocked before the lock may be relied on: one that nobody registered, and one that is
registered, compliant, and bears no mark. Rules that fail open let one of them in."""


@dataclass(frozen=True)
class SecondLock:
    """The row. `value` is made by chance, once: nobody writes it by accident. It is no secret, whoever reads devices or policies
    reads it. `prepared_at`: nobody else's value stood in the attribute, on any device; before that, no device is touched."""

    attribute: int
    value: str
    made_at: datetime
    prepared_at: datetime | None = None

    @property
    def name(self) -> str:
        return attribute_name(self.attribute)

    @property
    def rule(self) -> str:
        """What the policy's device filter must say, in exclude mode."""
        return f'device.isCompliant -eq True -and device.{self.name} -eq "{self.value}"'


def attribute_name(number: int) -> str:
    return f"extensionAttribute{number}"


@dataclass(frozen=True)
class Astray:
    """A mark that is not as it should be. `foreign`: somebody else wrote it; else it is missing where we had seen it."""

    what: Literal["ours", "other", "missing"]
    foreign: bool


def stands(link: DeviceLink, push: Push) -> bool:
    """Whether the mark must be there: exactly where Microsoft should be told *compliant*."""
    return link.state is LinkState.ACTIVE and push.says_compliant


def astray(link: DeviceLink, push: Push, mark: Mark | None, now: datetime) -> Astray | None:
    """What is wrong with the mark on this device, None where nothing is, and while our own write is on its way."""
    seen = push.accepted_seq >= push.desired_seq > 0
    if not seen and not push.at_rest:
        return None
    settled = not seen or push.accepted_at is None or now - push.accepted_at >= SETTLES
    if stands(link, push):
        if mark is Mark.OURS or not settled:
            return None
        return Astray("missing", False) if mark is None else Astray("other", True)
    if mark is None:
        return None
    return Astray(mark.value, mark is Mark.OTHER or settled)


@dataclass(frozen=True)
class SeenBlocked:
    """That such a device was blocked. `how`: `sign_in_log` (Entra's own record) or `confirmed` (an administrator saw it); `what` is
    the record's id, or what they saw."""

    kind: str
    how: Literal["sign_in_log", "confirmed"]
    what: str
    at: datetime
    by: str


def missing_before_go(lock: SecondLock | None, seen: Collection[SeenBlocked]) -> tuple[str, ...]:
    """What keeps the lock from being relied on, as stable ids; nothing where all was seen. What was seen of a lock before this one
    does not count."""
    if lock is None:
        return ("no_lock",)
    if lock.prepared_at is None:
        return ("not_prepared",)
    since = lock.prepared_at
    counts = {one.kind for one in seen if one.at >= since}
    return tuple(f"{kind}_not_seen_blocked" for kind in MUST_BE_BLOCKED if kind not in counts)


@dataclass(frozen=True)
class SignInRecord:
    """A line of Entra's sign-in log, as far as it shows a block. `device_id` is None where the sign-in proved none; `blocking` are
    the names of the policies that let it fail."""

    id: str
    at: datetime
    error_code: int
    device_id: str | None
    compliant: bool
    blocking: tuple[str, ...]
    policies_told: bool


BLOCKED_BY_POLICY = 53003  # entra-docs identity-platform/reference-error-codes.md: BlockedByConditionalAccess


def shows_blocked(record: SignInRecord, policies: Collection[str], mark: Mark | None) -> str:
    """Which of the two devices this record shows to be blocked by one of these policies, else why it shows nothing: `not_blocked`,
    `policies_not_told`, `another_policy`, `not_compliant` (the first policy alone would have blocked it), `marked`."""
    if record.error_code != BLOCKED_BY_POLICY:
        return "not_blocked"
    if not record.policies_told:
        return "policies_not_told"
    if not set(record.blocking) & set(policies):
        return "another_policy"
    if record.device_id is None:
        return UNREGISTERED
    if mark is not None:
        return "marked"
    return UNMARKED if record.compliant else "not_compliant"
