"""T17: a session ends when it is ended, everywhere and at once, and by itself; the cookie holds nothing but random ids."""

from datetime import timedelta

from itsdangerous import base64_decode

from remediation.ports import Actor
from remediation.services.end_sessions import end_sessions
from tests.people import MIA
from tests.web.conftest import Web


def test_T17_ended_by_an_administrator_every_old_cookie_gets_401(web: Web) -> None:
    web.scene("wait")
    browsers = [web.signed_in(), web.signed_in()]
    assert [browser.get("/journey").status_code for browser in browsers] == [200, 200]
    end_sessions(web.store, MIA.oid, actor=Actor("operator", "root"), because="asked", now=web.clock())
    for path in ("/journey", "/journey/status"):
        assert [browser.get(path).status_code for browser in browsers] == [401, 401]


def test_T17_nobody_used_it_for_hours(web: Web) -> None:
    web.scene("wait")
    browser = web.signed_in()
    web.clock.ahead = timedelta(hours=3)
    page = browser.get("/journey")
    assert page.status_code == 401
    assert 'href="/sign-in"' in page.text


def test_T17_a_garbled_or_foreign_cookie_is_no_session_and_no_error(web: Web) -> None:
    web.scene("wait")
    right = web.signed_in().get_cookie("remediation")
    assert right is not None
    for value in ("", "x", right.value[:-8] + "AAAAAAAA", right.value.split(".")[0], "x" * 3000, ".eJw=.x.y"):
        browser = web.browser()
        browser.set_cookie("remediation", value)
        assert browser.get("/journey").status_code == 401, value


def test_the_cookie_holds_a_token_a_browser_and_the_secret_of_the_forms(web: Web) -> None:
    web.scene("wait")
    browser = web.signed_in()
    browser.get("/journey")
    cookie = browser.get_cookie("remediation")
    assert cookie is not None
    with browser.session_transaction(base_url=web.settings.public_origin) as held:
        assert set(held) == {"t", "b", "csrf_token"}
    assert MIA.name.encode() not in base64_decode(cookie.value.split(".")[0])
