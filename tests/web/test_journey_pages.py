"""The dispatcher and its buttons: each step's page from real rows, handles, the live fragment, patience, what is never claimed."""

import re
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa
from bs4 import BeautifulSoup

from remediation.domain.compliance import Posture
from remediation.domain.steps import Step
from remediation.web import HOUSE, handles
from tests.people import MANAGED_PHONE, MIA, REGISTERED_PHONE
from tests.web.conftest import Browser, Web
from tests.web.scenes import BROWSER, FAILING, NOAH, SCENES, WORKER, Scene

FIRST_VIEW = 50_000


def step(browser: Browser) -> str:
    found = re.search(r'class="step step-(\w+)"', browser.get("/journey").text)
    assert found is not None
    return found.group(1)


@pytest.mark.parametrize("name", SCENES)
def test_each_step_has_its_page(web: Web, name: str) -> None:
    scene = web.scene(name)
    browser = web.signed_in()
    page = browser.get("/journey")
    soup = BeautifulSoup(page.text, "html.parser")
    assert name.startswith(step(browser))
    assert len(soup.find_all("h1")) == 1
    assert len(soup.select(".action:not(.quiet)")) <= 1, "one thing to do"
    journey = web.store.journey(scene.id)
    assert journey is not None
    strip = " ".join(part.get_text() for part in soup.select("aside.case"))
    assert journey.case_code in strip
    assert "+49" in strip
    assert soup.html is not None
    assert soup.html["lang"] == "en"
    assert soup.select_one("a.skip[href='#main']") is not None
    style, script = ((HOUSE / "static" / name).stat().st_size for name in ("style.css", "script.js"))
    assert style <= 20_000
    assert script <= 3_000
    assert len(page.data) + style + script < FIRST_VIEW


def test_every_step_is_among_the_scenes() -> None:
    assert all(any(name.startswith(member.value) for name in SCENES) for member in Step)


@pytest.mark.parametrize("name", ["this_device_two", "fix", "wait"])
def test_no_page_shows_an_id(web: Web, name: str) -> None:
    scene = web.scene(name)
    page = web.signed_in().get("/journey").text
    own = (scene.id, MANAGED_PHONE.key.record_id, "2001", "F2LXK0ABCD12", f'"{MIA.oid}"', "ws1")
    assert all(secret not in page for secret in own)


def test_the_chosen_device_is_sent_the_message(web: Web) -> None:
    scene = web.scene("this_device_two")
    browser = web.signed_in()
    form = browser.form("/journey", "/journey/this-device")  # the last radio's handle
    answer = browser.post("/journey/this-device", data=form)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/journey")
    journey = web.store.journey(scene.id)
    assert journey is not None
    assert journey.possession is not None
    assert journey.possession.key.record_id == "2001"


def test_whoever_picked_the_wrong_device_picks_another_at_once(web: Web) -> None:
    scene = web.scene("this_device_two").message_sent()
    browser = web.signed_in()
    assert browser.press("/journey", "/journey/this-device").status_code == 303
    journey = web.store.journey(scene.id)
    assert journey is not None
    assert journey.possession is not None
    assert journey.possession.key.record_id == "2001"


def test_a_handle_means_nothing_in_another_journey_browser_or_form(web: Web) -> None:
    noah = web.begun(person=NOAH, browser="noahs")
    noah.has_phones(replace(MANAGED_PHONE, key=replace(MANAGED_PHONE.key, record_id="3001"), serial="N")).looked()
    foreign = web.signed_in(NOAH, browser="noahs").form("/journey", "/journey/this-device")["device"]
    scene = web.scene("this_device")
    browser, key = web.signed_in(), scene.phone().key
    with web.app.app_context():
        elsewhere = (handles.make(noah.id, BROWSER, key), handles.make(scene.id, "noahs", key))
    for handle in (*elsewhere, foreign, "", "1042", "ws1/1042", "x" * 4000, "\u202e"):
        answer = browser.post("/journey/this-device", data={"csrf_token": browser.csrf(), "device": handle})
        assert answer.status_code == 400, handle
    journey = web.store.journey(scene.id)
    assert journey is not None
    assert journey.possession is None
    assert browser.press("/journey", "/journey/this-device").status_code == 303


def test_the_fragment_is_that_of_the_page_and_says_when_nothing_changed(web: Web) -> None:
    scene = web.scene("this_device")
    browser = web.signed_in()
    page = BeautifulSoup(browser.get("/journey").text, "html.parser").select_one("#panel")
    assert page is not None
    same = browser.get("/journey/status", headers={"If-None-Match": str(page["data-etag"])})
    assert same.status_code == 204
    scene.message_sent()
    changed = browser.get("/journey/status", headers={"If-None-Match": str(page["data-etag"])})
    assert changed.status_code == 200
    assert "Open the message" in changed.text
    assert changed.headers["X-Watch"] == "on"
    again = browser.get("/journey/status", headers={"If-None-Match": changed.headers["ETag"]})
    assert again.status_code == 204
    whole = BeautifulSoup(browser.get("/journey").text, "html.parser").select_one("#panel .step")
    part = BeautifulSoup(changed.text, "html.parser").select_one(".step")
    assert whole is not None
    assert part is not None
    assert whole.get_text() == part.get_text()


@pytest.mark.parametrize("name", ["open", "help"])
def test_the_script_is_told_to_stop_when_nothing_more_will_change(web: Web, name: str) -> None:
    web.scene(name)
    browser = web.signed_in()
    assert browser.get("/journey/status").headers["X-Watch"] == "stop"
    assert "data-watch" not in browser.get("/journey").text


def test_a_page_waits_for_a_look_at_most_a_moment(web: Web) -> None:
    web.scene("looking")
    web.app.config["PATIENCE"] = 0.4
    began = time.monotonic()
    assert "Looking for your device" in web.signed_in().get("/journey").text
    assert 0.3 < time.monotonic() - began < 1.5


def test_check_again_is_a_wish_and_pressing_twice_is_one(web: Web) -> None:
    scene = web.scene("fix")
    browser = web.signed_in()
    assert browser.press("/journey", "/journey/check").status_code == 303
    once = web.store.journey(scene.id)
    assert browser.press("/journey", "/journey/check").status_code == 303
    twice = web.store.journey(scene.id)
    assert once is not None
    assert twice is not None
    assert once.look.refresh_wanted_at is not None
    assert once.look.wake == twice.look.wake


def test_still_blocked_is_taken_at_its_word(web: Web) -> None:
    scene = web.scene("open")
    assert web.signed_in().press("/journey", "/journey/still-blocked").status_code == 303
    journey = web.store.journey(scene.id)
    assert journey is not None
    assert journey.still_blocked_at is not None
    page = web.signed_in().get("/journey").text
    assert "We are looking again" in page
    assert "sees your device as compliant" not in page
    scene.looked()
    assert "We looked again" in web.signed_in().get("/journey").text
    scene.looked(directory_error="unreachable")
    page = web.signed_in().get("/journey").text
    assert "You told us at" in page
    assert "We looked again" not in page


CLAIMS = {
    "saved": "We have saved that",
    "sent": "We have told Microsoft",
    "accepted": "Microsoft took the news",
    "seen": "directory showed your device as compliant",
}


def claims(web: Web) -> set[str]:
    page = web.signed_in().get("/journey").text
    return {name for name, words in CLAIMS.items() if words in page}


@pytest.mark.parametrize(
    ("moved_on", "claimed"),
    [(Scene.linked, set()), (Scene.desired, {"saved"}), (Scene.accepted, {"accepted"}), (Scene.opened, {"seen"})],
)
def test_a_page_claims_what_was_observed_and_no_more(web: Web, moved_on: Callable[[Scene], Scene], claimed: set[str]) -> None:
    begun = web.begun().has_phones(MANAGED_PHONE).registered(REGISTERED_PHONE).looked()
    moved_on(begun)
    begun.looked()
    assert claims(web) == claimed


def test_already_so_and_found_so_say_that_it_was_none_of_our_doing(web: Web) -> None:
    web.begun().has_phones(MANAGED_PHONE).registered(replace(REGISTERED_PHONE, compliant=True)).looked()
    assert "We did not have to change anything" in web.signed_in().get("/journey").text


def test_already_so_after_a_send_says_so(web: Web) -> None:
    web.begun().has_phones(MANAGED_PHONE).registered(REGISTERED_PHONE).looked().opened("already_so").looked()
    assert "It already did before we sent the news" in web.signed_in().get("/journey").text


@pytest.mark.parametrize(
    ("side", "words"), [("mdm_error", "device management is not answering"), ("directory_error", "directory is not answering")]
)
def test_a_remote_that_is_down_is_named_and_the_page_still_answers(web: Web, side: str, words: str) -> None:
    scene = web.scene("wait_linking").looked(**{side: "unreachable"})
    page = web.signed_in().get("/journey")
    assert page.status_code == 200
    assert words in page.text
    assert "the work goes on by itself" in page.text
    scene.looked()
    assert words not in web.signed_in().get("/journey").text


def test_a_message_that_was_never_answered_can_be_sent_again(web: Web) -> None:
    web.scene("this_device_sent")
    web.clock.ahead = timedelta(minutes=11)
    browser = web.signed_in()
    page = browser.get("/journey").text
    assert "The last link is too old to use" in page
    assert browser.press("/journey", "/journey/this-device").status_code == 303
    assert "Sending the message" in browser.get("/journey").text


def test_a_message_that_the_mdm_did_not_take_says_so(web: Web) -> None:
    scene = web.scene("this_device_sending")
    with web.store.change(WORKER, "possession.failed", about=("journey", scene.id), at=web.clock()) as change:
        change.possession_failed(scene.id, "unreachable")
    assert "The message could not be sent" in web.signed_in().get("/journey").text


def jailbroken() -> Posture:
    return replace(FAILING, compromised=True, failing=())


def test_rules_with_advice_rules_without_and_a_jailbreak(web: Web) -> None:
    scene = web.scene("fix")
    page = web.signed_in().get("/journey").text
    assert "Set a passcode" in page
    assert "The radio must be off in the lab" in page
    scene.has_phones(replace(MANAGED_PHONE, posture=jailbroken()))
    assert "Put the original system back" in web.signed_in().get("/journey").text
    scene.has_phones(replace(MANAGED_PHONE, posture=replace(FAILING, failing=())))
    assert "does not say which rule" in web.signed_in().get("/journey").text


def test_late_is_said_when_it_is_late(web: Web) -> None:
    web.scene("wait_linking")
    assert "on its way</h1>" in web.signed_in().get("/journey").text
    web.clock.ahead = timedelta(minutes=20)
    assert "slower than usual" in web.signed_in().get("/journey").text
    web.clock.ahead = timedelta(minutes=80)
    assert "longer than it should" in web.signed_in().get("/journey").text


def test_a_journey_that_is_over_is_begun_anew_by_signing_in(web: Web) -> None:
    web.scene("wait")
    web.clock.ahead = timedelta(hours=25)
    browser = web.signed_in()
    page = browser.get("/journey")
    assert page.status_code == 409
    assert 'href="/start"' in page.text
    assert "/sign-in?entrance=start&amp;platform=ios" in browser.get("/start").text


def test_a_bug_of_ours_gets_a_page_without_its_reason(web: Web, caplog: pytest.LogCaptureFixture) -> None:
    web.scene("wait")
    browser = web.signed_in()
    with web.engine.begin() as connection:
        connection.execute(sa.text("UPDATE journeys SET platform = 'toaster'"))
    page = browser.get("/journey")
    assert page.status_code == 500
    assert page.text.count('id="go-on"') == 1
    assert "toaster" not in page.text
    assert "a bug, on GET journey.show" in caplog.text


def test_a_database_that_is_away_gets_503_and_says_nothing_of_it(web: Web, caplog: pytest.LogCaptureFixture) -> None:
    web.scene("wait")
    browser = web.signed_in()
    with web.engine.begin() as connection:
        connection.execute(sa.text("ALTER TABLE journeys RENAME TO lost"))
        connection.execute(sa.text("ALTER TABLE sessions RENAME TO gone"))
    for path in ("/journey", "/journey/status", "/"):
        page = browser.get(path)
        assert page.status_code == 503
        assert page.headers["Retry-After"] == "10"
        assert page.text.count('id="go-on"') == 1
        assert "sessions" not in page.text
    assert "the database did not serve GET journey.show" in caplog.text
    assert "SELECT" not in caplog.text
