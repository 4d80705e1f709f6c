"""Workspace ONE's maker tells Microsoft: from the blocked Outlook, registered in the wrong place, to Outlook open."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.journeys.player import Player
from tests.journeys.test_in_a_browser import OPEN, begins

pytestmark = pytest.mark.slow


def test_registered_in_the_wrong_place_then_in_hub_then_open(arrives: Callable[..., Player]) -> None:
    player = arrives("blocked_just_registered", width=320, color_scheme="dark", relay=15)
    begins(player)
    player.sends_the_message()
    player.taps_the_message()
    player.sees("in_app", "Register your device in Hub", within=40)
    main = player.product.locator("main")
    expect(main).to_contain_text("Open Hub and have it check the status")
    expect(main).not_to_contain_text("Sent to Microsoft")
    player.sees_the_block()
    player.registers_in_app()
    player.product.locator("#check").click()
    player.sees("wait", "Waiting for the device management")
    expect(main).to_contain_text("Its next turn, at the latest")
    expect(main).not_to_contain_text("Sent to Microsoft")
    player.sees("open", OPEN, within=90)
    expect(main).to_contain_text("as the device management told it")
    player.sees_the_inbox()
    assert player.stage.uploads() == []
    assert not {"push.prepared", "push.sent"} & set(player.stage.audit())
