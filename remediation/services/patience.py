"""Calls of somebody at a terminal: where it is only our own limit that keeps one, they have the time to wait for it."""

from collections.abc import Callable
from typing import TypeVar

from ..errors import Busy

MOST_WAITS, A_MOMENT, LONGEST_WAIT = 60, 1.0, 5.0  # times, seconds, seconds
T = TypeVar("T")


class Patient:
    """Makes each call, and waits where it is only our own limit that keeps it: the workers share it. `waiting` is told once for
    each wait that has begun."""

    def __init__(self, sleep: Callable[[float], None], waiting: Callable[[], None] = lambda: None) -> None:
        self._sleep, self._waiting = sleep, waiting

    def __call__(self, call: Callable[[], T]) -> T:
        for waited in range(MOST_WAITS):
            try:
                return call()
            except Busy as busy:
                if not busy.ours:
                    raise
                if waited == 0:
                    self._waiting()
                self._sleep(min(busy.retry_after or A_MOMENT, LONGEST_WAIT))
        return call()
