"""What figures are counted from. Next door: `desk` (the helpdesk reads them), `operating` (those for a monitoring system)."""

from datetime import datetime
from typing import Protocol

from ..domain.told import Period, Told


class FigureEvents(Protocol):
    def told(self, period: Period, now: datetime, *, most: int | None) -> Told:
        """What there is of this period. Of more than `most` audit rows none is given, and `too_many` says so; None knows no end."""

    def connection_names(self) -> list[str]:
        """The names of the MDM connections that lists are read of."""


class Meter(Protocol):
    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """One answer of the pages; `route` is the route's own pattern."""
