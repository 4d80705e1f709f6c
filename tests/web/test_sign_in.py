"""T12, T13, T15, T17: signing in against the sandbox's Entra over real TLS sockets. Each refusal beside a sign-in that succeeds."""

from __future__ import annotations

import hashlib
import json
import logging
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from html import escape
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
import sqlalchemy as sa
from bs4 import BeautifulSoup
from pydantic import SecretStr

from remediation.domain.device import Platform
from remediation.store.sessions import SqlSignInStates
from remediation.web.guards import Who, who_may
from sandbox.id_tokens import ID_TOKEN_FAULTS
from sandbox.server import Sandbox, SandboxConfig, create_sandbox
from tests.people import MIA
from tests.web.conftest import ORIGIN, Browser, Web

IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 Safari/604.1"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    config = SandboxConfig(ca_folder=tmp_path_factory.mktemp("ca"), redirect_uri=f"{ORIGIN}/signed-in", product_origin=ORIGIN)
    sandbox = create_sandbox(config)
    sandbox.start(api_port=0, pages_port=0)
    yield sandbox
    sandbox.stop()


class Entra:
    """The browser's part at Entra: choose an account, bring the answer back."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.facts = self.control("GET", "facts")

    def control(self, method: str, path: str, **body: object) -> dict[str, object]:
        with requests.Session() as session:
            session.trust_env = False
            answer = session.request(method, f"{self.sandbox.pages_url}/control/{path}", json=body or None, timeout=10)
        assert answer.status_code == 200, answer.text
        found: dict[str, object] = answer.json()
        return found

    def oid(self, name: str) -> str:
        people = self.facts["persons"]
        assert isinstance(people, list)
        return next(str(person["oid"]) for person in people if person["name"].startswith(name))

    def answers(self, address: str, name: str = "Mia") -> str:
        """The path and query with which Entra sends the browser back."""
        with requests.Session() as session:
            session.trust_env = False
            page = BeautifulSoup(session.get(address, timeout=10).text, "html.parser")
            sealed, form = page.find("input", {"name": "request"}), page.find("form")
            assert sealed is not None, page
            assert form is not None, page
            url = f"{self.sandbox.pages_url}{form['action']}"
            fields = {"request": str(sealed["value"]), "account": self.oid(name)}
            back = session.post(url, data=fields, allow_redirects=False, timeout=10)
        return self._back(back.headers["Location"])

    def answers_silently(self, address: str, name: str | None) -> str:
        """The same where Entra's cookie says who is signed in there; None: nobody."""
        with requests.Session() as session:
            session.trust_env = False
            if name is not None:
                visible = re.sub(r"&?prompt=none", "", address)
                page = BeautifulSoup(session.get(visible, timeout=10).text, "html.parser")
                sealed, form = page.find("input", {"name": "request"}), page.find("form")
                assert sealed is not None, page
                assert form is not None, page
                fields = {"request": str(sealed["value"]), "account": self.oid(name)}
                session.post(f"{self.sandbox.pages_url}{form['action']}", data=fields, allow_redirects=False, timeout=10)
            return self._back(session.get(address, allow_redirects=False, timeout=10).headers["Location"])

    def _back(self, location: str) -> str:
        parts = urlsplit(location)
        assert f"{parts.scheme}://{parts.netloc}{parts.path}" == f"{ORIGIN}/signed-in"
        return f"{parts.path}?{parts.query}"


@pytest.fixture
def entra(running: Sandbox) -> Iterator[Entra]:
    running.begin("blocked_just_registered")
    entra = Entra(running)
    yield entra
    entra.control("DELETE", "faults")
    running.id_token_faults.clear()


@pytest.fixture
def web(database: Path, entra: Entra) -> Iterator[Web]:
    web = web_of(database, entra)
    yield web
    web.engine.dispose()


def web_of(database: Path, entra: Entra, **changed: object) -> Web:
    sign_in = entra.facts["sign_in"]
    assert isinstance(sign_in, dict)
    return Web(
        database,
        tenant_id=entra.facts["tenant_id"],
        entra_authority=entra.sandbox.api_url,
        ca_file=str(entra.sandbox.keys.ca_pem),
        sign_in_client_id=sign_in["client_id"],
        sign_in_client_secret=SecretStr(sign_in["client_secret"]),
        **changed,
    )


def begin(browser: Browser, path: str = "/sign-in?platform=ios") -> str:
    """Where the sign-in link sends the browser."""
    answer = browser.get(path)
    assert answer.status_code == 303, answer.text
    return answer.headers["Location"]


def sign_in(browser: Browser, entra: Entra, name: str = "Mia", path: str = "/sign-in?platform=ios") -> str:
    """Where the person is after a whole sign-in."""
    answer = browser.get(entra.answers(begin(browser, path), name))
    assert answer.status_code == 303, answer.text
    return answer.headers["Location"]


def test_a_person_signs_in_and_is_on_a_journey(web: Web, entra: Entra) -> None:
    browser = web.browser()
    assert sign_in(browser, entra) == "/journey"
    page = browser.get("/journey")
    assert page.status_code == 200
    assert "Mia Berger" in page.text
    journey = web.store.living_journey(entra.oid("Mia"), Platform.IOS, web.clock())
    assert journey is not None


def test_nothing_of_graph_is_asked_for_and_pkce_state_and_nonce_always(web: Web, entra: Entra) -> None:
    asked = {name: values[0] for name, values in parse_qs(urlsplit(begin(web.browser())).query).items()}
    assert asked["scope"] == "openid profile"
    assert asked["code_challenge_method"] == "S256"
    assert asked["redirect_uri"] == f"{ORIGIN}/signed-in"
    assert all(len(asked[name]) >= 20 for name in ("state", "nonce", "code_challenge"))
    assert asked["response_mode"] == "query"


@pytest.mark.parametrize("fault", ID_TOKEN_FAULTS)
def test_T12_a_forged_id_token_signs_nobody_in(web: Web, entra: Entra, fault: str) -> None:
    browser = web.browser()
    entra.control("POST", "id_token", fault=fault)
    refused = browser.get(entra.answers(begin(browser)))
    assert refused.status_code == 400
    assert refused.text.count('id="go-on"') == 1
    assert not browser.is_signed_in()
    assert sign_in(browser, entra) == "/journey"


def test_an_account_of_another_organisation_is_told_so_and_offered_the_choice_of_another(web: Web, entra: Entra) -> None:
    browser = web.browser()
    entra.control("POST", "id_token", fault="wrong_tid")
    refused = browser.get(entra.answers(begin(browser)))
    assert refused.status_code == 400
    assert "another organisation" in refused.text
    assert 'id="go-on" href="/sign-in?account=other"' in refused.text
    assert parse_qs(urlsplit(begin(browser, "/sign-in?account=other")).query)["prompt"] == ["select_account"]
    assert "prompt" not in parse_qs(urlsplit(begin(browser)).query)


def test_T13_the_state_of_another_browser_signs_nobody_in(web: Web, entra: Entra) -> None:
    attacker, victim = web.browser(), web.browser()
    begin(victim)
    answer = entra.answers(begin(attacker))
    refused = victim.get(answer)
    assert refused.status_code == 400
    assert not victim.is_signed_in()
    assert attacker.get(answer).status_code == 303  # and the stranger's attempt did not use it up


def test_T13_a_browser_without_cookies_is_told_so_and_never_sent_round(web: Web, entra: Entra) -> None:
    refused = web.browser().get(entra.answers(begin(web.browser())))
    assert refused.status_code == 400
    assert "cookie" in refused.text


def test_T13_an_answer_works_once(web: Web, entra: Entra) -> None:
    browser = web.browser()
    answer = entra.answers(begin(browser))
    assert browser.get(answer).status_code == 303
    assert browser.get(answer).status_code == 400
    assert browser.is_signed_in()


def test_T13_an_answer_after_ten_minutes_is_refused(web: Web, entra: Entra) -> None:
    browser = web.browser()
    answer = entra.answers(begin(browser))
    web.clock.ahead = timedelta(minutes=10, seconds=1)
    assert browser.get(answer).status_code == 400
    assert not browser.is_signed_in()


def test_T13_two_tabs_do_not_lose_each_others_state(web: Web, entra: Entra) -> None:
    browser = web.browser()
    first, _second = begin(browser), begin(browser)
    assert browser.get(entra.answers(first)).status_code == 303


@pytest.mark.parametrize("more", ["state=again", "code=again", "error=access_denied", "state=%00", "iss=x&iss=y"])
def test_T13_a_right_answer_with_a_parameter_doubled_or_added_signs_nobody_in_and_is_still_good_without(
    web: Web, entra: Entra, more: str
) -> None:
    browser = web.browser()
    answer = entra.answers(begin(browser))
    assert browser.get(f"{answer}&{more}").status_code == 400
    assert not browser.is_signed_in()
    assert browser.get(answer).status_code == 303


@pytest.mark.parametrize("missing", ["code", "state"])
def test_T13_an_answer_without_its_code_or_state_signs_nobody_in(web: Web, entra: Entra, missing: str) -> None:
    browser = web.browser()
    asked = parse_qs(urlsplit(entra.answers(begin(browser))).query)
    answer = browser.get("/signed-in", query_string={name: values[0] for name, values in asked.items() if name != missing})
    assert answer.status_code == 400
    assert not browser.is_signed_in()


def test_T13_the_code_of_an_attackers_sign_in_is_worth_nothing_with_the_victims_state(web: Web, entra: Entra) -> None:
    """Login CSRF: the victim would be signed in as the attacker, and would register their device for them."""
    attacker, victim = web.browser(), web.browser()
    stolen = parse_qs(urlsplit(entra.answers(begin(attacker), "Noah")).query)["code"][0]
    own = parse_qs(urlsplit(entra.answers(begin(victim))).query)
    answer = victim.get("/signed-in", query_string={"code": stolen, "state": own["state"][0]})
    assert answer.status_code == 400, "PKCE: the verifier belongs to another sign-in"
    assert not victim.is_signed_in()
    assert sign_in(victim, entra) == "/journey"


def test_T14_an_answer_of_another_issuer_signs_nobody_in(web: Web, entra: Entra) -> None:
    """Mix-up: the browser brings what another authorization server answered (RFC 9207)."""
    right = f"{entra.sandbox.api_url}/{web.settings.tenant_id}/v2.0"
    for issuer in (f"{entra.sandbox.api_url}/common/v2.0", "https://login.microsoftonline.us/x/v2.0", f"{right}/", "", "x"):
        browser = web.browser()
        answer = browser.get(f"{entra.answers(begin(browser))}&iss={issuer}")
        assert answer.status_code == 400
        assert not browser.is_signed_in()
    browser = web.browser()
    assert browser.get(f"{entra.answers(begin(browser))}&iss={right}").status_code == 303


def test_T14_a_sign_in_that_was_begun_at_another_issuer_is_not_ended_at_this_one(web: Web, entra: Entra, database: Path) -> None:
    """Two clouds, one database: what was begun under other settings is begun again."""
    other = Web(database, **{**web.settings.model_dump(), "entra_authority": "https://login.microsoftonline.us"})
    browser, elsewhere = web.browser(), other.browser()
    answer = entra.answers(begin(browser))
    cookie = browser.get_cookie("remediation")
    assert cookie is not None
    elsewhere.set_cookie("remediation", cookie.value)
    assert elsewhere.get(answer).status_code == 400
    assert not elsewhere.is_signed_in()
    other.engine.dispose()
    assert sign_in(browser, entra) == "/journey"


GARBLED = (
    "",
    "?",
    "?code=x",
    "?state=x",
    "?code=x&state=",
    "?code=x&state=y",
    "?code=x&code=y&state=z",
    "?code=x&state=y&state=z",
    "?code=x&error=access_denied&state=y",
    "?error=access_denied",
    "?error=access_denied&error_description=AADSTS53000&state=made-up",
    "?code=%00&state=%ff%fe",
    "?code=x&state=" + "y" * 5000,
    "?code[]=x&state[]=y",
)


@pytest.mark.parametrize("query", GARBLED)
def test_T13_a_garbled_callback_gets_a_page_with_one_button(web: Web, query: str) -> None:
    browser = web.browser()
    begin(browser)
    answer = browser.get(f"/signed-in{query}")
    assert answer.status_code == 400
    assert answer.text.count('id="go-on"') == 1
    assert "AADSTS" not in answer.text
    assert not browser.is_signed_in()


@pytest.mark.parametrize(
    ("error", "description", "words"),
    [
        ("access_denied", "AADSTS53003: Access has been blocked by Conditional Access policies.", "exclude"),
        ("interaction_required", "AADSTS530003: Your device is required to be managed.", "exclude"),
        ("invalid_request", "AADSTS53000: Device is not in required device state", "exclude"),
        ("access_denied", "AADSTS65004: User declined to consent", "admin consent"),
        ("access_denied", "AADSTS50105: not assigned to a role", "assign"),
        ("invalid_request", "AADSTS50020: User account from identity provider does not exist in tenant", "another organisation"),
        ("access_denied", "AADSTS530004: AcceptCompliantDevice setting isn't configured", "guest of this company"),
        ("access_denied", "the person cancelled", "Start once more"),
        ("temporarily_unavailable", "AADSTS90033: A transient error", "Try again"),
        ("<script>", "<script>alert(1)</script> AADSTS99999", "helpdesk"),
    ],
)
def test_entras_errors_are_explained_by_who_can_act(web: Web, error: str, description: str, words: str) -> None:
    browser = web.browser()
    state = parse_qs(urlsplit(begin(browser)).query)["state"][0]
    answer = browser.get("/signed-in", query_string={"error": error, "error_description": description, "state": state})
    assert answer.status_code == 400
    assert words in answer.text
    assert "<script>alert" not in answer.text


ELSEWHERE = "c0ffee00-2a47-4c0b-9d6e-1b7f0a9c2e55"


@pytest.mark.parametrize(
    "says",
    [
        {"admin_consent": "True", "tenant": "own"},
        {"admin_consent": "True", "tenant": ELSEWHERE},
        {"admin_consent": "True", "tenant": ELSEWHERE, "error": "access_denied"},
        {"admin_consent": "True", "tenant": ELSEWHERE, "code": "forged"},
        {"admin_consent": "True", "tenant": ELSEWHERE, "scope": "https://graph.microsoft.com/.default"},
    ],
)
def test_T29_an_answer_of_admin_consent_signs_nobody_in_and_sets_up_no_tenant(web: Web, entra: Entra, says: dict[str, str]) -> None:
    """The forgeable answer is taken nowhere: there is no page for it, and the sign-in's own wants a code of Entra's."""
    says = {name: web.settings.tenant_id if value == "own" else value for name, value in says.items()}
    browser, before = web.browser(), web.rows()
    for state in (parse_qs(urlsplit(begin(browser)).query)["state"][0], "never-ours", None):
        for _ in range(2):  # and replayed
            answer = browser.get("/signed-in", query_string={**says, **({"state": state} if state else {})})
            assert answer.status_code == 400
            assert ELSEWHERE not in answer.text
    assert (web.rows(), browser.is_signed_in()) == (before, False)
    for rule in web.app.url_map.iter_rules():  # the pages of the set-up take it: `test_from_zero`
        assert "consent" not in rule.rule or who_may(web.app, rule.endpoint) is Who.ADMIN
    assert sign_in(browser, entra) == "/journey"  # the control


def kept_of(web: Web, browser: Browser, address: str) -> dict[str, str]:
    """What waits for the answer, as only this browser can have it; it goes on waiting."""
    with browser.session_transaction(base_url=ORIGIN) as cookie:
        state, browser_id = parse_qs(urlsplit(address).query)["state"][0], cookie["b"]
    key = hashlib.sha256(f"{state}\n{browser_id}".encode()).hexdigest()
    states, now = SqlSignInStates(web.engine, web.settings.tenant_id), web.clock()
    kept = states.take(key, at=now)
    assert kept is not None
    states.put(key, kept, until=now + timedelta(minutes=10))
    found: dict[str, str] = json.loads(kept)
    return found


def test_no_secret_of_a_sign_in_reaches_the_log(web: Web, entra: Entra, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    browser = web.browser()
    address = begin(browser)
    kept = kept_of(web, browser, address)
    answer = entra.answers(address)
    assert browser.get(answer).status_code == 303
    assert browser.get(answer).status_code == 400
    code = parse_qs(urlsplit(answer).query)["code"][0]
    ours = [record.getMessage() for record in caplog.records if not record.name.startswith(("urllib3", "sandbox"))]
    for secret in (kept["verifier"], kept["nonce"], code, web.settings.sign_in_client_secret.get_secret_value()):
        assert not [line for line in ours if secret in line]
    assert kept["verifier"] not in caplog.text


def test_T17_a_planted_cookie_does_not_survive_the_sign_in(web: Web, entra: Entra) -> None:
    browser = web.browser()
    answer = entra.answers(begin(browser))
    planted = browser.get_cookie("remediation")
    assert planted is not None
    browser.get(answer)
    thief = web.browser()
    thief.set_cookie("remediation", planted.value)
    assert browser.is_signed_in()
    assert not thief.is_signed_in()


def test_T17_signing_in_again_ends_the_session_before(web: Web, entra: Entra) -> None:
    browser, thief = web.browser(), web.browser()
    sign_in(browser, entra)
    copied = browser.get_cookie("remediation")
    assert copied is not None
    thief.set_cookie("remediation", copied.value)
    assert thief.is_signed_in()
    sign_in(browser, entra, "Noah")
    assert not thief.is_signed_in()


def test_signing_in_elsewhere_takes_the_journey_along_and_says_so_here(web: Web, entra: Entra) -> None:
    first, second = web.browser(), web.browser()
    sign_in(first, entra)
    sign_in(second, entra)
    assert second.get("/journey").status_code == 200
    left = first.get("/journey")
    assert left.status_code == 409
    assert 'href="/sign-in"' in left.text
    assert sign_in(first, entra) == "/journey"
    assert first.get("/journey").status_code == 200


def renewed(browser: Browser, entra: Entra, path: str, name: str = "Hanna") -> str:
    """What the page does by itself: asks Entra again, and comes back."""
    page = browser.get(path)
    assert page.status_code == 401
    assert "One moment" in page.text
    link = page.headers["Refresh"].removeprefix("0; url=")
    assert f'id="go-on" href="{escape(link)}"' in page.text, "a person can tap it too"
    away = browser.get(link).headers["Location"]
    assert parse_qs(urlsplit(away).query)["prompt"] == ["none"]
    return browser.get(entra.answers_silently(away, name)).headers["Location"]


@pytest.mark.parametrize("path", ["/helpdesk", "/helpdesk?q=mia+berger", "/helpdesk/person/mia%3F?case=K7M-2QX"])
def test_T17_a_staff_role_is_asked_for_again_every_five_minutes_and_one_that_was_taken_away_is_gone(
    web: Web, entra: Entra, path: str
) -> None:
    hanna = web.browser()
    assert sign_in(hanna, entra, "Hanna", path="/sign-in?to=helpdesk") == "/helpdesk"
    assert hanna.get("/helpdesk").status_code == 200
    web.clock.ahead = timedelta(minutes=5)
    assert renewed(hanna, entra, path) == path, "back to where she was, with a role that is fresh"
    assert hanna.get("/helpdesk").status_code == 200
    person = entra.sandbox.world.persons[entra.oid("Hanna")]
    person.roles = []
    assert hanna.get("/helpdesk").status_code == 200, "what the ID token said, for five minutes more"
    web.clock.ahead = timedelta(minutes=10)
    renewed(hanna, entra, path)
    assert hanna.get("/helpdesk").status_code == 403
    assert hanna.get(path).status_code == 403


def test_T17_where_entra_wants_to_show_itself_one_button_signs_in_and_leads_back(web: Web, entra: Entra) -> None:
    hanna = web.browser()
    sign_in(hanna, entra, "Hanna", path="/sign-in?to=helpdesk")
    web.clock.ahead = timedelta(minutes=6)
    link = hanna.get("/helpdesk?q=mia+berger").headers["Refresh"].removeprefix("0; url=")
    page = hanna.get(entra.answers_silently(hanna.get(link).headers["Location"], None))
    assert page.status_code == 401
    assert "Refresh" not in page.headers, "never in a circle"
    button = BeautifulSoup(page.text, "html.parser").select_one("#go-on")
    assert button is not None
    assert sign_in(hanna, entra, "Hanna", path=str(button["href"])) == "/helpdesk?q=mia+berger"


def test_T17_signing_out_everywhere_ends_every_session_of_this_person_and_nobody_elses(web: Web, entra: Entra) -> None:
    phone, laptop, noah = web.browser(), web.browser(), web.browser()
    sign_in(phone, entra)
    sign_in(laptop, entra)
    sign_in(noah, entra, "Noah")
    assert laptop.press("/sign-out", "/sign-out/everywhere").status_code == 303
    assert not phone.is_signed_in()
    assert not laptop.is_signed_in()
    assert noah.is_signed_in()
    with web.engine.connect() as connection:
        said = connection.execute(sa.text("SELECT about_id FROM audit WHERE why = 'sessions.ended'")).scalars().all()
    assert said == [entra.oid("Mia")]


EVIL = (
    "https://evil.example/",
    "//evil.example",
    "/\\evil.example",
    "/\t/evil.example",
    "javascript:alert(1)",
    "journey@evil.example",
)


def test_every_entrance_leads_on(web: Web, entra: Entra) -> None:
    for path, entrance in (("/", "start"), ("/start", "start"), ("/enrollment", "enrollment"), ("/remediation", "remediation")):
        page = web.browser().get(f"{path}?deviceId=x&unknown=<b>", headers={"User-Agent": IPHONE}).text
        assert f"/sign-in?entrance={entrance}&amp;platform=ios" in page
        assert "deviceId" not in page


@pytest.mark.parametrize("evil", EVIL)
def test_T15_no_address_from_outside_decides_where_anyone_goes(web: Web, entra: Entra, evil: str) -> None:
    browser = web.browser()
    names = ("possession", "next", "return", "to", "entrance", "platform", "redirect_uri", "url")
    away = browser.get("/sign-in", query_string=dict.fromkeys(names, evil)).headers["Location"]
    assert urlsplit(away).netloc == urlsplit(entra.sandbox.pages_url).netloc
    assert parse_qs(urlsplit(away).query)["redirect_uri"] == [f"{ORIGIN}/signed-in"]
    assert browser.get(entra.answers(away)).headers["Location"] == "/journey"
    assert "evil" not in browser.get("/remediation", query_string=dict.fromkeys(names, evil)).text


def test_a_possession_link_is_the_place_to_return_to(web: Web, entra: Entra) -> None:
    path = "/sign-in?possession=abcdefghijklmnopqrstuvwxyz"
    assert sign_in(web.browser(), entra, path=path) == "/possession/abcdefghijklmnopqrstuvwxyz"


@pytest.mark.parametrize("kind", ["down", "garbled", "html", "server_error", "throttle"])
def test_an_entra_that_does_not_answer_well_gets_a_page_and_later_all_is_well(web: Web, entra: Entra, kind: str) -> None:
    browser = web.browser()
    entra.control("POST", "faults", service="entra", kind=kind)
    refused = browser.get("/sign-in")
    assert refused.status_code == 503
    assert refused.text.count('id="go-on"') == 1
    entra.control("DELETE", "faults")
    answer = entra.answers(begin(browser))
    entra.control("POST", "faults", service="entra", kind=kind)
    assert browser.get(answer).status_code in (400, 503)
    entra.control("DELETE", "faults")
    assert sign_in(browser, entra) == "/journey"


def test_the_platform_is_guessed_and_can_be_corrected(web: Web, entra: Entra) -> None:
    page = web.browser().get("/remediation", headers={"User-Agent": IPHONE}).text
    assert "/sign-in?entrance=remediation&amp;platform=ios" in page
    assert "/sign-in?entrance=remediation&amp;platform=android" in page


def test_signing_out_ends_the_session_for_every_copy_of_the_cookie(web: Web, entra: Entra) -> None:
    browser, thief = web.browser(), web.browser()
    sign_in(browser, entra)
    copied = browser.get_cookie("remediation")
    assert copied is not None
    thief.set_cookie("remediation", copied.value)
    answer = browser.press("/sign-out", "/sign-out")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/signed-out?lang=en")
    assert "cookies" in answer.headers["Clear-Site-Data"]
    assert "/oauth2/v2.0/logout" in browser.get("/signed-out").text
    assert thief.get("/journey").status_code == 401


def test_the_entrance_is_counted_and_the_journey_is_of_the_platform_that_was_said(web: Web, entra: Entra) -> None:
    sign_in(web.browser(), entra, path="/sign-in?entrance=enrollment&platform=android")
    with web.engine.connect() as connection:
        row = connection.execute(sa.text("SELECT entrance, platform FROM journeys")).one()
    assert tuple(row) == ("enrollment", "android")


def test_signing_in_again_without_saying_a_platform_goes_on_with_the_journey_there_is(web: Web, entra: Entra) -> None:
    sign_in(web.browser(), entra, path="/sign-in?platform=ios")
    browser = web.browser()
    address = browser.get("/sign-in", headers={"User-Agent": "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)"}).headers["Location"]
    browser.get(entra.answers(address))
    assert browser.get("/journey").status_code == 200
    with web.engine.connect() as connection:
        assert connection.execute(sa.text("SELECT count(*) FROM journeys")).scalar_one() == 1


def test_a_device_that_nobody_can_guess_is_asked_for(web: Web, entra: Entra) -> None:
    browser = web.browser()
    sign_in(browser, entra, path="/sign-in")
    assert 'href="/start"' in browser.get("/journey").text
    assert "Which device was refused?" in browser.get("/start").text


def test_a_possession_link_opened_in_another_browser_takes_the_journey_there(web: Web, entra: Entra) -> None:
    scene = web.scene("this_device_sent", person=replace(MIA, oid=entra.oid("Mia")))
    inside_hub = web.browser()
    path = f"/possession/{scene.token}"
    assert sign_in(inside_hub, entra, path=f"/sign-in?possession={scene.token}") == path
    assert inside_hub.press(path, path).status_code == 303
    journey = web.store.journey(scene.id)
    assert journey is not None
    assert journey.proven


def test_a_possession_link_of_somebody_else_begins_no_journey(web: Web, entra: Entra) -> None:
    scene = web.scene("this_device_sent", person=replace(MIA, oid=entra.oid("Mia")))
    noah = web.browser()
    sign_in(noah, entra, "Noah", path=f"/sign-in?possession={scene.token}")
    assert noah.get(f"/possession/{scene.token}").status_code == 403
    with web.engine.connect() as connection:
        assert connection.execute(sa.text("SELECT count(*) FROM journeys")).scalar_one() == 1


@pytest.mark.parametrize("allowed", [True, False])
def test_T17_a_guest_is_staff_where_the_setting_says_so_and_nowhere_else(database: Path, entra: Entra, allowed: bool) -> None:
    """And on no journey in either case: a guest's device is known at home."""
    entra.sandbox.world.persons[entra.oid("Hanna")].guest = True
    web = web_of(database, entra, staff_guests=allowed)
    desk = web.browser()
    answer = desk.get(entra.answers(begin(desk, "/sign-in?to=helpdesk"), "Hanna"))
    assert (answer.status_code, desk.get("/helpdesk").status_code) == ((303, 200) if allowed else (400, 401))
    if not allowed:
        assert "guest of this company" in answer.text
    person = web.browser()
    refused = person.get(entra.answers(begin(person, "/sign-in?platform=ios"), "Hanna"))
    assert (refused.status_code, "guest of this company" in refused.text) == (400, True)
    web.engine.dispose()
