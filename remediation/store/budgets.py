"""The budgets of all remotes: one row each, which every process asks before a call. Implements `ports.Budgets`.

Reading, deciding and writing are one short transaction, so that no two callers ever see the same token. What is decided stands in
`domain/budget.py`.
"""

import random
from collections.abc import Callable, Mapping
from dataclasses import asdict

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from ..domain.budget import REFUSED, Admitted, Budget, Limits, Outcome, Refused, Room, after, enter, room, woken
from ..domain.health import Heard
from ..domain.push import Lane
from ..ports import Clock
from .engine import reading, writing
from .remotes import CHANNEL, HeardRemotes
from .tables import budgets

COLUMNS = [c for c in budgets.c if not c.primary_key]
# Asked before every call there is: making them anew took longer than asking them.
THIS = budgets.c.tenant_id == sa.bindparam("of_tenant"), budgets.c.remote == sa.bindparam("of_remote")
_LOCK = sa.select(*COLUMNS).where(*THIS).with_for_update()
_STORE = sa.update(budgets).where(*THIS)


class SqlBudgets:
    """`limits` by a remote's name, else by its first word: `tokens` for `tokens:graph.microsoft.com`. The clock is read once
    the row is ours: whoever waited for it must not decide by the time at which the waiting began."""

    def __init__(
        self,
        engine: sa.Engine,
        tenant_id: str,
        *,
        clock: Clock,
        limits: Mapping[str, Limits],
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._engine = engine
        self._tenant_id = tenant_id
        self._clock = clock
        self._limits = limits
        self._chance = chance
        self._remotes = HeardRemotes(engine, tenant_id)

    def enter(self, remote: str, lane: Lane, *, writes: bool) -> Admitted | Refused:
        with writing(self._engine) as connection:
            budget = self._locked(connection, remote)
            answer = enter(budget, self._of(remote), self._clock(), lane, writes=writes)
            self._store(connection, remote, budget, answer.budget)
        return answer

    def leave(self, remote: str, admitted: Admitted, outcome: Outcome) -> None:
        if outcome == Outcome() and not admitted.failing:
            return
        with writing(self._engine) as connection:
            budget = self._locked(connection, remote)
            told = after(budget, outcome, self._clock(), self._chance(), probe=admitted.probe)
            self._store(connection, remote, budget, told)

    def heard(self, remote: str, heard: Heard) -> None:
        self._remotes.heard(remote, heard, self._of(remote).calls, self._clock())

    def room(self) -> Room:
        ours = sa.select(budgets.c.remote, *COLUMNS).where(budgets.c.tenant_id == self._tenant_id)
        with reading(self._engine) as connection:
            rows = {row.remote: Budget(*row[1:]) for row in connection.execute(ours)}
        return room(rows, self._of, self._clock())

    def woken(self, rows: int) -> None:
        if rows == 0:
            return
        with writing(self._engine) as connection:
            budget = self._locked(connection, CHANNEL)
            self._store(connection, CHANNEL, budget, woken(budget, self._of(CHANNEL), self._clock(), rows))

    def ask_refused_again(self) -> None:
        """Somebody looks who may have mended it: what refused our app is asked once, now, and not when its pause is over."""
        now = self._clock()
        paused = budgets.c.tenant_id == self._tenant_id, budgets.c.reason.startswith(REFUSED), budgets.c.closed_until > now
        with writing(self._engine) as connection:
            connection.execute(sa.update(budgets).where(*paused).values(closed_until=now))

    def _of(self, remote: str) -> Limits:
        return self._limits.get(remote) or self._limits[remote.partition(":")[0]]

    def _locked(self, connection: sa.Connection, remote: str) -> Budget:
        """The row, ours until the end of the transaction; made where it is the first call ever."""
        row = connection.execute(_LOCK, self._key(remote)).one_or_none()
        if row is None:
            insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
            first = insert(budgets).values(tenant_id=self._tenant_id, remote=remote, **asdict(Budget()))
            connection.execute(first.on_conflict_do_nothing())
            row = connection.execute(_LOCK, self._key(remote)).one()
        return Budget(*row)

    def _store(self, connection: sa.Connection, remote: str, before: Budget, now: Budget) -> None:
        if now != before:
            connection.execute(_STORE, {**self._key(remote), **vars(now)})

    def _key(self, remote: str) -> dict[str, str]:
        return {"of_tenant": self._tenant_id, "of_remote": remote}
