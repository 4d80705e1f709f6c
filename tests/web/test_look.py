"""Every page in a real browser, in both languages: no wider than a 320 px screen, and free of axe's violations.

The browser's requests are answered by the app in process. `LOOK=folder` also leaves pictures there, at 320 and 1280 px.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Route

from remediation.domain.device import Platform
from tests.web.conftest import ORIGIN, Web
from tests.web.conftest import Browser as Client
from tests.web.scenes import SCENES, of, stage

PICTURES = os.environ.get("LOOK")
REFUSED = "/refused/sign_in_blocked"
BEFORE_SIGN_IN = ("/start?platform=ios", "/start?platform=macos", "/start", "/cannot-sign-in", REFUSED, "/signed-out")
SIGNED_IN = ("/sign-out", "/journey/device", "/possession/cut-off-cut-off-cut-off")
BUSY = {"choose", "not_for_you", "help", "register_again", "wait"}  # the pages with most on them, and each component once
KINDS = [
    (scene, platform) for scene in ("enroll", "register", "fix") for platform in Platform if platform not in ("ios", "unknown")
]


class Screen:
    """One window for the whole module, whose requests go to whatever app is put behind it."""

    def __init__(self, browser: Browser) -> None:
        self.context = browser.new_context(viewport={"width": 320, "height": 640}, reduced_motion="reduce")
        self.context.route("**/*", self._answer)
        self.page = self.context.new_page()
        self.client: Client | None = None

    def _answer(self, route: Route) -> None:
        assert self.client is not None
        asked = route.request
        found = self.client.open(asked.url.removeprefix(ORIGIN), method=asked.method, headers={"Accept-Language": "en"})
        route.fulfill(status=found.status_code, headers=dict(found.headers), body=found.data)


@pytest.fixture(scope="module")
def screen(browser: Browser) -> Iterator[Screen]:
    screen = Screen(browser)
    yield screen
    screen.context.close()


def looked_at(page: Page, path: str, name: str, *, axe: bool = False) -> None:
    """German everywhere, since its words are the longest; English, 1280 px and axe on every page where pictures are wanted."""
    for language in ("de", "en") if PICTURES else ("de",):
        for width in (320, 1280) if PICTURES else (320,):
            page.set_viewport_size({"width": width, "height": 640})
            page.goto(f"{ORIGIN}{path}{'&' if '?' in path else '?'}lang={language}")
            assert page.evaluate("document.documentElement.lang") == language
            page.evaluate("document.querySelectorAll('details').forEach((one) => one.open = true)")
            wide = page.evaluate("document.documentElement.scrollWidth")
            assert wide <= width, f"{name} in {language} is wider than {width} px"
            if PICTURES:
                page.screenshot(path=Path(PICTURES) / f"{name}-{language}-{width}.png", full_page=True)
            if axe or PICTURES:
                violations = Axe().run(page).response["violations"]
                assert violations == [], (name, [(v["id"], [n["html"] for n in v["nodes"]]) for v in violations])


@pytest.mark.parametrize("name", SCENES)
def test_every_step(web: Web, screen: Screen, name: str) -> None:
    web.scene(name)
    screen.client = web.signed_in()
    looked_at(screen.page, "/journey", name, axe=name in BUSY)


@pytest.mark.parametrize(("name", "platform"), KINDS)
def test_every_step_that_differs_on_other_devices(web: Web, screen: Screen, name: str, platform: Platform) -> None:
    of(platform, name, web.begun(platform=platform))
    screen.client = web.signed_in()
    looked_at(screen.page, "/journey", f"{name}-{platform.value}", axe=platform is Platform.ANDROID)


def test_every_page_around_the_journey(web: Web, screen: Screen) -> None:
    screen.client = web.browser()
    for path in BEFORE_SIGN_IN:
        looked_at(screen.page, path, path.strip("/").replace("/", "-").replace("?", "-"), axe=path == "/cannot-sign-in")


def test_every_page_beside_the_journey(web: Web, screen: Screen) -> None:
    scene = stage("this_device_sent", web.begun())
    screen.client = web.signed_in()
    for path in (*SIGNED_IN, f"/possession/{scene.token}"):
        looked_at(screen.page, path, path.strip("/").replace("/", "-")[:24])
