"""The second host name as the app itself sees it (T4, T7, T16): which hop is believed, and what each refusal says. A real nginx and
real handshakes are in `tests/services/test_through_nginx.py`."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from bs4 import BeautifulSoup
from werkzeug.test import TestResponse

from remediation.adapters.device_certificates import PemDeviceCertificates
from remediation.domain.turns import PROOFS
from remediation.web.desk import Desk
from remediation.web.second_host import CERTIFICATE, SECRET
from tests.authority import make
from tests.people import MANAGED_PHONE
from tests.web.conftest import Browser, Web
from tests.web.scenes import Scene, stage

HOP = "hQ8v1xWm7ZpL2tR9sYb4nHc6dJf3gAe5uTiOqP0w"
THERE = "https://device.contoso.example"
CA = make("Contoso MDM CA", ca=True)
GOOD = make(str(MANAGED_PHONE.serial), CA)
RIGHT = {SECRET: HOP, CERTIFICATE: quote(GOOD.pem)}


@pytest.fixture
def two(web: Web, tmp_path: Path) -> Iterator[Web]:
    """The same web app, with the second host name set up."""
    (tmp_path / "ca.pem").write_text(CA.pem)
    settings = {"certificate_origin": THERE, "certificate_hop_secret": HOP, "certificate_names": "CN={serial}"}
    made = Web(Path(str(web.engine.url.database)), certificate_ca_file=str(tmp_path / "ca.pem"), **settings)
    desk: Desk = made.app.extensions["desk"]
    checks = PemDeviceCertificates(ca_file=str(tmp_path / "ca.pem"), naming="CN={serial}")
    object.__setattr__(desk, "certificates", checks)
    yield made
    made.engine.dispose()


def asked(two: Web) -> tuple[Browser, Scene, str]:
    scene = stage("certificate", two.begun())
    browser = two.signed_in()
    address = browser.get("/certificate").headers["Location"]
    assert address.startswith(f"{THERE}/certificate/")
    return browser, scene, address.removeprefix(THERE)


def there(browser: Browser, path: str, headers: dict[str, str] = RIGHT) -> TestResponse:
    return browser.get(path, base_url=THERE, headers=headers)


def test_the_step_leads_there_by_one_link(two: Web) -> None:
    stage("certificate", two.begun())
    page = BeautifulSoup(two.signed_in().get("/journey").text, "html.parser")
    assert [link["href"] for link in page.select("main a.action")] == ["/certificate"]


def test_T31_an_address_is_made_only_so_often(two: Web) -> None:
    stage("certificate", two.begun())
    browser = two.signed_in()
    assert {browser.get("/certificate").status_code for _ in range(PROOFS.at_once)} == {303}
    before = two.rows()
    assert browser.get("/certificate").status_code == 429
    assert two.rows() == before
    two.clock.ahead = PROOFS.every
    assert browser.get("/certificate").status_code == 303


def test_T16_only_the_right_hop_is_believed_and_every_other_is_refused_and_logged(
    two: Web, caplog: pytest.LogCaptureFixture
) -> None:
    browser, scene, path = asked(two)
    wrong: tuple[dict[str, str], ...] = (
        {},
        {CERTIFICATE: quote(GOOD.pem)},
        {CERTIFICATE: quote(GOOD.pem), SECRET: ""},
        {CERTIFICATE: quote(GOOD.pem), SECRET: HOP[:-1]},
        {CERTIFICATE: quote(GOOD.pem), SECRET: f"{HOP},{HOP}"},
        {CERTIFICATE: quote(GOOD.pem), SECRET: "é"},
        {CERTIFICATE: quote(GOOD.pem), "X-Forwarded-For": "127.0.0.1", "X-Real-IP": "127.0.0.1"},
    )
    with caplog.at_level(logging.WARNING):
        for headers in wrong:
            assert there(browser, path, headers).status_code == 403, headers
            assert browser.post(path, base_url=THERE, headers=headers).status_code == 403, headers
        for headers in (RIGHT, {CERTIFICATE: "x"}, {SECRET: HOP}):
            for here in ("/journey", path, "/health", "/nowhere"):
                assert browser.get(here, headers=headers).status_code == 403, "right headers at the first host name"
    assert len(caplog.records) >= len(wrong) + 12
    assert HOP not in caplog.text
    assert "BEGIN CERTIFICATE" not in caplog.text
    assert scene.journey().certificates == ()
    assert there(browser, path).status_code == 200  # the control


def test_T16_where_it_is_not_set_up_the_header_is_refused_all_the_same(web: Web) -> None:
    assert web.browser().get("/start", headers={CERTIFICATE: "x"}).status_code == 403
    assert web.browser().get("/start").status_code == 200
    assert web.browser().get("/start", base_url=THERE).status_code == 400


def test_T12_a_form_from_elsewhere_or_without_its_token_changes_nothing(two: Web) -> None:
    browser, scene, path = asked(two)
    assert there(browser, path).status_code == 200
    for headers in (
        {"Origin": "https://evil.example"},
        {"Origin": two.settings.public_origin},
        {"Sec-Fetch-Site": "same-site"},
        {},
    ):
        assert browser.post(path, base_url=THERE, headers={**RIGHT, **headers}).status_code == 403
    assert scene.journey().certificates == ()
    assert there(browser, path).status_code == 200, "and nothing was used up"


@pytest.mark.parametrize("pem", ["", "nonsense", make("x").pem], ids=["none", "nonsense", "self-signed"])
def test_T1_what_the_hop_hands_on_is_checked_here_too(two: Web, pem: str) -> None:
    browser, scene, path = asked(two)
    refused = there(browser, path, {SECRET: HOP, CERTIFICATE: quote(pem)})
    assert (refused.status_code, "This certificate cannot be used" in refused.text) == (403, True)
    assert scene.journey().certificates == ()
    assert there(browser, path).status_code == 200


def test_the_page_says_for_whom_and_for_which_device(two: Web) -> None:
    browser, scene, path = asked(two)
    words = BeautifulSoup(there(browser, path).text, "html.parser").get_text(" ")
    for expected in ("Mia Berger", str(MANAGED_PHONE.serial), scene.journey().case_code):
        assert expected in words
    assert there(browser, "/certificate/" + "x" * 43).status_code == 410
