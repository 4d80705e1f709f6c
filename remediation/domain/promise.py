"""How long a person is told that the wait takes: by our own measurements, where there are enough of them, else as documented.

Next door: `push` (what is waited for), `work` (by what the helpdesk's list is promised).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from math import ceil

from .push import USUAL, WORST
from .work import ENOUGH

MINUTE = timedelta(minutes=1)
SHORTEST_WORST = timedelta(minutes=5)
"""A tenant where all goes in seconds is no reason to call the second minute *late*."""


@dataclass(frozen=True)
class Promise:
    """Half were done within `usual`, nineteen of twenty within `worst`. `measured` waits speak for it, 0 where it is documented."""

    usual: timedelta = USUAL
    worst: timedelta = WORST
    measured: int = 0


DOCUMENTED = Promise()


def promised(waits: Sequence[timedelta]) -> Promise:
    """Of finished waits of one platform, by one channel. Up to the whole minute, since nobody counts seconds there."""
    if len(waits) < ENOUGH:
        return DOCUMENTED
    ordered = sorted(waits)
    usual, worst = (_minutes(ordered[ceil(len(ordered) * share) - 1]) for share in (0.5, 0.95))
    return Promise(usual, max(worst, usual, SHORTEST_WORST), len(ordered))


def _minutes(wait: timedelta) -> timedelta:
    return max(MINUTE, -(-wait // MINUTE) * MINUTE)
