"""How many calls a service takes, counted: a token bucket for each limit, and who came though told to stay away.

Off until `Limits.add`; `published` has those that Microsoft tells of. Next door: `faults.Gate` asks here at every call and tells of
each 429; the ledger keeps what was found, as `Entry.inside`.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

WRITES = ("POST", "PUT", "PATCH", "DELETE")


@dataclass
class Limit:
    """`calls` at once, and as many again over each `seconds` of the world's clock; `methods` says which calls it covers."""

    service: str
    calls: float
    seconds: float
    methods: tuple[str, ...] | None = None
    tokens: float = field(default=0, init=False)
    filled_at: datetime | None = field(default=None, init=False)

    @property
    def rate(self) -> float:
        return self.calls / self.seconds

    def covers(self, service: str, method: str) -> bool:
        return service == self.service and (self.methods is None or method in self.methods)

    def take(self, now: datetime) -> int | None:
        """None for a call that is let in, else the whole seconds after which one would be."""
        since = 0.0 if self.filled_at is None else (now - self.filled_at).total_seconds()
        self.tokens = self.calls if self.filled_at is None else min(self.calls, self.tokens + max(0.0, since) * self.rate)
        self.filled_at = now
        if self.tokens >= 1:
            self.tokens -= 1
            return None
        return max(1, math.ceil((1 - self.tokens) / self.rate))


def published() -> tuple[Limit, ...]:
    """For one app in one tenant (microsoft-graph-docs-contrib concepts/throttling-limits.md and
    includes/throttling-intune-partner-integration.md). That Intune's 100 writes in 20 s are meant for the partner's device messages
    is not public. Every call costs one unit here; those to Graph that cost more, this product makes for people only."""
    return (Limit("intune", 100, 20, WRITES), Limit("graph", 3500, 10))


@dataclass(frozen=True)
class Closed:
    """From a 429 with a Retry-After until that is over, for calls of these methods (None: of all)."""

    methods: tuple[str, ...] | None
    since: datetime
    until: datetime


@dataclass
class Limits:
    now: Callable[[], datetime]
    active: list[Limit] = field(default_factory=list)
    _closed: dict[str, list[Closed]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, *limits: Limit) -> None:
        with self._lock:
            self.active.extend(limits)

    def clear(self) -> None:
        with self._lock:
            self.active.clear()
            self._closed.clear()

    def inside(self, service: str, method: str) -> float | None:
        """Seconds since a 429 left whose Retry-After is not over: the caller may not have seen it yet where these are few."""
        if service not in self._closed:
            return None
        with self._lock:
            now = self.now()
            standing = [window for window in self._closed[service] if window.until > now]
            self._closed[service] = standing
            told = [(now - w.since).total_seconds() for w in standing if w.methods is None or method in w.methods]
        return max(told, default=None)

    def refuse(self, service: str, method: str) -> int | None:
        """The Retry-After of a call that is over a limit, or that came while the service is closed; None where it is let in."""
        if not self.active:
            return None
        with self._lock:
            now = self.now()
            for limit in self.active:
                if not limit.covers(service, method):
                    continue
                closed = [w.until for w in self._closed.get(service, ()) if w.methods == limit.methods and w.until > now]
                if closed:
                    return max(1, math.ceil((max(closed) - now).total_seconds()))
                if (wait := limit.take(now)) is not None:
                    return wait
        return None

    def told(self, service: str, method: str, retry_after: float) -> None:
        """A 429 leaves now. The limit that covers the call is closed, else, under a fault, the whole service."""
        with self._lock:
            now = self.now()
            over = next((limit.methods for limit in self.active if limit.covers(service, method)), None)
            until = now + timedelta(seconds=retry_after)
            windows = self._closed.setdefault(service, [])
            if not any(w.methods == over and w.until >= until for w in windows):
                windows.append(Closed(over, now, until))
