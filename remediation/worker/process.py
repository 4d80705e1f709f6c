"""The worker from start to end: engine and pulses begin, a signal ends both, running work gets half a minute."""

import os
import signal
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import FrameType

import structlog

from .engine import Engine
from .pulse import Pulse

log = structlog.get_logger(__name__)

LOOKED_EVERY = 2.0  # seconds between two looks whether settings were typed, or a signal came just before the wait began
PULSES_END = 2.0  # seconds, beside the 25 of the engine


@dataclass(frozen=True)
class Worker:
    """`engine` is None while the tenant is being set up: there is nothing to link or push then."""

    engine: Engine | None
    pulses: Sequence[Pulse]

    def run(self, changed: Callable[[], bool] | None = None) -> bool:
        """Until SIGTERM or SIGINT, or until `changed`: then it ends in the same order and returns True, for another to begin. A
        second signal does not hurry it: whoever cannot wait sends SIGKILL, and nothing is lost."""
        ending = threading.Event()

        def end(_signal: int, _frame: FrameType | None) -> None:
            ending.set()

        signal.signal(signal.SIGTERM, end)
        signal.signal(signal.SIGINT, end)
        if self.engine is not None:
            self.engine.start()
        for pulse in self.pulses:
            pulse.start()
        log.info("worker ready", pid=os.getpid())
        anew = False
        # Never without an end: a signal between Python's last look and the wait's own beginning would wake nobody.
        while not ending.wait(LOOKED_EVERY):
            if changed is not None and changed():
                anew = True
                break
        log.info("worker is ending", anew=anew)
        for pulse in self.pulses:
            pulse.end()
        until = time.monotonic() + PULSES_END
        for pulse in self.pulses:  # all of them together: a mail server that does not answer must not eat the engine's half minute
            pulse.wait(max(0.0, until - time.monotonic()))
        if self.engine is not None:
            self.engine.stop()
        log.info("worker ended")
        left = [thread.name for thread in threading.enumerate() if thread is not threading.main_thread() and not thread.daemon]
        if left and not anew:  # a slow remote must not hold the process; what was cut off begins again at the next start
            os._exit(0)
        return anew
