"""Each test gets a fresh database of each kind, copied from one that was migrated once per run."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from uuid import uuid4

import pytest
import sqlalchemy as sa

from remediation.ports import Store
from remediation.store import DbosWakeups, SqlStore, migrate
from tests.engines import make_engine
from tests.postgres import running_postgres
from tests.store.scenes import TENANT, Scene

Lend = Callable[[], AbstractContextManager[str]]
"""A fresh migrated database for as long as the context is open: its address."""

LendCopy = Callable[[str], AbstractContextManager[str]]
"""The same of PostgreSQL, as a copy of the named template."""


@pytest.fixture(scope="session")
def sqlite(tmp_path_factory: pytest.TempPathFactory) -> Lend:
    folder = tmp_path_factory.mktemp("sqlite")
    template = folder / "template.sqlite"
    migrate(f"sqlite:///{template}")

    @contextmanager
    def lend() -> Iterator[str]:
        path = folder / f"{uuid4().hex}.sqlite"
        shutil.copy(template, path)
        yield f"sqlite:///{path}"

    return lend


@pytest.fixture(scope="session")
def postgresql_copy() -> Iterator[LendCopy]:
    with running_postgres() as address:
        server = sa.make_url(address)
        admin = sa.create_engine(server.set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")

        @contextmanager
        def lend(template: str) -> Iterator[str]:
            name = f"remediation_{uuid4().hex}"
            with admin.connect() as connection:
                connection.execute(sa.text(f"CREATE DATABASE {name} TEMPLATE {template}"))
            yield server.set(database=name).render_as_string(hide_password=False)
            with admin.connect() as connection:
                connection.execute(sa.text(f"DROP DATABASE {name} WITH (FORCE)"))

        yield lend
        admin.dispose()


@pytest.fixture(scope="session")
def postgresql(postgresql_copy: LendCopy) -> Iterator[Lend]:
    with postgresql_copy("template0") as template:
        migrate(template)
        yield lambda: postgresql_copy(str(sa.make_url(template).database))


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database that nobody migrated yet."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.sqlite'}"
        return
    lend: LendCopy = request.getfixturevalue("postgresql_copy")
    with lend("template0") as address:
        yield address


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    lend: Lend = request.getfixturevalue(request.param)
    with lend() as address:
        yield address


@pytest.fixture
def engine(url: str) -> Iterator[sa.Engine]:
    engine = make_engine(url)
    yield engine
    engine.dispose()


@pytest.fixture
def store(engine: sa.Engine) -> Store:
    return SqlStore(engine, TENANT, DbosWakeups(engine))


@pytest.fixture
def scene(engine: sa.Engine, store: Store) -> Scene:
    """Mia has arrived with one phone that both sides know."""
    scene = Scene(engine, store)
    scene.arrive()
    return scene
