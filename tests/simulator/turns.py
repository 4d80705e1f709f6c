"""Logical threads of which only one moves at a time, so that a seed alone decides who overtakes whom and who dies where.

A task runs until its next `point`: just before or just after a call to a remote, or a transaction. There it stands until the
scheduler moves it on, for seconds or for days, or kills it. Nothing else can happen between two points that a remote or another
process could tell apart. Next door: `wire` and `doors` hold the points, `run` is the scheduler.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from greenlet import getcurrent, greenlet


class Killed(BaseException):
    """What SIGKILL is to a process; nothing of ours catches it."""


@dataclass
class Task:
    """One pass of a worker, or one press of a button. `asleep_until` is a zombie's: frozen past its turn."""

    name: str
    process: int
    run: Callable[[], object]
    at: str = "the beginning"
    asleep_until: datetime | None = None
    ended: bool = False
    killed: bool = False
    bug: BaseException | None = None
    serial: int = 0
    _thread: Any = field(default=None, repr=False)

    def move(self) -> None:
        """On to the next point, or to the end."""
        if self._thread is None:
            self._thread = greenlet(self.body)
            self._thread.task = self
        self._thread.switch()

    def kill(self) -> None:
        self.killed = True
        if self._thread is not None and not self._thread.dead:
            self._thread.throw(Killed)
        self.ended = True

    def body(self) -> None:
        try:
            self.run()
        except Killed:
            pass
        except Exception as bug:  # judged by `laws`: some are how a press is refused
            self.bug = bug
        self.ended = True


def current() -> Task | None:
    """The task that moves now; None outside of all."""
    task: Task | None = getattr(getcurrent(), "task", None)
    return task


def point(at: str) -> None:
    """Stand here until moved on. Outside of all tasks it is no place to stand."""
    task = current()
    if task is not None:
        task.at = at
        getcurrent().parent.switch()
