"""What an administrator puts in place of ours: tried, stored, seen by people, escaped everywhere, taken back; and only by them."""

import base64
from io import BytesIO
from typing import Any

import pytest
import sqlalchemy as sa
from bs4 import BeautifulSoup

from remediation.domain.device import Person
from remediation.store.tables import appearance, audit
from tests.domain.test_appearance import png
from tests.web.conftest import Browser, Web
from tests.web.test_hostile_columns import harmless

ADAM = Person("adam", "Adam Kowal", "adam.kowal@contoso.example")
HERE = "/onboarding/appearance"
TITLE, LEAD = f"{HERE}/text/en/welcome.title", f"{HERE}/text/en/welcome.lead"


@pytest.fixture
def adam(web: Web) -> Browser:
    return web.signed_in(ADAM, browser="the-browser-of-adam", roles=("Admin",))


def puts(adam: Browser, address: str, **fields: Any) -> int:
    return adam.post(address, data={"csrf_token": adam.csrf(), **fields}, content_type="multipart/form-data").status_code


def heading(web: Web, language: str = "en") -> str:
    page = BeautifulSoup(web.browser().get(f"/?lang={language}").text, "html.parser")
    found = page.select_one("h1")
    assert found is not None
    return found.get_text()


def test_a_sentence_is_tried_stored_seen_and_taken_back(web: Web, adam: Browser) -> None:
    ours = heading(web)
    tried = adam.get(TITLE, query_string={"value": "Back to work, please"})
    assert (tried.status_code, heading(web)) == (200, ours), "a preview changes nothing"
    assert "Back to work, please" in BeautifulSoup(tried.text, "html.parser").select("#preview")[0].get_text()
    assert puts(adam, TITLE, value="Back to work, please") == 303
    assert (heading(web), heading(web, "de") == "Back to work, please") == ("Back to work, please", False)
    assert puts(adam, TITLE, value="Work again") == 303
    history = BeautifulSoup(adam.get(TITLE).text, "html.parser").select("#history form")
    assert ["Work again" in history[0].get_text(), "Back to work, please" in history[1].get_text()] == [True, True]
    version = history[1].select("input[name=version]")[0]["value"]
    assert puts(adam, "/onboarding/appearance-back", version=version) == 303
    assert heading(web) == "Back to work, please"
    assert puts(adam, TITLE, ours="1") == 303
    assert heading(web) == ours
    with web.engine.connect() as connection:
        rows = connection.execute(sa.select(audit.c.actor_id, audit.c.detail).where(audit.c.why == "appearance.changed")).all()
        current = connection.execute(sa.select(sa.func.count()).where(appearance.c.current)).scalar_one()
    assert [(who, detail["what"], detail["ours"]) for who, detail in rows] == [
        *[("adam", "text/en/welcome.title", False)] * 3,
        ("adam", "text/en/welcome.title", True),
    ]
    assert current == 1


def test_a_variable_that_is_lost_is_refused_and_nothing_is_stored(web: Web, adam: Browser) -> None:
    before = web.browser().get("/?lang=en").text
    for value in ("Nothing to fill in", "%(organisation)s %(oid)s", "%(organisation)s 100%", ""):
        assert puts(adam, LEAD, value=value) == 400
    assert [row for row in web.rows() if row == "appearance" and web.rows()[row]] == []
    assert puts(adam, LEAD, value="Hello %(organisation)s") == 303
    assert "Hello Contoso" in web.browser().get("/?lang=en").text != before


def test_T7_markup_in_a_sentence_or_a_number_is_text_everywhere(web: Web, adam: Browser) -> None:
    payload = "\"'><zq1 zq2=3><script>zq()</script>"
    for address in (TITLE, f"{HERE}/hours"):
        harmless(adam.get(address, query_string={"value": payload}))
        assert puts(adam, address, value=payload[:60]) == 303
    assert puts(adam, f"{HERE}/phone", value="javascript:zq()") == 400
    for browser, path in (
        (web.browser(), "/"),
        (web.browser(), "/cannot-sign-in"),
        (adam, HERE),
        (adam, TITLE),
        (adam, f"{HERE}?q=zq"),
    ):
        harmless(browser.get(path))
    assert payload[:60] in heading(web), "it is shown, as text"


def test_T7_what_lies_in_the_database_is_checked_once_more_before_it_is_shown(web: Web) -> None:
    ours, at = heading(web), web.clock()
    row = {"tenant_id": web.settings.tenant_id, "made_at": at, "made_by": "adam", "current": True}
    planted = {"text/en/welcome.title": "%(zq)s", "accent": "red;}*{display:none", "logo": "PHN2Zz4=", "phone": "zq", "zq": "zq"}
    with web.engine.begin() as connection:
        for key, value in planted.items():
            connection.execute(sa.insert(appearance).values(id=key, key=key, value=value, **row))
    page = web.browser().get("/cannot-sign-in?lang=en")
    assert (heading(web), "zq" in page.text, "/brand/" in page.text) == (ours, False, False)


def test_the_number_and_the_hours_are_the_administrators(web: Web, adam: Browser) -> None:
    assert puts(adam, f"{HERE}/phone", value="+49 40 1234") == puts(adam, f"{HERE}/hours", value="day and night") == 303
    page = web.browser().get("/cannot-sign-in").text
    said = ("tel:+49401234", "+49\u00a040\u00a01234", "day and night", "5550")
    assert [one in page for one in said] == [True, True, True, False]


def test_colours_and_logo_come_with_a_sheet_of_their_own(web: Web, adam: Browser) -> None:
    assert "/brand/" not in web.browser().get("/").text
    assert puts(adam, f"{HERE}/accent", value="#FFD400") == 400
    assert puts(adam, f"{HERE}/accent", value="#1A5FB4") == 303
    assert puts(adam, f"{HERE}/logo", logo=(BytesIO(png(before=b"")), "logo.svg")) == 303, "by content, whatever it is called"
    assert puts(adam, f"{HERE}/logo", logo=(BytesIO(b"<svg onload='zq()'/>"), "logo.png")) == 400
    [link] = BeautifulSoup(web.browser().get("/").text, "html.parser").select("link[href^='/brand/']")
    sheet = web.browser().get(str(link["href"]))
    assert (sheet.content_type, "--accent: #1a5fb4" in sheet.text) == ("text/css; charset=utf-8", True)
    assert "prefers-color-scheme: light" in sheet.text, "a colour for light pages must not reach the dark ones"
    picture = web.browser().get(sheet.text.split("url(")[1].split(")")[0])
    assert (picture.content_type, picture.data[:4]) == ("image/png", b"\x89PNG")
    assert picture.headers["X-Content-Type-Options"] == "nosniff"
    assert "immutable" in picture.headers["Cache-Control"]
    assert base64.b64encode(picture.data).decode() in web.app.extensions["desk"].shop.current(web.clock()).values()


def test_a_page_is_shown_where_the_table_cannot_be_read(web: Web) -> None:
    with web.engine.begin() as connection:
        connection.execute(sa.text("ALTER TABLE appearance RENAME TO gone"))
    assert web.browser().get("/").status_code == 200


def test_a_page_reads_it_once_in_some_seconds(web: Web) -> None:
    browser, statements = web.browser(), list[str]()
    browser.get("/")
    sa.event.listen(web.engine, "before_cursor_execute", lambda *given: statements.append(given[2]))
    browser.get("/")
    assert [one for one in statements if "appearance" in one] == []


def test_what_is_nothing_of_ours_is_refused(web: Web, adam: Browser) -> None:
    for key in ("text/en/nothing", "text/xx/welcome.title", "text/en/helpdesk.title", "style", "text/en/message.possession"):
        assert adam.get(f"{HERE}/{key}").status_code == puts(adam, f"{HERE}/{key}", value="x") == 400
    assert puts(adam, "/onboarding/appearance-back", version="none") == 400


def test_each_thing_has_a_page_with_its_name(adam: Browser) -> None:
    keys = {"phone": "Helpdesk's phone number", "hours": "Helpdesk's hours", "logo": "Logo", "text/en/welcome.title": "A sentence"}
    keys |= {"accent": "Colour on light pages", "accent_dark": "Colour on dark pages"}
    for key, name in keys.items():
        [title] = BeautifulSoup(adam.get(f"{HERE}/{key}").text, "html.parser").select("h1")
        assert title.get_text() == name
