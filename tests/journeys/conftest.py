"""`raised` starts the whole product for one scenario; `arrives` puts a fresh person in front of it."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from remediation.store.migrations import migrate
from sandbox.scenarios import SCENARIOS
from tests.journeys.player import Player
from tests.journeys.stage import Stage, copied

expect.set_options(timeout=20_000)  # several whole products share two cores


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("migrated") / "store.sqlite"
    migrate(f"sqlite:///{path}")
    return path


@pytest.fixture
def raised(migrated: Path, tmp_path: Path) -> Iterator[Callable[..., Stage]]:
    with ExitStack() as stages:

        def begin(scenario: str, url: str | None = None, **more: Any) -> Stage:
            where = url or copied(migrated, tmp_path)
            return stages.enter_context(Stage(where, tmp_path, scenario, **more))

        yield begin


@pytest.fixture
def arrives(raised: Callable[..., Stage], browser: Browser) -> Iterator[Callable[..., Player]]:
    """A person in front of a scenario: `arrives("not_compliant", width=320, script=False, color_scheme="dark")`."""
    with ExitStack() as contexts:

        def begin(
            scenario: str,
            *,
            width: int = 390,
            script: bool = True,
            lagging: bool = False,
            minimum: str = "possession",
            relay: float | None = None,
            **look: Any,
        ) -> Player:
            """`look`: `color_scheme`, `locale` as Playwright has them."""
            stage = raised(scenario, lagging=lagging, minimum=minimum, relay=relay)
            context = browser.new_context(
                viewport={"width": width, "height": 844},
                user_agent=SCENARIOS[scenario].kind.user_agent,  # which the welcome page guesses the platform by
                java_script_enabled=script,
                reduced_motion="reduce",
                **look,
            )
            context.set_default_timeout(20_000)
            contexts.callback(context.close)
            channel = ["relay"] if relay else []
            name = "-".join([scenario, str(width), "script" if script else "plain", *channel, *map(str, look.values())])
            return Player(stage, context, name, script=script)

        yield begin
