"""Our own SQLAlchemy engine on SQLite or PostgreSQL, and the two kinds of transaction: `reading` and `writing`.

DBOS makes an engine of its own on the same SQLite file (the worker's) or rides on this one to enqueue (`wakeups`).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa

_BUSY = 30_000  # milliseconds that a writer waits for the one before it


def make_engine(url: str, *, durable: bool = True) -> sa.Engine:
    """An engine for `sqlite:///path` or `postgresql://…`; other databases are refused.

    What a statement carried stands in no error, and so in no log: tokens' hashes, names, mail addresses.
    Without `durable` a commit does not wait for the disk: a crash of ours loses nothing, a power cut may lose the last second.
    """
    parsed = sa.make_url(url)
    if parsed.drivername == "postgresql":
        hurried = {} if durable else {"options": "-c synchronous_commit=off"}
        name = parsed.set(drivername="postgresql+psycopg")
        return sa.create_engine(name, pool_pre_ping=True, max_overflow=20, hide_parameters=True, connect_args=hurried)
    if parsed.drivername == "sqlite" and parsed.database:
        engine = sa.create_engine(parsed, max_overflow=20, hide_parameters=True)
        sa.event.listen(engine, "connect", _prepare_sqlite)
        if not durable:
            sa.event.listen(engine, "connect", lambda dbapi, _record: dbapi.execute("PRAGMA synchronous=NORMAL"))
        sa.event.listen(engine, "begin", _begin_sqlite)
        return engine
    raise ValueError("the database address must begin with sqlite:///path or postgresql://")


def _prepare_sqlite(dbapi: Any, _record: Any) -> None:
    # The driver's own transactions begin only at the first write: a read before it sees old rows and its update is lost silently
    # (measured: 400 increments by 4 threads ended at 100). So the driver begins nothing and `_begin_sqlite` does.
    dbapi.isolation_level = None
    for pragma in (f"busy_timeout={_BUSY}", "journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        dbapi.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: sa.Connection) -> None:
    reads = connection.get_execution_options().get("reads", False)
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")


@contextmanager
def writing(engine: sa.Engine) -> Iterator[sa.Connection]:
    """One write transaction, committed at the end or rolled back whole."""
    with engine.begin() as connection:
        yield connection


@contextmanager
def reading(engine: sa.Engine) -> Iterator[sa.Connection]:
    """One snapshot for several queries; on SQLite it waits for no writer."""
    options: dict[str, Any] = {"reads": True}
    if engine.dialect.name == "postgresql":
        options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    with engine.connect().execution_options(**options) as connection, connection.begin():
        yield connection
