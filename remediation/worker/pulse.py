"""Twice a second: wake every row whose time has come. A plain thread, since the rows hold the times (docs/decisions/0002).

A beat that is missed, doubled or cut off by a crash changes nothing: the next one finds the same rows due.
"""

import threading
from datetime import datetime
from typing import Protocol

import structlog

from ..ports import Clock

log = structlog.get_logger(__name__)

EVERY = 0.5  # seconds; the shortest wait that a row asks for is 2


class Due(Protocol):
    """The one thing of `ports.Store` that is needed here."""

    def wake_due(self, now: datetime) -> int: ...


class Pulse:
    def __init__(self, store: Due, clock: Clock, *, every: float = EVERY) -> None:
        self._store, self._clock, self._every = store, clock, every
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="pulse")

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join(timeout=5)

    def _beat(self) -> None:
        failing = False
        while not self._stopping.wait(self._every):
            try:
                self._store.wake_due(self._clock())
                failing = False
            except Exception as error:  # a database that is away for a while must not end the pulse; said once, not twice a second
                if not failing:
                    log.exception("pulse failed; going on", error=type(error).__name__)
                failing = True
