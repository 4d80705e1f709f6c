"""`SqlAccessRows` implements `ports.AccessRows`: requests for temporary access, as they are, and which the worker is to look at."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from ..domain.access import AccessRequest
from ..domain.reach import EVERYBODY, Reach
from .engine import reading, writing
from .reach import seen_by
from .tables import DUE, access_requests

_CLAIMED_FOR = timedelta(minutes=2)  # longer than a pass takes; who vanishes meanwhile leaves it to the next
_SHOWN = [column for column in access_requests.c if column.name not in ("tenant_id", "next_try_at")]


class SqlAccessRows:
    def __init__(self, engine: sa.Engine, tenant_id: str, reach: Reach = EVERYBODY) -> None:
        self._engine, self._tenant_id, self._reach = engine, tenant_id, reach

    def one(self, request_id: str) -> AccessRequest | None:
        return self._first(self._select().where(access_requests.c.id == request_id))

    def newest(self, oid: str) -> AccessRequest | None:
        row = access_requests.c
        return self._first(self._select().where(row.oid == oid).order_by(row.asked_at.desc()).limit(1))

    def claim(self, now: datetime) -> Sequence[AccessRequest]:
        row = access_requests.c
        due = self._select().where(sa.text(DUE), row.next_try_at <= now).order_by(row.next_try_at).limit(20)
        with reading(self._engine) as connection:  # most beats find nothing, and should keep no writer waiting
            if connection.execute(due.limit(1)).first() is None:
                return []
        with writing(self._engine) as connection:
            found = [_request(one) for one in connection.execute(due.with_for_update(skip_locked=True)).mappings()]
            for one in found:
                this = row.tenant_id == self._tenant_id, row.id == one.id
                later = {"next_try_at": now + _CLAIMED_FOR, "attempts": one.attempts + 1}
                connection.execute(sa.update(access_requests).where(*this).values(**later))
        return found

    def park(self, request: AccessRequest, *, reason: str | None, next_try_at: datetime) -> None:
        row = access_requests.c
        this = row.tenant_id == self._tenant_id, row.id == request.id, row.version == request.version
        with writing(self._engine) as connection:
            connection.execute(sa.update(access_requests).where(*this).values(reason=reason, next_try_at=next_try_at))

    def _select(self) -> sa.Select[Any]:
        row = access_requests.c
        return sa.select(*_SHOWN).where(row.tenant_id == self._tenant_id, seen_by(self._reach, self._tenant_id, row.oid))

    def _first(self, statement: sa.Select[Any]) -> AccessRequest | None:
        with reading(self._engine) as connection:
            found = connection.execute(statement).mappings().first()
        return None if found is None else _request(found)


def _request(row: sa.RowMapping) -> AccessRequest:
    return AccessRequest(**row)
