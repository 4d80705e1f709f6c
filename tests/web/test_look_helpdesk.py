"""Stories of the helpdesk in a real browser, by the keyboard alone: what is focused is seen, nothing is wider than the screen, and
axe finds nothing. `LOOK=folder` leaves pictures there.

Next door: `test_look_work_list` (the list, the sentence, temporary access)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.people import MANAGED_PHONE, MIA, REGISTERED_PHONE
from tests.web.conftest import Web
from tests.web.scenes import NOAH, SECOND_REGISTERED
from tests.web.test_look import PICTURES, VIOLATIONS
from tests.web.test_look_work_list import Desks
from tests.web.test_work_list import staff

pytestmark = pytest.mark.slow
At = Callable[[int], Desks]
WIDTHS = [1280, pytest.param(390, marks=pytest.mark.long)]

# What the keyboard is on: whether a ring is drawn around it or its card, and whether it is within the window.
FOCUSED = """() => {
    const one = document.activeElement, box = one.getBoundingClientRect();
    const drawn_by_the_browser = one.matches("[type=date]");  // around the button of its calendar
    const drawn = [one, one.closest(".pick")].filter(Boolean).map((some) => getComputedStyle(some));
    return {
        ring: drawn_by_the_browser || drawn.some((style) => style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2),
        seen: box.width > 0 && box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth,
        what: one.outerHTML.slice(0, 120),
    };
}"""


@pytest.fixture
def at(browser: Browser) -> Iterator[At]:
    made: list[Desks] = []

    def desks(width: int) -> Desks:
        made.append(Desks(browser, width))
        return made[-1]

    yield desks
    for one in made:
        one.context.close()


def looks(page: Page, name: str) -> None:
    """As it stands, wherever the keyboard is."""
    width = page.viewport_size["width"] if page.viewport_size else 0
    assert page.evaluate("document.documentElement.scrollWidth") <= width, f"{name} is wider than {width} px"
    if PICTURES:
        page.screenshot(path=Path(PICTURES) / f"story-{name}-{width}.png", full_page=True)
    page.evaluate(Axe().axe_script)
    assert page.evaluate(VIOLATIONS) == [], name


def tabs_to(page: Page, selector: str, most: int = 90) -> None:
    """Each stop on the way has to be seen, too."""
    for _ in range(most):
        page.keyboard.press("Tab")
        focused = page.evaluate(FOCUSED)
        assert focused["ring"], f"no ring: {focused['what']}"
        assert focused["seen"], f"outside the window: {focused['what']}"
        if page.evaluate("(selector) => document.activeElement.matches(selector)", selector):
            return
    raise AssertionError(f"the keyboard does not come to {selector}")


def looks_up(page: Page, text: str) -> None:
    tabs_to(page, "#q", most=8)
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type(text)
    page.keyboard.press("Enter")


@pytest.mark.parametrize("width", WIDTHS)
def test_who_acts_goes_from_the_search_to_a_finished_repair_by_the_keyboard(web: Web, at: At, width: int) -> None:
    web.scene("help")
    desks = at(width)
    page = desks.sits(staff(web, "ida"), "/helpdesk")
    looks(page, "search")
    looks_up(page, "mia ber")
    expect(page.get_by_role("heading", name="People found")).to_be_visible()
    looks(page, "found")
    tabs_to(page, ".people a", most=10)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1, name="Mia Berger")).to_be_visible()
    looks(page, "person")
    tabs_to(page, "#repairs a[href*='/repair/check_again']")
    page.keyboard.press("Enter")
    expect(page.locator("#repair")).to_be_visible()
    looks(page, "confirm")
    tabs_to(page, "input[name=because]")
    page.keyboard.press("Space")
    page.keyboard.press("ArrowDown")
    assert page.locator("input[name=because]:checked").get_attribute("value") == "stuck"
    tabs_to(page, "#repair")
    page.keyboard.press("Enter")
    expect(page.locator(".notice.done")).to_be_visible()
    looks(page, "done")
    expect(page.locator("#timeline")).to_contain_text("Nothing moved")


@pytest.mark.long
@pytest.mark.parametrize("width", [1280, 390])
def test_who_reads_finds_by_everything_and_goes_through_person_timeline_and_figures(web: Web, at: At, width: int) -> None:
    scene = web.scene("open")
    registered = replace(SECOND_REGISTERED, device_id="3f2b8a1c-77d0-4a55-9d3e-2b9c5a0f6e11", object_id="o3")
    scene.registered(REGISTERED_PHONE, registered)
    web.scene("enroll", person=NOAH, browser="b2")
    code = scene.journey().case_code
    desks = at(width)
    hanna = staff(web, "hanna")
    asked = {
        "code": code.lower().replace("-", " "),
        "mail": MIA.user_name.upper(),
        "serial": f"Serial: {(MANAGED_PHONE.serial or '').lower()}",
        "device id": f"Device ID: {registered.device_id.upper()} (iOS 17.4)",
    }
    for text in asked.values():
        page = desks.sits(hanna, "/helpdesk")
        looks_up(page, text)
        expect(page.locator(".people a, .state").first).to_be_visible()
        if page.locator(".people").count():
            tabs_to(page, ".people a")
            page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1, name="Mia Berger")).to_be_visible()
    assert page.locator("form[method=post], a[href*='/repair/']").count() == 0
    expect(page.locator("#repairs")).to_contain_text("Helpdesk.Act")
    tabs_to(page, "#kind")
    page.locator("#kind").press("p")
    tabs_to(page, "#timeline button")
    page.keyboard.press("Enter")
    expect(page.locator("#timeline")).to_be_visible()
    looks(page, "timeline")
    for text, said in (("nobody77", "Nothing"), ("be", "letters of a word")):
        page = desks.sits(hanna, "/helpdesk")
        looks_up(page, text)
        expect(page.locator("main")).to_contain_text(said)
        looks(page, f"search-{text}")
    tabs_to(page, "a[href='/helpdesk/figures']")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/helpdesk/figures"))
    looks(page, "figures")
    tabs_to(page, "a[href*='/figures/list']")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/figures/list"))
    looks(page, "figure-list")
    tabs_to(page, "main a[href^='/helpdesk/person/']")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text(re.compile("Mia|Noah"))
    for path in ("work", "connections"):
        looks(desks.sits(hanna, f"/helpdesk/{path}"), path)


@pytest.mark.long
@pytest.mark.parametrize("width", [1280, 390])
def test_the_second_of_two_sees_what_the_first_did_and_confirms_again_by_the_keyboard(web: Web, at: At, width: int) -> None:
    web.scene("open")
    desks = at(width)
    ida, otto = staff(web, "ida"), staff(web, "ida")
    page = desks.sits(ida, "/helpdesk/person/mia/repair/resend")
    other, desks.client = desks.context.new_page(), otto
    other.goto(page.url)
    for one in (page, other):
        tabs_to(one, "input[name=because]")
        one.keyboard.press("Space")
        tabs_to(one, "#repair")
    desks.client = ida
    page.keyboard.press("Enter")
    expect(page.locator(".notice.done")).to_be_visible()
    desks.client = otto
    other.keyboard.press("Enter")
    expect(other.locator(".notice.careful")).to_contain_text("confirm again")
    looks(other, "conflict")


@pytest.mark.long
@pytest.mark.parametrize("width", [1280, 390])
def test_a_person_with_too_many_entries_and_some_that_went(web: Web, at: At, width: int) -> None:
    scene = web.begun().has_phones(MANAGED_PHONE).stands().registered(REGISTERED_PHONE, SECOND_REGISTERED)
    web.clock.ahead = timedelta(minutes=5)
    third = replace(SECOND_REGISTERED, device_id="3f2b8a1c-77d0-4a55-9d3e-2b9c5a0f6e11", object_id="o3", name="W" * 40)
    scene.registered(REGISTERED_PHONE, third).looked().may_have(2)
    page = at(width).sits(staff(web, "ida"), "/helpdesk/person/mia")
    expect(page.locator("#gone")).to_contain_text("d2")
    expect(page.get_by_text("Place for another device")).to_be_visible()
    looks(page, "too-many")
    tabs_to(page, "a[href*='/repair/mark_device']")
    page.keyboard.press("Enter")
    expect(page.locator("#repair")).to_be_visible()
    looks(page, "mark-device")


@pytest.mark.long
@pytest.mark.parametrize("width", [1280, 390])
def test_a_stranger_is_told_which_role_to_ask_for(web: Web, at: At, width: int) -> None:
    web.scene("open")
    page = at(width).sits(web.signed_in(), "/helpdesk")
    expect(page.get_by_text("Helpdesk.Read")).to_be_visible()
    looks(page, "stranger")
