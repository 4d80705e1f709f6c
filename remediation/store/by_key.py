"""Rows by their primary key, one statement run for each: for a list of pairs SQLite reads the whole table."""

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa


def delete_each(connection: sa.Connection, table: sa.Table, rows: Iterable[sa.RowMapping]) -> None:
    _each(connection, sa.delete(table), table, rows)


def update_each(connection: sa.Connection, table: sa.Table, rows: Iterable[sa.RowMapping], **values: Any) -> None:
    _each(connection, sa.update(table).values(**values), table, rows)


def _each(connection: sa.Connection, change: sa.Delete | sa.Update, table: sa.Table, rows: Iterable[sa.RowMapping]) -> None:
    keys = list(table.primary_key)
    found = [{f"its_{key.name}": row[key.name] for key in keys} for row in rows]
    if found:
        connection.execute(change.where(*(key == sa.bindparam(f"its_{key.name}") for key in keys)), found)
