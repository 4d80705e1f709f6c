"""Browsers as they are: no cookies, back, reload, second tabs, two devices, lost sessions, other apps, shared phones, slow nets."""

import re
from dataclasses import replace

import pytest
import sqlalchemy as sa
from bs4 import BeautifulSoup

from remediation.domain.device import Platform
from remediation.domain.steps import Step
from remediation.web import HOUSE
from remediation.web.embedded import inside_an_app
from tests.people import MANAGED_PHONE, MIA
from tests.web.conftest import Browser, Web
from tests.web.scenes import BROWSER, NOAH, SCENES, stage
from tests.web.test_journey_pages import step

BUTTONS = (
    "/journey/check",
    "/journey/choose",
    "/journey/device",
    "/journey/this-device",
    "/journey/still-blocked",
    "/journey/tell-me",
)
APPLE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
ANDROID = "Mozilla/5.0 (Linux; Android 14; Pixel 8{}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0 Mobile Safari/537.36"


def test_a_browser_that_refuses_cookies_is_told_so_by_each_form_and_never_sent_in_a_circle(web: Web) -> None:
    refusing = web.app.test_client(use_cookies=False)
    assert isinstance(refusing, Browser)
    form = refusing.form("/cannot-sign-in", "/cannot-sign-in")
    answer = refusing.post("/cannot-sign-in", data=form)
    assert answer.status_code == 403
    assert "cookie" in answer.text
    assert 'id="go-on" href="/"' in answer.text
    back = refusing.get("/signed-in?code=x&state=y")
    assert back.status_code == 400
    assert "cookie" in back.text


@pytest.mark.parametrize("path", BUTTONS)
def test_a_session_lost_between_page_and_button_leads_to_the_sign_in(web: Web, path: str) -> None:
    web.scene("fix")
    browser = web.signed_in()
    form = {"csrf_token": browser.csrf()}
    browser.delete_cookie("remediation")
    before = web.rows()
    answer = browser.post(path, data=form)
    assert answer.status_code == 401
    assert 'id="go-on" href="/sign-in"' in answer.text
    assert web.rows() == before


@pytest.mark.parametrize("name", SCENES)
def test_a_session_lost_at_any_step_is_taken_up_again_there(web: Web, name: str) -> None:
    """As the sign-in does it: a new browser id, and the living journey bound to it."""
    scene = web.scene(name)
    before = step(web.signed_in())
    lost = web.browser().get("/journey")
    assert lost.status_code == 401
    assert 'href="/sign-in"' in lost.text
    code = web.store.journey(scene.id)
    again = web.begun(browser="after-the-loss")
    assert again.id == scene.id
    assert code is not None
    page = web.signed_in(browser="after-the-loss").get("/journey").text
    assert code.case_code in page
    after = step(web.signed_in(browser="after-the-loss"))
    assert after == before or before == Step.HELP  # a look that somebody wants decides anew whether only a person can help


def test_back_and_reload_after_a_button_show_the_journey_and_act_no_second_time(web: Web) -> None:
    scene = web.scene("this_device")
    browser = web.signed_in()
    form = browser.form("/journey", "/journey/this-device")
    assert browser.post("/journey/this-device", data=form).status_code == 303
    rows = web.rows()
    assert browser.post("/journey/this-device", data=form).status_code == 303, "the same form again, as *back* brings it"
    assert web.rows() == rows
    assert browser.get("/journey/this-device").headers["Location"] == "/journey", "its address, as a restored tab opens it"
    journey = web.store.journey(scene.id)
    assert journey is not None
    assert step(browser) == "this_device"


def test_two_tabs_are_on_the_same_journey_and_an_old_one_does_no_harm(web: Web) -> None:
    scene = web.scene("this_device_two")
    browser = web.signed_in()
    old_tab = browser.form("/journey", "/journey/this-device")
    scene.proven()
    scene.has_phones(MANAGED_PHONE)
    answer = browser.post("/journey/this-device", data={**old_tab, "csrf_token": browser.csrf()})
    assert answer.status_code == 400
    assert 'id="go-on" href="/journey"' in answer.text


def test_two_devices_of_one_person_in_two_browsers_do_not_touch_each_other(web: Web) -> None:
    phone = stage("this_device", web.begun())
    mac = web.begun(browser="the-mac", platform=Platform.MACOS)
    mac.has_phones(
        MANAGED_PHONE, replace(MANAGED_PHONE, key=replace(MANAGED_PHONE.key, record_id="9"), platform=Platform.MACOS)
    ).looked()
    on_phone, on_mac = web.signed_in(), web.signed_in(browser="the-mac")
    for _ in range(2):
        assert "iPhone or iPad" in on_phone.get("/journey").text
        assert "This page is about: Mac." in on_mac.get("/journey").text
    assert on_mac.press("/journey", "/journey/this-device").status_code == 303
    asked, other = web.store.journey(mac.id), web.store.journey(phone.id)
    assert asked is not None
    assert other is not None
    assert asked.possession is not None
    assert other.possession is None
    assert asked.case_code != other.case_code


def test_a_wrong_guess_of_the_device_is_corrected_and_no_case_is_lost(web: Web) -> None:
    mac = web.begun(platform=Platform.MACOS)
    mac.has_phones().registered().looked()
    browser = web.signed_in()
    page = BeautifulSoup(browser.get("/journey").text, "html.parser").select_one("#other-device")
    assert page is not None
    assert "iPad" in page.get_text()
    assert "iPads present themselves as Macs" in browser.get(str(page["href"])).text

    def change(platform: str) -> str:
        form = {"csrf_token": browser.csrf(), "platform": platform}
        assert browser.post("/journey/device", data=form).headers["Location"] == "/journey"
        found = BeautifulSoup(browser.get("/journey").text, "html.parser").select_one("#case-code")
        assert found is not None
        return found.get_text()

    first = web.store.journey(mac.id)
    assert first is not None
    ipad = change("ios")
    assert ipad != first.case_code
    assert change("macos") == first.case_code
    assert change("ios") == ipad
    assert change("ios") == ipad
    assert browser.post("/journey/device", data={"csrf_token": browser.csrf(), "platform": "toaster"}).status_code == 400
    with web.engine.connect() as connection:
        assert connection.execute(sa.text("SELECT count(*) FROM journeys")).scalar_one() == 2


INSIDE = {
    APPLE: "safari",  # a web view names no Safari
    f"{APPLE} Version/18.1 Mobile/15E148 Safari/604.1": None,
    f"{APPLE} CriOS/130.0 Mobile/15E148 Safari/604.1": None,
    f"{APPLE} EdgiOS/130.0 Version/18.0 Mobile/15E148 Safari/604.1": None,
    f"{APPLE} Mobile/15E148 LinkedInApp/9.30 Safari/604.1": "safari",
    ANDROID.format("; wv"): "browser",
    ANDROID.format(""): None,
    f"{ANDROID.format('')} [FBAN/EMA;FBAV/420]": "browser",
    "": None,
    "x" * 5000: None,
}


@pytest.mark.parametrize(("agent", "better"), INSIDE.items())
def test_inside_another_app_a_better_browser_is_advised_and_nothing_refused(web: Web, agent: str, better: str | None) -> None:
    assert inside_an_app(agent) == better
    page = web.browser().get("/start", headers={"User-Agent": agent})
    assert page.status_code == 200
    assert ("inside another app" in page.text) == (better is not None)
    assert ("Safari" in page.text) == (better == "safari")
    assert "/sign-in?" in page.text


@pytest.mark.parametrize("path", ["/journey", "/journey/device", "/sign-out", "/possession/{}"])
def test_two_people_on_one_phone_every_page_names_who_is_signed_in_and_lets_them_go(web: Web, path: str) -> None:
    scene = web.scene("this_device_sent")
    corner = BeautifulSoup(web.signed_in().get(path.format(scene.token)).text, "html.parser").select_one(".corner")
    assert corner is not None
    assert MIA.name in corner.get_text()
    assert "Not you?" in corner.get_text()
    assert corner.select_one("a[href='/sign-out']") is not None
    assert MIA.name not in web.browser().get("/start").text


def test_the_next_person_on_the_phone_sees_nothing_of_the_one_before(web: Web) -> None:
    web.scene("this_device")
    browser = web.signed_in()
    browser.get("/journey")
    browser.press("/sign-out", "/sign-out")
    assert browser.get("/journey").status_code == 401
    noah = web.signed_in(NOAH, browser=BROWSER)  # even with the same browser id
    page = noah.get("/journey")
    assert page.status_code == 409
    assert MANAGED_PHONE.name not in page.text


@pytest.mark.parametrize("name", SCENES)
def test_a_page_is_whole_without_script(web: Web, name: str) -> None:
    web.scene(name)
    soup = BeautifulSoup(web.signed_in().get("/journey").text, "html.parser")
    forms = soup.select("form[method=post] button")
    assert forms, "something to press, with no script at all"
    assert all(form.find("input", {"name": "csrf_token"}) for form in soup.find_all("form"))
    assert {str(tag.get("src")) for tag in soup.find_all("script")} == {str(web.app.extensions["desk"].assets.address("script.js"))}


def test_the_script_s_questions_come_ever_more_slowly_and_stop_where_nothing_is_seen() -> None:
    script = (HOUSE / "static" / "script.js").read_text()
    assert "document.hidden" in script
    quiet = re.search(r"Math\.min\(pause \* ([\d.]+), 15000\)", script)
    failing = re.search(r"Math\.min\(pause \* (\d), 60000\)", script)
    assert quiet is not None
    assert float(quiet.group(1)) > 1
    assert failing is not None
    assert float(failing.group(1)) >= 2
