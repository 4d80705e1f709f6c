"""Whether messages of an MDM connection arrive on its devices: asked with one test message, answered by a tap behind its link.

Until the first tap was seen, `possession` and what rests on it are off for the connection (`journey.Journey.unproven`).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

LASTS = timedelta(minutes=10)  # as long as a link of a journey


@dataclass(frozen=True)
class MessageTest:
    """What is known of one connection: its newest test, and since when messages of it are proven to arrive.

    `asked_by` is the operator's name at their machine; `seen_at` is the tap of the newest test, `proven_at` that of any.
    """

    connection: str
    asked_by: str
    asked_at: datetime
    expires_at: datetime
    sent_at: datetime | None = None
    seen_at: datetime | None = None
    proven_at: datetime | None = None

    def state(self, now: datetime) -> str:
        """`seen`, `too_late` or `open`: what the page behind the link shows."""
        if self.seen_at is not None:
            return "seen"
        return "open" if now < self.expires_at else "too_late"
