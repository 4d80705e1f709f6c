"""Temporary access: a person asks, two of the staff approve, Microsoft gives it until an end, and takes it back by itself.

It opens nothing by itself here and says nothing of a device: Entra leaves the person out of the policy that asks for a compliant
device, for as long as a Microsoft assignment with an end date lasts. Next door: `services/access.py`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from .device import Platform

CARRIED = frozenset({"pim", "package"})
"""Of the setting's words: Microsoft is told by the worker, and nobody gives it by hand."""
MOST_HOURS = 24
LONGEST = timedelta(hours=MOST_HOURS)
ASKED_LASTS = timedelta(hours=24)
"""A request is approved within it, by both, or not at all: what was true yesterday may not be today."""
CARRIED_WITHIN = timedelta(minutes=30)
"""An approval that could not be carried out by then is stale: the person may have been helped otherwise."""
CLOCKS = timedelta(minutes=5)
"""By which Microsoft's clock and ours may differ before nothing is given: the end would be another than was approved."""
MOST_WORDS = 500


class State(StrEnum):
    ASKED = "asked"
    FIRST = "first"
    APPROVED = "approved"
    GIVEN = "given"
    DENIED = "denied"
    FAILED = "failed"
    ENDED = "ended"
    LAPSED = "lapsed"


OPEN = (State.ASKED, State.FIRST, State.APPROVED, State.GIVEN)


@dataclass(frozen=True)
class AccessRequest:
    """`version` counts every change: whoever decides says which one they saw. `answer` is the text for the person, `note` is
    for the staff alone. `until` stands from the second approval on, and never moves."""

    id: str
    oid: str
    case_code: str
    platform: Platform
    message: str
    asked_at: datetime
    state: State
    version: int
    hours: int | None = None
    first_oid: str | None = None
    first_at: datetime | None = None
    second_oid: str | None = None
    second_at: datetime | None = None
    answer: str = ""
    note: str = ""
    until: datetime | None = None
    sent_at: datetime | None = None
    given_at: datetime | None = None
    ended_at: datetime | None = None
    end_wanted_at: datetime | None = None
    reason: str | None = None
    attempts: int = 0


@dataclass(frozen=True)
class Assignment:
    """As Microsoft shows it; without an `end` it lasts for ever. Not `delivered`: it is on its way into the group."""

    end: datetime | None
    delivered: bool = True


def why_not(request: AccessRequest, oid: str, now: datetime) -> str | None:
    """Why this member of staff may not approve it now, as a stable id."""
    if request.oid == oid:
        return "own"
    if request.state is State.FIRST and request.first_oid == oid:
        return "same"
    if request.state not in (State.ASKED, State.FIRST):
        return "decided"
    return "too_late" if now >= request.asked_at + ASKED_LASTS else None


def as_approved(found: Sequence[Assignment], until: datetime) -> bool | None:
    """Whether what Microsoft shows is what was approved; None where it shows nothing yet. A later end, or none, is never taken."""
    if not all(one.end is not None and one.end <= until + timedelta(minutes=1) for one in found):
        return False
    return True if found and all(one.delivered for one in found) else None
