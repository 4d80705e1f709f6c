"""`SqlFeed`: the audit as whoever keeps a copy of it elsewhere reads it, in the order of its seals.

An audit row's id is given before its commit, so that a reader who goes by ids passes over rows that become visible late. Seals are
made afterwards, by one worker at a time and counted without a gap (`seals`): whoever read up to one of them has read everything
before it, and what commits late gets a later one.
"""

from typing import Any

import sqlalchemy as sa

from ..ports import FeedPage, FeedRow
from .engine import reading
from .tables import audit, audit_seals


class SqlFeed:
    _engine: sa.Engine
    _tenant_id: str

    def audit_after(self, seq: int | None, *, limit: int) -> FeedPage:
        seal = audit_seals.c
        mine = seal.tenant_id == self._tenant_id
        of_row = sa.and_(audit.c.tenant_id == seal.tenant_id, audit.c.id == seal.audit_id)
        with reading(self._engine) as connection:
            first = connection.execute(sa.select(sa.func.min(seal.seq)).where(mine)).scalar_one()
            begins = first - 1 if first is not None else 0
            after = begins if seq is None else seq
            columns = (seal.seq, seal.digest, seal.sealed_at, *(c for c in audit.c if c.name not in ("id", "tenant_id")))
            found = sa.select(*columns, audit.c.id.label("of")).join_from(audit_seals, audit, of_row, isouter=True)
            found = found.where(mine, seal.seq > after).order_by(seal.seq).limit(limit + 1)
            rows = connection.execute(found).mappings().all()
        gap = seq is not None and first is not None and seq < begins
        page = [_row(row) for row in rows[:limit]]
        return FeedPage(page, page[-1].seq if page else after, more=len(rows) > limit, gap=gap)


def _row(row: sa.RowMapping) -> FeedRow:
    told: dict[str, Any] = {name: row[name] for name in ("seq", "digest", "sealed_at")}
    if row["of"] is None:
        return FeedRow(**told)
    about, actor = (row["about_kind"], row["about_id"]), (row["actor_kind"], row["actor_id"])
    return FeedRow(**told, at=row["at"], what=row["why"], actor=actor, about=about, detail=row["detail"])
