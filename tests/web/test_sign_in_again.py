"""*Sign in once more* (T4, T12, T13) against the sandbox's Entra over real TLS: what comes back is stored and decides nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
import sqlalchemy as sa
from bs4 import BeautifulSoup

from remediation.domain.device import LinkState, Person
from remediation.domain.sign_in_proof import SignIn
from remediation.domain.turns import PROOFS
from remediation.ports import Actor
from remediation.services.end_sessions import end_sessions
from sandbox.id_tokens import ACCESS_TOKEN_FAULTS
from tests.people import MANAGED_PHONE, REGISTERED_PHONE
from tests.web.conftest import Browser, Web
from tests.web.scenes import Scene, stage
from tests.web.test_sign_in import Entra, begin, entra, running, sign_in, web

__all__ = ["entra", "running", "web"]  # fixtures


class Phone(Entra):
    """The same browser on the pretend phone: Entra sees which device it runs on."""

    def __init__(self, sandbox: Any, *, cookie: bool = True) -> None:
        super().__init__(sandbox)
        self.session = requests.Session()
        self.session.trust_env = False
        if cookie:
            self.session.get(f"{sandbox.pages_url}/", timeout=10)

    def answers(self, address: str, name: str = "Mia") -> str:
        page = BeautifulSoup(self.session.get(address, timeout=10).text, "html.parser")
        sealed, form = page.find("input", {"name": "request"}), page.find("form")
        assert sealed is not None, page
        assert form is not None, page
        url = f"{self.sandbox.pages_url}{form['action']}"
        fields = {"request": str(sealed["value"]), "account": self.oid(name)}
        back = self.session.post(url, data=fields, allow_redirects=False, timeout=10)
        parts = urlsplit(back.headers["Location"])
        return f"{parts.path}?{parts.query}"


@pytest.fixture
def phone(entra: Entra) -> Phone:
    return Phone(entra.sandbox)


def waiting(web: Web, entra: Entra) -> tuple[Browser, Scene]:
    """Signed in by the first sign-in, on a journey whose link waits for more than possession."""
    browser = web.browser()
    sign_in(browser, entra)
    with browser.session_transaction(base_url=web.settings.public_origin) as cookie:
        own = str(cookie["b"])
    mia = entra.sandbox.world.persons[entra.oid("Mia")]
    person = Person(oid=mia.oid, name=mia.name, user_name=mia.upn)
    scene = web.begun(person=person, browser=own)
    scene.has_phones(MANAGED_PHONE).registered(replace(REGISTERED_PHONE, owner_oid=person.oid)).looked()
    return browser, scene.pending().looked()


def asked(browser: Browser) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(begin(browser, "/sign-in/again")).query).items()}


def came_back(scene: Scene) -> list[SignIn]:
    return list(scene.journey().sign_ins)


def test_it_asks_for_our_own_api_alone_and_for_the_device(web: Web, entra: Entra) -> None:
    browser, _ = waiting(web, entra)
    client_id = web.settings.sign_in_client_id
    first, second = asked(browser), asked(browser)
    assert first["scope"] == f"openid profile {client_id}/.default"
    assert first["claims"] == '{"access_token":{"deviceid":{"essential":true}}}'
    assert "prompt" not in first
    for name in ("client-request-id", "state", "nonce", "code_challenge"):
        assert first[name] != second[name], name


def test_what_entra_named_is_stored_with_its_pair_and_the_worker_is_woken(web: Web, entra: Entra, phone: Phone) -> None:
    browser, scene = waiting(web, entra)
    address, before = begin(browser, "/sign-in/again"), scene.journey()
    answer = browser.get(phone.answers(address))
    assert (answer.status_code, answer.headers["Location"]) == (303, "/journey")
    [stored] = came_back(scene)
    assert stored.claimed == phone.sandbox.world.phones["mia"].device_id
    assert stored.pair == before.sign_in_asked
    assert stored.correlation_id == parse_qs(urlsplit(address).query)["client-request-id"][0]
    assert stored.correlation_id == phone.sandbox.world.sign_ins[-1]["correlationId"]
    assert stored.app_id == web.settings.sign_in_client_id
    after = scene.journey()
    assert after.look.wake == before.look.wake + 1
    assert [link.state for link in after.links] == [LinkState.PENDING], "the web decides nothing"
    assert browser.is_signed_in()


def test_a_browser_that_proves_nothing_comes_back_as_calmly(web: Web, entra: Entra) -> None:
    browser, scene = waiting(web, entra)
    stranger = Phone(entra.sandbox, cookie=False)
    assert browser.get(stranger.answers(begin(browser, "/sign-in/again"))).status_code == 303
    assert [(one.claimed, one.error) for one in came_back(scene)] == [(None, None)]
    assert "Microsoft is still to say which device this is" in browser.get("/journey").text


def test_T31_it_begins_only_so_often_and_what_began_still_comes_back(web: Web, entra: Entra, phone: Phone) -> None:
    browser, scene = waiting(web, entra)
    begun = [browser.get("/sign-in/again") for _ in range(PROOFS.at_once)]
    assert {answer.status_code for answer in begun} == {303}
    refused = browser.get("/sign-in/again")
    assert (refused.status_code, "very often" in refused.text, "Location" in refused.headers) == (429, True, False)
    assert 0 < int(refused.headers["Retry-After"]) <= PROOFS.every.total_seconds()
    assert browser.get(phone.answers(begun[-1].headers["Location"])).status_code == 303
    assert len(came_back(scene)) == 1
    assert web.store.take_turn("proof:noah", PROOFS, at=web.clock()) is None, "each person has turns of their own"
    web.clock.ahead = PROOFS.every
    assert browser.get("/sign-in/again").status_code == 303


@pytest.mark.parametrize("fault", ACCESS_TOKEN_FAULTS)
def test_t12_a_token_that_is_not_for_us_about_this_person_names_nothing(web: Web, entra: Entra, phone: Phone, fault: str) -> None:
    browser, scene = waiting(web, entra)
    entra.control("POST", "access_token", fault=fault)
    assert browser.get(phone.answers(begin(browser, "/sign-in/again"))).status_code == 303
    assert browser.get(phone.answers(begin(browser, "/sign-in/again"))).status_code == 303
    spoiled, good = came_back(scene)
    assert (spoiled.claimed, good.claimed) == (None, phone.sandbox.world.phones["mia"].device_id)


@pytest.mark.parametrize("version", [1, 2])
def test_only_a_v2_token_is_read(web: Web, entra: Entra, phone: Phone, version: int) -> None:
    browser, scene = waiting(web, entra)
    entra.control("PATCH", "app/sign-in", token_version=version)
    browser.get(phone.answers(begin(browser, "/sign-in/again")))
    assert [one.claimed is not None for one in came_back(scene)] == [version == 2]


@pytest.mark.parametrize("fault", ["alg_none", "wrong_nonce", "other_tenant", "expired"])
def test_t12_a_forged_id_token_beside_a_good_access_token_is_refused(web: Web, entra: Entra, phone: Phone, fault: str) -> None:
    browser, scene = waiting(web, entra)
    entra.control("POST", "id_token", fault=fault)
    assert browser.get(phone.answers(begin(browser, "/sign-in/again"))).status_code == 400
    assert came_back(scene) == []
    assert browser.is_signed_in(), "the session of before is untouched"


def test_t12_another_persons_sign_in_is_refused_and_changes_nothing(web: Web, entra: Entra, phone: Phone) -> None:
    browser, scene = waiting(web, entra)
    refused = browser.get(phone.answers(begin(browser, "/sign-in/again"), "Noah"))
    assert refused.status_code == 403
    assert "That was another account" in refused.text
    assert came_back(scene) == []
    assert "Mia Berger" in browser.get("/journey").text


def test_t4_a_victim_who_completes_the_attackers_sign_in_completes_nothing(web: Web, entra: Entra, phone: Phone) -> None:
    attacker, scene = waiting(web, entra)
    answer = phone.answers(begin(attacker, "/sign-in/again"))
    victim = web.browser()
    sign_in(victim, entra, "Noah")
    assert victim.get(answer).status_code == 400
    assert came_back(scene) == []
    assert attacker.get(answer).status_code == 303  # the control, and the stranger did not use it up


def test_t13_an_answer_works_once_and_in_time(web: Web, entra: Entra, phone: Phone) -> None:
    browser, scene = waiting(web, entra)
    answer, late = phone.answers(begin(browser, "/sign-in/again")), phone.answers(begin(browser, "/sign-in/again"))
    assert browser.get(answer).status_code == 303
    assert browser.get(answer).status_code == 400
    web.clock.ahead = timedelta(minutes=10, seconds=1)
    assert browser.get(late).status_code == 400
    assert len(came_back(scene)) == 1


def test_signed_out_meanwhile_it_begins_no_session(web: Web, entra: Entra, phone: Phone) -> None:
    browser, scene = waiting(web, entra)
    answer = phone.answers(begin(browser, "/sign-in/again"))
    end_sessions(web.store, scene.person.oid, actor=Actor("operator", "root"), because="asked", now=web.clock())
    assert browser.get(answer).status_code == 401
    assert came_back(scene) == []
    assert not browser.is_signed_in()


@pytest.mark.parametrize(
    ("error", "description", "kept"),
    [
        ("interaction_required", "AADSTS50097: Device authentication is required.", "AADSTS50097"),
        ("access_denied", "AADSTS53003: blocked", "AADSTS53003"),
        ("access_denied", "the person cancelled", "access_denied"),
        ("<script>", "<script>alert(1)</script>", "other"),
    ],
)
def test_entras_no_is_kept_by_its_code_and_the_page_offers_another_try(
    web: Web, entra: Entra, error: str, description: str, kept: str
) -> None:
    browser, scene = waiting(web, entra)
    state = asked(browser)["state"]
    query = {"error": error, "error_description": description, "state": state}
    assert browser.get("/signed-in", query_string=query).status_code == 303
    assert [(one.error, one.claimed) for one in came_back(scene)] == [(kept, None)]
    page = browser.get("/journey").text
    assert "That sign-in did not work" in page
    assert ("AADSTS" in page) is kept.startswith("AADSTS")
    assert "<script>alert" not in page
    assert 'href="/sign-in/again"' in page


def test_nothing_is_begun_where_nothing_is_asked_for(web: Web, entra: Entra) -> None:
    browser, scene = waiting(web, entra)
    scene.link_refused()
    answer = browser.get("/sign-in/again")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/journey")
    assert web.browser().get("/sign-in/again").status_code == 401


def test_after_a_refusal_the_help_page_leads_to_the_right_device(web: Web, entra: Entra, phone: Phone) -> None:
    browser, scene = waiting(web, entra)
    scene.signed_in_again(claimed="another-device").link_refused().looked()
    page = BeautifulSoup(browser.get("/journey").text, "html.parser")
    assert page.find(id="sign-in-again") is not None
    assert "Microsoft named another device" in page.get_text(" ")
    browser.get(phone.answers(begin(browser, "/sign-in/again")))
    assert len(came_back(scene)) == 2


def test_what_is_kept_is_audited_without_secrets(web: Web, entra: Entra, phone: Phone) -> None:
    browser, _ = waiting(web, entra)
    browser.get(phone.answers(begin(browser, "/sign-in/again")))
    with web.engine.connect() as connection:
        rows = connection.execute(sa.text("SELECT detail FROM audit WHERE why = 'sign_in.returned'")).scalars().all()
    assert len(rows) == 1
    assert set(web.app.json.loads(rows[0])) == {"device", "named", "error", "correlation_id"}


def test_the_offer_is_one_link_on_a_page_of_its_own(web: Web) -> None:
    stage("sign_in", web.begun())
    page = BeautifulSoup(web.signed_in().get("/journey").text, "html.parser")
    [link] = page.select("main a.action")
    assert (link["href"], link.get_text()) == ("/sign-in/again", "Sign in once more")
    assert "So that Microsoft itself tells us which device this is" in page.get_text(" ")
