"""When a source of news gives no good answers: how long, and how loudly that has to be told. Pure.

A source, such as an MDM connection, is read by several watches (`mdm:ws1/poll`, `mdm:ws1/sweep`); it fails while any of them does.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from .watch import Watch

LEVELS = (1, 12, 24)  # hours after which an outage is told, once each
MDM = "mdm:"
LONGEST = timedelta(days=7)  # after our last good read of a device, however often somebody asks


@dataclass(frozen=True)
class Source:
    """`leader` is the watch that remembers what was told of the whole source."""

    name: str
    watches: tuple[Watch, ...]

    @property
    def leader(self) -> Watch:
        return self.watches[0]

    @property
    def connection(self) -> str | None:
        """The MDM connection, where it is one."""
        return self.name.removeprefix(MDM) if self.name.startswith(MDM) else None

    @property
    def failing_since(self) -> datetime | None:
        return min((watch.failing_since for watch in self.watches if watch.failing_since), default=None)

    @property
    def good_at(self) -> datetime | None:
        return max((watch.good_at for watch in self.watches if watch.good_at), default=None)

    @property
    def reason(self) -> str | None:
        return next((watch.reason for watch in self.watches if watch.failing_since and watch.reason), None)

    def level(self, now: datetime) -> int:
        """The greatest level that this outage has reached, 0 for none."""
        since = self.failing_since
        return 0 if since is None else max((hours for hours in LEVELS if now - since >= timedelta(hours=hours)), default=0)


def sources(watches: Iterable[Watch]) -> Sequence[Source]:
    by_source: dict[str, list[Watch]] = {}
    for watch in sorted(watches, key=lambda watch: watch.name):
        by_source.setdefault(watch.source, []).append(watch)
    return [Source(name, tuple(found)) for name, found in by_source.items()]
