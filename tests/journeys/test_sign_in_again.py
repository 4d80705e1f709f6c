"""A tenant that asks for *bound*, in a real browser: from the blocked Outlook through a second sign-in to Outlook open."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.journeys.player import Player
from tests.journeys.test_in_a_browser import OPEN, begins

Arrives = Callable[..., Player]
pytestmark = pytest.mark.slow

HELP = "The helpdesk can take it from here"


@pytest.mark.parametrize(
    ("width", "script", "scheme"),
    [(320, True, "dark"), pytest.param(1280, False, "light", marks=pytest.mark.long)],
    ids=["narrow-dark", "wide-plain"],
)
def test_from_block_to_open_where_microsoft_names_the_device(arrives: Arrives, width: int, script: bool, scheme: str) -> None:
    player = arrives("blocked_just_registered", width=width, script=script, color_scheme=scheme, minimum="bound")
    begins(player)
    player.sends_the_message()
    player.taps_the_message()
    player.sees("sign_in", "Sign in once more")
    assert player.stage.uploads() == []
    player.sees_the_block()
    player.signs_in_again()
    player.sees("open", OPEN, within=60)
    player.sees_the_inbox()
    assert len(player.stage.uploads()) == 1


def test_microsoft_names_another_device_and_then_the_right_one(arrives: Arrives) -> None:
    """She signs in as she always does, at her laptop; the page says so, and the second try on the phone opens Outlook."""
    player = arrives("signs_in_elsewhere", width=320, minimum="bound")
    begins(player)
    player.sends_the_message()
    player.taps_the_message()
    player.sees("sign_in", "Sign in once more")
    player.signs_in_again()
    player.is_at("help")
    expect(player.product.locator("main")).to_contain_text("Microsoft named another device")
    assert player.stage.uploads() == []
    player.sees_the_block()
    assert "link.ended" in player.stage.audit()
    player.stage.sandbox.world.signs_in_from = "hand"
    player.signs_in_again()
    player.sees("open", OPEN, within=60)
    player.sees_the_inbox()


def test_a_browser_that_names_nothing_waits_for_the_log_with_a_truthful_page(arrives: Arrives) -> None:
    player = arrives("blocked_just_registered", locale="de", minimum="bound")
    player.stage.sandbox.world.signs_in_from = "nothing"
    player.stage.sandbox.world.lags.sign_in_lag = 3600
    player.taps_outlook()
    player.continues()
    player.signs_in()
    player.proves()
    player.is_at("sign_in")
    player.signs_in_again()
    heading = player.product.get_by_role("heading", level=1)
    expect(heading).to_have_text("Microsoft sagt uns noch, welches Gerät das ist")
    player.looks("waiting")
    player.sees_the_block()
    assert player.stage.uploads() == []
