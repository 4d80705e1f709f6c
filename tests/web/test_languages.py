"""Languages: chosen by the browser or by the person, kept on every page, and no sentence of one in another."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from pydantic import ValidationError

from remediation.domain.device import Person
from remediation.messages import Messages
from remediation.settings import WebSettings
from remediation.web.moments import clock
from remediation.web.texts import Texts
from tests.web.conftest import SETTINGS, Browser, Web
from tests.web.scenes import SCENES
from tests.web.test_texts import ENGLISH, STAFF, TEXTS

GERMAN_BROWSER = {"Accept-Language": "de-AT,de;q=0.9,en;q=0.5"}
PATHS = ("/", "/remediation?platform=android", "/enrollment", "/cannot-sign-in", "/journey", "/sign-out", "/nowhere")
OTHERS = sorted(TEXTS.keys() - {"en"})
# What may be the same as in English: a name, a pattern of digits, and what Germans call by its English word.
SAME = {language: {"platform.macos", "page.day_and_time"} for language in OTHERS}
SAME["de"] |= {"case.helpdesk", "error.quote"}
HANNA = Person("hanna", "Hanna Roth", "hanna.roth")
PHONE = SETTINGS["helpdesk_phone"].replace(" ", "\u00a0")


def page(browser: Browser, path: str, **headers: str) -> BeautifulSoup:
    return BeautifulSoup(browser.get(path, headers=headers, follow_redirects=True).text, "html.parser")


def language(soup: BeautifulSoup) -> str:
    assert soup.html is not None
    return str(soup.html["lang"])


def test_the_browser_s_wish_is_followed_and_what_nobody_has_falls_back_to_the_setting(web: Web) -> None:
    assert language(page(web.browser(), "/", **GERMAN_BROWSER)) == "de"
    assert language(page(web.browser(), "/", **{"Accept-Language": "nl"})) == "en"
    assert language(page(web.browser(), "/")) == "en"


@pytest.mark.parametrize(
    ("wished", "got"),
    [
        *[("pt", "pt-BR"), ("pt-BR", "pt-BR"), ("PT-br", "pt-BR"), ("pt-PT", "pt-BR"), ("es-MX", "es"), ("fr-CA", "fr")],
        *[("ar-EG", "ar"), ("ja-JP", "ja"), ("en-GB", "en"), ("de-CH", "de"), ("*", "en"), ("xx-yy;q=x", "en")],
        ("fr-CA,en;q=0.5", "fr"),  # a region of ours that we do not have comes before another language that we have
        ("nl,es-AR;q=0.8,en;q=0.5", "es"),
        ("ja;q=0,de;q=0.1", "de"),
    ],
)
def test_a_region_finds_its_language(web: Web, wished: str, got: str) -> None:
    assert language(page(web.browser(), "/", **{"Accept-Language": wished})) == got


def test_a_tenant_can_have_german_as_its_default(database: Path) -> None:
    web = Web(database, language="de")
    assert language(page(web.browser(), "/", **{"Accept-Language": "nl"})) == "de"
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


@pytest.mark.parametrize("tag", TEXTS)
def test_the_menu_has_every_other_language_in_its_own_name_and_holds_without_script(web: Web, tag: str) -> None:
    soup = page(web.browser(), f"/?lang={tag}")
    assert language(soup) == tag
    menu = soup.select_one("details.languages")
    assert menu is not None
    summary = menu.summary
    assert summary is not None
    assert summary.get_text().strip().endswith(TEXTS[tag]["page.language"])
    shown = {str(link["hreflang"]): (link.get_text(), str(link["lang"])) for link in menu.select("li a[href]")}
    assert shown == {other: (TEXTS[other]["page.language"], other) for other in TEXTS if other != tag}


def test_staff_pages_are_offered_in_the_languages_that_have_staffs_words(web: Web) -> None:
    web.scene("help_loop")
    texts = Texts()
    assert texts.whole == ["de", "en"]
    hanna = web.signed_in(HANNA, browser="hanna", roles=("Helpdesk.Read",))
    for path in ("/helpdesk", "/helpdesk/person/mia", "/helpdesk/connections"):
        soup = page(hanna, path, **{"Accept-Language": "ja,de;q=0.5"})
        assert language(soup) == "de", path
        assert [link["hreflang"] for link in soup.select(".languages a")] == ["en"]
    assert language(page(hanna, "/helpdesk?lang=fr")) == "en"
    assert language(page(hanna, "/sign-out")) == "en", "what a page cannot be had in is not remembered"
    assert language(page(hanna, "/sign-out?lang=fr")) == "fr"
    assert language(page(hanna, "/helpdesk")) == "en", "a person's choice stays out of staff's pages"
    assert language(page(hanna, "/sign-out")) == "fr", "and is still there afterwards"
    refused = page(web.signed_in(), "/helpdesk", **{"Accept-Language": "fr"})
    assert language(refused) == "en"
    assert ENGLISH["error.title.role_missing"] in refused.get_text()


def test_a_language_of_the_tenant_that_staffs_pages_lack_leaves_them_english(database: Path) -> None:
    web = Web(database, language="ar")
    hanna = web.signed_in(HANNA, browser="hanna", roles=("Helpdesk.Read",))
    assert language(page(hanna, "/helpdesk")) == "en"
    assert language(page(hanna, "/sign-out")) == "ar"
    web.engine.dispose()


def test_the_setting_takes_each_language_that_has_a_file_and_no_other() -> None:
    for tag in TEXTS:
        assert WebSettings.model_validate({**SETTINGS, "language": tag}).language == tag
    with pytest.raises(ValidationError, match="must be one of: ar, de, en, es, fr, ja, pt-BR"):
        WebSettings.model_validate({**SETTINGS, "language": "pt_BR"})


@pytest.mark.parametrize("name", ["fix", "wait", "help_loop", "enroll"])
def test_a_page_runs_from_right_to_left_and_what_is_ours_alone_keeps_its_order(web: Web, name: str) -> None:
    scene = web.scene(name)
    journey = web.store.journey(scene.id)
    assert journey is not None
    browser = web.signed_in()
    for tag in TEXTS:
        soup = page(browser, f"/journey?lang={tag}")
        assert soup.html is not None
        assert soup.html["dir"] == ("rtl" if tag == "ar" else "ltr")
        if tag == "ar":
            for kept in (PHONE, journey.case_code):
                found = soup.find_all(string=re.compile(re.escape(kept)))
                assert found
                assert {one.parent.name for one in found if one.parent} <= {"bdi", "code"}, kept
        # Setting a variable apart is markup, which a title or an attribute would show as it is.
        assert not re.search(r"=\"[^\"]*(<|&lt;)bdi|<title>[^<]*(<|&lt;)bdi", str(soup)), tag
        assert "&lt;bdi" not in str(soup), tag


def test_the_link_is_made_from_our_routes_and_never_leads_off_the_site(web: Web) -> None:
    for path in ("//evil.example/x", "/nowhere//evil.example", "/?platform=//evil.example", "/start?lang=//evil.example"):
        soup = page(web.browser(), path)
        for link in soup.find_all("a", hreflang=True):
            assert re.fullmatch(r"/[a-z/-]*\?lang=(de|fr|es|pt-BR|ja|ar)", str(link["href"])), path
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
    if len(ENGLISH[key]) > 8 and not key.startswith((*STAFF, "page.language", "message."))
]


@pytest.mark.parametrize("name", SCENES)
def test_a_page_in_another_language_holds_no_english_sentence(web: Web, name: str) -> None:
    web.scene(name)
    browser, turn = web.signed_in(), list(SCENES).index(name)
    for tag in (OTHERS[turn % len(OTHERS)], OTHERS[(turn + 1) % len(OTHERS)]):
        soup = page(browser, f"/journey?lang={tag}")
        assert language(soup) == tag
        for menu in soup.select(".languages ul"):
            menu.decompose()
        words = " ".join(soup.get_text(" ").split())
        found = [key for key, pattern in FOREIGN if ENGLISH[key] != TEXTS[tag][key] and pattern.search(words)]
        assert found == [], tag
        assert "%(" not in words


@pytest.mark.parametrize("tag", OTHERS)
def test_every_sentence_differs_from_the_english_one_but_for_names(tag: str) -> None:
    same = {key for key, text in TEXTS[tag].items() if text == ENGLISH.get(key)}
    assert {key for key in same if not key.startswith(STAFF)} <= SAME[tag]


@pytest.mark.parametrize(
    ("language", "written"),
    [
        *[("de", "3. Feb., 14:05 UTC"), ("en", "3 Feb, 14:05 UTC"), ("fr", "3 févr., 14:05 UTC"), ("es", "3 feb, 14:05 UTC")],
        *[("pt-BR", "3 fev., 14:05 UTC"), ("ja", "2月3日 14:05 UTC"), ("ar", "3 فبراير، 14:05 UTC")],
    ],
)
def test_days_are_written_as_the_language_writes_them(web: Web, language: str, written: str) -> None:
    with web.app.test_request_context(f"/?lang={language}"):
        then = BeautifulSoup(clock(datetime(2026, 2, 3, 14, 5, tzinfo=UTC)), "html.parser").get_text()
    assert then == written


@pytest.mark.parametrize(
    ("language", "words"),
    [
        *[
            ("en", "Tap to confirm (case"),
            ("de", "Tippen Sie (Fall"),
            ("fr", "Touchez le lien (dossier"),
            ("ja", "タップして (ケース"),
        ],
        *[("es", "Toque el enlace (caso"), ("pt-BR", "Toque no link (caso"), ("ar", "اضغط الرابط (الحالة")],
    ],
)
def test_the_message_through_the_mdm_is_in_the_tenants_language(language: str, words: str) -> None:
    message = Messages(Texts(default=language), "Contoso", {}).possession("https://return.contoso.example/possession/x", "K7M-2QX")
    asks, case = words.split(" (")
    assert asks in message
    assert re.match(r"Contoso\s?: ", message)
    assert f"({case} K7M-2QX)" in message
    assert "https://return.contoso.example/possession/x " in message
