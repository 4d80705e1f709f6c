"""The further scenarios of the sandbox in a real browser, each to the page where it honestly ends, in both languages."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.journeys.player import Player

Arrives = Callable[..., Player]
pytestmark = pytest.mark.slow


def begins(player: Player, platform: str = "ios") -> None:
    player.taps_outlook()
    player.continues()
    player.looks("welcome")
    player.signs_in(platform)


@pytest.mark.parametrize(
    ("scenario", "platform", "step", "language", "width"),
    [
        ("no_licence", "ios", "not_for_you", "de", 320),
        ("not_in_group", "ios", "not_for_you", "en", 320),
        ("not_enrolled", "ios", "enroll", "en", 1280),
        ("ambiguous_owner", "ios", "help", "de", 1280),
        ("windows", "windows", "help", "en", 320),
        ("two_phones", "ios", "this_device", "de", 390),
    ],
)
def test_the_first_page_already_knows(arrives: Arrives, scenario: str, platform: str, step: str, language: str, width: int) -> None:
    player = arrives(scenario, width=width, locale=language)
    begins(player, platform)
    player.is_at(step)
    assert player.product.locator("html").get_attribute("lang") == language
    expect(player.product.locator("#case-code")).to_be_visible()
    player.sees_the_block()


def test_not_enrolled_goes_on_by_itself_once_hub_has_enrolled_the_phone(arrives: Arrives) -> None:
    player = arrives("not_enrolled", locale="de")
    begins(player)
    player.is_at("enroll")
    player.phone.goto(f"{player.stage.pages}/phone/hub")
    player.phone.locator("#enroll").click()
    player.proves()
    player.is_at("open", within=60)
    player.sees_the_inbox()


def test_registered_last_year_is_asked_about_and_settled_by_registering_anew(arrives: Arrives) -> None:
    player = arrives("registered_last_year", width=320, locale="de")
    begins(player)
    player.proves()
    player.is_at("choose")
    player.product.locator("input[type=radio]").first.check()
    player.product.locator("form[action='/journey/choose'] button").click()
    player.is_at("register")
    player.phone.goto(f"{player.stage.pages}/phone/authenticator")
    player.phone.locator("#unregister").click()
    player.registers()
    player.is_at("open", within=60)
    player.sees_the_inbox()


def test_a_loop_ends_in_another_next_action(arrives: Arrives) -> None:
    player = arrives("loop", locale="de")
    player.taps_outlook()
    player.product = player.context.new_page()
    player.product.goto(f"{player.stage.origin}/remediation")
    player.signs_in()
    player.is_at("open")
    player.says_still_blocked()
    player.proves()
    player.is_at("open", within=60)
    player.says_still_blocked()
    player.is_at("help", within=60)


def test_android_with_a_work_profile_gets_through(arrives: Arrives) -> None:
    player = arrives("android_work_profile", locale="de", color_scheme="dark")
    begins(player, "android")
    player.proves()
    player.is_at("open", within=60)
    player.sees_the_inbox()


def test_who_cannot_sign_in_gets_a_case_code(arrives: Arrives) -> None:
    player = arrives("new_phone_no_second_factor", width=320, locale="de")
    player.taps_outlook()
    player.continues()
    player.product.locator("#cannot").click()
    player.looks("cannot")
    player.product.locator("#open-case").click()
    expect(player.product.locator("#case-code")).to_be_visible()
    player.looks("case")
