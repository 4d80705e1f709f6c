"""What one check of the set-up found. Words are kept elsewhere: `check` and `why` are stable ids."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

DOCTOR = "doctor"
"""The look of the set-up under which all findings are kept for their page."""
BY_HAND = "by_hand"
"""The check of what no interface tells: it stays *unknown*, whoever looked."""


class State(StrEnum):
    GOOD = "good"
    BAD = "bad"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Finding:
    """`about` names the remote, connection or file where there are several; `detail` fills the words, and holds no secret."""

    check: str
    state: State
    why: str
    about: str = ""
    detail: Mapping[str, str] = field(default_factory=dict)


def worst(found: Iterable[Finding]) -> State:
    """One that is bad outweighs all that could not be looked at; what no run could ever know is told, and says nothing of the
    whole."""
    states = {finding.state for finding in found if finding.check != BY_HAND}
    return next((state for state in (State.BAD, State.UNKNOWN) if state in states), State.GOOD)
