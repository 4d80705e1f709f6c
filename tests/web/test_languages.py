"""English and German: chosen by the browser or by the person, kept on every page, and no sentence of the one in the other."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

from remediation.web.moments import clock
from remediation.web.texts import Texts
from remediation.wiring import possession_message
from tests.web.conftest import Browser, Web
from tests.web.scenes import SCENES
from tests.web.test_texts import ENGLISH, GERMAN, STAFF

GERMAN_BROWSER = {"Accept-Language": "de-AT,de;q=0.9,en;q=0.5"}
PATHS = ("/", "/remediation?platform=android", "/enrollment", "/cannot-sign-in", "/journey", "/sign-out", "/nowhere")
# Words that are the same in both: names, and what Germans call by its English word.
SAME = {"page.language", "case.helpdesk", "platform.macos", "error.quote"}
SAME |= {"figures.csv", "figures.json", "figures.column.median_s"}


def page(browser: Browser, path: str, **headers: str) -> BeautifulSoup:
    return BeautifulSoup(browser.get(path, headers=headers, follow_redirects=True).text, "html.parser")


def language(soup: BeautifulSoup) -> str:
    assert soup.html is not None
    return str(soup.html["lang"])


def test_the_browser_s_wish_is_followed_and_what_nobody_has_falls_back_to_the_setting(web: Web) -> None:
    assert language(page(web.browser(), "/", **GERMAN_BROWSER)) == "de"
    assert language(page(web.browser(), "/", **{"Accept-Language": "fr"})) == "en"
    assert language(page(web.browser(), "/")) == "en"


def test_a_tenant_can_have_german_as_its_default(database: Path) -> None:
    web = Web(database, language="de")
    assert language(page(web.browser(), "/", **{"Accept-Language": "fr"})) == "de"
    assert language(page(web.browser(), "/", **{"Accept-Language": "en"})) == "en"
    web.engine.dispose()


@pytest.mark.parametrize("path", PATHS)
def test_the_language_can_be_changed_on_every_page_and_the_page_stays(web: Web, path: str) -> None:
    web.scene("fix")
    browser = web.browser() if path in ("/", "/enrollment", "/remediation?platform=android") else web.signed_in()
    before = page(browser, path)
    link = before.find("a", string="Deutsch")
    assert link is not None
    assert (link["lang"], link["hreflang"]) == ("de", "de")
    after = page(browser, str(link["href"]))
    assert language(after) == "de"
    if path != "/nowhere":
        assert str(link["href"]).partition("?")[0] == (path.partition("?")[0] if path != "/" else "/start")
        assert len(after.find_all("a")) == len(before.find_all("a"))
    assert language(page(browser, path)) == "de", "a cookie remembers it"
    back = after.find("a", string="English")
    assert back is not None
    assert language(page(browser, str(back["href"]))) == "en"


def test_the_link_is_made_from_our_routes_and_never_leads_off_the_site(web: Web) -> None:
    for path in ("//evil.example/x", "/nowhere//evil.example", "/?platform=//evil.example", "/start?lang=//evil.example"):
        soup = page(web.browser(), path)
        for link in soup.find_all("a", hreflang=True):
            assert re.fullmatch(r"/[a-z/-]*\?lang=de", str(link["href"])), path
    assert "evil" not in (web.browser().get("/?lang=evil").headers.get("Set-Cookie") or "")


def test_a_refused_sign_in_can_be_read_again_in_another_language(web: Web) -> None:
    browser = web.browser()
    refused = BeautifulSoup(browser.get("/signed-in?error=x").text, "html.parser")
    link = refused.find("a", string="Deutsch")
    assert link is not None
    assert str(link["href"]) == "/refused/sign_in_garbled?lang=de"
    again = browser.get(str(link["href"]))
    assert "Noch einmal anmelden" in again.text
    assert browser.get("/refused/sign_in_blocked?code=53003").text.count("AADSTS53003") == 1
    assert "<b>" not in browser.get("/refused/sign_in_blocked?code=<b>x").text
    assert browser.get("/refused/bug").status_code == 404


def test_signing_out_keeps_the_language(web: Web) -> None:
    browser = web.signed_in()
    browser.get("/sign-out?lang=de")
    away = browser.press("/sign-out", "/sign-out").headers["Location"]
    assert language(page(browser, away)) == "de"


def sentences(texts: dict[str, str]) -> list[tuple[str, re.Pattern[str]]]:
    """Each sentence as a pattern: what stands for its variables may be anything."""
    return [
        (key, re.compile(r".{0,80}?".join(re.escape(part) for part in re.split(r"%\(\w+\)s", text)))) for key, text in texts.items()
    ]


FOREIGN = [
    (key, pattern)
    for key, pattern in sentences(ENGLISH)
    if ENGLISH[key] != GERMAN.get(key) and len(ENGLISH[key]) > 8 and not key.startswith((*STAFF, "page.language", "message."))
]


@pytest.mark.parametrize("name", SCENES)
def test_a_german_page_holds_no_english_sentence(web: Web, name: str) -> None:
    web.scene(name)
    soup = page(web.signed_in(), "/journey", **GERMAN_BROWSER)
    assert language(soup) == "de"
    words = " ".join(soup.get_text(" ").split())
    assert [key for key, pattern in FOREIGN if pattern.search(words)] == []
    assert "%(" not in words


def test_every_german_sentence_differs_but_for_names() -> None:
    same = {key for key, text in GERMAN.items() if text == ENGLISH.get(key)}
    assert {key for key in same if not key.startswith(STAFF)} <= SAME
    assert not [key for key, text in GERMAN.items() if re.search(r"\b(du|dein|deine|dich|dir)\b", text, re.IGNORECASE)], (
        "Sie, always"
    )


@pytest.mark.parametrize(
    ("language", "written"), [("de", r"\d{1,2}\. \w+\.?, \d\d:\d\d UTC"), ("en", r"\d{1,2} \w+, \d\d:\d\d UTC")]
)
def test_days_are_written_as_the_language_writes_them(web: Web, language: str, written: str) -> None:
    with web.app.test_request_context(f"/?lang={language}"):
        yesterday = BeautifulSoup(clock(web.clock() - timedelta(days=1)), "html.parser").get_text()
    assert re.fullmatch(written, yesterday), yesterday


@pytest.mark.parametrize(("language", "words"), [("en", "Tap to confirm"), ("de", "Tippen Sie")])
def test_the_message_through_the_mdm_is_in_the_tenants_language(language: str, words: str) -> None:
    message = possession_message(Texts(default=language), "Contoso", "https://return.contoso.example/possession/x", "K7M-2QX")
    assert words in message
    assert message.startswith("Contoso: ")
    assert "(case K7M-2QX)" in message or "(Fall K7M-2QX)" in message
    assert "https://return.contoso.example/possession/x " in message
