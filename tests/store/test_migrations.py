"""The revisions make exactly the tables that the code speaks of, beside the engine's own, and can be run again."""

import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from remediation.store import migrate
from remediation.store.engine import reading
from remediation.store.migrations import ours
from remediation.store.tables import UNIQUE_LINKS, metadata
from tests.store.scenes import all_at_once


def test_nothing_differs_between_revisions_and_tables(engine: sa.Engine) -> None:
    with reading(engine) as connection:
        context = MigrationContext.configure(connection, opts={"include_object": ours, "compare_type": True})
        assert compare_metadata(context, metadata) == []
    reflected = {index["name"]: index for index in sa.inspect(engine).get_indexes("device_links")}
    for index in UNIQUE_LINKS:
        where = reflected[str(index.name)]["dialect_options"][f"{engine.dialect.name}_where"]
        assert "state" in str(where)


def test_migrating_again_from_several_processes_is_safe(url: str) -> None:
    assert all_at_once([lambda: migrate(url)] * 4) == {"done": 4}
