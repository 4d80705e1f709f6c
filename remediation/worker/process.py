"""The worker from start to end: engine and pulses begin, a signal ends both, running work gets half a minute."""

import os
import signal
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from types import FrameType

import structlog

from .engine import Engine
from .pulse import Pulse

log = structlog.get_logger(__name__)

PULSES_END = 2.0  # seconds, beside the 25 of the engine


@dataclass(frozen=True)
class Worker:
    engine: Engine
    pulses: Sequence[Pulse]

    def run(self) -> None:
        """Until SIGTERM or SIGINT. A second signal does not hurry it: whoever cannot wait sends SIGKILL, and nothing is lost."""
        ending = threading.Event()

        def end(_signal: int, _frame: FrameType | None) -> None:
            ending.set()

        signal.signal(signal.SIGTERM, end)
        signal.signal(signal.SIGINT, end)
        self.engine.start()
        for pulse in self.pulses:
            pulse.start()
        log.info("worker ready", pid=os.getpid())
        ending.wait()
        log.info("worker is ending")
        for pulse in self.pulses:
            pulse.end()
        until = time.monotonic() + PULSES_END
        for pulse in self.pulses:  # all of them together: a mail server that does not answer must not eat the engine's half minute
            pulse.wait(max(0.0, until - time.monotonic()))
        self.engine.stop()
        log.info("worker ended")
        left = [thread.name for thread in threading.enumerate() if thread is not threading.main_thread() and not thread.daemon]
        if left:  # a slow remote must not hold the process; what was cut off begins again at the next start
            os._exit(0)
