"""What went wrong elsewhere, asked of this product: one test for each public flaw of a relative, with a control that succeeds.

The table in docs/security.md has those that are answered by a test of another name, and those that cannot happen here.
"""

# ruff: noqa: F811

from __future__ import annotations

import time
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import pytest
import sqlalchemy as sa
from flask import Blueprint
from pydantic import SecretStr, ValidationError

from remediation.domain.device import Person
from remediation.web import HOUSE, guards
from tests.people import MIA
from tests.web.conftest import SETTINGS, Browser, Web
from tests.web.scenes import BROWSER, NOAH
from tests.web.test_forged_tokens import is_refused, own_key
from tests.web.test_sign_in import Entra, begin, entra, running, sign_in  # noqa: F401  # fixtures
from tests.web.test_sign_in import web as signing_web  # noqa: F401  # a fixture

HANNA = Person(oid="hanna", name="Hanna Roth", user_name="hanna.roth@contoso.example")
SOMEBODY = "11111111-2222-4333-8444-555555555555"
TOKENS: dict[str, list[dict[str, Any]]] = {
    "CVE_2026_23518_an_unsigned_token": [{"sign": "none"}, {"sign": "stranger"}, {"sign": "broken"}],
    "CVE_2026_24899_any_tenant_s_token": [
        {"sign": "foreign"},
        {"claims": {"aud": SOMEBODY}},
        {"claims": {"iss": "https://sts.windows.net/x/"}},
    ],
    "CVE_2025_55241_the_tenant_itself": [{"claims": {"tid": SOMEBODY}}, {"claims": {"tid": None}}],
    "CVE_2026_27962_a_key_in_the_token": [{"header": {"jwk": own_key()}, "sign": "stranger"}],
    "CVE_2025_59420_crit_that_nobody_knows": [{"header": {"crit": ["zq"], "zq": True}}],
    "CVE_2024_37568_the_public_key_as_a_secret": [{"header": {"alg": "HS256"}, "sign": "hs256"}],
}


@pytest.mark.parametrize("lesson", TOKENS)
def test_lesson_of_tokens(signing_web: Web, entra: Entra, lesson: str) -> None:
    assert all(is_refused(signing_web, entra, spec, signing_web.browser()) for spec in TOKENS[lesson])
    assert sign_in(signing_web.browser(), entra) == "/journey"


def test_lesson_CVE_2025_61920_a_huge_token_costs_nothing(signing_web: Web, entra: Entra) -> None:
    began = time.monotonic()
    assert is_refused(signing_web, entra, {"header": {"padding": "x" * 1_500_000}}, signing_web.browser())
    assert time.monotonic() - began < 5
    assert sign_in(signing_web.browser(), entra) == "/journey"


def test_lesson_CVE_2025_68158_CVE_2026_41425_CVE_2022_39222_a_state_is_the_browser_s_that_began(
    signing_web: Web, entra: Entra
) -> None:
    attacker, victim = signing_web.browser(), signing_web.browser()
    begin(victim)
    answer = entra.answers(begin(attacker))
    assert victim.get(answer).status_code == 400
    assert not victim.is_signed_in()
    assert attacker.get(answer).status_code == 303


def test_lesson_CVE_2024_23647_pkce_cannot_be_left_out(signing_web: Web, entra: Entra) -> None:
    for path in ("/sign-in", "/sign-in?code_challenge_method=plain", "/sign-in?code_challenge=&silent=1"):
        asked = parse_qs(urlsplit(begin(signing_web.browser(), path)).query)
        assert asked["code_challenge_method"] == ["S256"]
        assert len(asked["code_challenge"][0]) == 43
    assert sign_in(signing_web.browser(), entra) == "/journey"


def test_lesson_CVE_2025_6014_an_answer_of_entra_s_is_good_once(signing_web: Web, entra: Entra) -> None:
    browser = signing_web.browser()
    answer = entra.answers(begin(browser))
    assert [browser.get(answer).status_code for _ in range(3)] == [303, 400, 400]


def test_lesson_CVE_2026_26060_a_used_link_dies_at_once_and_CVE_2025_64708_an_old_one_without_any_janitor(web: Web) -> None:
    scene, browser = web.scene("this_device_sent"), web.signed_in()
    path = f"/possession/{scene.token}"
    form = browser.form(path, path)
    web.clock.ahead = timedelta(minutes=11)
    assert browser.post(path, data=form).status_code == 410
    web.clock.ahead = timedelta()
    assert [browser.post(path, data=form).status_code for _ in range(3)] == [303, 410, 410]


def test_lesson_CVE_2025_64708_sessions_and_forms_end_on_use_as_well(web: Web) -> None:
    web.scene("wait")
    browser = web.signed_in()
    assert browser.get("/journey").status_code == 200
    web.clock.ahead = timedelta(hours=2)
    assert browser.get("/journey").status_code == 401
    assert web.rows()["sessions"] == 1, "the row is still there"


def test_lesson_TOB_PYPI26_9_what_is_not_the_token_to_the_letter_is_none(web: Web) -> None:
    scene, browser = web.scene("this_device_sent"), web.signed_in()
    token = scene.token
    for other in (
        f" {token}",
        f"{token} ",
        token.swapcase(),
        f"{token}\t",
        f"{token}%00",
        token[:-1],
        f"{token}=",
        f"{token}\u200b",
    ):
        path = f"/possession/{quote(other, safe='%')}"
        assert browser.post(path, data={"csrf_token": browser.csrf()}).status_code in (404, 410), other
    assert browser.press(f"/possession/{token}", f"/possession/{token}").status_code == 303


def test_lesson_CVE_2026_34389_a_message_is_its_own_person_s(web: Web) -> None:
    scene = web.scene("this_device_sent")
    path, noah = f"/possession/{scene.token}", web.signed_in(NOAH, browser="another")
    assert noah.post(path, data={"csrf_token": noah.csrf()}).status_code == 403
    assert web.signed_in().press(path, path).status_code == 303


def test_lesson_CVE_2025_7365_whoever_confirms_sees_whose_and_what(web: Web) -> None:
    scene = web.scene("this_device_sent")
    page = web.signed_in().get(f"/possession/{scene.token}").text
    assert MIA.name in page
    assert "mia iPhone" in page
    assert "This wasn" in page or "wasn&#39;t" in page
    assert MIA.name not in web.signed_in(NOAH, browser="another").get(f"/possession/{scene.token}").text


def test_lesson_CVE_2026_73431_what_was_made_for_one_form_means_nothing_in_another(web: Web) -> None:
    web.scene("choose")
    browser = web.signed_in()
    chosen = browser.form("/journey", "/journey/choose")
    for path in ("/journey/this-device", "/journey/device"):
        assert browser.post(path, data=chosen).status_code == 400
    assert browser.post("/journey/choose", data={**chosen, "device": chosen["csrf_token"]}).status_code == 400
    assert browser.post("/journey/choose", data=chosen).status_code == 303


def test_lesson_CVE_2026_7507_a_cookie_that_was_put_there_before_is_nothing_afterwards(signing_web: Web, entra: Entra) -> None:
    victim, attacker = signing_web.browser(), signing_web.browser()
    begin(attacker)
    planted = attacker.get_cookie("remediation")
    assert planted is not None
    victim.set_cookie("remediation", planted.value)
    assert sign_in(victim, entra) == "/journey"
    assert victim.is_signed_in()
    assert not attacker.is_signed_in()


SQL = (
    "'; DROP TABLE people; --",
    "' OR '1'='1",
    "mia' ORDER BY (SELECT token_hash FROM sessions) --",
    "%' UNION SELECT 1,2,3 --",
    "\\",
    "mia\x00",
)


def test_lesson_CVE_2026_26186_CVE_2026_34385_CVE_2026_34386_neither_a_search_nor_a_stored_name_is_sql(web: Web) -> None:
    web.scene("wait")
    for number, text in enumerate(SQL):
        hanna = web.signed_in(HANNA, browser=f"h{number}", roles=("Helpdesk.Read",))
        assert hanna.get("/helpdesk", query_string={"q": text, "sort": text, "case": text}).status_code == 200
        assert hanna.get("/helpdesk/person/mia", query_string={"case": text}).status_code == 200
        second = Person(oid=f"p{number}", name=text + "zq", user_name=text)
        web.begun(person=second, browser=f"b{number}")  # and now it is read back
        assert hanna.get(f"/helpdesk/person/p{number}").status_code == 200
    assert "Mia Berger" in web.signed_in(HANNA, browser="h", roles=("Helpdesk.Read",)).get("/helpdesk?q=mia").text


def everything_shown(web: Web) -> str:
    scene = web.scene("this_device_sent")
    who: list[Browser] = [web.browser(), web.signed_in(), web.signed_in(HANNA, browser="h", roles=("Helpdesk.Read",))]
    paths = (
        "/",
        "/journey",
        "/journey/status",
        "/journey/device",
        "/sign-out",
        "/signed-out",
        "/helpdesk?q=mia",
        "/helpdesk/person/mia",
    )
    more = (
        "/health",
        "/style",
        "/cannot-sign-in",
        "/nowhere",
        f"/possession/{scene.token}",
        "/refused/sign_in_down",
        "/signed-in?code=x&state=y",
    )
    return "".join(
        str(answer.headers) + answer.text for browser in who for path in (*paths, *more) for answer in (browser.get(path),)
    )


def test_lesson_CVE_2026_27465_CVE_2024_39315_no_page_of_any_role_shows_a_secret_or_a_session_s_token(web: Web) -> None:
    shown = everything_shown(web)
    secrets = [value.get_secret_value() for _, value in web.settings if isinstance(value, SecretStr)]
    assert len(secrets) >= 3
    with web.engine.connect() as connection:
        for column, table in (("token_hash", "sessions"), ("token_hash", "possession_links"), ("value", "sign_in_states")):
            secrets += connection.execute(sa.text(f"SELECT {column} FROM {table}")).scalars()  # noqa: S608
    assert not [secret for secret in secrets if secret in shown]
    assert "Mia Berger" in shown, "the pages were really read"


@pytest.mark.parametrize(
    "key", ["", "change-me-change-me-change-me-change-me", "secret" * 8, "a" * 40, "0123456789abcdefghijklmnopqrstuvwxyz"]
)
def test_lesson_CVE_2026_33503_a_default_key_is_no_key(web: Web, key: str) -> None:
    with pytest.raises(ValidationError):
        type(web.settings).model_validate({**SETTINGS, "secret_key": key})
    type(web.settings).model_validate(SETTINGS)


def test_lesson_GHSA_7qjx_gp9h_65qj_a_new_route_is_shut_until_it_says_who_may_come(web: Web) -> None:
    guards.demand_one_for_every_route(web.app)
    part = Blueprint("added", __name__)
    part.get("/added")(lambda: "")
    web.app.register_blueprint(part)
    with pytest.raises(RuntimeError, match="/added"):
        guards.demand_one_for_every_route(web.app)


def test_lesson_TOB_PYPI26_8_nothing_acts_under_a_role_that_may_only_read(web: Web) -> None:
    guards.demand_one_for_every_route(web.app)
    part = Blueprint("acting", __name__)
    part.route("/acting", methods=["GET", "POST"])(guards.helpdesk(lambda: ""))
    web.app.register_blueprint(part)
    with pytest.raises(RuntimeError, match="may only read"):
        guards.demand_one_for_every_route(web.app)


def test_lesson_CVE_2021_41230_a_role_that_was_taken_away_does_not_last_as_long_as_the_session(web: Web) -> None:
    hanna = web.signed_in(HANNA, browser="h", roles=("Helpdesk.Read",))
    assert hanna.get("/helpdesk").status_code == 200
    web.clock.ahead = guards.ROLE_LASTS
    assert hanna.get("/helpdesk").status_code == 401
    assert web.signed_in(HANNA, browser="h", roles=("Helpdesk.Read",)).get("/helpdesk").status_code == 200


def test_lesson_CVE_2025_53942_CVE_2025_64521_a_switched_off_account_gets_one_page_and_it_has_no_way_on(web: Web) -> None:
    scene = web.begun()
    scene.has_phones().registered().stands(account_enabled=False).looked()
    page = web.signed_in().get("/journey").text
    assert "not_for_you" in page or "not-for-you" in page or "switched off" in page
    assert "/journey/this-device" not in page
    scene.stands(account_enabled=True).looked()
    assert web.signed_in().get("/journey").text != page


def test_lesson_CVE_2020_15223_a_sign_out_that_the_database_did_not_take_is_not_called_one(web: Web) -> None:
    web.scene("wait")
    browser, copy = web.signed_in(), web.signed_in()
    form = browser.form("/sign-out", "/sign-out")
    with web.engine.begin() as connection:
        connection.execute(sa.text("ALTER TABLE sessions RENAME TO away"))
    answer = browser.post("/sign-out", data=form)
    assert answer.status_code == 503
    assert "Clear-Site-Data" not in answer.headers
    with web.engine.begin() as connection:
        connection.execute(sa.text("ALTER TABLE away RENAME TO sessions"))
    assert browser.is_signed_in(), "and the page said so"
    assert browser.post("/sign-out", data=form).status_code == 303
    assert not browser.is_signed_in()
    assert copy.is_signed_in()


def test_lesson_CVE_2025_47278_what_is_signed_is_signed_with_the_new_key_and_read_with_the_old(web: Web, database: Path) -> None:
    web.scene("wait")
    before = web.signed_in()
    old, new = web.settings.secret_key, SecretStr("Zr9wQb3nXk7vLm5tHc2yJd8fGs4pTe6uAa")
    rotated = Web(database, secret_key=new, secret_key_fallbacks=(old,))
    after = rotated.browser()
    held = before.get_cookie("remediation")
    assert held is not None
    after.set_cookie("remediation", held.value)
    assert after.get("/journey").status_code == 200, "the old key still reads"
    after.get("/cannot-sign-in")
    with after.session_transaction(base_url=rotated.settings.public_origin) as cookie:
        cookie["c"] = "K7M-2QX"
    written = after.get_cookie("remediation")
    assert written is not None
    for keys, status in (((new, ()), 200), ((old, ()), 401)):
        alone = Web(database, secret_key=keys[0], secret_key_fallbacks=keys[1])
        browser = alone.browser()
        browser.set_cookie("remediation", written.value)
        assert browser.get("/journey").status_code == status
        alone.engine.dispose()
    rotated.engine.dispose()
    assert BROWSER


def test_lesson_CVE_2023_30861_CVE_2026_27205_nothing_personal_is_kept_by_a_cache(web: Web) -> None:
    web.scene("wait")
    for browser in (web.signed_in(), web.browser()):
        for path in ("/journey", "/journey/status", "/", "/sign-out", "/nowhere"):
            assert browser.get(path).headers["Cache-Control"] == "no-store"
    assert "immutable" in web.browser().get(f"/static/{web.style_name()}").headers["Cache-Control"]


def test_lesson_CVE_2024_35195_certificates_are_never_left_unchecked() -> None:
    sources = {file: file.read_text() for file in (HOUSE / "remediation").rglob("*.py")}
    words = (
        "verify=False",
        "CERT_NONE",
        "check_hostname = False",
        "_create_unverified_context",
        "disable_warnings",
        "assert_hostname=False",
    )
    assert not [(file.name, word) for file, text in sources.items() for word in words if word in text]
    assert sum("verify" in text for text in sources.values()) >= 2, "it is said somewhere"
