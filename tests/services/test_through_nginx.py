"""Evidence level *certificate* through a real nginx on the shipped example (T1, T4, T16): the served TLS is tested, not a setting
(dex's CVE-2024-23656), from the handshake to the app that opens. The rest is the real store, the real web app and the sandbox."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest
from bs4 import BeautifulSoup
from cryptography import x509
from flask import Flask

from remediation.adapters import workspace_one_events
from remediation.adapters.device_certificates import PemDeviceCertificates
from remediation.domain.device import LinkState
from remediation.domain.evidence import Level
from remediation.domain.steps import Step
from remediation.settings import WebSettings
from remediation.store.look_up import SqlLookUp
from remediation.store.sessions import SqlSessions, SqlSignInStates
from remediation.web import build_web
from remediation.web.second_host import CERTIFICATE, SECRET
from tests import set_ups
from tests.authority import SERVER, Made, make
from tests.nginx import DEVICES, PAGES, Client, Nginx, running_nginx
from tests.stories import BROWSER, Story
from tests.web.conftest import SETTINGS

HOP = "hQ8v1xWm7ZpL2tR9sYb4nHc6dJf3gAe5uTiOqP0w"
NAMING = "CN={serial}"
Pem = tuple[str, str]


class Stage:
    """A story that got as far as the certificate, the web app on its database, nginx in front, and Mia's browser."""

    def __init__(self, story: Story, exits: ExitStack, naming: str = NAMING) -> None:
        self.story, ca = story, story.sandbox.device_ca
        self.ca_pem = ca.ca_pem(story.sandbox.world)
        mias = self.of_the_phone()
        self.certificates = PemDeviceCertificates(ca_file=str(self.ca_pem), naming=naming, crl_file=str(self.crl()))
        story.with_world(certificates=self.certificates)
        tenant, engine = story.store.tenant_id, story.engine
        settings = {
            "tenant_id": tenant,
            "public_origin": f"https://{PAGES}",
            "certificate_origin": f"https://{DEVICES}",
            "certificate_hop_secret": HOP,
            "certificate_ca_file": str(self.ca_pem),
            "certificate_names": naming,
            "minimum_evidence": "certificate",
        }
        self.sessions = SqlSessions(engine, tenant)
        self.app: Flask = build_web(
            WebSettings.model_validate({**SETTINGS, **settings}),
            story.store,
            self.sessions,
            SqlSignInStates(engine, tenant),
            SqlLookUp(engine, tenant),
            self.certificates,
            set_up=set_ups.set_up(engine, tenant),
            events=workspace_one_events.hint_of,
            clock=story.world.clock,
        )
        self.app.config["PATIENCE"] = 0
        self.nginx: Nginx = exits.enter_context(running_nginx(self.app, device_ca=self.ca_pem, secret=HOP))
        self.mia = self.browser(mias)

    def of_the_phone(self) -> Pem:
        return self.story.sandbox.device_ca.on_the_phone(self.story.sandbox.world, self.story.remotes.record)

    def crl(self) -> object:
        return self.story.sandbox.device_ca.crl_pem(self.story.sandbox.world)

    def authority(self) -> Made:
        certificate = x509.load_pem_x509_certificate(self.ca_pem.read_bytes())
        return Made(certificate, self.story.sandbox.device_ca.key)

    def browser(self, certificate: Pem | None, *, browser: str = BROWSER) -> Client:
        """Signed in at the first host name, as the sign-in leaves it."""
        client, person = self.nginx.client(certificate), self.story.journey.person
        token = self.sessions.begin(oid=person.oid, name=person.name, roles=(), browser=browser, at=self.story.world.clock())
        serializer = self.app.session_interface.get_signing_serializer(self.app)  # type: ignore[attr-defined]
        client.cookies[PAGES] = {"__Host-remediation": serializer.dumps({"t": token, "b": browser})}
        return client

    def address(self) -> str:
        """Of the page for the certificate, from the journey's own page."""
        page = BeautifulSoup(self.mia.get(f"https://{PAGES}/journey").text, "html.parser")
        assert page.find(id="certificate") is not None, page.get_text(" ")
        return self.mia.get(f"https://{PAGES}/certificate").leads_to

    def confirms(self, client: Client, address: str) -> str:
        """Sees the page there and presses its button: the way back."""
        page = client.get(address)
        assert page.status == 200, page.text
        form = BeautifulSoup(page.text, "html.parser").find("form")
        assert form is not None
        fields = {str(one["name"]): str(one["value"]) for one in form.find_all("input", attrs={"name": True})}
        answer = client.post(f"https://{DEVICES}{form['action']}", fields, headers={"Origin": f"https://{DEVICES}"})
        assert answer.status == 303, answer.text
        return answer.leads_to

    def shows(self, client: Client) -> None:
        back = self.confirms(client, self.address())
        assert self.mia.get(back).leads_to == "/journey"
        self.story.tick()

    def nothing_happened(self) -> None:
        self.story.passes(30)
        assert (self.story.journey.certificates, self.story.uploads()) == ((), [])
        assert LinkState.ACTIVE not in self.story.link_states()


Set = Callable[..., Stage]


@pytest.fixture
def set_up(tell: Callable[..., Story]) -> Iterator[Set]:
    with ExitStack() as exits:

        def begin(scenario: str = "blocked_just_registered", *, wants_claim: bool = True, **more: Any) -> Stage:
            story = tell(scenario, minimum=Level.CERTIFICATE)
            story.arrives()
            stage = Stage(story, exits, **more)
            story.says_this_is_mine()
            story.taps_the_message()
            assert story.step is Step.SIGN_IN
            story.signs_in_again(wants_claim=wants_claim)
            story.tick(1)
            return stage

        yield begin


@pytest.mark.parametrize("naming", [NAMING, "DNS={udid}.devices.contoso.example"])
def test_the_mdms_certificate_and_the_claim_open_the_app(set_up: Set, naming: str) -> None:
    stage = set_up(naming=naming)
    story = stage.story
    assert (story.step, story.uploads(), story.link_states()[-1]) == (Step.CERTIFICATE, [], story.links()[-1].state)
    stage.shows(stage.mia)
    story.gets_to(Step.OPEN)
    [active] = [link for link in story.links() if link.state is LinkState.ACTIVE]
    assert active.evidence.level is Level.CERTIFICATE
    assert "a certificate of the MDM's" in active.evidence.how
    assert story.outlook_opens()
    assert {"certificate.asked", "certificate.shown", "certificate.returned"} <= set(story.audit())


NOW = datetime.now(UTC)


def wrong(stage: Stage, name: str) -> Pem | None:
    serial, ca = stage.story.remotes.record.serial, stage.authority()
    other = make("Another CA", ca=True)
    made = {
        "self-signed": lambda: make(serial),
        "another CA": lambda: make(serial, other),
        "a CA of the same name": lambda: make(serial, make(ca.certificate.subject, ca=True)),
        "expired": lambda: make(serial, ca, begins=NOW - timedelta(days=9), ends=NOW - timedelta(hours=1)),
        "not yet valid": lambda: make(serial, ca, begins=NOW + timedelta(days=1)),
        "for servers": lambda: make(serial, ca, purposes=SERVER),
        "for no purpose": lambda: make(serial, ca, purposes=None),
        "by a device": lambda: make(serial, make("F2LOTHER0001", ca)),
    }
    if name == "none":
        return None
    one = made[name]()
    return one.pem, one.key_pem


WRONG = ("none", "self-signed", "another CA", "a CA of the same name", "expired", "not yet valid", "for servers", "by a device")


@pytest.mark.parametrize("name", [*WRONG, "for no purpose"])
def test_T1_a_wrong_certificate_gets_nobody_through(set_up: Set, name: str) -> None:
    stage = set_up()
    address, client = stage.address(), stage.nginx.client(wrong(stage, name))
    answer = client.get(address)
    if name == "for no purpose":  # OpenSSL lets it pass; we do not
        assert (answer.status, "This certificate cannot be used" in answer.text) == (403, True)
    else:
        assert (answer.status, answer.leads_to) == (303, f"https://{PAGES}/certificate-refused")
        assert stage.mia.get(answer.leads_to).status == 403
    assert client.post(address, {}).status in (303, 403)
    stage.nothing_happened()
    stage.shows(stage.mia)  # the control
    stage.story.gets_to(Step.OPEN)


def test_T5_one_that_the_mdm_took_back_is_refused_before_and_after_it_was_shown(set_up: Set) -> None:
    stage = set_up()
    address, record = stage.address(), stage.story.remotes.record
    record.enrollment_status = "Unenrolled"
    stage.crl()
    assert "This certificate cannot be used" in stage.mia.get(address).text
    record.enrollment_status = "Enrolled"
    stage.crl()
    back = stage.confirms(stage.mia, address)
    record.enrollment_status = "Unenrolled"
    stage.crl()
    record.enrollment_status = "Enrolled"  # the record says nothing of it: the worker's own check does
    stage.mia.get(back)
    stage.story.tick()
    assert (stage.story.step, stage.story.journey.help_why) == (Step.HELP, "certificate_refused")
    assert stage.story.uploads() == []
    stage.crl()
    stage.shows(stage.mia)  # the control: the list says otherwise again
    stage.story.gets_to(Step.OPEN)


def test_T1_T2_a_good_certificate_of_another_device_is_refused_and_a_person_decides(set_up: Set) -> None:
    stage = set_up()
    other = make("F2LNOAH00001", stage.authority())
    stage.shows(stage.nginx.client((other.pem, other.key_pem)))
    assert (stage.story.step, stage.story.journey.help_why) == (Step.HELP, "certificate_another")
    assert stage.story.uploads() == []
    page = stage.mia.get(f"https://{PAGES}/journey").text
    assert "names another device than the one in this case" in page
    stage.shows(stage.mia)  # the control: the right one may still be shown
    stage.story.gets_to(Step.OPEN)


def test_T1_without_the_claim_a_certificate_is_not_even_asked_for(set_up: Set) -> None:
    stage = set_up(wants_claim=False)
    stage.story.passes(400, every=20)
    assert (stage.story.step, stage.story.journey.help_why) == (Step.HELP, "evidence")
    assert stage.mia.get(f"https://{PAGES}/certificate").leads_to == "/journey"
    stage.nothing_happened()


def test_T4_a_victim_who_confirms_the_senders_address_brings_the_sender_nothing(set_up: Set) -> None:
    stage = set_up()
    victim = stage.browser(stage.of_the_phone(), browser="v" * 32)
    back = stage.confirms(victim, stage.address())
    assert victim.get(back).status == 403
    stage.nothing_happened()


def test_T7_an_address_works_once_and_for_ten_minutes(set_up: Set) -> None:
    stage = set_up()
    address, late = stage.address(), stage.address()
    for _ in range(2):
        assert stage.mia.get(address).status == 200, "opening it uses nothing up"
    back = stage.confirms(stage.mia, address)
    assert stage.mia.get(address).status == 410
    assert stage.mia.get(back).status == 303
    assert stage.mia.get(back).status == 410
    assert len(stage.story.journey.certificates) == 1
    stage.story.sandbox.world.advance(601)
    assert stage.mia.get(late).status == 410


def test_T16_a_header_from_outside_is_stripped_or_replaced(set_up: Set) -> None:
    stage = set_up()
    forged = make(stage.story.remotes.record.serial, stage.authority())
    headers = {CERTIFICATE: quote(forged.pem), SECRET: HOP}
    under = {name.replace("-", "_"): value for name, value in headers.items()}
    stranger, address = stage.nginx.client(), stage.address()
    for sent in (headers, under):
        assert stranger.get(f"https://{PAGES}/start", headers=sent).status == 200, "stripped, and so no reason to refuse"
        assert stranger.get(f"https://{PAGES}{address.removeprefix(f'https://{DEVICES}')}", headers=sent).leads_to == "/journey"
        assert stranger.get(address, headers=sent).leads_to == f"https://{PAGES}/certificate-refused"
        assert stranger.get(address, headers=sent, sni=PAGES).status == 421, "a handshake for one name, a request for the other"
    stage.nothing_happened()
    other = make("F2LNOAH00001", stage.authority())
    seen = stage.nginx.client((other.pem, other.key_pem)).get(address, headers=headers)
    assert "F2LNOAH00001" in seen.text, "what the handshake showed, and not what was sent"
    assert stage.story.remotes.record.serial not in seen.text


def test_T16_the_second_host_name_offers_nothing_else(set_up: Set) -> None:
    stage = set_up()
    for path in ("/", "/journey", "/sign-in", "/helpdesk", "/health", "/certificate"):
        answer = stage.mia.get(f"https://{DEVICES}{path}")
        assert (answer.status, answer.leads_to) == (303, f"https://{PAGES}/journey"), path
    page = stage.mia.get(stage.address())
    assert re.search(rf"form-action 'self' https://{PAGES};", str(page.headers["Content-Security-Policy"]))
    assert "form-action 'self';" in str(stage.mia.get(f"https://{PAGES}/start").headers["Content-Security-Policy"])
