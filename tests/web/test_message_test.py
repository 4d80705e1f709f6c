"""The page behind a test message: scanners use nothing up, the button is seen once, and whoever presses it gets nothing by it."""

from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from remediation.domain.device import Person
from remediation.wiring import build_web_app
from tests.proven import asked, never_arrived
from tests.web.conftest import Web
from tests.web.scenes import BROWSER
from tests.web.test_journey_pages import step
from tests.web.test_possession import heading
from tests.web.test_texts import ENGLISH


@pytest.fixture
def path(web: Web) -> str:
    never_arrived(web.engine)
    return f"/message-test/{asked(web.store, web.clock())}"


def seen(web: Web) -> bool:
    test = web.store.message_test("ws1")
    return test is not None and test.proven_at is not None


def test_opening_uses_nothing_up_and_the_button_is_seen(web: Web, path: str) -> None:
    before = web.rows()
    for _ in range(3):
        assert web.browser().get(path).status_code == web.browser().head(path).status_code == 200
    assert web.rows() == before
    assert not seen(web)
    browser = web.browser()
    assert browser.press(path, path).status_code == 303
    assert seen(web)
    assert heading(browser.get(path).text) == "Thank you, it arrived"


def test_it_grants_nothing(web: Web, path: str) -> None:
    before, browser = web.rows(), web.browser()
    browser.press(path, path)
    assert {name: count - before[name] for name, count in web.rows().items() if count != before[name]} == {"audit": 1}
    assert not browser.is_signed_in()


def test_T7_pressed_twice_is_one_effect(web: Web, path: str) -> None:
    browser = web.browser()
    form = browser.form(path, path)
    assert [browser.post(path, data=form).status_code for _ in range(3)] == [303, 303, 303]
    assert web.rows()["audit"] == 2, "asked for and seen, once each"


def test_T7_too_late(web: Web, path: str) -> None:
    browser = web.browser()
    form = browser.form(path, path)
    web.clock.ahead = timedelta(minutes=11)
    refused = browser.post(path, data=form)
    assert refused.status_code == browser.get(path).status_code == 410
    assert heading(refused.text) == "This test has run out"
    assert not seen(web)


def test_unknown(web: Web, path: str) -> None:
    browser = web.browser()
    for token in ("x", "unknown-token-unknown-token", path.rsplit("/", 1)[1][:-1], "'; DROP TABLE people; --", "x" * 3000):
        assert browser.get(f"/message-test/{token}").status_code == 410
        assert browser.post(f"/message-test/{token}", data={"csrf_token": browser.csrf()}).status_code == 410
    assert not seen(web)


def test_the_helpdesk_reads_why_and_the_person_what_to_say(web: Web) -> None:
    web.scene("help_possession_off")
    hanna = web.signed_in(Person("hanna", "Hanna Roth", "hanna.roth"), browser="hanna", roles=("Helpdesk.Read",))
    page = hanna.get("/helpdesk/person/mia").text
    assert ENGLISH["helpdesk.stuck.possession_off"] in page
    assert ENGLISH["helpdesk.repair.doctor"] in page
    words = web.signed_in().get("/journey").text
    assert ENGLISH["help.do.possession_off"] in words
    assert "/journey/this-device" not in words, "no message is offered"


def test_where_the_minimum_is_fresh_the_person_is_asked_to_register_anew(database: Path) -> None:
    web = Web(database, minimum_evidence="fresh")
    web.scene("help_possession_off")
    page = web.signed_in().get("/journey").text
    assert step(web.signed_in()) == "register"
    assert ENGLISH["register.lead"] in page
    for word in ("help.do.possession_off", "this_device.lead"):
        assert ENGLISH[word] not in page
    web.engine.dispose()


@pytest.mark.parametrize("minimum", ["fresh", "possession"])
def test_the_web_process_knows_what_is_asked_for(database: Path, minimum: str) -> None:
    web = Web(database, minimum_evidence=minimum)
    web.scene("help_possession_off")
    given = web.settings.model_copy(update={"database_url": SecretStr(str(web.engine.url))})
    store = build_web_app(given).extensions["desk"].store
    journey = store.journey(store.journey_of_browser(BROWSER, "mia", web.clock()))
    assert (journey.fresh, journey.by_fresh) == (minimum == "fresh",) * 2
    web.engine.dispose()


def test_who_would_have_to_prove_a_phone_registered_anew_is_told_too(web: Web) -> None:
    web.scene("this_device_anew")
    browser = web.signed_in()
    assert step(browser) == "this_device"
    never_arrived(web.engine)
    assert step(browser) == "help"
    assert ENGLISH["help.why.possession_off"] in browser.get("/journey").text
