"""The pages of scope, partner, arrival and pilot device: what they write, what they show, and that they ask nobody."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import Route

from remediation.domain.pilot import PilotState
from remediation.domain.wishes import Kind
from tests.web import set_up_scenes as scenes
from tests.web.conftest import ORIGIN, Browser, Web
from tests.web.set_up_scenes import FOUND, IDS, admin
from tests.web.test_look import looked_at

SCOPE = "/onboarding/scope"


def send(browser: Browser, path: str, **fields: str) -> str:
    """Where it leads."""
    answer = browser.post(path, data={"csrf_token": browser.csrf(), **fields})
    assert answer.status_code == 303, answer.text
    return str(answer.location)


def test_a_search_is_a_wish_and_what_was_found_is_picked_by_its_place(web: Web) -> None:
    adam = admin(web)
    address = send(adam, f"{SCOPE}/search", words="mobile", only_managed="yes")
    wish = web.store.last_wish(Kind.GROUPS)
    assert wish is not None
    assert (address, dict(wish.asked)) == (f"{SCOPE}?found={wish.id}", {"words": "mobile", "only_managed": True})
    assert "We are asking the directory" in adam.get(address).text
    web.store.answer_wish(wish.id, at=web.clock(), answer={"groups": list(FOUND), "away": []})
    page = adam.get(address).text
    assert "Add Mobile users" in page
    assert "Add Mobile guests" not in page, "the MDM does not have it"
    send(adam, f"{SCOPE}/add", found=wish.id, place="0")
    assert [one.id for one in web.store.draft() or ()] == [IDS[0]]
    assert "why=not_managed" in send(adam, f"{SCOPE}/add", found=wish.id, place="2")
    assert "why=too_short" in send(adam, f"{SCOPE}/search", words=" m ")


@pytest.mark.parametrize("place", ["-1", "99", "x", "", "9" * 400, "0; drop"])
def test_T14_a_place_that_was_not_offered_picks_nothing(web: Web, place: str) -> None:
    adam, found = admin(web), scenes.searched(web)
    assert "why=gone" in send(adam, f"{SCOPE}/add", found=found, place=place)
    assert "why=gone" in send(adam, f"{SCOPE}/add", found="made-up", place="0")
    assert web.store.draft() is None
    send(adam, f"{SCOPE}/add", found=found, place="0")
    assert len(web.store.draft() or ()) == 1, "the control"


def test_it_is_counted_first_and_then_chosen_and_once_people_rely_on_it_signed_in_for_anew(web: Web) -> None:
    adam = admin(web)
    scenes.chosen(web, FOUND[0])
    narrower = scenes.counted(web, {**FOUND[0], "people": 812})
    assert "Choose so" in adam.get(f"{SCOPE}?count={narrower}").text
    wider = scenes.counted(web, {**FOUND[0], "people": 812}, {**FOUND[1], "people": 90})
    page = adam.get(f"{SCOPE}?count={wider}").text
    assert "At most 90 people more" in page
    assert "412" in page
    address = send(adam, f"{SCOPE}/choose", count=wider)
    assert address.startswith("/onboarding/confirm?change=")
    assert web.store.scope().ids == (IDS[0],), "nothing is widened before another sign-in"
    confirm = adam.get(address).text
    for words in ("Mobile users, Donau", "90", "Sign in"):
        assert words in confirm
    token = address.partition("change=")[2]
    refused = adam.post("/onboarding/confirm", data={"csrf_token": adam.csrf(), "change": token})
    assert (refused.status_code, web.store.scope().ids) == (403, (IDS[0],))
    assert send(adam, f"{SCOPE}/choose", count=narrower) == SCOPE, "the same or less needs none"


def test_a_setting_makes_it_read_only(database: Path) -> None:
    web = Web(database, set_up={"elsewhere": {"REMEDIATION_GROUPS": IDS[3]}})
    adam = admin(web)
    page = adam.get(SCOPE).text
    assert "REMEDIATION_GROUPS" in page
    assert f'action="{SCOPE}/search"' not in page
    assert "why=by_setting" in send(adam, f"{SCOPE}/count", who="all")
    web.engine.dispose()


def test_an_arrival_is_recorded_by_the_way_it_came_and_says_nothing_of_whom(web: Web) -> None:
    adam = admin(web)
    send(adam, "/onboarding/arrival/open", tested="clip")
    web.browser().get("/start/clip", headers={"User-Agent": "iPhone", "Referer": "https://login.microsoftonline.com/common?x=mia"})
    web.browser().get("/remediation")
    (seen,) = web.store.arrival_tests()
    assert (seen.entrance, seen.way, seen.platform, seen.referrer) == ("start", "clip", "ios", "microsoft")
    assert "It leads here" in adam.get("/onboarding/arrival").text
    for odd in ("http://[", "::::", "x" * 2000):
        send(adam, "/onboarding/arrival/open", tested="button")
        assert web.browser().get("/enrollment", headers={"Referer": odd}).status_code == 200


def test_what_somebody_says_is_noted_as_said(web: Web) -> None:
    adam = admin(web)
    scenes.answered(
        web,
        Kind.POLICY,
        {"app": "x"},
        findings=[{"check": "policy", "state": "unknown", "why": "not_readable", "about": "", "detail": {}}],
    )
    assert "Policy.Read.All" in adam.get("/onboarding/excluded").text
    send(adam, "/onboarding/excluded/seen")
    said = web.store.last_wish(Kind.POLICY_SAID)
    assert said is not None
    assert said.asked_by == "adam"
    assert "Somebody said so" in adam.get("/onboarding/excluded").text


def test_a_pilot_is_asked_for_by_the_mdms_number_watched_and_stopped(web: Web) -> None:
    scene, adam = web.scene("open"), admin(web)
    page = adam.get("/onboarding/pilot").text
    assert scene.phone().name not in page, "an administrator is shown nobody's devices"
    assert "why=no_link" in send(adam, "/onboarding/pilot/start", connection="ws1", record="4711")
    send(adam, "/onboarding/pilot/start", connection="ws1", record=scene.phone().key.record_id)
    wish = web.store.last_wish(Kind.PILOT)
    assert wish is not None
    scenes.pilot(web, str(wish.asked["link"]))
    assert "Entra shows it compliant" in adam.get("/onboarding/pilot").text
    send(adam, "/onboarding/pilot/stop", platform="ios")
    found = web.store.pilot("p1")
    assert found is not None
    assert (found.state, found.why) == (PilotState.STOPPED, "by_hand")


@pytest.mark.slow
def test_the_pages_in_a_browser(web: Web, browser: Chromium) -> None:
    """What is typed is searched for without a press; and each page is as wide as its screen and free of axe's violations."""
    link = web.scene("open")
    adam, found = admin(web), scenes.searched(web)
    context = browser.new_context(viewport={"width": 320, "height": 640}, reduced_motion="reduce")

    def answer(route: Route) -> None:
        asked = route.request
        sent = {"data": asked.post_data, "content_type": "application/x-www-form-urlencoded"} if asked.method == "POST" else {}
        given = adam.open(asked.url.removeprefix(ORIGIN), method=asked.method, headers={"Accept-Language": "en"}, **sent)
        if asked.method == "POST" and given.status_code == 303:  # the answer to the wish is there at once
            given = adam.open(f"{SCOPE}?found={found}")
        route.fulfill(status=given.status_code, headers=dict(given.headers), body=given.data)

    context.route("**/*", answer)
    page = context.new_page()
    page.goto(f"{ORIGIN}{SCOPE}")
    page.fill("#words", "mobile")
    page.wait_for_selector("#add-1")
    scenes.chosen(web, FOUND[0])
    wide = scenes.counted(web, {**FOUND[0], "people": 812}, {**FOUND[1], "people": 90})
    looked_at(page, f"{SCOPE}?found={found}", "onboarding-scope-found")
    looked_at(page, f"{SCOPE}?count={wide}", "onboarding-scope-count")
    scenes.partner(web)
    looked_at(page, "/onboarding/partner", "onboarding-partner")
    scenes.arrivals(web)
    looked_at(page, "/onboarding/arrival", "onboarding-arrival")
    scenes.policies(web)
    looked_at(page, "/onboarding/excluded", "onboarding-excluded")
    link_id = web.store.active_link(link.phone().key)
    assert link_id is not None
    scenes.pilot(web, link_id)
    looked_at(page, "/onboarding/pilot", "onboarding-pilot")
    context.close()
