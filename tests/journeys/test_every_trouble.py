"""What no record shows, each trouble in a real browser: it is in the way, the one question finds it, and its cure opens Outlook."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from sandbox.scenarios import SCENARIOS
from sandbox.troubles import TROUBLES
from tests.journeys.player import Player
from tests.web.test_texts import TEXTS

Arrives = Callable[..., Player]
pytestmark = [pytest.mark.slow, pytest.mark.long]
LANGUAGES = tuple(TEXTS)


EVERY = [(name, LANGUAGES[number % len(LANGUAGES)], (320, 1280)[number % 2]) for number, name in enumerate(TROUBLES)]


@pytest.mark.parametrize(("name", "language", "width"), EVERY)
def test_a_trouble_is_asked_about_and_its_cure_opens(arrives: Arrives, name: str, language: str, width: int) -> None:
    trouble, words = TROUBLES[name], TEXTS[language]
    player = arrives(name, width=width, locale=language)
    comes(player)
    player.signs_in(SCENARIOS[name].kind.policy_word.lower())
    player.proves()
    if trouble.registers:
        player.is_at("register")
        player.registers()
        expect(player.phone.get_by_text(trouble.says)).to_be_visible()
    else:
        player.is_at("open", within=60)
        player.taps_outlook()
        expect(player.phone.locator("#more-details")).to_be_visible()
    if name == "too_many":
        is_told_unasked(player, words["trouble.noticed.too_many"])
    player.product.locator("#what-happens").click()
    player.looks("what-happens")
    player.product.locator(f"details:not([open]):has(button[value={name}]) summary").click()
    player.product.locator(f"button[value={name}]").click()
    expect(player.product.get_by_role("heading", level=1, name=words[f"trouble.ask.{name}"])).to_be_visible()
    player.looks("answer")
    player.phone.goto(f"{player.stage.pages}/")
    player.phone.locator("#cure").click()
    if trouble.registers:
        player.registers()
        player.product.goto(f"{player.stage.origin}/journey")
        player.is_at("open", within=60)
    player.sees_the_inbox()


def is_told_unasked(player: Player, words: str) -> None:
    """A worker reads of the tenant how many devices each may have, a minute after it began and then some times a day."""
    notice = player.product.get_by_text(words)
    for _ in range(45):
        player.product.reload()
        if notice.count():
            return
        player.product.wait_for_timeout(2000)
    expect(notice).to_be_visible()


def comes(player: Player) -> None:
    """By Microsoft's block page where it has a button, else by the leaflet."""
    player.taps_outlook()
    expect(player.phone.locator("#more-details")).to_be_visible()
    if player.phone.locator("#way-on").count():
        player.continues()
    else:
        player.comes_by_the_leaflet()
    player.looks("welcome")
