"""A migrated database of each kind for each test."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
import sqlalchemy as sa

from remediation.store.migrations import migrate
from tests.postgres import running_postgres


@pytest.fixture(scope="session")
def server() -> Iterator[sa.URL]:
    with running_postgres() as address:
        yield sa.make_url(address)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        address = f"sqlite:///{tmp_path}/work.sqlite"
        migrate(address)
        yield address
        return
    server: sa.URL = request.getfixturevalue("server")
    admin = sa.create_engine(server.set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
    own = server.set(database=f"engine_{uuid4().hex}")
    with admin.connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {own.database}"))
    address = own.render_as_string(hide_password=False)
    migrate(address)
    yield address
    with admin.connect() as connection:
        connection.execute(sa.text(f"DROP DATABASE {own.database} WITH (FORCE)"))
    admin.dispose()
