"""Brings a database up to date: our tables by Alembic, then the engine's own. Run before web and worker start."""

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from dbos import run_dbos_database_migrations

from ..engine import make_engine, writing
from ..pickle_door import close_pickle_door

close_pickle_door()

_ONE_AT_A_TIME = 7_046_029_254  # PostgreSQL's advisory lock; on SQLite the write transaction itself is the lock


def migrate(url: str) -> None:
    """Safe to run again and from several processes at once; without the engine's tables the first wake-up would fail."""
    engine = make_engine(url)
    try:
        with writing(engine) as connection:
            if engine.dialect.name == "postgresql":
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_ONE_AT_A_TIME)))
            config = Config()
            config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    finally:
        engine.dispose()
    run_dbos_database_migrations(url)


def ours(_object: object, _name: str | None, kind: str, reflected: bool, compare_to: object | None) -> bool:
    """Keeps the engine's tables, which share the database, out of every comparison."""
    return not (kind == "table" and reflected and compare_to is None)
