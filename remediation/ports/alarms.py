"""What whoever runs the product is told, and how. Next door: `operating` (what they ask), `services/alarms.py` (the decisions)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from ..domain.watch import Watch

AT_ONCE = -1


@dataclass(frozen=True)
class Alarm:
    """Something that whoever runs the product has to be told once. `level` is in hours, 0 where it is over again, `AT_ONCE` where
    it is no matter of hours. `id` stays the same when it is told again after a crash."""

    id: str
    source: str
    level: int
    at: datetime
    subject: str
    text: str

    @property
    def hours(self) -> int | None:
        return None if self.level == AT_ONCE else self.level


class AlarmSink(Protocol):
    """One way of telling. Raises the errors of a remote where it could not."""

    name: str

    def tell(self, alarm: Alarm) -> None: ...


@dataclass(frozen=True)
class AlarmDue:
    sink: str
    alarm: Alarm
    attempts: int


class AlarmRows(Protocol):
    """Alarms are written with the decision to tell them and told afterwards: a failing sink and a crash lose none."""

    def watches(self) -> Sequence[Watch]: ...

    def watch_channel(self, now: datetime) -> None:
        """Keep the watch `channel/send`, which nobody reads: by what the pushes that are under way ran into."""

    def raise_alarm(self, leader: str, *, told: int, alarm: Alarm, sinks: Sequence[str]) -> bool:
        """Compare-and-set on what was told of this source so far: of several workers one is True."""

    def claim(self, now: datetime, sinks: Sequence[str]) -> Sequence[AlarmDue]:
        """What is to be told now; nobody else gets it for some minutes. What was raised where nobody knows the ways of telling
        (`Change.raise_alarm`) is given to each of these first."""

    def told(self, due: AlarmDue, *, at: datetime) -> None: ...

    def not_told(self, due: AlarmDue, *, reason: str, next_try_at: datetime) -> None: ...
