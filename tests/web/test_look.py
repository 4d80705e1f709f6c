"""Every page in a real browser: no wider than its screen, and free of axe's violations, whatever language, width and theme, with
our script and without. A page gets two looks, by its name, and all of them in `make pages-all`.

The browser's requests are answered by the app in process. `LOOK=folder` also leaves pictures there.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import combinations, product
from pathlib import Path
from typing import Literal, NamedTuple
from zlib import crc32

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Route
from werkzeug.test import TestResponse

from remediation.domain.device import Person, Platform
from remediation.services.waves import WaveAsked, begin_wave
from tests.people import MANAGED_PHONE, REGISTERED_PHONE
from tests.proven import asked
from tests.web.conftest import ORIGIN, Web
from tests.web.conftest import Browser as Client
from tests.web.scenes import SCENES, SECOND_REGISTERED, of, stage
from tests.web.test_certificate_pages import RIGHT, THERE, two
from tests.web.test_certificate_pages import asked as asked_for_certificate
from tests.web.test_connections import fails
from tests.web.test_impact_pages import NOBODY_BUT, counted, counting
from tests.web.test_repair_pages import form_of
from tests.web.test_texts import TEXTS

__all__ = ["two"]  # a fixture

PICTURES = os.environ.get("LOOK")
REFUSED = "/refused/sign_in_blocked"
SAYS = "/what-microsoft-says"
BEFORE_SIGN_IN = (
    *("/start?platform=ios", "/start?platform=macos", "/start", "/cannot-sign-in", REFUSED, "/signed-out", "/leaflet"),
    *("/what-happens?platform=android", "/what-happens/other_browser", "/what-happens/two_apps?platform=android"),
    *(f"{SAYS}?nothing=1", f"{SAYS}?code=530003&code=9999999", f"{SAYS}?code=53003", f"{SAYS}?computer=no_token"),
)
SIGNED_IN = (
    "/what-happens/too_many?kept=1",
    f"{SAYS}?code=53003&device=another&kept=1",
    "/sign-out",
    "/journey/device",
    "/possession/cut-off-cut-off-cut-off",
    "/message-test/cut-off",
)
TOO_MANY_REQUESTS = 429
Theme = Literal["light", "dark"]
WIDTHS = (320, 1280)
THEMES: tuple[Theme, Theme] = ("light", "dark")
STAFFS = (
    "helpdesk-",
    "connections",
    "figures-",
    "repair-",
    "impact",
    "preview",
    "onboarding",
    "set-up",
    *("work-", "incident-", "access-first", "access-second", "access-approved"),
)
KINDS = [
    (scene, platform) for scene in ("enroll", "register", "fix") for platform in Platform if platform not in ("ios", "unknown")
]
# Axe's own answer holds every check that passed as well, and takes longer to hand over than to find.
VIOLATIONS = """axe.run({ resultTypes: ["violations"] }).then(
    (found) => found.violations.map((one) => [one.id, one.nodes.map((node) => node.html)])
)"""


# What a person presses is 44 px high (WCAG 2.2, SC 2.5.5); a link inside a sentence is as high as its line. Staff have mice.
SMALL = """() => [...document.querySelectorAll("body.journey :is(a[href], button, summary, select, .pick):not(.skip)")]
    .filter((one) => getComputedStyle(one).display !== "inline" && one.checkVisibility())
    .map((one) => [Math.round(one.getBoundingClientRect().height), one.textContent.trim()]).filter(([high]) => high < 44)"""


class Look(NamedTuple):
    language: str
    width: int
    theme: Theme
    script: bool
    """Without it times are written by the server, and longer."""


def looks(name: str) -> tuple[Look, Look]:
    """The two that a page gets, by its name: both widths, both themes, with and without our script, in two of its languages. Over
    all pages each language meets each width, theme and script (`test_looks_meet_in_pairs`)."""
    languages = ("en", "de") if name.startswith(STAFFS) else tuple(TEXTS)
    turn, first = divmod(crc32(name.encode()), len(languages))
    turn, further = divmod(turn, len(languages) - 1)
    width, theme, script = turn & 1, turn >> 1 & 1, turn >> 2 & 1
    second = (first + 1 + further) % len(languages)
    return (
        Look(languages[first], WIDTHS[width], THEMES[theme], bool(script)),
        Look(languages[second], WIDTHS[1 - width], THEMES[1 - theme], not script),
    )


def every_look(name: str) -> list[Look]:
    languages = ("en", "de") if name.startswith(STAFFS) else tuple(TEXTS)
    return [Look(*one) for one in product(languages, WIDTHS, THEMES, (True, False))]


class Screen:
    """One window for the whole module, whose requests go to whatever app is put behind it."""

    def __init__(self, browser: Browser, choice: Callable[[str], Iterable[Look]] = looks) -> None:
        self.context = browser.new_context(viewport={"width": 320, "height": 640}, reduced_motion="reduce")
        self.context.route("**/*", self._answer)
        self.page = self.context.new_page()
        self.client: Client | SecondHost | None = None
        self.looks, self.script = choice, True

    def _answer(self, route: Route) -> None:
        assert self.client is not None
        asked = route.request
        if asked.resource_type == "script" and not self.script:
            route.abort()
            return
        found = self.client.open(asked.url.removeprefix(ORIGIN), method=asked.method, headers={"Accept-Language": "en"})
        route.fulfill(status=found.status_code, headers=dict(found.headers), body=found.data)


@pytest.fixture(scope="module", params=[looks, pytest.param(every_look, marks=pytest.mark.long)], ids=["two", "all"])
def screen(request: pytest.FixtureRequest, browser: Browser) -> Iterator[Screen]:
    screen = Screen(browser, request.param)
    yield screen
    screen.context.close()


def looked_at(on: Screen | Page, path: str, name: str) -> None:
    page, choice = (on.page, on.looks) if isinstance(on, Screen) else (on, looks)
    for look in choice(name):
        if isinstance(on, Screen):
            on.script = look.script
        page.emulate_media(color_scheme=look.theme)
        answer = page.goto(f"{ORIGIN}{path}{'&' if '?' in path else '?'}lang={look.language}")
        assert answer is not None
        assert answer.status != TOO_MANY_REQUESTS, "this is another page than the one meant"
        assert page.evaluate("document.documentElement.lang") == look.language
        page.evaluate("document.querySelectorAll('details:not(.languages)').forEach((one) => one.open = true)")
        fits_and_passes(page, f"{name}-{'-'.join(map(str, look[:3]))}{'' if look.script else '-bare'}", look.width)


def fits_and_passes(page: Page, name: str, width: int) -> None:
    for screen in (1280, 320) if width == 320 else (320, 1280):
        page.set_viewport_size({"width": screen, "height": 640})
        assert page.evaluate("document.documentElement.scrollWidth") <= screen, f"{name} is wider than {screen} px"
    if PICTURES:
        page.screenshot(path=Path(PICTURES) / f"{name}.png", full_page=True)
    page.evaluate(Axe().axe_script)
    assert page.evaluate(VIOLATIONS) == [], name
    assert page.evaluate(SMALL) == [], f"{name}: smaller than a thumb"


def test_looks_meet_in_pairs() -> None:
    names = [
        *SCENES,
        *(f"{scene}-{platform.value}" for scene, platform in KINDS),
        *map(named, BEFORE_SIGN_IN),
        *map(named, SIGNED_IN),
    ]
    seen = {pair for name in names for look in looks(name) for pair in combinations(look, 2)}
    assert {(one, other) for one in TEXTS for other in (*WIDTHS, *THEMES, True, False)} <= seen


def named(path: str) -> str:
    return path.strip("/").replace("/", "-").replace("?", "-")[:60]


@pytest.mark.parametrize("name", SCENES)
def test_every_step(web: Web, screen: Screen, name: str) -> None:
    web.scene(name)
    screen.client = web.signed_in()
    looked_at(screen, "/journey", name)


@pytest.mark.parametrize("name", ["wait", "help_loop"])
def test_what_the_helpdesk_sees_of_it(web: Web, screen: Screen, name: str) -> None:
    web.scene(name)
    screen.client = web.signed_in(
        Person("hanna", "Hanna Roth", "hanna.roth"), browser="hanna", roles=("Helpdesk.Read", "Helpdesk.Act")
    )
    looked_at(screen, "/helpdesk/person/mia", f"helpdesk-{name}")


def test_staff_who_may_act_confirm_a_repair_and_others_have_no_button(web: Web, screen: Screen) -> None:
    scene = web.scene("open")
    scene.registered(REGISTERED_PHONE, replace(SECOND_REGISTERED, name="W" * 40))
    hanna, page = Person("hanna", "Hanna Roth", "hanna.roth"), screen.page
    screen.client = web.signed_in(hanna, browser="hanna", roles=("Helpdesk.Read", "Helpdesk.Act"))
    screen.client.post("/helpdesk/person/mia/repair/start_link", data=form_of(screen.client, "start_link", target="show"))
    looked_at(screen, "/helpdesk/person/mia", "helpdesk-repairs")
    for which in ("end_link", "mark_device"):
        looked_at(screen, f"/helpdesk/person/mia/repair/{which}", f"repair-{which}")
    form = form_of(screen.client, "close")
    screen.client.post("/helpdesk/person/mia/repair/resend", data=form_of(screen.client, "resend"))
    page.goto(f"{ORIGIN}/helpdesk/person/mia")
    assert page.locator("#repairs a").count() > 4
    changed = screen.client.post("/helpdesk/person/mia/repair/close", data=form)
    assert changed.status_code == 409
    page.set_content(changed.text.replace('href="/', f'href="{ORIGIN}/'))
    page.evaluate(Axe().axe_script)
    assert page.evaluate(VIOLATIONS) == []
    screen.client = web.signed_in(Person("ida", "Ida Brandt", "ida.brandt"), browser="ida", roles=("Helpdesk.Read",))
    looked_at(screen, "/helpdesk/person/mia", "helpdesk-only-reads")
    assert page.locator("form[method=post], a[href*='/repair/']").count() == 0
    page.goto(f"{ORIGIN}/helpdesk/person/mia/repair/close")
    assert page.get_by_text("Helpdesk.Act").count() == 1


def test_how_connections_are(web: Web, screen: Screen) -> None:
    web.scene("open")
    fails(web, "credentials", words="User … cannot be authenticated.", code="1005", status=401)
    fails(web, "sign_in", "directory")
    screen.client = web.signed_in(Person("hanna", "Hanna Roth", "hanna.roth"), browser="hanna", roles=("Helpdesk.Read",))
    looked_at(screen, "/helpdesk/connections", "connections")
    assert screen.page.locator(".state.careful").count() == 2
    looked_at(screen, "/helpdesk", "helpdesk-search")


@pytest.mark.parametrize("scene", ["open", None])
def test_the_figures(web: Web, screen: Screen, scene: str | None) -> None:
    if scene is not None:
        web.scene(scene)
    screen.client = web.signed_in(Person("adam", "Adam Kowal", "adam.kowal"), browser="adam", roles=("Admin",))
    looked_at(screen, "/helpdesk/figures", f"figures-{scene}")
    if scene is not None:
        looked_at(screen, "/helpdesk/figures?from=x&platform=y", "figures-faults")
        screen.client = web.signed_in(Person("alma", "Alma Reis", "alma.reis"), browser="alma", roles=("Admin",))
        looked_at(screen, "/helpdesk/figures/list?table=journeys&of=all~all~begun", "figures-list")


@pytest.mark.slow
def test_the_impact_preview(web: Web, screen: Screen) -> None:
    count = counted(web, {f"person {number}": (("link", "ios"), ("registration", "android"))[: number % 3] for number in range(9)})
    screen.client = web.signed_in(Person("adam", "Adam Kowal", "adam.kowal"), browser="adam", roles=("Admin",))
    group = f"count={count.id}&reason=link&platform=ios"
    for path in ("people", "tell"):
        looked_at(screen, f"/onboarding/impact/{path}?{group}", f"impact-{path}")
    begin_wave(web.store, WaveAsked(count.id, "link", "ios", "device", 2, timedelta(hours=1)), actor=NOBODY_BUT, now=web.clock())
    counting(web)
    looked_at(screen, "/onboarding/impact", "impact")
    looked_at(screen, "/onboarding/preview", "preview")
    looked_at(screen, "/onboarding/preview/this_device/android", "preview-this-device")
    looked_at(screen, "/onboarding/preview/choose/windows", "preview-choose")


@pytest.mark.parametrize(("name", "platform"), KINDS)
def test_every_step_that_differs_on_other_devices(web: Web, screen: Screen, name: str, platform: Platform) -> None:
    of(platform, name, web.begun(platform=platform))
    screen.client = web.signed_in()
    looked_at(screen, "/journey", f"{name}-{platform.value}")


def test_what_is_noticed_beside_the_step(web: Web, screen: Screen) -> None:
    entry = replace(REGISTERED_PHONE, owner_oid="noah", registered_at=web.clock() - timedelta(days=90))
    begun = web.begun(platform=Platform.MACOS)
    begun.has_phones(replace(MANAGED_PHONE, platform=Platform.MACOS, os_version="15.1", enrolled_at=web.clock()))
    begun.registered(replace(entry, platform=Platform.MACOS)).looked().proven().looked().may_have(1)
    screen.client = web.signed_in()
    looked_at(screen, "/journey", "noticed")
    assert screen.page.locator(".notice").count() >= 3


class SecondHost:
    """Behind the web server that saw the certificate."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def open(self, path: str, *, method: str, headers: dict[str, str]) -> TestResponse:
        return self._client.open(path, base_url=THERE, method=method, headers={**headers, **RIGHT})


def test_every_page_on_the_second_host_name(two: Web, screen: Screen) -> None:
    _, _, path = asked_for_certificate(two)
    screen.client = SecondHost(two.browser())
    looked_at(screen, path, "certificate")
    looked_at(screen, "/certificate/never-made", "certificate-over")
    screen.client = two.browser()  # where the web server in front sends whoever showed it none
    looked_at(screen, "/certificate-refused", "certificate-refused")


def test_every_page_around_the_journey(web: Web, screen: Screen) -> None:
    screen.client = web.browser()
    test, seen = f"/message-test/{asked(web.store, web.clock(), 'ws2')}", f"/message-test/{asked(web.store, web.clock(), 'ws3')}"
    screen.client.press(seen, seen)
    looked_at(screen, test, "message-test")
    looked_at(screen, seen, "message-test-seen")
    for path in BEFORE_SIGN_IN:
        looked_at(screen, path, named(path))


@pytest.mark.parametrize("language", ["ar", "en"])
def test_the_menu_of_languages_open(web: Web, screen: Screen, language: str) -> None:
    screen.client = web.browser()
    screen.page.goto(f"{ORIGIN}/start?lang={language}")
    screen.page.set_viewport_size({"width": 320, "height": 640})
    screen.page.locator(".languages summary").click()
    box = screen.page.locator(".languages ul").bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 320
    fits_and_passes(screen.page, f"menu-{language}", 320)


def test_every_page_beside_the_journey(web: Web, screen: Screen) -> None:
    scene = stage("this_device_sent", web.begun())
    screen.client = web.signed_in()
    for path in (*SIGNED_IN, f"/possession/{scene.token}"):
        looked_at(screen, path, named(path))
