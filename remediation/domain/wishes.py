"""What an administrator wants to know of a remote while the tenant is set up: asked on a page, answered by the worker.

A wish is answered once and then kept for a while; what it says is what was seen at `done_at`, never what is true now.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

WISHES = "set_up/wishes"  # the row of `watches` that answers them
GIVES_UP_AFTER = timedelta(minutes=15)
"""A remote that is away is asked again until then."""


class Kind(StrEnum):
    GROUPS = "groups"
    COUNT = "count"
    PARTNER = "partner"
    PROVISION = "provision"
    POLICY = "policy"
    PILOT = "pilot"
    ACCOUNT = "account"
    PARTNER_SAID = "partner_said"
    POLICY_SAID = "policy_said"
    PILOT_SAID = "pilot_said"


SAID = frozenset({Kind.PARTNER_SAID, Kind.POLICY_SAID, Kind.PILOT_SAID})
"""What somebody says who looked for themselves, since nothing can be read here, or goes on without; it is its own answer."""
BRIEF = frozenset({Kind.GROUPS, Kind.COUNT, Kind.PILOT, Kind.ACCOUNT})
"""Of these nothing is shown any more once they are old; they are pruned as journeys are."""


@dataclass(frozen=True)
class Wish:
    """`asked` and `answer` are plain JSON, whose shape belongs to the kind (`services/answer_wishes.py`). `failed` is why there is
    no answer: the stable id of a remote's trouble."""

    id: str
    kind: Kind
    asked: Mapping[str, Any]
    asked_by: str
    asked_at: datetime
    done_at: datetime | None = None
    answer: Mapping[str, Any] = field(default_factory=dict)
    failed: str | None = None
    code: str | None = None
