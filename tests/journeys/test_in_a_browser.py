"""From the blocked Outlook to Outlook open in a real browser: each scenario, with script and without, narrow, wide, both themes."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.journeys.player import Player

Arrives = Callable[..., Player]
pytestmark = pytest.mark.slow

OPEN = "Microsoft sees your device as compliant"
LOOKS = {
    "narrow": (320, True, "light"),
    "wide-plain-dark": (1280, False, "dark"),
    "narrow-plain": (320, False, "light"),
    "wide-dark": (1280, True, "dark"),
}


def in_looks(*soon: str) -> pytest.MarkDecorator:
    """In every look, of which all but these wait for the long run."""
    every = [pytest.param(*how, id=name, marks=[] if name in soon else pytest.mark.long) for name, how in LOOKS.items()]
    return pytest.mark.parametrize(("width", "script", "scheme"), every)


def begins(player: Player) -> None:
    player.taps_outlook()
    player.continues()
    player.sees("welcome", "Get back into your work apps")
    player.signs_in()


@in_looks("narrow")
def test_blocked_just_registered(arrives: Arrives, width: int, script: bool, scheme: str) -> None:
    player = arrives("blocked_just_registered", width=width, script=script, color_scheme=scheme)
    begins(player)
    player.sends_the_message()
    player.taps_the_message()
    player.sees("open", OPEN, within=60)
    player.sees_the_inbox()
    assert len(player.stage.uploads()) == 1


@in_looks("narrow")
def test_blocked_unregistered(arrives: Arrives, width: int, script: bool, scheme: str) -> None:
    player = arrives("blocked_unregistered", width=width, script=script, color_scheme=scheme)
    begins(player)
    player.sends_the_message()
    player.taps_the_message()
    player.sees("register", "Register your device with Microsoft")
    player.registers()
    player.sees("open", OPEN, within=60)
    player.sees_the_inbox()


@in_looks("narrow", "wide-plain-dark")
def test_not_compliant(arrives: Arrives, width: int, script: bool, scheme: str) -> None:
    player = arrives("not_compliant", width=width, script=script, color_scheme=scheme)
    begins(player)
    player.sends_the_message()
    player.taps_the_message()
    player.sees("fix", "Put this right on your device", within=40)
    player.sees_the_block()
    player.switches("passcode")
    player.product.locator("#check").click()
    player.sees("open", OPEN, within=60)
    player.sees_the_inbox()


@in_looks("wide-plain-dark")
def test_already_fine(arrives: Arrives, width: int, script: bool, scheme: str) -> None:
    player = arrives("already_fine", width=width, script=script, color_scheme=scheme)
    player.sees_the_inbox()
    player.comes_by_the_leaflet()
    player.sees("welcome", "Get back into your work apps")
    player.signs_in()
    player.sees("open", OPEN)
    assert player.stage.uploads() == []


def test_on_maas360_the_pages_name_its_app_and_a_jailbreak_blocks_again(arrives: Arrives) -> None:
    """The same way as on Workspace ONE; afterwards the worker carries what the pretend MaaS360 says."""
    player = arrives("on_maas360", width=320)
    begins(player)
    player.sends_the_message()
    expect(player.product.locator("main")).to_contain_text("MaaS360")
    player.taps_the_message()
    player.sees("open", OPEN, within=60)
    player.sees_the_inbox()
    player.switches("jailbroken")
    player.stage.sandbox.world.check_in(player.stage.mia.record_id or 0)
    player.is_blocked_within(60)


def test_the_wait_is_told_link_by_link_while_microsoft_takes_its_time(arrives: Arrives) -> None:
    player = arrives("blocked_just_registered", lagging=True)
    player.stage.sandbox.world.lags.compliance_lag = 20  # longer than a look at the page takes on a busy machine
    begins(player)
    player.sends_the_message()
    player.taps_the_message()
    player.sees("wait", "It's on its way")
    expect(player.product.locator(".chain")).to_contain_text("Now")
    player.sees("open", OPEN, within=60)


def test_the_message_tapped_in_another_browser_goes_on_there_after_sign_in(arrives: Arrives) -> None:
    player = arrives("blocked_just_registered")
    begins(player)
    player.sends_the_message()
    player.product.close()  # its next glance would be answered 401, and the console says so
    player.context.clear_cookies(domain="localhost")
    with player.context.expect_page() as opened:
        player.phone.goto(f"{player.stage.pages}/phone/hub")
        player.phone.locator("a[href*='/possession/']").first.click()
    player.holds(opened.value)
    player.product.locator("#sign-in").click()
    player.product.locator("button.account", has_text="Mia Berger").first.click()
    player.sees("possession", "Is this you, and is this your device?")
    player.product.locator("#it-is-me").click()
    player.sees("open", OPEN, within=60)


@pytest.mark.long
def test_a_jailbreak_afterwards_blocks_outlook_again(arrives: Arrives) -> None:
    player = arrives("blocked_just_registered")
    begins(player)
    player.sends_the_message()
    player.taps_the_message()
    player.sees("open", OPEN, within=60)
    player.switches("jailbroken")
    player.stage.sandbox.world.check_in(player.stage.mia.record_id or 0)
    player.is_blocked_within(60)
    player.product.goto(f"{player.stage.origin}/journey")
    player.sees("fix", "Put this right on your device")
    expect(player.product.locator("main")).to_contain_text("jailb")
