"""The pictures of the docs for the three people, taken from the pages: kept in `docs/pictures` where KEEP_PICTURES is set."""

import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.journeys.player import ARTIFACTS
from tests.web.conftest import Browser as Client
from tests.web.conftest import Web
from tests.web.scenes import NOAH
from tests.web.test_impact_pages import counted
from tests.web.test_look_work_list import Desks
from tests.web.test_work_list import staff

pytestmark = [pytest.mark.slow, pytest.mark.long]
KEEP = Path(__file__).parents[2] / "docs" / "pictures"


@pytest.fixture
def desks(browser: Browser) -> Iterator[Desks]:
    made = Desks(browser)
    yield made
    made.context.close()


def test_the_pictures_of_the_docs(database: Path, desks: Desks) -> None:
    folder = KEEP if os.environ.get("KEEP_PICTURES") else ARTIFACTS
    folder.mkdir(parents=True, exist_ok=True)
    web = Web(database, demo=False)
    web.scene("help_shared", person=NOAH, browser="b2")
    web.scene("fix")
    web.clock.ahead += timedelta(minutes=3)
    hanna, adam = staff(web, "hanna"), staff(web, "adam")

    def taken(name: str, client: Client, path: str, *, width: int = 1200, height: int = 760, whole: bool = False) -> Page:
        page = desks.page
        page.set_viewport_size({"width": width, "height": height})
        desks.sits(client, path)
        page.screenshot(path=folder / f"{name}.png", full_page=whole)
        return page

    taken("leaflet", web.browser(), "/leaflet", width=640, whole=True)
    taken("helpdesk-person", hanna, "/helpdesk/person/mia")
    taken("helpdesk-work", hanna, "/helpdesk/work", height=620)
    taken("set-up", adam, "/onboarding", height=900)
    taken("set-up-evidence", adam, "/onboarding/evidence")
    taken("set-up-preview", adam, "/onboarding/preview/wait/ios", width=480)
    taken("words-and-look", adam, "/onboarding/appearance")
    counted(web, {f"person {number}": (("link", "ios"), ("registration", "android"))[: number % 3] for number in range(9)})
    page = taken("impact", adam, "/onboarding/impact")
    assert page.locator("h1").count() == 1
    web.engine.dispose()
