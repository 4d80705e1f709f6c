"""The pictures of the README, taken from the running product: the story's page, and the pages of one journey side by side."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.journeys.player import ARTIFACTS, Player

Arrives = Callable[..., Player]
pytestmark = [pytest.mark.slow, pytest.mark.long]
KEEP = Path(__file__).parents[2] / "docs" / "pictures"


def test_the_pictures_of_the_readme(arrives: Arrives) -> None:
    """Kept in `docs/pictures` where KEEP_PICTURES is set; else among the artifacts of the run."""
    folder = KEEP if os.environ.get("KEEP_PICTURES") else ARTIFACTS
    folder.mkdir(parents=True, exist_ok=True)
    player = arrives("blocked_just_registered", width=390, lagging=True)
    player.stage.sandbox.world.lags.compliance_lag = 20  # longer than a look at the page takes on a busy machine
    player.phone.set_viewport_size({"width": 1180, "height": 860})
    player.sees_the_block()
    player.phone.screenshot(path=folder / "blocked.png")
    player.continues()
    player.product.set_viewport_size({"width": 390, "height": 844})
    player.signs_in()
    player.sends_the_message()
    player.product.screenshot(path=folder / "message.png")
    player.taps_the_message()
    player.product.set_viewport_size({"width": 390, "height": 844})
    player.sees("wait", "It's on its way")
    player.product.screenshot(path=folder / "wait.png")
    player.sees("open", "Microsoft sees your device as compliant", within=60)
    player.product.screenshot(path=folder / "open.png")
    player.sees_the_inbox()
