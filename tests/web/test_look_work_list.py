"""The work list, the sentence for everybody and temporary access in a real browser: pressed by two of the staff, and looked at."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.web.conftest import ORIGIN, Web
from tests.web.conftest import Browser as Client
from tests.web.scenes import NOAH
from tests.web.test_access import GROUP, OTTO
from tests.web.test_look import looked_at
from tests.web.test_work_list import ROLES, publish, staff

pytestmark = pytest.mark.slow


class Desks:
    """One window, in which whoever has `client` sits down. A redirect is followed by the app's own client, as the
    browser does not ask us twice."""

    def __init__(self, browser: Browser, width: int = 1280) -> None:
        self.context = browser.new_context(viewport={"width": width, "height": 640}, reduced_motion="reduce")
        self.context.route("**/*", self._answer)
        self.page = self.context.new_page()
        self.client: Client | None = None

    def _answer(self, route: Route) -> None:
        assert self.client is not None
        asked = route.request
        headers = {"Accept-Language": "en"}
        if asked.method == "POST":
            headers["Content-Type"] = asked.headers["content-type"]
        path, data = asked.url.removeprefix(ORIGIN), asked.post_data_buffer
        found = self.client.open(path, method=asked.method, headers=headers, data=data, follow_redirects=True)
        route.fulfill(status=found.status_code, headers=dict(found.headers), body=found.data)

    def sits(self, client: Client, path: str) -> Page:
        """In English, whatever was looked at before."""
        self.client = client
        self.page.goto(f"{ORIGIN}{path}{'&' if '?' in path else '?'}lang=en")
        return self.page


@pytest.fixture
def desks(browser: Browser) -> Iterator[Desks]:
    made = Desks(browser)
    yield made
    made.context.close()


def test_from_the_list_over_two_of_the_staff_to_the_person(database: Path, desks: Desks) -> None:
    web = Web(database, demo=True, temporary_access="pim", temporary_access_group=GROUP)
    web.scene("help_shared", person=NOAH, browser="b2")
    web.scene("help")
    mia, hanna, ida = web.signed_in(), staff(web, "hanna"), staff(web, "ida")
    otto = web.signed_in(OTTO, browser="the-browser-of-otto", roles=ROLES["ida"])
    publish(web, "Microsoft is slow this morning. Please wait ten minutes before you call.")
    page = desks.sits(mia, "/journey")
    page.locator("#ask-access").click()
    looked_at(page, "/journey/access", "access-write")
    desks.sits(mia, "/journey/access")
    page.locator("#message").fill("The board meets in an hour and I have the figures.")
    page.locator("#send").click()
    expect(page.get_by_text("Two people of the helpdesk look at it")).to_be_visible()
    looked_at(page, "/journey", "access-asked")
    page = desks.sits(hanna, "/helpdesk/work")
    expect(page.get_by_text("A person asks for temporary access")).to_be_visible()
    expect(page.get_by_role("button", name="I take this")).to_have_count(0)
    looked_at(page, "/helpdesk/work", "work-read")
    page = desks.sits(ida, "/helpdesk/work?kind=access")
    page.get_by_role("button", name="I take this").click()
    expect(page.get_by_text("You have taken this")).to_be_visible()
    looked_at(page, "/helpdesk/work", "work-act")
    desks.sits(ida, "/helpdesk/work?kind=access")
    page.get_by_role("link", name="See the request").click()
    request = page.url.removeprefix(ORIGIN).partition("?")[0]
    looked_at(page, request, "access-first")
    desks.sits(ida, request)
    page.locator("#approve-answer").fill("Until eight hours from now. Please finish step 2 meanwhile.")
    page.locator("#approve-note").fill("Called back on the number in the directory.")
    page.get_by_text("I know who is asking").click()
    page.locator("#approve").click()
    expect(page.get_by_text("another person decides now")).to_be_visible()
    page = desks.sits(otto, request)
    looked_at(page, request, "access-second")
    desks.sits(otto, request)
    page.get_by_text("I know who is asking").click()
    page.locator("#approve").click()
    expect(page.get_by_text("Approved by two")).to_be_visible()
    looked_at(page, request, "access-approved")
    page = desks.sits(mia, "/journey")
    expect(page.get_by_text("Please finish step 2 meanwhile.")).to_be_visible()
    looked_at(page, "/journey", "access-card")
    lena = staff(web, "lena")
    page = desks.sits(lena, "/helpdesk/incident?text_en=Slow&text_de=Langsam&hours=2")
    looked_at(page, "/helpdesk/incident?text_en=Slow&text_de=Langsam&hours=2", "incident-preview")
    looked_at(page, "/helpdesk/incident", "incident-now")
    looked_at(desks.sits(staff(web, "adam"), "/helpdesk/work"), "/helpdesk/work", "work-admin")
    web.engine.dispose()
