"""T18: no form but our own, in this very session, changes anything. Each refusal has its control beside it."""

import re
from collections import defaultdict
from datetime import timedelta

import pytest

from remediation.services.waves import WaveAsked, begin_wave
from remediation.web import FORM_LASTS
from tests.proven import asked
from tests.web.conftest import Browser, Web
from tests.web.role_matrix import MATRIX
from tests.web.scenes import NOAH, Scene
from tests.web.test_impact_pages import NOBODY_BUT, counted, counting
from tests.web.test_onboarding_lock import prepared

# The page for the certificate has its form on the second host name: `test_certificate_pages` forges that one. What an MDM sends
# comes out of no form: `test_webhooks` forges it. No cookie counts for what a program sends: `test_api_tokens` has that.
ELSEWHERE = {"/certificate/<handle>", "/hooks/mdm/<connection>"}
ELSEWHERE |= {rule for method, rule in MATRIX if rule.startswith("/api/")}
ACTS = ("Helpdesk.Act", "Helpdesk.Lead", "Admin")
POSTS = sorted(rule for method, rule in MATRIX if method == "POST" and rule not in ELSEWHERE)
# Forms that need a stage of their own, which these modules set: the right one works there.
CONTROLS = {
    "/helpdesk/access/": "test_access",
    "/journey/access": "test_access",
    "/helpdesk/work/": "test_work_list",
    "/helpdesk/incident": "test_work_list",
    "/helpdesk/person/<oid>/repair/": "test_repair_pages",
    "/set-up/<token>": "test_from_zero",
    "/onboarding/appearance": "test_appearance",
    "/onboarding/<step>": "test_from_zero",
    "/onboarding/confirm": "test_from_zero",
    "/onboarding/credential/": "test_from_zero",
    "/onboarding/mdm/": "test_from_zero",
    "/onboarding/arrival/": "test_onboarding_scope",
    "/onboarding/scope/": "test_onboarding_scope",
    "/onboarding/pilot/": "test_onboarding_scope",
}


def filled(web: Web, scene: Scene, rule: str) -> str:
    if "<wave>" in rule:
        picked = WaveAsked(counted(web).id, "link", "ios", "device", 25, timedelta(hours=1))
        rule = rule.replace("<wave>", begin_wave(web.store, picked, actor=NOBODY_BUT, now=web.clock())[0])
    return rule.replace("<token>", scene.token).replace("<test>", asked(web.store, web.clock())).replace("<oid>", "mia")


def fields(web: Web, path: str, browser: Browser) -> dict[str, str]:
    """What the form that goes to `path` would really send, but for the token."""
    if path == "/journey/device":
        return {"platform": "macos"}
    if path.endswith("/end-sessions"):
        return {"because": "lost", "sure": "on"}
    if path == "/onboarding/impact/stop":
        return {"count": counting(web).id}
    if path == "/onboarding/impact/tell":
        asked_for = {"count": counted(web).id, "reason": "link", "platform": "ios"}
        return {**asked_for, "way": "device", "size": "25", "pause": "60"}
    if path.startswith("/onboarding/second_lock/"):
        prepared(web)
        return {"kind": "unmarked", "what": "53003"} if path.endswith("/seen") else {}
    if path == "/what-microsoft-says":
        return {"text": "53003"}
    if path == "/what-happens":
        return {"trouble": "new_phone"}
    form = browser.form("/journey", path) if path in ("/journey/this-device", "/journey/choose") else {}
    return {name: value for name, value in form.items() if name != "csrf_token"}


@pytest.mark.parametrize("rule", POSTS)
def test_T18_a_forged_form_is_refused_and_changes_nothing_and_the_right_one_works(web: Web, rule: str) -> None:
    scene = web.scene({"/journey/this-device": "this_device", "/journey/choose": "choose"}.get(rule, "this_device_sent"))
    path, browser, other = filled(web, scene, rule), web.signed_in(roles=ACTS), web.signed_in(NOAH, browser="another", roles=ACTS)
    form, right, foreign = fields(web, path, browser), browser.csrf(), other.csrf()
    before = web.rows()
    for token in (None, "", "wrong", right[:-3] + "xyz", foreign):
        answer = browser.post(path, data={**form, **({"csrf_token": token} if token is not None else {})})
        assert answer.status_code == 403, token
        assert answer.text.count('id="go-on"') == 1
    for headers in (
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "https://evil.example"},
        {"Origin": "http://localhost:8000.evil.example"},
        {"Origin": "https://localhost:8000"},
    ):
        assert browser.post(path, data={**form, "csrf_token": right}, headers=headers).status_code == 403, headers
    assert web.rows() == before
    if rule.startswith(tuple(CONTROLS)):
        return
    own = {"Sec-Fetch-Site": "same-origin", "Origin": "null"}  # as a browser writes them under our referrer policy
    assert browser.post(path, data={**form, "csrf_token": right}, headers=own).status_code == 303
    assert web.rows() != before


def test_an_old_form_gets_a_kind_page_with_one_button_and_a_fresh_one_works(web: Web) -> None:
    web.scene("wait")
    browser = web.signed_in()
    form = browser.form("/journey", "/journey/check")
    web.app.config["WTF_CSRF_TIME_LIMIT"] = -1
    answer = browser.post("/journey/check", data=form)
    assert answer.status_code == 403
    assert answer.text.count('id="go-on"') == 1
    web.app.config["WTF_CSRF_TIME_LIMIT"] = FORM_LASTS
    assert browser.press("/journey", "/journey/check").status_code == 303


def test_T18_every_unsafe_method_of_every_route_asks_for_the_token(web: Web) -> None:
    """The list comes from the URL map, so that a new route cannot escape it."""
    scene = web.scene("this_device_sent")
    browser, before = web.signed_in(), web.rows()
    tried: set[tuple[str, str]] = set()
    takes: dict[str, set[str]] = defaultdict(set)
    for rule in web.app.url_map.iter_rules():
        takes[re.sub(r"<[^>]+>", scene.token, rule.rule)] |= rule.methods or set()
    by_path = web.app.url_map.bind("")
    for path in takes:
        for method in ("POST", "PUT", "PATCH", "DELETE", "PROPFIND"):
            answer = browser.open(path, method=method, data={"csrf_token": "wrong", "platform": "macos", "device": "x"})
            refused = 401 if path.startswith("/hooks/") else 404 if path.startswith("/api/") else 403  # no API is set up here
            taken = method in takes[path] or method in by_path.allowed_methods(path)  # a step's name may be any word
            assert answer.status_code == (refused if taken else 405), (method, path)
            tried.add((method, path))
    assert len(tried) > 100
    assert web.rows() == before
    assert {rule for method, rule in MATRIX if method == "POST"} <= {*POSTS, *ELSEWHERE}


@pytest.mark.parametrize("rule", POSTS)
def test_T18_a_get_never_acts(web: Web, rule: str) -> None:
    scene = web.scene("this_device_sent")
    browser = web.signed_in()
    path = filled(web, scene, rule)
    before = web.rows()
    assert browser.get(path).status_code in (200, 303, 403, 405, 410)
    assert web.rows() == before
    assert browser.is_signed_in()
