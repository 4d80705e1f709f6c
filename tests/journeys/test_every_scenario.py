"""The further scenarios of the sandbox in a real browser, each to the page where it honestly ends, in both languages."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.journeys.player import Player

Arrives = Callable[..., Player]
pytestmark = pytest.mark.slow


NO_BUTTON = {"owned_by_another", "disabled_device", "loop", "private_window"}  # Microsoft's block page leads nowhere


def begins(player: Player, platform: str = "ios") -> None:
    player.taps_outlook()
    if player.stage.sandbox.world.scenario in NO_BUTTON:
        expect(player.phone.locator("#more-details")).to_be_visible()
        player.comes_by_the_leaflet()
    else:
        player.continues()
    player.looks("welcome")
    player.signs_in(platform)


@pytest.mark.parametrize(
    ("scenario", "platform", "step", "language", "width"),
    [
        ("no_licence", "ios", "not_for_you", "de", 320),
        pytest.param("not_in_group", "ios", "not_for_you", "en", 320, marks=pytest.mark.long),
        ("not_enrolled", "ios", "enroll", "en", 1280),
        pytest.param("ambiguous_owner", "ios", "help", "de", 1280, marks=pytest.mark.long),
        pytest.param("windows", "windows", "help", "en", 320, marks=pytest.mark.long),
        pytest.param("two_phones", "ios", "this_device", "de", 390, marks=pytest.mark.long),
        pytest.param("shared_user", "ios", "help", "en", 320, marks=pytest.mark.long),
    ],
)
def test_the_first_page_already_knows(arrives: Arrives, scenario: str, platform: str, step: str, language: str, width: int) -> None:
    player = arrives(scenario, width=width, locale=language)
    begins(player, platform)
    player.is_at(step)
    assert player.product.locator("html").get_attribute("lang") == language
    expect(player.product.locator("#case-code")).to_be_visible()
    player.sees_the_block()


def test_a_guest_is_told_at_the_sign_in_and_can_take_another_account(arrives: Arrives) -> None:
    player = arrives("guest", width=1280, locale="de")
    begins(player)
    expect(player.product.get_by_role("link", name="Anderes Konto nehmen")).to_be_visible()
    player.complaints.clear()  # the console repeats the status of a refusal
    player.looks("guest")
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
    player.registers_anew()
    player.is_at("open", within=60)
    player.sees_the_inbox()


@pytest.mark.long
def test_a_loop_ends_in_another_next_action(arrives: Arrives) -> None:
    player = arrives("loop", locale="de")
    begins(player)
    player.is_at("open")
    player.says_still_blocked()
    player.proves()
    player.is_at("open", within=60)
    player.says_still_blocked()
    player.is_at("help", within=60)


@pytest.mark.long
def test_registered_again_under_the_same_id_a_second_link_gets_it_through(arrives: Arrives) -> None:
    player = arrives("reregistered_same_id", locale="de")
    begins(player)
    player.proves()
    player.is_at("open", within=60)
    player.sees_the_inbox()
    player.registers_anew()
    player.sees_the_block()
    player.says_still_blocked()
    player.is_at("open", within=90)
    expect(player.product.locator("main")).not_to_contain_text("Versuchen Sie diesmal etwas anderes")
    player.sees_the_inbox()


def test_a_handed_on_phone_is_for_the_helpdesk(arrives: Arrives) -> None:
    player = arrives("owned_by_another", width=320, locale="de")
    begins(player)
    player.proves()
    player.is_at("help", within=60)
    player.taps_outlook()
    expect(player.phone.get_by_text("This device belongs to someone else")).to_be_visible()
    assert player.stage.uploads() == []


@pytest.mark.long
def test_two_records_of_one_phone_are_one(arrives: Arrives) -> None:
    player = arrives("duplicate_records", width=1280, locale="de")
    begins(player)
    player.is_at("this_device")
    assert player.product.locator("input[type=radio]").count() == 0
    player.proves()
    player.is_at("open", within=60)
    player.sees_the_inbox()


@pytest.mark.long
def test_a_disabled_device_is_for_the_helpdesk_and_goes_on_once_it_is_enabled(arrives: Arrives) -> None:
    player = arrives("disabled_device", width=320)
    begins(player)
    player.proves()
    player.is_at("register")  # what is switched off may be an old device
    player.product.locator("#check").click()
    player.is_at("help", within=60)  # until then what was registered just now may not be listed yet
    assert player.stage.uploads() == []
    with player.stage.sandbox.world.settled() as world:
        for device in world.devices.values():
            device.enabled = device.enabled or device.device_id == player.stage.mia.device_id
    player.product.wait_for_timeout(3500)  # pressed twice within three seconds is one wish
    player.product.locator("#check").click()
    player.is_at("open", within=60)
    player.sees_the_inbox()


@pytest.mark.long
def test_an_ipad_says_that_it_is_a_mac_and_can_be_put_right(arrives: Arrives) -> None:
    player = arrives("ipad", width=820, locale="de", color_scheme="dark")
    player.taps_outlook()
    player.continues()
    player.looks("welcome")
    player.product.locator("#ipad").click()
    player.chooses_account()
    player.proves()
    player.is_at("open", within=60)
    player.sees_the_inbox()


@pytest.mark.parametrize(
    ("scenario", "platform", "language", "width"),
    [
        pytest.param("mac", "macos", "de", 1280, marks=pytest.mark.long),
        ("android_fully_managed", "android", "en", 320),
    ],
)
def test_a_device_never_registered_is_told_how(arrives: Arrives, scenario: str, platform: str, language: str, width: int) -> None:
    player = arrives(scenario, width=width, locale=language)
    begins(player, platform)
    player.proves()
    player.is_at("register")
    player.registers()
    player.is_at("open", within=60)
    player.sees_the_inbox()


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


def test_what_no_record_tells_is_asked_and_its_cure_opens(arrives: Arrives) -> None:
    """Her device gets through, and a private window still hides it: she is asked, and told the one thing that helps."""
    player = arrives("private_window", width=320, locale="de")
    begins(player)
    player.proves()
    player.is_at("open", within=60)
    player.taps_outlook()
    expect(player.phone.locator("#more-details")).to_be_visible()
    player.product.locator("#what-happens").click()
    player.looks("what-happens")
    player.product.locator("details:has(button[value=private_window]) summary").click()
    player.product.locator("button[value=private_window]").click()
    expect(player.product.get_by_role("heading", level=1, name="Ich benutze ein privates oder Inkognito-Fenster")).to_be_visible()
    player.looks("private-window")
    player.phone.goto(f"{player.stage.pages}/")
    player.phone.locator("#cure").click()
    player.sees_the_inbox()
