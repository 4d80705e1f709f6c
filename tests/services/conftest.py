"""`tell` begins a story on a database of its own, copied from one that was migrated once.

Where a module says `ON_POSTGRESQL`, its stories are told there once more, in the long run.
"""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from remediation.store.migrations import migrate
from tests.store.conftest import Lend, postgresql, postgresql_copy
from tests.stories import Story

__all__ = ["postgresql", "postgresql_copy"]  # fixtures


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "tell" in metafunc.fixturenames and getattr(metafunc.module, "ON_POSTGRESQL", False):
        there = pytest.param("postgresql", marks=pytest.mark.long)
        metafunc.parametrize("tell", ["sqlite", there], indirect=True)


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("migrated") / "store.sqlite"
    migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def ca_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("ca")


@pytest.fixture
def tell(request: pytest.FixtureRequest, migrated: Path, ca_folder: Path, tmp_path: Path) -> Iterator[Callable[..., Story]]:
    stories: list[Story] = []
    with ExitStack() as lent:

        def address() -> str:
            if getattr(request, "param", "sqlite") == "postgresql":
                lend: Lend = request.getfixturevalue("postgresql")
                return lent.enter_context(lend())
            path = tmp_path / f"story{len(stories)}.sqlite"
            shutil.copy(migrated, path)
            return f"sqlite:///{path}"

        def begin(scenario: str, **more: Any) -> Story:
            stories.append(Story(address(), ca_folder, scenario, **more))
            return stories[-1]

        yield begin
        for story in stories:
            story.engine.dispose()
