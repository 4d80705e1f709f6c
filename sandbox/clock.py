"""A clock that may run ahead of the machine's, and faster: a world's, and that of whoever must agree with it in another process.

What it gains is counted on the machine's steady clock, which all processes share: when the machine's time of day is set
meanwhile, this one moves by as much, not by so many times as much.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from time import monotonic


@dataclass(frozen=True)
class Clock:
    """`ahead` of the machine's clock at `began` (in seconds of the steady clock), and since then `pace` times as fast."""

    ahead: timedelta = timedelta()
    pace: float = 1.0
    began: float = 0.0

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self._ahead_now()

    def _ahead_now(self) -> timedelta:
        return self.ahead + timedelta(seconds=monotonic() - self.began) * (self.pace - 1)

    def put_ahead(self, seconds: float) -> Clock:
        return replace(self, ahead=self.ahead + timedelta(seconds=seconds))

    def going(self, pace: float) -> Clock:
        """This one, from now on so many times as fast as the machine's."""
        return Clock(self._ahead_now(), pace, monotonic())

    def really_at(self, here: datetime) -> datetime:
        """The machine's time at which it shows this."""
        began = datetime.now(UTC) - timedelta(seconds=monotonic() - self.began)
        return began + (here - self.ahead - began) / self.pace
