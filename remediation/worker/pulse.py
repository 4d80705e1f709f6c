"""Something small, again and again, in a thread of its own: waking rows whose time has come, forgetting old wake-ups.

Rows hold their times (docs/decisions/0002), so a beat that is missed, doubled or cut off by a crash changes nothing: the next one
finds the same rows due. `wiring` says what beats how often.
"""

import threading
from collections.abc import Callable

import structlog

log = structlog.get_logger(__name__)


class Pulse:
    """`every` in seconds; the first beat comes after that long."""

    def __init__(self, name: str, beat: Callable[[], object], *, every: float) -> None:
        self._name, self._beat, self._every = name, beat, every
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._go_on, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def end(self) -> None:
        """No further beat begins."""
        self._stopping.set()

    def wait(self, seconds: float) -> None:
        """For the beat that is under way; one that takes longer is left behind, which loses nothing."""
        self._thread.join(timeout=seconds)

    def _go_on(self) -> None:
        failing = False
        while not self._stopping.wait(self._every):
            try:
                self._beat()
                failing = False
            except Exception:  # a database that is away for a while must not end the pulse; said once, not twice a second
                if not failing:
                    log.exception("pulse failed; it goes on", pulse=self._name)
                failing = True
