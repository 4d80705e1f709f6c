"""What every method of a change stands on: the open transaction, its moment, refusing, compare-and-set, waking a row."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NoReturn

import sqlalchemy as sa

from ..errors import RemediationError, Stale
from ..ports import Wakeups

SAFETY_NET = timedelta(seconds=60)
"""When a woken row is looked for again by `wake_due`, should the worker that took it vanish."""


@dataclass
class OpenChange:
    """`broken` remembers the error that refused this change, so that a caller who swallows it cannot commit the rest."""

    connection: sa.Connection
    tenant_id: str
    wakeups: Wakeups
    at: datetime
    detail: dict[str, Any] = field(default_factory=dict)
    broken: RemediationError | None = None

    def refuse(self, error: RemediationError, cause: Exception | None = None) -> NoReturn:
        self.broken = error
        raise error from cause

    def mine(self, table: sa.Table, **keys: Any) -> sa.ColumnElement[bool]:
        """These rows, of this tenant only."""
        return sa.and_(table.c.tenant_id == self.tenant_id, *(table.c[k] == v for k, v in keys.items()))

    def set_one(self, statement: sa.Update, what: str) -> None:
        """The compare-and-set: one row changes, or newer news came first and the whole change is Stale."""
        if self.connection.execute(statement).rowcount != 1:
            self.refuse(Stale(f"{what}: no such row in this state"))

    def wake(self, workflow: str, row_id: str, wake_up: sa.Update) -> None:
        """Enqueue the wake-up that `wake_up` counts: an UPDATE with the columns of `waking`, returning count and lane."""
        woken = self.connection.execute(wake_up).one_or_none()
        if woken is None:
            self.refuse(Stale(f"{workflow}: no such row"))
        wake, lane = woken
        self.wakeups.enqueue(self.connection, workflow, row_id, wake, lane=lane)


def waking(table: sa.Table, at: datetime) -> dict[str, Any]:
    """The columns of a wake-up, for the same UPDATE that marks the row: an id ever used would be refused by the engine."""
    return {"wake": table.c.wake + 1, "next_look_at": at + SAFETY_NET}
