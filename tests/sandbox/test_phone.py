"""The pretend phone by plain links and forms, and once in a real browser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlencode

import pytest
import requests
from axe_playwright_python.sync_playwright import Axe
from bs4 import BeautifulSoup, Tag
from playwright.sync_api import Browser, Page

from sandbox.server import Sandbox
from sandbox.things import DevicePolicy
from sandbox.world import Phone
from tests.sandbox.conftest import afresh

HUB = "com.airwatch.ios.agent"
HOSTILE = '<img src=x onerror="alert(1)">\u202egnp.\u2066 & 😀' + "a" * 4000


@pytest.fixture
def sandbox(running: Sandbox) -> Sandbox:
    return afresh(running, "blocked_unregistered")


@pytest.fixture
def mia(sandbox: Sandbox) -> Phone:
    return sandbox.world.phones["mia"]


class Visitor:
    """Someone without script: opens addresses, presses what is on the page."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.http, self.origin = requests.Session(), sandbox.pages_url
        self.http.trust_env = False

    def open(self, path: str) -> BeautifulSoup:
        answer = self.http.get(self.origin + path, timeout=5)
        assert answer.status_code == 200, answer.text
        return BeautifulSoup(answer.text, "html.parser")

    def send(self, path: str, **fields: str) -> requests.Response:
        return self.http.post(self.origin + path, data=fields, timeout=5, allow_redirects=False)


@pytest.fixture
def visitor(sandbox: Sandbox) -> Iterator[Visitor]:
    visitor = Visitor(sandbox)
    with visitor.http:
        yield visitor


def _text(page: BeautifulSoup, selector: str) -> str:
    found = page.select_one(selector)
    return " ".join(found.get_text(" ").split()) if found else ""


def _href(page: BeautifulSoup, selector: str) -> str:
    found = page.select_one(selector)
    assert isinstance(found, Tag)
    return str(found["href"])


def _open_for_microsoft(sandbox: Sandbox, mia: Phone) -> None:
    device = sandbox.world.register(mia)
    device.is_compliant = device.is_managed = True


def test_the_story_begins_with_one_thing_to_do(visitor: Visitor) -> None:
    page = visitor.open("/")
    assert _text(page, "h1") == "Mia wants to read her mail."
    assert [_text(page, f"#app-{app}") for app in ("outlook", "authenticator", "hub")] == ["Outlook", "Authenticator", "Hub"]
    assert "stand-in" in page.get_text().lower()


def test_the_block_page_says_what_happened_and_leads_to_the_product(visitor: Visitor, sandbox: Sandbox, mia: Phone) -> None:
    page = visitor.open("/phone/outlook")
    assert mia.outlook is not None
    assert _href(page, "#way-on") == sandbox.world.partner.enrollment_url
    details = _text(page, "#more-details")
    for value in (mia.outlook["correlation_id"], mia.outlook["request_id"], "Outlook", "iOS", "Unregistered", "530003"):
        assert value in details
    assert "stand-in" in _text(page, ".bar-tag")
    assert "registration" not in _text(page, ".content").lower()


def test_a_failing_phone_is_led_to_the_other_address(visitor: Visitor, sandbox: Sandbox, mia: Phone) -> None:
    device = sandbox.world.register(mia)
    device.is_managed, device.is_compliant = True, False
    page = visitor.open("/phone/outlook")
    assert _href(page, "#way-on") == sandbox.world.partner.remediation_url
    assert _text(page, "#way-on").startswith("Check Compliance")


def test_opening_outlook_is_an_attempt_and_a_glance_is_none(visitor: Visitor, sandbox: Sandbox) -> None:
    visitor.open("/phone/outlook")
    visitor.open("/phone/outlook?glance=1")
    assert len(sandbox.world.sign_ins) == 1
    visitor.open("/phone/outlook")
    assert len(sandbox.world.sign_ins) == 2


def test_outlook_opens_when_microsoft_says_so(visitor: Visitor, sandbox: Sandbox, mia: Phone) -> None:
    visitor.open("/phone/outlook")
    _open_for_microsoft(sandbox, mia)
    assert _text(visitor.open("/"), "h1") == "Microsoft says yes."
    page = visitor.open("/phone/outlook")
    assert "You’re in." in _text(page, ".opened")
    assert len(page.select(".mail")) == 4
    assert _text(page, "h1") == "Mia is in."


def test_a_second_policy_that_blocks_is_told_beside_compliant(visitor: Visitor, sandbox: Sandbox, mia: Phone) -> None:
    _open_for_microsoft(sandbox, mia)
    sandbox.world.device_policies = [DevicePolicy("Second lock", 'device.extensionAttribute7 -eq "m"')]
    assert "You cannot access this right now" in str(visitor.open("/phone/outlook"))
    assert _text(visitor.open("/"), "h1") == "Compliant, and held back."
    sandbox.world.device_policies.clear()
    assert _text(visitor.open("/"), "h1") == "Microsoft says yes."


def test_registering_makes_the_directory_device_seen_after_the_lag(visitor: Visitor, sandbox: Sandbox, mia: Phone) -> None:
    field = visitor.open("/phone/authenticator").select_one("#work-address")
    assert isinstance(field, Tag)
    answer = visitor.send("/phone/register", address=str(field["value"]))
    assert (answer.status_code, answer.headers["Location"]) == (303, "/phone/authenticator")
    assert "will show it at" in _text(visitor.open("/phone/authenticator"), "#registration")
    sandbox.world.advance(sandbox.world.lags.registration_lag)
    shown = _text(visitor.open("/phone/authenticator"), "#registration")
    assert "knows it now" in shown
    assert mia.device_id is not None
    assert mia.device_id in shown


@pytest.mark.parametrize("address", ["noah.lind@contoso.example", "nobody@contoso.example", "", "<b>"])
def test_another_address_cannot_register_this_phone(visitor: Visitor, mia: Phone, address: str) -> None:
    answer = visitor.send("/phone/register", address=address)
    assert answer.status_code == 422
    assert "owner’s work address" in answer.text
    assert mia.device_id is None


def test_a_message_shows_on_the_home_screen_and_in_hub_with_its_link(visitor: Visitor, sandbox: Sandbox, mia: Phone) -> None:
    sandbox.world.message(mia.record_id or 0, HUB, "Is this you?\nhttp://localhost:8000/p/a_b-c.d~e?x=1&y=2. Until 14:32.")
    link = "http://localhost:8000/p/a_b-c.d~e?x=1&y=2"
    home, hub = visitor.open("/"), visitor.open("/phone/hub")
    assert _href(home, ".banner-link") == link
    assert _href(hub, ".message-body a") == link
    assert _text(home, "h1") == "A message reached Mia’s phone."
    for page, selector in ((home, ".banner-link"), (hub, ".message-body a")):
        found = page.select_one(selector)
        assert found is not None
        assert (found["target"], found["rel"]) == ("_blank", ["noopener"])


def test_only_web_addresses_become_links(visitor: Visitor, sandbox: Sandbox, mia: Phone) -> None:
    sandbox.world.message(mia.record_id or 0, HUB, 'javascript:alert(1) <a href="http://x.example/">tap</a>')
    hub = visitor.open("/phone/hub")
    assert [str(a["href"]) for a in hub.select(".message-body a")] == ["http://x.example/"]
    assert '<a href="http://x.example/">tap</a>' in re.sub(r" \(new tab\)", "", _all_of(hub, ".message-body"))


def _all_of(page: BeautifulSoup, selector: str) -> str:
    found = page.select_one(selector)
    return found.get_text("") if found else ""


def test_a_switch_is_the_truth_and_the_record_hears_of_it_by_sync(visitor: Visitor, sandbox: Sandbox, mia: Phone) -> None:
    record = sandbox.world.records[mia.record_id or 0]
    answer = visitor.send("/phone/truth", passcode="off", screen="hub")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/phone/hub")
    assert (mia.health.passcode, record.reported.passcode) == (False, True)
    assert visitor.send("/phone/sync").status_code == 303
    assert record.compliance_status == "NonCompliant"
    page = visitor.open("/phone/hub")
    assert "Passcode required" in _text(page, "#hub-live")
    switch = page.select_one("#switch-passcode")
    assert switch is not None
    assert (switch["aria-checked"], switch["value"]) == ("false", "on")


def test_a_switch_beside_outlook_is_no_attempt(visitor: Visitor) -> None:
    assert visitor.send("/phone/truth", passcode="off", screen="outlook").headers["Location"] == "/phone/outlook?glance=1"


def test_stories_begin_anew(visitor: Visitor, sandbox: Sandbox) -> None:
    assert visitor.send("/phone/scenario", name="already_fine").status_code == 303
    assert sandbox.world.scenario == "already_fine"
    page = visitor.open("/")
    assert _text(page, "h1") == "Nothing is wrong here."
    assert "Already fine" in _text(page, ".scenario[aria-current]")


def test_starting_over_hands_out_another_phone(visitor: Visitor, sandbox: Sandbox) -> None:
    """So that a product which remembers the last story is not confused by this one."""
    seen = []
    for _ in range(2):
        visitor.send("/phone/scenario", name="blocked_just_registered")
        phone = sandbox.world.phones["mia"]
        record = sandbox.world.records[phone.record_id or 0]
        device = sandbox.world.device_by_device_id(phone.device_id or "")
        assert device is not None
        assert sandbox.world.devices[device.object_id] is device
        seen.append((record.id, record.uuid, record.udid, record.serial, device.device_id, device.object_id))
    assert all(one != other for one, other in zip(*seen, strict=True))
    assert sandbox.world.phone_of_record(seen[1][0]) is sandbox.world.phones["mia"]


def test_the_world_is_made_unkind_and_mended(visitor: Visitor, sandbox: Sandbox) -> None:
    lags = {"registration_lag": "1", "enrollment_lag": "1", "check_in_lag": "0", "processing_lag": "2.5", "compliance_lag": "9"}
    lags["sign_in_lag"] = "7"
    assert visitor.send("/phone/lags", **lags).status_code == 303
    assert sandbox.world.lags.processing_lag == 2.5
    assert visitor.send("/phone/faults", service="graph", kind="throttle").status_code == 303
    assert "graph: throttle" in _text(visitor.open("/"), "#unkind")
    assert visitor.send("/phone/faults/clear").status_code == 303
    assert sandbox.faults.active == []


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/phone/truth", {"passcode": "maybe"}),
        ("/phone/truth", {"record_id": "on"}),
        ("/phone/scenario", {"name": "../etc"}),
        ("/phone/lags", {"registration_lag": "1"}),
        (
            "/phone/lags",
            dict.fromkeys(("registration_lag", "enrollment_lag", "check_in_lag", "processing_lag", "compliance_lag"), "nan"),
        ),
        ("/phone/faults", {"service": "phone", "kind": "down"}),
    ],
)
def test_what_no_page_offers_is_refused(visitor: Visitor, path: str, fields: dict[str, str]) -> None:
    assert visitor.send(path, **fields).status_code == 400


def test_another_sites_form_is_refused(visitor: Visitor, sandbox: Sandbox) -> None:
    headers = {"Sec-Fetch-Site": "cross-site"}
    answer = visitor.http.post(f"{visitor.origin}/phone/faults/clear", headers=headers, timeout=5, allow_redirects=False)
    assert answer.status_code == 400


@pytest.mark.parametrize("path", ["/", "/phone/outlook", "/phone/authenticator", "/phone/hub"])
def test_pages_are_small_strict_and_ask_nobody_else(visitor: Visitor, path: str) -> None:
    answer = visitor.http.get(visitor.origin + path, timeout=5)
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert not re.search(r"<style|<script>| style=| on\w+=", answer.text)
    page = BeautifulSoup(answer.text, "html.parser")
    fetched = [str(tag.get("src") or tag.get("href")) for tag in page.select("[src], link[href]")]
    assert all(address.startswith("/phone/static/") for address in fetched)
    assert len(answer.content) + sum(len(visitor.http.get(visitor.origin + a, timeout=5).content) for a in fetched) < 50_000


def test_hostile_names_are_shown_harmless(visitor: Visitor, sandbox: Sandbox, mia: Phone) -> None:
    mia.name = HOSTILE
    sandbox.world.register(mia)
    for path in ("/", "/phone/hub", "/phone/authenticator"):
        page = visitor.open(path)
        assert page.select("img") == []
        assert HOSTILE in page.get_text("")


# in a real browser


@pytest.fixture(scope="module")
def browser_page(browser: Browser) -> Iterator[Page]:
    page = browser.new_page()
    yield page
    page.close()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("width", "scheme"),
    [
        (320, "dark"),
        (1280, "light"),
        *(pytest.param(*look, marks=pytest.mark.long) for look in ((320, "light"), (390, "light"), (390, "dark"), (1280, "dark"))),
    ],
)
def test_every_screen_fits_and_is_accessible(browser_page: Page, sandbox: Sandbox, mia: Phone, width: int, scheme: str) -> None:
    page = browser_page
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light", reduced_motion="reduce")
    page.set_viewport_size({"width": width, "height": 900})
    mia.name = HOSTILE
    visits = [(path, False) for path in ("/", "/phone/outlook", "/phone/authenticator", "/phone/hub")]
    for path, prepared in [*visits, *((path, True) for path, _ in visits)]:
        if prepared and mia.device_id is None:
            _open_for_microsoft(sandbox, mia)
            sandbox.world.message(mia.record_id or 0, HUB, f"Is this you? http://localhost:8000/p/{'x' * 90} Until 14:32.")
        page.goto(sandbox.pages_url + path)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        violations = Axe().run(page).response["violations"]
        assert violations == [], (path, [(v["id"], [n["html"] for n in v["nodes"]]) for v in violations])


STORIES = ("two_phones", "not_enrolled", "loop", "duplicate_records", "android_work_profile", "ipad", "mac", "windows")
LOOKS = ((320, "dark"), (1280, "light"))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("story", "width", "scheme"),
    [
        pytest.param(story, *look, marks=[] if (number + turn) % 2 else pytest.mark.long)
        for number, story in enumerate(STORIES)
        for turn, look in enumerate(LOOKS)
    ],
)
def test_other_devices_fit_and_are_accessible(browser_page: Page, sandbox: Sandbox, story: str, width: int, scheme: str) -> None:
    page = browser_page
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light", reduced_motion="reduce")
    page.set_viewport_size({"width": width, "height": 900})
    sandbox.begin(story)
    for path in ("/", "/phone/hub", "/phone/authenticator"):
        page.goto(sandbox.pages_url + path)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        violations = Axe().run(page).response["violations"]
        assert violations == [], (path, [(v["id"], [n["html"] for n in v["nodes"]]) for v in violations])


@pytest.mark.slow
def test_a_sign_in_that_waits_for_a_phone_fits_and_is_accessible(browser_page: Page, sandbox: Sandbox) -> None:
    page, app = browser_page, sandbox.world.apps["sign-in"]
    sandbox.begin("new_phone_no_second_factor")
    page.set_viewport_size({"width": 320, "height": 640})
    asked = {
        "client_id": app.client_id,
        "redirect_uri": app.redirect_uris[0],
        "response_type": "code",
        "scope": "openid profile",
        "state": "s",
        "nonce": "n",
        "code_challenge": "a" * 43,
        "code_challenge_method": "S256",
    }
    page.goto(f"{sandbox.pages_url}/{sandbox.world.tenant_id}/oauth2/v2.0/authorize?{urlencode(asked)}")
    page.get_by_role("button", name="Mia Berger").click()
    page.get_by_role("button", name="I have approved it").click()
    for shown in ("AADSTS50074", "AADSTS500121"):
        assert shown in page.content()
        assert page.url.startswith(sandbox.pages_url)
        assert page.evaluate("document.documentElement.scrollWidth") <= 320
        assert Axe().run(page).response["violations"] == []
        if shown == "AADSTS50074":
            page.get_by_role("button", name="I can’t approve").click()


@pytest.mark.slow
def test_the_page_follows_the_world_by_itself(browser_page: Page, sandbox: Sandbox, mia: Phone) -> None:
    page = browser_page
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(sandbox.pages_url + "/")
    page.locator("#switch-jailbroken").focus()
    sandbox.world.message(mia.record_id or 0, HUB, "Is this you? http://localhost:8000/p/abc")
    page.locator(".banner-link").wait_for(timeout=5000)
    assert page.locator("h1").inner_text() == "A message reached Mia’s phone."
    mia.health.jailbroken = True
    page.locator("#switch-jailbroken[aria-checked=true]").wait_for(timeout=5000)
    assert page.evaluate("document.activeElement.id") == "switch-jailbroken"
    with page.expect_navigation():
        page.keyboard.press("Space")
    assert mia.health.jailbroken is False
    assert complaints == []
