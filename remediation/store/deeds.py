"""What callers of the API asked for under a key of their own, so that asking twice does it once (`ports.Deeds`)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from ..ports import Deed
from .engine import writing
from .tables import api_deeds


class SqlDeeds:
    tenant_id: str
    _engine: sa.Engine

    def begin_deed(self, caller: str, key: str, asked: str, *, at: datetime) -> Deed | None:
        """The insert decides, so that of two at once one begins it and the other finds it begun."""
        with writing(self._engine) as connection:
            insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
            row = {"tenant_id": self.tenant_id, "caller": caller, "key": key, "asked": asked, "at": at}
            if connection.execute(insert(api_deeds).values(**row).on_conflict_do_nothing()).rowcount == 1:
                return None
            found = connection.execute(sa.select(api_deeds).where(self._this(caller, key))).mappings().one()
        return Deed(found["asked"], found["at"], found["status"], found["answer"])

    def end_deed(self, caller: str, key: str, *, status: int, answer: Mapping[str, Any]) -> None:
        with writing(self._engine) as connection:
            done = sa.update(api_deeds).where(self._this(caller, key)).values(status=status, answer=dict(answer))
            connection.execute(done)

    def drop_deed(self, caller: str, key: str) -> None:
        with writing(self._engine) as connection:
            connection.execute(sa.delete(api_deeds).where(self._this(caller, key)))

    def _this(self, caller: str, key: str) -> sa.ColumnElement[bool]:
        of = api_deeds.c
        return sa.and_(of.tenant_id == self.tenant_id, of.caller == caller, of.key == key)
