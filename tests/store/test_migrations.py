"""The revisions make exactly the tables that the code speaks of, beside the engine's own, and can be run again."""

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from remediation.store import DbosWakeups, SqlStore, make_engine, migrate, migrations
from remediation.store.engine import reading, writing
from remediation.store.migrations import ours
from remediation.store.tables import UNIQUE_LINKS, metadata
from tests.people import MIA, NOON
from tests.store.scenes import FINE, TENANT, Scene, all_at_once


def differences(engine: sa.Engine) -> object:
    with reading(engine) as connection:
        context = MigrationContext.configure(connection, opts={"include_object": ours, "compare_type": True})
        return compare_metadata(context, metadata)


def test_nothing_differs_between_revisions_and_tables(engine: sa.Engine) -> None:
    assert differences(engine) == []
    reflected = {index["name"]: index for index in sa.inspect(engine).get_indexes("device_links")}
    for index in UNIQUE_LINKS:
        where = reflected[str(index.name)]["dialect_options"][f"{engine.dialect.name}_where"]
        assert "state" in str(where)


def test_migrating_again_from_several_processes_is_safe(url: str) -> None:
    assert all_at_once([lambda: migrate(url)] * 4) == {"done": 4}


def test_a_database_in_use_goes_from_the_first_revision_to_the_last(empty_url: str) -> None:
    """The rows are those that the version of revision 0001 wrote."""
    engine = make_engine(empty_url, durable=False)
    with writing(engine) as connection:
        config = Config()
        config.set_main_option("script_location", str(Path(migrations.__file__).parent))
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        moments = {"noon": NOON.replace(tzinfo=None) if engine.dialect.name == "sqlite" else NOON}
        for statement in (PERSON, JOURNEY):
            connection.execute(statement.bindparams(**moments))
    migrate(empty_url)
    assert differences(engine) == []
    scene = Scene(engine, SqlStore(engine, TENANT, DbosWakeups(engine)))
    journey = scene.journey()
    assert (journey.person.oid, journey.case_code, journey.started_at) == ("mia", "K7M-2QX", NOON)
    assert (journey.standing, journey.picked, journey.still_blocked_count, journey.look.owner_problem) == (None, None, 0, None)
    with scene.change() as change:
        change.still_blocked("j1")
    scene.store.observe_person(MIA, FINE, at=NOON)
    assert (scene.journey().still_blocked_count, scene.journey().standing) == (1, FINE)
    engine.dispose()


Columns = dict[str, tuple[str, bool, bool]]


def shape(connection: sa.Connection) -> tuple[dict[str, Columns], dict[str, set[str]]]:
    """By table: its columns (type, whether None is taken, whether it may be left out), and what else it demands of a row."""
    inspector = sa.inspect(connection)
    tables, demands = {}, {}
    for table in inspector.get_table_names():
        columns = inspector.get_columns(table)
        tables[table] = {c["name"]: (str(c["type"]), c["nullable"], c["nullable"] or c["default"] is not None) for c in columns}
        unique = {index["name"] for index in inspector.get_indexes(table) if index["unique"]}
        constraints = [
            *inspector.get_unique_constraints(table),
            *inspector.get_foreign_keys(table),
            *inspector.get_check_constraints(table),
        ]
        demands[table] = {str(name) for name in (*unique, *(constraint["name"] for constraint in constraints))}
    return tables, demands


def test_revisions_only_add(empty_url: str) -> None:
    """The version before this one goes on working while a deploy is under way: its tables and columns stay as they were, its
    INSERTs name no new column, and nothing new is demanded of its rows. What has to go, goes two versions later."""
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    revisions = [revision.revision for revision in ScriptDirectory.from_config(config).walk_revisions()][::-1]
    engine = make_engine(empty_url, durable=False)
    tables: dict[str, Columns] = {}
    demands: dict[str, set[str]] = {}
    for revision in revisions:
        with writing(engine) as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, revision)
            now, now_demands = shape(connection)
        for table, columns in tables.items():
            assert table in now, f"{revision} takes {table} away"
            assert now_demands[table] <= demands[table], f"{revision} demands more of {table}"
            assert columns.items() <= now[table].items(), f"{revision} changes columns of {table}"
            for name in now[table].keys() - columns.keys():
                assert now[table][name][2], f"{revision}: {table}.{name} must take None or have a default of the server's"
        tables, demands = now, now_demands
    assert len(revisions) >= 4
    engine.dispose()


PERSON = sa.text("INSERT INTO people (tenant_id, oid, name, user_name, read_at) VALUES ('contoso', 'mia', 'Mia', 'mia', :noon)")
JOURNEY = sa.text(
    "INSERT INTO journeys (tenant_id, id, case_code, oid, platform, browser, entrance, started_at, expires_at, attempts, wake)"
    " VALUES ('contoso', 'j1', 'K7M-2QX', 'mia', 'ios', 'safari', 'remediation', :noon, :noon, 0, 0)"
)
