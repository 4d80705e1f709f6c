"""What the tenant itself must have for any of this to work: licences, and that people may register a device. Pure.

Next door: `services/doctor_tenant.py`, which asks; `services/device_quota.py`, which keeps the quota for the helpdesk.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

# Microsoft's *Product names and service plan identifiers for licensing*: AAD_PREMIUM, AAD_PREMIUM_P2
ENTRA_PLANS = frozenset({"41781fb2-bc02-4b7c-bd55-b576c07bb09d", "eec0eb4f-6444-4f95-aba0-50c24d67f998"})
QUOTA_LOOK = "device_quota"
"""The look of a worker that keeps how many devices each may have."""
SMALL_QUOTA = 5
"""Whoever gets a new phone keeps the entries of the old ones for a while."""


@dataclass(frozen=True)
class Subscription:
    """What was bought: the service plans in it that work, how many seats, and how many are given to somebody."""

    plans: frozenset[str]
    seats: int
    used: int


class MayRegister(StrEnum):
    EVERYBODY = "everybody"
    SOME = "some"
    NOBODY = "nobody"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Registration:
    """Who may register a device with the directory, and how many each."""

    who: MayRegister
    quota: int | None


# graph-docs api-reference/beta/api/device-delete.md: recoverable for up to 30 days; Microsoft's *Device soft delete* (preview):
# until then the same id cannot be registered again.
KEPT_DELETED = timedelta(days=30)


@dataclass(frozen=True)
class DeviceQuota:
    """How many devices the directory lets each person have, None where that may not be read."""

    most: int | None
    read_at: datetime

    def full(self, entries: int) -> bool:
        """By our own count of a person's entries."""
        return self.most is not None and entries >= self.most


@dataclass(frozen=True)
class GoneEntry:
    """An entry that a list of this person's devices had, and has no more: deleted, or not theirs now."""

    device_id: str
    name: str
    gone_at: datetime

    @property
    def kept_until(self) -> datetime:
        """At the latest, if it was deleted."""
        return self.gone_at + KEPT_DELETED
