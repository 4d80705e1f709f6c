"""`tell` begins a story on a database of its own, copied from one that was migrated once."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from remediation.store.migrations import migrate
from tests.stories import Story


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("migrated") / "store.sqlite"
    migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def ca_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("ca")


@pytest.fixture
def tell(migrated: Path, ca_folder: Path, tmp_path: Path) -> Iterator[Callable[..., Story]]:
    stories: list[Story] = []

    def begin(scenario: str, **more: Any) -> Story:
        path = tmp_path / f"story{len(stories)}.sqlite"
        shutil.copy(migrated, path)
        stories.append(Story(f"sqlite:///{path}", ca_folder, scenario, **more))
        return stories[-1]

    yield begin
    for story in stories:
        story.engine.dispose()
