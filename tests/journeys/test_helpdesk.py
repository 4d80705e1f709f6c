"""Hanna of the helpdesk looks up what Mia reads out to her, and sees the same chain as Mia, on a phone and on a desk."""

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.journeys.player import Player

Arrives = Callable[..., Player]
pytestmark = pytest.mark.slow


@pytest.fixture
def hanna_beside(browser: Browser) -> Iterator[Callable[..., Player]]:
    contexts = []

    def begin(mia: Player, *, width: int, script: bool = True, scheme: str = "light") -> Player:
        context = browser.new_context(
            viewport={"width": width, "height": 900},
            java_script_enabled=script,
            color_scheme="dark" if scheme == "dark" else "light",
            reduced_motion="reduce",
        )
        context.set_default_timeout(20_000)
        contexts.append(context)
        return Player(mia.stage, context, f"helpdesk-{width}-{'script' if script else 'plain'}-{scheme}", script=script)

    yield begin
    for context in contexts:
        context.close()


def chain(page: Page) -> list[str]:
    """Class and name of each link; times are told in the same words, but not read at the same moment."""
    links = page.locator(".chain li")
    return [f"{links.nth(n).get_attribute('class')} {links.nth(n).locator('.name').inner_text()}" for n in range(links.count())]


def signs_in(hanna: Player, name: str) -> None:
    hanna.product.goto(f"{hanna.stage.origin}/helpdesk")
    hanna.looks("signed-out")
    hanna.product.locator("#go-on").click()
    hanna.product.get_by_role("button", name=re.compile(name)).first.click()
    hanna.product.wait_for_url(re.compile(r"/helpdesk$"))


@pytest.mark.parametrize(
    ("width", "script", "scheme"),
    [
        pytest.param(320, True, "light", marks=pytest.mark.long),
        (320, False, "dark"),
        pytest.param(1280, True, "dark", marks=pytest.mark.long),
        pytest.param(1280, True, "light", marks=pytest.mark.long),
    ],
    ids=["narrow", "narrow-plain-dark", "wide-dark", "wide"],
)
def test_hanna_sees_what_mia_sees(
    arrives: Arrives, hanna_beside: Callable[..., Player], width: int, script: bool, scheme: str
) -> None:
    mia = arrives("blocked_just_registered", width=390)
    mia.taps_outlook()
    mia.continues()
    mia.signs_in()
    mia.sends_the_message()
    code = mia.product.locator("#case-code").inner_text()
    hanna = hanna_beside(mia, width=width, script=script, scheme=scheme)
    signs_in(hanna, "Hanna Roth")
    hanna.looks("search")
    hanna.product.locator("#q").fill(f"Fall {code.lower().replace('-', ' ')}")
    hanna.product.locator("#q").press("Enter")
    expect(hanna.product.get_by_role("heading", level=1, name="Mia Berger")).to_be_visible()
    hanna.looks("this-device")
    assert chain(hanna.product) == chain(mia.product)
    mia.taps_the_message()
    mia.sees("open", "Microsoft sees your device as compliant", within=60)
    hanna.product.reload()
    assert chain(hanna.product) == chain(mia.product)
    hanna.looks("open")
    expect(hanna.product.get_by_text("Opened the message on the device")).to_be_visible()
    hanna.product.goto(f"{hanna.stage.origin}/helpdesk")
    hanna.product.locator("#q").fill("berg")
    hanna.product.get_by_role("button", name="Look up").click()
    expect(hanna.product.get_by_role("heading", name="People found")).to_be_visible()
    hanna.looks("found")
    hanna.product.get_by_role("link", name="Mia Berger").click()
    expect(hanna.product.get_by_role("heading", level=1, name="Mia Berger")).to_be_visible()


def test_hanna_ends_a_link_and_outlook_closes(arrives: Arrives, hanna_beside: Callable[..., Player]) -> None:
    mia = arrives("blocked_just_registered", width=390)
    mia.taps_outlook()
    mia.continues()
    mia.signs_in()
    mia.sends_the_message()
    mia.taps_the_message()
    mia.sees("open", "Microsoft sees your device as compliant", within=60)
    code = mia.product.locator("#case-code").inner_text()
    hanna = hanna_beside(mia, width=320, script=False)
    signs_in(hanna, "Hanna Roth")
    hanna.product.locator("#q").fill(code)
    hanna.product.locator("#q").press("Enter")
    hanna.product.locator("#ask-now").click()
    hanna.product.locator("#repairs a[href*='/repair/end_link']").click()
    hanna.looks("end-link")
    hanna.product.locator("input[name=because][value=wrong_device]").check()
    hanna.product.locator("#repair").click()
    expect(hanna.product.locator(".notice.done")).to_contain_text("Link ended by staff")
    hanna.looks("link-ended")
    mia.is_blocked_within(60)


def test_whoever_lacks_the_role_is_told_which(arrives: Arrives, hanna_beside: Callable[..., Player]) -> None:
    mia = arrives("blocked_just_registered", width=390)
    noah = hanna_beside(mia, width=320)
    noah.product.goto(f"{noah.stage.origin}/sign-in?to=helpdesk")
    noah.product.get_by_role("button", name=re.compile("Noah Lind")).first.click()
    expect(noah.product.get_by_text("Helpdesk.Read")).to_be_visible()
    noah.looks("without-the-role")
