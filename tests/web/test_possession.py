"""The page behind a possession link: opening uses nothing up, the button does; each refusal has words of its own."""

from datetime import timedelta

import pytest

from remediation.domain.device import Person
from tests.web.conftest import Web
from tests.web.scenes import NOAH, Scene

HANNA = Person(oid="hanna", name="Hanna Roth", user_name="hanna.roth@contoso.example")


def heading(text: str) -> str:
    return text.split("<h1>")[1].split("</h1>")[0]


@pytest.fixture
def sent(web: Web) -> Scene:
    return web.scene("this_device_sent")


def proven(web: Web, scene: Scene) -> bool:
    journey = web.store.journey(scene.id)
    return journey is not None and journey.proven


def test_opening_uses_nothing_up_and_the_button_proves(web: Web, sent: Scene) -> None:
    path, before = f"/possession/{sent.token}", web.rows()
    for _ in range(3):  # scanners open links, signed in or not
        assert web.browser().get(path).status_code == 200
        assert web.signed_in().get(path).status_code == 200
    assert web.browser().head(path).status_code == 200
    assert {**web.rows(), "sessions": 0} == {**before, "sessions": 0}
    assert not proven(web, sent)
    pressed = web.signed_in().press(path, path)
    assert (pressed.status_code, pressed.headers["Location"]) == (303, "/journey")
    assert proven(web, sent)


def test_the_page_says_whose_journey_which_device_and_when(web: Web, sent: Scene) -> None:
    page = web.browser().get(f"/possession/{sent.token}")
    journey = web.store.journey(sent.id)
    assert journey is not None
    assert all(words in page.text for words in ("Mia Berger", "mia iPhone", journey.case_code, "<time "))
    assert f"/sign-in?entrance=possession&amp;possession={sent.token}" in page.text
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert "<form" not in page.text


def test_unknown(web: Web, sent: Scene) -> None:
    browser = web.signed_in()
    for token in ("x", "unknown-token-unknown-token", sent.token[:-1], "'; DROP TABLE people; --", "x" * 3000):
        assert browser.get(f"/possession/{token}").status_code == 410
        assert browser.post(f"/possession/{token}", data={"csrf_token": browser.csrf()}).status_code == 410
    assert not proven(web, sent)


def test_T2_other_person_sees_neither_name_nor_device_and_uses_nothing_up(web: Web, sent: Scene) -> None:
    path, noah = f"/possession/{sent.token}", web.signed_in(NOAH, browser="noahs")
    page = noah.get(path)
    assert page.status_code == 403
    assert heading(page.text) == "This link was sent to somebody else"
    assert "Mia" not in page.text
    assert "mia iPhone" not in page.text
    for action in (path, f"{path}/not-me"):
        assert noah.post(action, data={"csrf_token": noah.csrf()}).status_code == 403
    assert not proven(web, sent)
    assert web.signed_in().press(path, path).status_code == 303


def test_T4_other_journey(web: Web, sent: Scene) -> None:
    path, elsewhere = f"/possession/{sent.token}", web.signed_in(browser="another-browser-of-mia")
    refused = elsewhere.press(path, path)
    assert refused.status_code == 403
    assert heading(refused.text) == "This link belongs to a case in another browser"
    assert f"/sign-in?possession={sent.token}" in refused.text
    assert not proven(web, sent)


def test_T7_used(web: Web, sent: Scene) -> None:
    path, browser = f"/possession/{sent.token}", web.signed_in()
    form = browser.form(path, path)
    assert browser.post(path, data=form).status_code == 303
    again = browser.post(path, data=form)
    assert again.status_code == browser.get(path).status_code == 410
    assert heading(again.text) == heading(browser.get(path).text) == "This link was used already"


def test_T7_too_late(web: Web, sent: Scene) -> None:
    path, browser = f"/possession/{sent.token}", web.signed_in()
    form = browser.form(path, path)
    web.clock.ahead = timedelta(minutes=11)
    refused = browser.post(path, data=form)
    assert refused.status_code == browser.get(path).status_code == 410
    assert heading(refused.text) == "This link is too old"
    assert not proven(web, sent)


def test_revoked_by_this_was_not_me(web: Web, sent: Scene) -> None:
    path, browser = f"/possession/{sent.token}", web.signed_in()
    form = browser.form(path, path)
    assert browser.press(path, f"{path}/not-me").status_code == 303
    assert browser.get(path).status_code == 410
    refused = browser.post(path, data=form)
    assert refused.status_code == 410
    assert heading(refused.text) == "This link can no longer be used"
    assert not proven(web, sent)


def test_T3_what_was_said_is_what_the_helpdesk_reads_first_and_waits_to_be_told(web: Web, sent: Scene) -> None:
    path, hanna = f"/possession/{sent.token}", web.signed_in(HANNA, browser="h", roles=("Helpdesk.Read",))
    assert web.rows()["alarms"] == 0
    assert "before you help" not in hanna.get("/helpdesk/person/mia").text
    browser = web.signed_in(browser="a phone that began no case")
    assert browser.press(path, f"{path}/not-me").status_code == 303
    assert web.rows()["alarms"] == 1
    page = hanna.get("/helpdesk/person/mia").text
    assert "before you help" in page
    assert "on a number that you know already" in page


def test_T3_whoever_was_signed_in_as_her_elsewhere_is_signed_out_with_the_alarm(web: Web, sent: Scene) -> None:
    """The thief began the case in a browser of his own; the message came to her phone."""
    thief, phone, noah = web.signed_in(), web.signed_in(browser="her own"), web.signed_in(NOAH, browser="noahs")
    path = f"/possession/{sent.token}"
    assert thief.get("/journey").status_code == 200
    noah.post(f"{path}/not-me", data={"csrf_token": noah.csrf()})
    assert thief.get("/journey").status_code == 200, "nobody else can say it for her"
    assert phone.press(path, f"{path}/not-me").status_code == 303
    assert thief.get("/journey").status_code == 401
    assert thief.post("/journey/check", data={"csrf_token": thief.csrf()}).status_code == 401
    assert (phone.get("/journey").status_code, noah.get("/journey").status_code) == (409, 409), "these two are signed in as before"
    hanna = web.signed_in(HANNA, browser="h", roles=("Helpdesk.Read",))
    assert "Browsers signed out" in hanna.get("/helpdesk/person/mia").text


def test_T3_a_message_that_is_read_too_late_can_still_be_denied(web: Web, sent: Scene) -> None:
    """The thief asks at night, and the message is read in the morning."""
    path, browser = f"/possession/{sent.token}", web.signed_in(browser="a phone that began no case")
    web.clock.ahead = timedelta(minutes=11)
    noah = web.signed_in(NOAH, browser="noahs")
    assert noah.post(f"{path}/not-me", data={"csrf_token": noah.csrf()}).status_code == 403
    assert web.rows()["alarms"] == 0
    assert browser.get(path).status_code == 410
    assert browser.press(path, f"{path}/not-me").status_code == 303
    assert web.rows()["alarms"] == 1
    page = browser.get(path)
    assert heading(page.text) == "This link can no longer be used"
    assert f"{path}/not-me" not in page.text
    stranger = web.browser()
    asked = stranger.post(f"{path}/not-me", data={"csrf_token": stranger.csrf()})
    assert asked.status_code == 401
    assert f"/sign-in?possession={sent.token}" in asked.text, "and back here"


def test_T3_what_its_person_used_is_not_denied_by_the_same_page(web: Web, sent: Scene) -> None:
    path, browser = f"/possession/{sent.token}", web.signed_in()
    browser.press(path, path)
    web.clock.ahead = timedelta(minutes=11)
    assert "not-me" not in browser.get(path).text


def test_whoever_is_not_signed_in_is_led_through_the_sign_in_and_back(web: Web, sent: Scene) -> None:
    browser = web.browser()
    answer = browser.post(f"/possession/{sent.token}", data={"csrf_token": browser.csrf()})
    assert answer.status_code == 401
    assert f'href="/sign-in?possession={sent.token}"' in answer.text
