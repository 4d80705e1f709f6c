"""`SqlLock` implements `ports.LockRows`; `LockChanges` is the part of a change about the second lock. Next door: `store`."""

from collections.abc import Sequence
from dataclasses import asdict, fields
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from ..domain.second_lock import SecondLock, SeenBlocked
from .engine import reading, writing
from .open_change import OpenChange
from .tables import second_lock, seen_blocked
from .upsert import insert_or_update


class SqlLock:
    tenant_id: str
    _engine: sa.Engine

    def second_lock(self) -> SecondLock | None:
        columns = [second_lock.c[field.name] for field in fields(SecondLock)]
        with reading(self._engine) as connection:
            mine = second_lock.c.tenant_id == self.tenant_id
            row = connection.execute(sa.select(*columns).where(mine)).mappings().one_or_none()
        return None if row is None else SecondLock(**row)

    def keep_second_lock(self, attribute: int, value: str, *, at: datetime) -> SecondLock:
        with writing(self._engine) as connection:
            insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
            made = {"tenant_id": self.tenant_id, "attribute": attribute, "value": value, "made_at": at}
            connection.execute(insert(second_lock).values(made).on_conflict_do_nothing())
        found = self.second_lock()
        if found is None:
            raise LookupError("second_lock")
        return found

    def seen_blocked(self) -> Sequence[SeenBlocked]:
        columns = [seen_blocked.c[field.name] for field in fields(SeenBlocked)]
        with reading(self._engine) as connection:
            mine = seen_blocked.c.tenant_id == self.tenant_id
            found = connection.execute(sa.select(*columns).where(mine).order_by(seen_blocked.c.kind)).mappings().all()
        return [SeenBlocked(**row) for row in found]


class LockChanges(OpenChange):
    def lock_prepared(self) -> None:
        self.set_one(sa.update(second_lock).where(self.mine(second_lock)).values(prepared_at=self.at), "lock_prepared")

    def lock_leaves(self) -> None:
        self.set_one(sa.update(second_lock).where(self.mine(second_lock)).values(prepared_at=None), "lock_leaves")

    def lock_given_up(self) -> None:
        self.connection.execute(sa.delete(seen_blocked).where(self.mine(seen_blocked)))
        self.connection.execute(sa.delete(second_lock).where(self.mine(second_lock)))

    def saw_blocked(self, seen: SeenBlocked) -> None:
        insert_or_update(self.connection, seen_blocked, {"tenant_id": self.tenant_id, **asdict(seen)})
