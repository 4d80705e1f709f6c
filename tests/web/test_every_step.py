"""Each step in full, for each reason and kind of device: what it means, who can act, one thing to do, and no dead end."""

import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import sqlalchemy as sa
from bs4 import BeautifulSoup

from remediation.domain.device import Platform
from remediation.settings.rules import LINK_SCHEMES
from remediation.web import error_pages, links, panel
from tests.people import REGISTERED_PHONE
from tests.web.conftest import Browser, Web
from tests.web.scenes import SCENES, SECOND_REGISTERED, of, stage
from tests.web.test_journey_pages import step
from tests.web.test_texts import ENGLISH

KINDS = (Platform.IOS, Platform.ANDROID, Platform.MACOS, Platform.WINDOWS)
WRONG = {
    "account_disabled": {"account_enabled": False},
    "guest": {"guest": True},
    "not_in_group": {"in_scope": False},
    "no_licence": {"licensed": False},
}


def seen(browser: Browser, path: str = "/journey") -> str:
    return " ".join(BeautifulSoup(browser.get(path).text, "html.parser").get_text(" ").split())


@pytest.mark.parametrize("why", sorted(panel.NOT_FOR_YOU))
def test_not_for_you_says_what_it_means_who_can_act_and_what_to_say(web: Web, why: str) -> None:
    scene = web.begun().has_phones().registered().stands(**WRONG[why]).looked()
    browser = web.signed_in()
    words, journey = seen(browser), web.store.journey(scene.id)
    assert step(browser) == "not_for_you"
    assert journey is not None
    for part in ("heading", "what", "who", "say"):
        assert ENGLISH[f"not_for_you.{part}.{why}"] in words
    assert "You cannot fix this yourself" in words
    assert words.count(journey.case_code) == 2
    assert "tel:+49305550100" in browser.get("/journey").text


def helped(web: Web, why: str) -> None:
    begun = web.begun()
    if why in ("ambiguous_owner", "shared_user"):
        begun.has_phones().registered().looked(owner_problem=why)
    elif why == "loop":
        stage("help_loop", begun)
    elif why == "named_another":
        stage("help_named_another", begun)
    elif why == "disabled_device":
        begun = stage("register", begun).registered(replace(REGISTERED_PHONE, enabled=False)).checked_again()
        web.clock.ahead += timedelta(seconds=30)  # until then what was registered just now may not be listed yet
        begun.looked()
    else:
        stage("this_device", begun).proven().needs_help(why)


@pytest.mark.parametrize("why", sorted(panel.HELP))
def test_help_gives_one_thing_to_do_and_says_what_the_helpdesk_does_and_when(web: Web, why: str) -> None:
    helped(web, why)
    browser = web.signed_in()
    assert step(browser) == "help"
    words = seen(browser)
    for part in ("why", "do", "they"):
        assert ENGLISH[f"help.{part}.{why}"] in words
    assert "They answer the phone at these times: Mon-Fri 7:00-19:00" in words


def test_each_help_asks_for_something_else_and_a_new_reason_is_spoken_of_in_general(web: Web) -> None:
    assert len({ENGLISH[f"help.do.{why}"] for why in panel.HELP}) == len(panel.HELP)
    stage("this_device", web.begun()).proven().needs_help("a_reason_of_tomorrow")
    assert ENGLISH["help.why.other"] in seen(web.signed_in())


@pytest.mark.parametrize("platform", KINDS)
def test_enroll_leads_to_the_mdm_and_says_what_the_company_sees(database: Path, platform: Platform) -> None:
    own = {f"enrollment_link_{kind.value}": f"https://enroll.contoso.example/{kind.value}" for kind in KINDS}
    for settings, target in ((own, f"https://enroll.contoso.example/{platform.value}"), ({}, "tel:+49305550100")):
        web = Web(database, **settings)
        of(platform, "enroll", web.begun(platform=platform))
        browser = web.signed_in()
        action = BeautifulSoup(browser.get("/journey").text, "html.parser").select_one("a.action")
        assert action is not None
        assert action["href"] == target
        words = seen(browser)
        assert ENGLISH[f"enroll.sees_not.{platform.value}"] in words
        assert all(ENGLISH[f"enroll.step.{platform.value}.{n}"] in words for n in "123")
        assert browser.press("/journey", "/journey/check").status_code == 303
        web.engine.dispose()


@pytest.mark.parametrize("platform", KINDS)
def test_register_has_its_own_way_on_each_platform(web: Web, platform: Platform) -> None:
    of(platform, "register", web.begun(platform=platform))
    browser = web.signed_in()
    assert step(browser) == "register"
    others = {kind for kind in KINDS if kind is not platform}
    words = seen(browser)
    first = "register.android.authenticator.2" if platform is Platform.ANDROID else f"register.{platform.value}.1"
    assert ENGLISH[first] in words
    assert not [kind for kind in others if kind is not Platform.ANDROID and ENGLISH[f"register.{kind.value}.2"] in words]


def test_a_mac_knows_platform_sso_and_windows_what_is_joined(web: Web) -> None:
    of(Platform.MACOS, "register", web.begun(platform=Platform.MACOS))
    mac = web.signed_in().get("/journey").text
    assert "Registration required" in mac
    assert links.COMPANY_PORTAL_MACOS in mac
    assert 'id="dsregcmd"' not in mac
    assert 'id="check"' in mac, "the page that the link leads away from waits for them"
    of(Platform.WINDOWS, "register", web.begun(platform=Platform.WINDOWS))
    windows = web.signed_in().get("/journey").text
    assert 'id="dsregcmd" href="/what-microsoft-says"' in windows
    assert "Registration required" not in windows


BROKERS = [("authenticator", "azure.authenticator"), ("company_portal", "windowsintune.companyportal")]


@pytest.mark.parametrize(("broker", "package"), BROKERS)
def test_android_names_the_broker_of_the_tenant_and_tells_the_copies_apart(database: Path, broker: str, package: str) -> None:
    web = Web(database, android_broker=broker)
    of(Platform.ANDROID, "register", web.begun(platform=Platform.ANDROID))
    page = web.signed_in().get("/journey").text
    assert package in page
    assert page.count("play.google.com") == 1
    assert all(ENGLISH[f"register.copy.{kind}"] in page for kind in ("work_profile", "fully_managed", "personal"))
    web.engine.dispose()


@pytest.mark.parametrize("platform", KINDS)
def test_advice_is_for_the_platform(web: Web, platform: Platform) -> None:
    of(platform, "fix", web.begun(platform=platform))
    browser = web.signed_in()
    assert step(browser) == "fix"
    words = seen(browser)
    for advice in ("passcode", "encryption", "jailbreak"):
        assert ENGLISH[f"advice.step.{advice}.{platform.value}.2"] in words


def outward(page: str) -> set[str]:
    found = (str(link["href"]) for link in BeautifulSoup(page, "html.parser").find_all("a", href=True))
    return {address for address in found if urlsplit(address).scheme}


@pytest.mark.parametrize("platform", KINDS)
def test_no_page_links_anything_but_the_stores_settings_and_the_helpdesk(web: Web, platform: Platform) -> None:
    ours = {links.AUTHENTICATOR_IOS, *links.BROKERS.values(), links.HUB_MACOS, links.COMPANY_PORTAL_MACOS, links.WORK_ACCESS}
    assert all(urlsplit(link).scheme in LINK_SCHEMES for link in ours)
    begun, browser = web.begun(platform=platform), web.signed_in()
    for name in ("enroll", "register", "fix"):
        of(platform, name, begun)
        assert step(browser) == name
        assert outward(browser.get("/journey").text) <= ours | {"tel:+49305550100"}


def test_the_picked_device_is_remembered_and_has_to_be_registered_again(web: Web) -> None:
    scene = web.scene("choose")
    browser = web.signed_in()
    soup = BeautifulSoup(browser.get("/journey").text, "html.parser")
    names = [card.get_text() for card in soup.select("label.pick .name")]
    assert set(names) == {REGISTERED_PHONE.name, SECOND_REGISTERED.name}
    assert all("Registered" in card.get_text() for card in soup.select("label.pick"))
    assert browser.press("/journey", "/journey/choose").headers["Location"] == "/journey"
    journey = web.store.journey(scene.id)
    assert journey is not None
    assert journey.picked in ("d1", "d2")
    assert journey.link is None, "a pick proves nothing"
    words = seen(browser)
    assert "Register this device once more" in words
    assert "Choose Unregister" in words
    assert journey.case_code in words
    other = browser.form("/journey", "/journey/choose")["device"]
    assert other
    for handle in ("", "d1", "x" * 3000, scene.phone().key.record_id):
        assert browser.post("/journey/choose", data={"csrf_token": browser.csrf(), "device": handle}).status_code == 400


def test_the_only_one_is_registered_again_where_it_is_in_doubt(web: Web) -> None:
    web.scene("register_in_doubt")
    words = seen(web.signed_in())
    assert "Register this device once more" in words
    assert "You picked" not in words
    assert "It is another one" not in words


def test_a_handle_of_one_form_means_nothing_in_the_other(web: Web) -> None:
    web.scene("choose")
    browser = web.signed_in()
    handle = browser.form("/journey", "/journey/choose")["device"]
    assert browser.post("/journey/this-device", data={"csrf_token": browser.csrf(), "device": handle}).status_code == 400


def test_still_blocked_gives_other_advice_and_then_the_helpdesk(web: Web) -> None:
    scene = web.scene("open")
    browser = web.signed_in()
    assert "swipe it away" in seen(browser)
    browser.press("/journey", "/journey/still-blocked")
    scene.looked()
    words = seen(browser)
    assert step(browser) == "open"
    assert "Restart the device" in words
    assert "swipe it away" not in words
    browser.press("/journey", "/journey/still-blocked")
    scene.looked()
    assert step(browser) == "help"
    assert ENGLISH["help.do.loop"] in seen(browser)


# those who cannot sign in


def test_whoever_cannot_sign_in_gets_phone_hours_and_a_case_that_a_reload_shows_again(web: Web) -> None:
    browser = web.browser()
    welcome = BeautifulSoup(browser.get("/enrollment?platform=android").text, "html.parser").select_one("#cannot")
    assert welcome is not None
    page = browser.get(str(welcome["href"]))
    assert "+49" in page.text
    assert "Mon-Fri" in page.text
    form = {str(field["name"]): str(field["value"]) for field in BeautifulSoup(page.text, "html.parser").select("form input")}
    answer = browser.post("/cannot-sign-in", data=form)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/cannot-sign-in")
    with web.engine.connect() as connection:
        row = connection.execute(sa.text("SELECT case_code, platform, entrance FROM cases")).one()
    assert tuple(row)[1:] == ("android", "enrollment")
    assert re.fullmatch(r"[2-9BCDFGHJKMNPQRSTVWXZ]{3}-[2-9BCDFGHJKMNPQRSTVWXZ]{3}", row[0])
    for _ in range(2):
        assert browser.get("/cannot-sign-in").text.count(row[0]) == 2
    assert browser.post("/cannot-sign-in", data=form).status_code == 303
    with web.engine.connect() as connection:
        assert connection.execute(sa.text("SELECT count(*) FROM cases")).scalar_one() == 1
    assert row[0] not in web.browser().get("/cannot-sign-in").text


@pytest.mark.parametrize("key", sorted(error_pages.SIGN_IN))
def test_every_page_of_a_refused_sign_in_has_one_way_on_and_leads_to_a_person(web: Web, key: str) -> None:
    page = web.browser().get(f"/refused/{key}")
    assert page.status_code == 200
    assert page.text.count('id="go-on"') == 1
    assert 'href="/cannot-sign-in"' in page.text
    assert "+49" in page.text


# nobody is left with "no such page"


@pytest.mark.parametrize(
    ("path", "to"),
    [
        ("/enrollment/", None),
        ("/remediation/index.html", "/remediation"),
        ("/enrollment/a/b/c?deviceId=x", "/enrollment"),
        ("/start/%2e%2e//evil.example", "/start"),
        ("/remediation//evil.example", "/remediation"),
    ],
)
def test_old_and_mistyped_addresses_lead_to_the_entrance(web: Web, path: str, to: str | None) -> None:
    answer = web.browser().get(path)
    if to is None:
        assert answer.status_code == 200
    else:
        assert answer.status_code in (303, 308)
        assert urlsplit(answer.headers["Location"]).netloc in ("", "localhost:8000")
        assert web.browser().get(path, follow_redirects=True).status_code == 200


def test_what_is_below_the_journey_leads_back_to_it(web: Web) -> None:
    web.scene("wait")
    browser = web.signed_in()
    for path in ("/journey/", "/journey/nowhere", "/journey/check", "/journey/a/b"):
        assert browser.get(path, follow_redirects=True).status_code == 200


@pytest.mark.parametrize("name", SCENES)
def test_unknown_parameters_change_nothing_and_are_never_repeated(web: Web, name: str) -> None:
    web.scene(name)
    browser = web.signed_in()
    strange = "/journey?deviceId=planted&correlation=planted&platform=planted&lang=planted&step=open"
    assert step_of(browser.get(strange).text) == step(browser)
    assert "planted" not in browser.get(strange).text


def step_of(page: str) -> str:
    found = re.search(r'class="step step-(\w+)"', page)
    assert found is not None
    return found.group(1)


def test_every_error_page_has_one_way_on_and_says_who_can_act(web: Web) -> None:
    browser = web.browser()
    for path in ("/nowhere", "/helpdesk-of-old", "/possession/cut-off-cut-off-cut-off", "/signed-in"):
        page = browser.get(path)
        assert page.status_code >= 400
        assert page.text.count('id="go-on"') == 1
        assert "+49" in page.text


@pytest.mark.parametrize(("most", "told"), [(1, True), (2, False), (None, False)])
def test_no_room_for_another_device_is_said_before_it_is_tried(web: Web, most: int | None, told: bool) -> None:
    scene = web.scene("register")
    scene.registered(replace(REGISTERED_PHONE, enabled=False)).looked().may_have(most)
    browser = web.signed_in()
    assert step(browser) == "register"
    assert (ENGLISH["trouble.noticed.too_many"] in seen(browser)) is told
