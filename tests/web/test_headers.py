"""T16, T19, T32: the headers on every answer, whoever asks and whatever comes; hosts and addresses only our own."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from remediation import serving
from remediation.domain.turns import LOOKS
from remediation.web import HOUSE
from remediation.web.headers import ALWAYS
from tests.proven import asked
from tests.web.conftest import Web
from tests.web.role_matrix import MATRIX

HTTPS = "https://return.contoso.example"


def paths(web: Web) -> list[tuple[str, str]]:
    token, test = web.scene("this_device_sent").token, asked(web.store, web.clock())
    return [
        (
            m,
            r.replace("<token>", token)
            .replace("<test>", test)
            .replace("<name>", web.style_name())
            .replace("<key>", "sign_in_down"),
        )
        for m, r in sorted(MATRIX)
    ]


def test_T19_every_answer_carries_every_header_errors_included(web: Web) -> None:
    strange = [("GET", "/nowhere"), ("DELETE", "/"), ("GET", "/possession/unknown-token-unknown"), ("GET", "/static/no.css")]
    for browser in (web.browser(), web.signed_in()):
        for method, path in paths(web) + strange:
            answer = browser.open(path, method=method)
            assert {name: answer.headers.get(name) for name in ALWAYS} == ALWAYS, path
            policy = answer.headers["Content-Security-Policy"]
            assert policy.startswith("default-src 'none'"), path
            assert "frame-ancestors 'none'" in policy, path
            assert "unsafe" not in policy, path


def test_T32_nothing_may_be_kept_but_fingerprinted_files(web: Web) -> None:
    for browser in (web.browser(), web.signed_in()):
        for method, path in paths(web):
            kept = browser.open(path, method=method).headers["Cache-Control"]
            assert kept == ("public, max-age=31536000, immutable" if path.startswith("/static/") else "no-store"), path


def test_the_nonce_of_the_policy_is_that_of_the_tags_and_new_each_time(web: Web) -> None:
    seen = set()
    for _ in range(3):
        answer = web.browser().get("/")
        nonces = set(re.findall(r'nonce="([^"]+)"', answer.text))
        assert set(re.findall(r"'nonce-([^']+)'", answer.headers["Content-Security-Policy"])) == nonces
        seen |= nonces
    assert len(seen) == 3


def test_T19_a_page_holds_nothing_inline(web: Web) -> None:
    web.scene("wait")
    page = web.signed_in().get("/journey").text
    assert "style=" not in page
    assert not re.search(r"\son[a-z]+=", page)
    assert all("src=" in tag for tag in re.findall(r"<script[^>]*>", page))


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "evil.example:8000", "", "localhost@evil.example"])
def test_T16_a_foreign_host_gets_400_and_is_never_repeated(web: Web, host: str) -> None:
    answer = web.browser().get("/", headers={"Host": host})
    assert answer.status_code == 400
    assert "evil.example" not in answer.text + str(answer.headers)
    assert web.browser().get("/").status_code == 200


@pytest.mark.parametrize("name", ["X-Forwarded-Host", "X-Forwarded-Proto", "Forwarded", "X-Original-URL", "X-Rewrite-URL"])
def test_T16_forwarded_headers_change_nothing(web: Web, name: str) -> None:
    value = "host=evil.example" if name == "Forwarded" else "evil.example"
    web.scene("wait")
    spoofed, plain = web.signed_in().get("/", headers={name: value}), web.signed_in().get("/")
    assert (spoofed.status_code, spoofed.headers["Location"]) == (plain.status_code, plain.headers["Location"]) == (303, "/journey")


@pytest.mark.parametrize(
    "path", ["//remediation", "/remediation//x", "/remediation///evil.example", "/start//", "//evil.example/%2e%2e"]
)
def test_T16_doubled_slashes_lead_to_no_address_made_of_the_host(web: Web, path: str) -> None:
    """Werkzeug's own answer would be an absolute one, with whatever port and scheme the request had."""
    answer = web.browser().get("/", environ_overrides={"PATH_INFO": path}, headers={"Host": "localhost:9999"})
    assert (answer.status_code, answer.headers.get("Location")) in (
        (200, None),
        (303, "/remediation"),
        (303, "/start"),
        (404, None),
    )
    assert "9999" not in answer.text


CLIENT_ADDRESSES = ("X-Forwarded-For", "X-Real-IP", "Forwarded", "X-Client-IP", "True-Client-IP", "CF-Connecting-IP", "Via")


def test_T16_no_header_about_the_client_gets_anybody_more_or_less_or_into_the_database(web: Web) -> None:
    """Limits count per person and per member of the helpdesk, never per address; no address of a client is kept at all."""
    scene, told = web.scene("this_device"), 0
    browser = web.signed_in()
    token = browser.csrf()
    for number in range(LOOKS.at_once + 3):
        web.clock.ahead = timedelta(seconds=4 * number)
        spoofed = dict.fromkeys(CLIENT_ADDRESSES, f"203.0.113.{number}")
        told += browser.post("/journey/check", data={"csrf_token": token}, headers=spoofed).status_code == 429
    assert told > 0
    assert scene.id
    with web.engine.connect() as connection:
        for table in sa.inspect(connection).get_table_names():
            rows = connection.execute(sa.text(f'SELECT * FROM "{table}"')).all()  # noqa: S608
            assert not any("203.0.113." in str(row) for row in rows), table


def test_T16_no_code_of_the_pages_asks_who_the_client_claims_to_be() -> None:
    words = re.compile(
        r"remote_addr|access_route|HTTP_X_|X-Forwarded|X-Real-IP|ProxyFix|request\.(host|url|base_url|root_url|scheme)\b|_external"
    )
    found = [
        f"{file.name}: {line}"
        for file in (HOUSE / "remediation/web").glob("*.py")
        for line in file.read_text().splitlines()
        if words.search(line)
    ]
    assert found == []


def test_T16_the_server_believes_no_proxy_about_scheme_or_path() -> None:
    assert serving.OPTIONS["forwarded_allow_ips"] == ""
    assert serving.OPTIONS["forwarder_headers"] == ""


def test_under_https_the_cookie_is_host_only_and_secure_and_the_site_strict(database: Path, web: Web) -> None:
    secure = Web(database, public_origin=HTTPS)
    answer = secure.browser().get("/sign-out", base_url=HTTPS)
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("__Host-remediation=")
    assert all(word in cookie for word in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/"))
    assert "Domain" not in cookie
    assert "max-age=63072000" in answer.headers["Strict-Transport-Security"]
    assert "Strict-Transport-Security" not in web.browser().get("/").headers
    secure.engine.dispose()


def test_T37_whoever_was_here_once_comes_back_over_tls_alone_to_every_name_below(database: Path, web: Web) -> None:
    """Also where the domain is somebody else's by then: they would need a certificate for it."""
    secure = Web(database, public_origin=HTTPS)
    browser, signed_in = secure.browser(), secure.signed_in()
    for path in ("/", "/start", "/health", "/journey", "/nowhere", "/sign-in", "/possession/x", f"/static/{secure.style_name()}"):
        for client in (browser, signed_in):
            answer = client.get(path, base_url=HTTPS)
            parts = {part.strip() for part in answer.headers["Strict-Transport-Security"].split(";")}
            assert parts == {"max-age=63072000", "includeSubDomains"}, path
            location = answer.headers.get("Location", "")
            assert not location.startswith("http:")
    assert "Strict-Transport-Security" not in web.browser().get("/").headers, "the control: none over plain http, on loopback"
    secure.engine.dispose()


def test_T31_too_large_a_form_gets_a_page(web: Web) -> None:
    browser = web.signed_in()
    answer = browser.post("/journey/check", data={"csrf_token": browser.csrf(), "more": "x" * 70_000})
    assert answer.status_code == 413
    assert 'id="go-on"' in answer.text
