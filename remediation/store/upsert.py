"""Insert or overwrite one row, on both databases, where an older read never overwrites a newer one."""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite


def upsert(connection: sa.Connection, table: sa.Table, values: Mapping[str, Any], *, kept: tuple[str, ...] = ()) -> None:
    """`values` hold `read_at`, by which the newest wins; columns in `kept` are only overwritten by something, never by None."""
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    statement = insert(table).values(**values)
    new, keys = statement.excluded, [c.name for c in table.primary_key]
    changes = {c: sa.func.coalesce(new[c], table.c[c]) if c in kept else new[c] for c in values if c not in keys}
    connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=changes, where=table.c.read_at <= new.read_at))
