"""What the tenant itself must have for any of this to work: licences, and that people may register a device. Pure.

Next door: `services/doctor_tenant.py`, which asks.
"""

from dataclasses import dataclass
from enum import StrEnum

# Microsoft's *Product names and service plan identifiers for licensing*: AAD_PREMIUM, AAD_PREMIUM_P2
ENTRA_PLANS = frozenset({"41781fb2-bc02-4b7c-bd55-b576c07bb09d", "eec0eb4f-6444-4f95-aba0-50c24d67f998"})
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
