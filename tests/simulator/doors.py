"""The store and the wake-ups as a simulated process sees them: a point before each transaction begins and after each commit.

A transaction itself is one step: the databases see to that, and `bench/race` shows that they do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from remediation.domain.budget import BUSY, Admitted, Outcome, Refused, Woken
from remediation.domain.push import Lane
from remediation.domain.watch import Watch
from remediation.ports import Actor, Change
from remediation.store.budgets import SqlBudgets
from remediation.store.store import SqlStore
from tests.simulator.turns import point

SKEW = timedelta(seconds=4)
"""How far clocks of two processes and the time of a call may set moments apart."""


@dataclass
class Queue:
    """`ports.Wakeups`: keeps what was enqueued, and forgets it where the transaction is rolled back, as the engine's own tables do.

    Ids ever used are refused, as the engine is told to."""

    committed: list[tuple[str, str, int, Lane]] = field(default_factory=list)
    _open: list[tuple[str, str, int, Lane]] = field(default_factory=list)
    _used: set[str] = field(default_factory=set)

    def enqueue(self, connection: Any, workflow: str, row_id: str, wake: int, *, lane: Lane) -> None:
        assert f"{row_id}:{wake}" not in self._used, "a wake-up's id was used twice"
        self._used.add(f"{row_id}:{wake}")
        self._open.append((workflow, row_id, wake, lane))

    def over(self, *, kept: bool) -> None:
        """The transaction that enqueued is over; only one is open at a time."""
        if kept:
            self.committed.extend(self._open)
        else:
            self._used.difference_update(f"{row_id}:{wake}" for _, row_id, wake, _ in self._open)
        self._open.clear()


@dataclass
class Manners:
    """Until when each remote asked not to be called, as far as anybody could write that down, and who was let through meanwhile."""

    closed: dict[str, datetime] = field(default_factory=dict)
    impolite: list[str] = field(default_factory=list)


class WatchedBudgets(SqlBudgets):
    def __init__(self, *args: Any, manners: Manners, **more: Any) -> None:
        super().__init__(*args, **more)
        self.manners = manners

    def enter(self, remote: str, lane: Lane, *, writes: bool) -> Admitted | Refused:
        answer = super().enter(remote, lane, writes=writes)
        until, now = self.manners.closed.get(remote), self._clock()
        if isinstance(answer, Admitted) and until is not None and now < until - SKEW:
            self.manners.impolite.append(f"{remote} was called at {now}, and wanted none until {until}")
        return answer

    def leave(self, remote: str, admitted: Admitted, outcome: Outcome) -> None:
        super().leave(remote, admitted, outcome)
        if outcome.trouble == BUSY and outcome.closes_for:
            until = self._clock() + timedelta(seconds=outcome.closes_for)
            self.manners.closed[remote] = max(until, self.manners.closed.get(remote, until))


class SteppedStore(SqlStore):
    def __init__(
        self, engine: sa.Engine, tenant_id: str, queue: Queue, tell: Callable[[str], None], decides: Callable[[str, datetime], None]
    ) -> None:
        super().__init__(engine, tenant_id, queue)
        self.queue, self.tell, self.decides = queue, tell, decides

    @contextmanager
    def change(self, actor: Actor, why: str, *, about: tuple[str, str], at: datetime) -> Iterator[Change]:
        with self._transaction(why, about[1]), super().change(actor, why, about=about, at=at) as change:
            yield change
            self.decides(about[1], at)

    @contextmanager
    def _transaction(self, what: str, about: str) -> Iterator[None]:
        point(f"before {what}")
        kept = False
        try:
            yield
            kept = True
        finally:
            self.queue.over(kept=kept)
            self.tell(f"  {what} {about}{'' if kept else ': nothing changed'}")
        point(f"after {what}")

    def _write(self, name: str, about: str, *args: Any, **more: Any) -> Any:
        with self._transaction(name, about):
            return getattr(super(), name)(*args, **more)

    def observe_person(self, *args: Any, **more: Any) -> None:
        self._write("observe_person", "", *args, **more)

    def observe_directory(self, *args: Any, **more: Any) -> None:
        self._write("observe_directory", "", *args, **more)

    def observe_directory_device(self, *args: Any, **more: Any) -> None:
        self._write("observe_directory_device", "", *args, **more)

    def observe_managed(self, *args: Any, **more: Any) -> None:
        self._write("observe_managed", "", *args, **more)

    def observe_managed_device(self, *args: Any, **more: Any) -> None:
        self._write("observe_managed_device", "", *args, **more)

    def observe_directory_missing(self, *args: Any, **more: Any) -> datetime:
        since: datetime = self._write("observe_directory_missing", "", *args, **more)
        return since

    def observe_managed_missing(self, *args: Any, **more: Any) -> datetime:
        since: datetime = self._write("observe_managed_missing", "", *args, **more)
        return since

    def save_watch(self, watch: Watch) -> bool:
        saved: bool = self._write("save_watch", watch.name, watch)
        return saved

    def note_page(self, watch: Watch, *args: Any, **more: Any) -> bool:
        noted: bool = self._write("note_page", watch.name, watch, *args, **more)
        return noted

    def note_look(self, journey_id: str, **more: Any) -> None:
        self._write("note_look", journey_id, journey_id, **more)

    def note_push(self, link_id: str, **more: Any) -> None:
        self._write("note_push", link_id, link_id, **more)

    def note_judged(self, link_id: str, **more: Any) -> None:
        self._write("note_judged", link_id, link_id, **more)

    def wake_due(self, now: datetime, **more: Any) -> Woken:
        woken: Woken = self._write("wake_due", "", now, **more)
        return woken
