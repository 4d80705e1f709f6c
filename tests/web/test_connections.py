"""The page of connections: who may see it, what it says of each, in both languages; and what events leave there."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from bs4 import BeautifulSoup

from remediation.domain.device import Person
from remediation.domain.health import Cause
from remediation.store.remotes import MOST_NAMES
from remediation.store.tables import remotes, watches
from remediation.web.guards import ROLE_LASTS
from tests.web.conftest import Browser, Web
from tests.web.test_webhooks import ADDRESS, FORGED, event, sent

ADAM = Person(oid="adam", name="Adam Kowal", user_name="adam.kowal@contoso.example")
PAGE = "/helpdesk/connections"


@pytest.fixture
def adam(web: Web) -> Browser:
    return web.signed_in(ADAM, browser="the-browser-of-adam", roles=("Admin",))


def remember(web: Web, remote: str, **values: Any) -> None:
    with web.engine.begin() as connection:
        connection.execute(sa.insert(remotes).values(tenant_id=web.settings.tenant_id, remote=remote, **values))


def fails(web: Web, cause: str, remote: str = "mdm:ws1", **more: Any) -> None:
    since = web.clock() - timedelta(hours=1)
    failure = {"failed_at": web.clock(), "failing_since": since, "failures": 4, "error": "refused", "cause": cause}
    remember(web, remote, good_at=since, **{**failure, **more})


def of(web: Web) -> Any:
    with web.engine.connect() as connection:
        return connection.execute(sa.select(remotes).where(remotes.c.remote == "mdm:ws1")).one()


def text(browser: Browser, path: str = PAGE) -> str:
    return " ".join(BeautifulSoup(browser.get(path).text, "html.parser").get_text(" ").split())


def test_each_remote_has_its_own_health(web: Web, adam: Browser) -> None:
    web.scene("open")
    remember(web, "directory", good_at=web.clock(), rate=2.0, burst=12)
    fails(web, "locked", status=401, code="1005", words="The account … is locked.")
    remember(web, "mdm:maas", good_at=web.clock())
    said = text(adam)
    for words in (
        *("Microsoft Entra", "Not asked yet.", "Microsoft Graph", "Well.", "Device management ws1", "No good answers."),
        *("It says that our account is locked", "An administrator of this device management unlocks the account", "1 in all"),
        *("The first lease ends at", "refused · 401 · 1005", "The account … is locked.", "Our calls go through", "0 / 12"),
    ):
        assert words in said, words
    cards = BeautifulSoup(adam.get(PAGE).text, "html.parser").select("section.card")
    assert [len(card.select(".state.careful")) for card in cards] == [0, 0, 0, 0, 1]


@pytest.mark.parametrize("cause", Cause)
def test_each_cause_has_a_sentence_in_both_languages(web: Web, adam: Browser, cause: Cause) -> None:
    for remote in ("tokens", "directory", "channel", "mdm:ws1"):
        fails(web, cause.value, remote)
    english, german = text(adam, f"{PAGE}?lang=en"), text(adam, f"{PAGE}?lang=de")
    assert "Until then no change reaches Microsoft" in english
    assert "Bis dahin erreicht keine Änderung Microsoft" in german
    for said in (english, german):
        assert "connections." not in said, "an id that has no text"
        assert "helpdesk." not in said


def test_helpdesk_and_administrators_may_and_nobody_else(web: Web, adam: Browser) -> None:
    assert web.signed_in(roles=("helpdesk.read", "admin")).get(PAGE).status_code == 403
    hanna = web.signed_in(Person("hanna", "Hanna Roth", "hanna.roth"), browser="hanna", roles=("Helpdesk.Read",))
    assert (hanna.get(PAGE).status_code, adam.get(PAGE).status_code) == (200, 200)
    assert adam.get("/helpdesk").status_code == 403
    assert BeautifulSoup(hanna.get("/helpdesk").text, "html.parser").select_one(f"a[href='{PAGE}']") is not None
    assert adam.post(PAGE, data={"csrf_token": adam.csrf()}).status_code == 405


def test_after_the_sign_in_staff_come_back_to_it(web: Web, adam: Browser) -> None:
    page = BeautifulSoup(web.browser().get(PAGE).text, "html.parser")
    assert page.select_one("a#go-on[href='/sign-in?to=helpdesk&page=connections']") is not None
    web.clock.ahead = ROLE_LASTS + timedelta(seconds=1)
    assert "page=connections" in adam.get(PAGE).headers["Refresh"]


def test_reading_it_writes_nothing(web: Web, adam: Browser) -> None:
    fails(web, "page")
    before = web.rows()
    adam.get(PAGE)
    assert web.rows() == before


@pytest.mark.parametrize(("source", "concerns"), [("mdm:ws1/poll", True), ("directory/sweep", True), ("mdm:maas/poll", False)])
def test_the_helpdesk_reads_first_that_what_it_sees_of_this_person_may_be_old(web: Web, source: str, concerns: bool) -> None:
    web.scene("open")
    hanna = web.signed_in(Person("hanna", "Hanna Roth", "hanna.roth"), browser="hanna", roles=("Helpdesk.Read",))
    assert "What is shown here may be old" not in text(hanna, "/helpdesk/person/mia")
    row = {"failing_since": web.clock(), "reason": "x_refused", "attempts": 3}
    with web.engine.begin() as connection:
        connection.execute(sa.insert(watches).values(tenant_id=web.settings.tenant_id, name=source, **row))
    assert ("What is shown here may be old" in text(hanna, "/helpdesk/person/mia")) is concerns


# events


def test_the_last_event_and_how_many_were_forged_are_told(web: Web, adam: Browser) -> None:
    remember(web, "mdm:ws1", good_at=web.clock())
    assert sent(web, event()).status_code == 202
    assert (of(web).event_at is not None, of(web).forged) == (True, 0)
    web.clock.ahead += timedelta(seconds=6)
    browser = web.browser()
    for headers in FORGED.values():
        assert browser.post(ADDRESS, data=event(), headers=headers).status_code == 401
    assert of(web).forged == 1, "the first at once, the others with the next write"
    web.clock.ahead += timedelta(seconds=6)
    sent(web, event(), secret="wrong")
    assert of(web).forged == len(FORGED) + 1
    assert f"Events refused as forged {len(FORGED) + 1}" in text(adam)


def test_T25_a_storm_of_forged_ones_writes_once_in_five_seconds_and_makes_no_row(web: Web) -> None:
    remember(web, "mdm:ws1", good_at=web.clock())
    web.clock.ahead += timedelta(seconds=6)
    rows, written = web.rows(), []

    def count(*args: Any) -> None:
        statement = args[2]
        written.append(statement) if statement.startswith("UPDATE") else None

    sa.event.listen(web.engine, "before_cursor_execute", count)
    for n in range(200):
        name = ("ws1", f"made-up-{n}", "%00", "ws1%0d%0aSet-Cookie:x", "é", "x" * 300)[n % 6]
        answer = web.browser().post(f"/hooks/mdm/{name}", data=b"x", headers={"Content-Type": "application/json"})
        assert answer.status_code == (404 if name == "%00" else 401), "with a NUL it is no address of ours"
    assert len(written) == 1
    assert web.rows() == rows
    web.clock.ahead += timedelta(seconds=6)
    assert sent(web, event()).status_code == 202, "the control: a right one is taken and noted"
    assert of(web).event_at is not None
    assert len(written) <= MOST_NAMES + 3
