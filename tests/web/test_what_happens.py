"""*What is happening?*: each answer has its words and its way on in every language; the case keeps it, and nothing else does."""

import json

import pytest
import sqlalchemy as sa
from bs4 import BeautifulSoup
from werkzeug.datastructures import Headers

from remediation.domain.device import Person, Platform
from remediation.domain.troubles import ADVICE, Trouble, Way, asked
from remediation.domain.turns import SAID
from remediation.web.browsers import at_a_computer, cannot_prove, family_of, on_linux, platform_of
from sandbox.platforms import KINDS
from tests.people import REGISTERED_PHONE
from tests.web.conftest import Browser, Web

PATH = "/what-happens"
HANNA = Person(oid="hanna", name="Hanna Roth", user_name="hanna.roth@contoso.example")
IPHONE, ANDROID = KINDS["iphone"].user_agent, KINDS["android_fully_managed"].user_agent
MAC, WINDOWS, LINUX = (KINDS[kind].user_agent for kind in ("mac", "windows", "linux"))
CHROME_MAC = MAC.replace("Version/18.1", "Chrome/130.0.0.0")
LANGUAGES = ("en", "de", "fr", "es", "pt-BR", "ja", "ar")


def tells(browser: Browser, trouble: str, user_agent: str = IPHONE) -> str:
    headers = {"User-Agent": user_agent}
    answer = browser.post(PATH, data={**browser.form(PATH, PATH), "trouble": trouble}, headers=headers)
    assert answer.status_code == 303
    return str(answer.headers["Location"])


def kept(web: Web) -> list[dict[str, object]]:
    with web.engine.connect() as connection:
        rows = connection.execute(sa.text("SELECT detail FROM audit WHERE why = 'trouble.told' ORDER BY id")).scalars()
        return [row if isinstance(row, dict) else json.loads(row) for row in rows]


def test_each_answer_has_words_and_one_way_on(web: Web) -> None:
    goes = {"helpdesk": "#ask", "account": "#go-on", "journey": "#go-on", "there": "#go-on", "hand_over": ".qr"}
    browser = web.browser()
    for number, trouble in enumerate(Trouble):
        language = LANGUAGES[number % len(LANGUAGES)]  # `test_texts` holds that none lacks in any
        page = BeautifulSoup(browser.get(f"{PATH}/{trouble.value}?lang={language}").text, "html.parser")
        assert page.html is not None
        assert page.html["lang"] == language
        assert page.h1 is not None
        assert "trouble." not in page.h1.text
        assert page.select_one(goes[ADVICE[trouble].way.value]) is not None, trouble


@pytest.mark.parametrize("platform", Platform)
def test_the_question_fits_the_platform_and_leaves_no_answer_out(platform: Platform) -> None:
    offered = [trouble for troubles in asked(platform).values() for trouble in troubles]
    assert set(offered) == {one for one, advice in ADVICE.items() if platform in advice.platforms}
    assert len(offered) == len(set(offered))
    assert set(ADVICE) == set(Trouble)
    assert any(trouble in offered for trouble in (Trouble.KEYCHAIN, Trouble.WORK_SIDE, Trouble.COMPUTER, Trouble.LINUX))


def test_whoever_is_not_signed_in_is_told_and_nothing_is_kept(web: Web) -> None:
    browser = web.browser()
    assert tells(browser, "private_window") == f"{PATH}/private_window"
    assert "Close the private window" in browser.get(f"{PATH}/private_window").text
    assert kept(web) == []


def test_in_a_journey_the_case_keeps_it_and_the_helpdesk_reads_it(web: Web) -> None:
    scene = web.begun()
    scene.registered(REGISTERED_PHONE).looked()
    before = web.store.journey(scene.id)
    browser = web.signed_in()
    place = tells(browser, "keychain", MAC)
    assert kept(web) == [{"trouble": "keychain", "browser": "safari", "platform": "macos"}]
    assert before is not None
    assert before.case_code in browser.get(place).text
    assert web.store.journey(scene.id) == before, "it decides nothing"
    page = web.signed_in(HANNA, browser="of-hanna", roles=("Helpdesk.Read",)).get("/helpdesk/person/mia").text
    assert "My Mac asks for the keychain password" in page
    assert "safari" in page


def test_what_is_not_among_the_answers_leads_back_to_the_question(web: Web) -> None:
    web.begun()
    browser = web.signed_in()
    assert tells(browser, "'; drop table audit") == PATH
    assert browser.get(f"{PATH}/nothing/of-the-kind").headers["Location"] == PATH
    assert kept(web) == []


def test_nobody_fills_the_audit_with_answers(web: Web) -> None:
    web.begun()
    browser = web.signed_in()
    form = {**browser.form(PATH, PATH), "trouble": "clock"}
    answers = [browser.post(PATH, data=form).status_code for _ in range(SAID.at_once + 1)]
    assert answers == [303] * SAID.at_once + [429]
    assert len(kept(web)) == SAID.at_once


@pytest.mark.parametrize(
    ("headers", "family", "platform"),
    [
        ({"User-Agent": IPHONE}, "safari", Platform.IOS),
        ({"User-Agent": IPHONE.replace("Version/18.1", "CriOS/130.0")}, "chrome", Platform.IOS),
        ({"User-Agent": IPHONE.replace("Version/18.1", "EdgiOS/130.0")}, "edge", Platform.IOS),
        ({"User-Agent": f"{IPHONE} Instagram 300"}, "in_app", Platform.IOS),
        ({"User-Agent": ANDROID}, "chrome", Platform.ANDROID),
        ({"User-Agent": ANDROID.replace("Chrome/", "SamsungBrowser/27.0 Chrome/")}, "samsung", Platform.ANDROID),
        (
            {"User-Agent": ANDROID, "Sec-CH-UA-Platform": '"Android"', "Sec-CH-UA": '"Microsoft Edge";v="130"'},
            "edge",
            Platform.ANDROID,
        ),
        ({"User-Agent": MAC}, "safari", Platform.MACOS),
        ({"User-Agent": WINDOWS}, "edge", Platform.WINDOWS),
        ({"User-Agent": LINUX}, "firefox", Platform.UNKNOWN),
        ({"User-Agent": CHROME_MAC, "Sec-CH-UA-Platform": '"Windows"'}, "chrome", Platform.WINDOWS),
        ({}, "other", Platform.UNKNOWN),
    ],
)
def test_a_browser_and_its_system_are_told_apart(headers: dict[str, str], family: str, platform: Platform) -> None:
    assert (family_of(Headers(headers)), platform_of(Headers(headers))) == (family, platform)


def test_only_what_is_sure_to_fail_is_called_unable() -> None:
    def unable(user_agent: str, platform: Platform) -> bool:
        return cannot_prove(Headers({"User-Agent": user_agent}), platform)

    chrome_on_iphone = IPHONE.replace("Version/18.1", "CriOS/130.0")
    assert unable(chrome_on_iphone, Platform.IOS)
    assert not unable(IPHONE, Platform.IOS)
    assert not unable(chrome_on_iphone, Platform.MACOS), "it is open somewhere else"
    assert not unable("Mozilla/5.0 (iPhone) something new", Platform.IOS)
    assert not unable(f"{IPHONE} Instagram 300", Platform.IOS), "which has a hint of its own"


def test_a_phones_page_on_a_computer_offers_the_code_and_an_ipad_is_not_taken_for_one() -> None:
    def computer(headers: dict[str, str], platform: Platform) -> bool:
        return at_a_computer(Headers(headers), platform)

    assert computer({"User-Agent": WINDOWS}, Platform.IOS)
    assert computer({"User-Agent": LINUX}, Platform.ANDROID)
    assert not computer({"User-Agent": MAC}, Platform.IOS), "an iPad's browser says so, too"
    assert computer({"User-Agent": CHROME_MAC, "Sec-CH-UA-Platform": '"macOS"'}, Platform.IOS)
    assert computer({"User-Agent": MAC}, Platform.ANDROID)
    assert not computer({"User-Agent": WINDOWS}, Platform.WINDOWS)
    assert on_linux(Headers({"User-Agent": LINUX}))
    assert not on_linux(Headers({"User-Agent": ANDROID}))


def test_the_pages_say_so_where_it_matters(web: Web) -> None:
    web.begun().looked()
    at_the_laptop = web.signed_in().get("/journey", headers={"User-Agent": WINDOWS}).text
    assert 'id="hand-over"' in at_the_laptop
    assert 'id="what-happens"' in at_the_laptop
    assert 'id="hand-over"' not in web.signed_in().get("/journey", headers={"User-Agent": IPHONE}).text
    linux = web.browser().get("/start", headers={"User-Agent": LINUX}).text
    assert "This looks like a computer with Linux" in linux
    assert 'id="what-happens" href="/what-happens"' in linux
    assert ADVICE[Trouble.LINUX].way is Way.HELPDESK
