"""Moves everything of ours from a SQLite file to an empty PostgreSQL: all of it, in one transaction there, or nothing.

The engine's own tables are not moved: rows hold their times, so that the first pulse on the other side finds what is pending (its
wake numbers go on, and its ids are new there). Killed at any moment before the end, the target holds no row; after it, all.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, cast

import psycopg
import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from . import migrations
from .columns import OutsideText, storable
from .engine import make_engine, writing
from .tables import audit, metadata

BATCH = 1000
MOVED = "database.moved"
Progress = Callable[[str, int, int], None]
"""Table, rows copied so far, rows in all."""


class CannotMove(Exception):
    """Nothing was moved; the text says why and what to do."""


def move(source_url: str, target_url: str, *, tenant_id: str, operator: str, at: datetime, progress: Progress) -> Mapping[str, int]:
    """Rows moved, by table. The file is put aside (`….moved`) afterwards, so that nobody goes on working on it by mistake."""
    source, target = sa.make_url(source_url), sa.make_url(target_url)
    if source.drivername != "sqlite" or not source.database or not Path(source.database).is_file():
        raise CannotMove("REMEDIATION_DATABASE_URL must name the SQLite file that is to be moved.")
    if target.drivername != "postgresql":
        raise CannotMove("The database to move to must be a PostgreSQL: postgresql://user@host/database")
    file = Path(source.database)
    with _held(file) as reading:
        _demand_newest(reading)
        migrations.migrate(target_url)
        engine = make_engine(target_url)
        try:
            with writing(engine) as connection:
                _demand_empty(connection)
                counts = {table.name: _copy(table, reading, connection, progress) for table in metadata.sorted_tables}
                _compare(counts, connection)
                _count_on(connection)
                told = {"actor_kind": "operator", "actor_id": operator, "about_kind": "database", "about_id": target.database or ""}
                detail = {"rows": counts, "file": file.name}
                connection.execute(sa.insert(audit).values(tenant_id=tenant_id, at=at, why=MOVED, detail=detail, **told))
        finally:
            engine.dispose()
    file.rename(put_aside(file))
    return counts


@contextmanager
def _held(file: Path) -> Iterator[sa.Connection]:
    """The file for us alone. Leaving WAL needs that nobody else has it open, be it idle; then nobody may begin either."""
    engine = sa.create_engine(f"sqlite:///{file}", poolclass=sa.StaticPool, connect_args={"timeout": 0.5})
    sa.event.listen(engine, "connect", lambda dbapi, _: setattr(dbapi, "isolation_level", None))
    try:
        with engine.connect() as connection:
            try:
                mode = connection.exec_driver_sql("PRAGMA journal_mode=DELETE").scalar_one()
                connection.exec_driver_sql("BEGIN EXCLUSIVE")
            except sa.exc.OperationalError:
                raise CannotMove(
                    f"{file} is in use. End `serve` and `work` (and whatever else has it open) first, then run this again."
                ) from None
            if mode != "delete":
                raise CannotMove(f"{file} cannot be held: its journal stays {mode}.")
            yield connection
            connection.exec_driver_sql("ROLLBACK")
    finally:
        engine.dispose()


def _demand_newest(source: sa.Connection) -> None:
    newest = ScriptDirectory(str(Path(migrations.__file__).parent)).get_current_head()
    if MigrationContext.configure(source).get_current_revision() != newest:
        raise CannotMove("The SQLite file is not of this version. Run first, without --to: remediation migrate")


def _demand_empty(target: sa.Connection) -> None:
    """Nobody may write there meanwhile. The engine's wake-ups count too: an id that was ever used is refused."""
    names = ", ".join(target.dialect.identifier_preparer.format_table(table) for table in metadata.sorted_tables)
    target.exec_driver_sql(f"LOCK TABLE {names} IN EXCLUSIVE MODE")
    moved = target.execute(sa.select(audit.c.at).where(audit.c.why == MOVED).order_by(audit.c.id.desc()).limit(1)).scalar()
    if moved is not None:
        raise CannotMove(
            f"The target holds a database that was moved there at {moved:%Y-%m-%d %H:%M} UTC, whole. If that was this one, nothing "
            "is left to do but to set REMEDIATION_DATABASE_URL. Else make an empty database for this move."
        )
    engines = sa.table("workflow_status", schema="dbos")
    found = {table.name: _count(target, table) for table in (*metadata.sorted_tables, engines)}
    if any(found.values()):
        held = ", ".join(f"{name} {count:,}" for name, count in found.items() if count)
        raise CannotMove(f"The target holds data ({held}). Make an empty database for this move; nothing was changed there.")


def _copy(table: sa.Table, source: sa.Connection, target: sa.Connection, progress: Progress) -> int:
    """By PostgreSQL's COPY, which is several times as fast as INSERT. Words stay text on the way, so that a row which this version
    cannot read is moved like any other.

    https://www.psycopg.org/psycopg3/docs/basic/copy.html
    """
    columns = [sa.type_coerce(column, _plain(column.type)) for column in table.columns]
    writes = [_on_the_wire(column.type) for column in table.columns]
    quoted = target.dialect.identifier_preparer
    names = ", ".join(quoted.quote(column.name) for column in table.columns)
    total, done = _count(source, table), 0
    cursor = cast("psycopg.Connection", target.connection.driver_connection).cursor()
    rows = source.execution_options(yield_per=BATCH).execute(sa.select(*columns).select_from(table))
    with cursor, cursor.copy(f"COPY {quoted.format_table(table)} ({names}) FROM STDIN".encode()) as copy:
        for some in rows.partitions():
            for row in some:
                copy.write_row([write(value) for write, value in zip(writes, row, strict=True)])
            done += len(some)
            progress(table.name, done, total)
    return total


def _plain(kind: sa.types.TypeEngine[Any]) -> sa.types.TypeEngine[Any]:
    return sa.Text() if isinstance(kind, sa.Text | sa.String | sa.Enum | OutsideText) else kind


def _on_the_wire(kind: sa.types.TypeEngine[Any]) -> Callable[[Any], Any]:
    """What psycopg does not write by itself: JSON, and text as no database but SQLite would take it."""
    if isinstance(kind, sa.JSON):
        return lambda value: None if value is None and kind.none_as_null else json.dumps(value)
    if isinstance(_plain(kind), sa.Text):
        return lambda value: None if value is None else storable(value)
    return lambda value: value


def _count(connection: sa.Connection, table: Any) -> int:
    return int(connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one())


def _compare(counts: Mapping[str, int], target: sa.Connection) -> None:
    for table in metadata.sorted_tables:
        arrived = _count(target, table)
        if arrived != counts[table.name]:
            raise CannotMove(f"{table.name}: {arrived:,} of {counts[table.name]:,} rows arrived. Nothing was moved.")


def _count_on(target: sa.Connection) -> None:
    """Rows brought their numbers along, of which the sequences know nothing."""
    for table in metadata.sorted_tables:
        column = table.autoincrement_column
        if column is not None:
            last = sa.select(sa.func.max(column)).scalar_subquery()
            sequence = sa.func.pg_get_serial_sequence(table.name, column.name)
            target.execute(sa.select(sa.func.setval(sequence, last)).where(sa.exists(sa.select(column))))


def put_aside(file: Path) -> Path:
    """Its name afterwards; an earlier one is never overwritten."""
    names = (file.with_name(file.name + ".moved" + (f"-{n}" if n else "")) for n in range(1000))
    return next(name for name in names if not name.exists())
