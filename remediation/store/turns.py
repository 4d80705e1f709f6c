"""Turns taken, one row a key: reading, deciding and writing are one transaction, so that no two callers get the same turn."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from ..domain.turns import Turns
from .tables import turns as table


def take_turn(connection: sa.Connection, tenant_id: str, key: str, turns: Turns, at: datetime) -> datetime | None:
    return take_and_count(connection, tenant_id, key, turns, at)[0]


def take_and_count(connection: sa.Connection, tenant_id: str, key: str, turns: Turns, at: datetime) -> tuple[datetime | None, int]:
    """Also how many are left at once."""
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    this = sa.and_(table.c.tenant_id == tenant_id, table.c.key == key)
    connection.execute(insert(table).values(tenant_id=tenant_id, key=key, full_at=at).on_conflict_do_nothing())
    row = connection.execute(sa.select(table.c.full_at).where(this).with_for_update()).scalar_one()
    full_at, again_at = turns.take(row, at)
    if full_at is not None:
        connection.execute(sa.update(table).where(this).values(full_at=full_at))
    return again_at, turns.left(full_at or row, at)
