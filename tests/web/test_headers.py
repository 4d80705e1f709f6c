"""T16, T19, T32: the headers on every answer, whoever asks and whatever comes; hosts and addresses only our own."""

import re
from pathlib import Path

import pytest

from remediation.web.headers import ALWAYS
from tests.web.conftest import Web
from tests.web.role_matrix import MATRIX

HTTPS = "https://return.contoso.example"


def paths(web: Web) -> list[tuple[str, str]]:
    token = web.scene("this_device_sent").token
    return [
        (m, r.replace("<token>", token).replace("<name>", web.style_name()).replace("<key>", "sign_in_down"))
        for m, r in sorted(MATRIX)
    ]


def test_every_answer_carries_every_header_errors_included(web: Web) -> None:
    strange = [("GET", "/nowhere"), ("DELETE", "/"), ("GET", "/possession/unknown-token-unknown"), ("GET", "/static/no.css")]
    for browser in (web.browser(), web.signed_in()):
        for method, path in paths(web) + strange:
            answer = browser.open(path, method=method)
            assert {name: answer.headers.get(name) for name in ALWAYS} == ALWAYS, path
            policy = answer.headers["Content-Security-Policy"]
            assert policy.startswith("default-src 'none'"), path
            assert "frame-ancestors 'none'" in policy, path
            assert "unsafe" not in policy, path


def test_t32_nothing_may_be_kept_but_fingerprinted_files(web: Web) -> None:
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


def test_a_page_holds_nothing_inline(web: Web) -> None:
    web.scene("wait")
    page = web.signed_in().get("/journey").text
    assert "style=" not in page
    assert not re.search(r"\son[a-z]+=", page)
    assert all("src=" in tag for tag in re.findall(r"<script[^>]*>", page))


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "evil.example:8000", "", "localhost@evil.example"])
def test_t16_a_foreign_host_gets_400_and_is_never_repeated(web: Web, host: str) -> None:
    answer = web.browser().get("/", headers={"Host": host})
    assert answer.status_code == 400
    assert "evil.example" not in answer.text + str(answer.headers)
    assert web.browser().get("/").status_code == 200


@pytest.mark.parametrize("name", ["X-Forwarded-Host", "X-Forwarded-Proto", "Forwarded", "X-Original-URL", "X-Rewrite-URL"])
def test_t16_forwarded_headers_change_nothing(web: Web, name: str) -> None:
    value = "host=evil.example" if name == "Forwarded" else "evil.example"
    web.scene("wait")
    spoofed, plain = web.signed_in().get("/", headers={name: value}), web.signed_in().get("/")
    assert (spoofed.status_code, spoofed.headers["Location"]) == (plain.status_code, plain.headers["Location"]) == (303, "/journey")


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


def test_too_large_a_form_gets_a_page(web: Web) -> None:
    browser = web.signed_in()
    answer = browser.post("/journey/check", data={"csrf_token": browser.csrf(), "more": "x" * 70_000})
    assert answer.status_code == 413
    assert 'id="go-on"' in answer.text
