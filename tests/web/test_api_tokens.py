"""T12: whoever calls the API proves it with each request: forged tokens, other apps' tokens, other kinds of tokens, cookies. Each
beside a token that is taken."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from remediation.store.tables import sessions
from sandbox.server import Sandbox
from tests.people import MIA
from tests.web.api_caller import API, SIEM, Api, calling, problem
from tests.web.conftest import Web
from tests.web.test_forged_tokens import FORGED
from tests.web.test_sign_in import running  # noqa: F401  # a fixture

STRANGER = "99999999-2222-4333-8444-555555555555"
# An ID token's nonce is no claim of an access token's, nor a name one of an app's: their absence is as it should be.
FORGED_FOR_THE_API = {
    **{name: spec for name, spec in FORGED.items() if name not in ("no nonce", "preferred_username twice")},
    **{f"no {name}": {"claims": {name: None}} for name in ("azp", "ver", "idtyp")},
    "azp twice": {"twice": {"azp": STRANGER}},
    "idtyp twice": {"twice": {"idtyp": "app"}},
    "an app that nobody let in": {"claims": {"azp": STRANGER}},
    "azp in a list": {"claims": {"azp": [SIEM]}},
    "of version 1": {"claims": {"ver": "1.0"}},
    "for the sign-in app": {"claims": {"aud": "0d2b4b66-6a0e-4d5b-8b55-7f3f0f6b9a10"}},
    "by its address": {"claims": {"aud": f"api://{API}"}},
    "an ID token with roles": {"claims": {"idtyp": None, "azp": None, "nonce": "n"}},
    "an app and a person": {"claims": {"scp": "access_as_user"}},
    "a person without the scope": {"claims": {"idtyp": None, "scp": "User.Read"}},
    "a scope that only begins so": {"claims": {"idtyp": None, "scp": "access_as_user_too"}},
    "a scope in a list": {"claims": {"idtyp": None, "scp": ["access_as_user"]}},
    "a person by idtyp, without a scope": {"claims": {"idtyp": "user"}},
    "a device": {"claims": {"idtyp": "device"}},
    "a guest of the helpdesk": {"claims": {"idtyp": None, "scp": "access_as_user", "acct": 1}},
}


@pytest.fixture
def api(database: Path, running: Sandbox) -> Iterator[Api]:  # noqa: F811
    with calling(database, running) as api:
        yield api


def test_T12_of_eighty_forged_tokens_the_api_takes_none_and_a_good_one_it_does(api: Api) -> None:
    assert len(FORGED_FOR_THE_API) >= 75
    taken = []
    for name, spec in FORGED_FOR_THE_API.items():
        # a new caller's limit for each: what is refused never gets so far as to be counted
        if (answer := api.call("/caller", token=api.token("Helpdesk.Read", "Helpdesk.Act", "Admin", spec=spec))).status_code != 401:
            taken.append((name, answer.status_code))
        else:
            problem(answer, 401, "bad_token")
            assert answer.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'
    assert taken == []
    good = api.call("/caller", token=api.token("Admin", spec={"claims": {"unheard_of": [1, {"a": None}]}}))
    assert good.status_code == 200, "put together the same way, and as Entra makes them"


NO_TOKENS = ["", "Bearer", "Bearer ", "Basic bWlhOm1pYQ==", "bearer a.b.c", "Bearer \xff\xfe", "x" * 9000]


def test_T12_what_is_no_token_is_told_so(api: Api) -> None:
    for given in NO_TOKENS:
        answer = api.web.browser().get("/api/v1/caller", headers={"Authorization": given} if given else {})
        assert answer.status_code == 401
        assert answer.content_type == "application/problem+json"
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_two_headers_are_no_token(api: Api) -> None:
    good = f"Bearer {api.token('Admin')}"
    answer = api.web.browser().get("/api/v1/caller", headers=[("Authorization", good), ("Authorization", good)])
    assert answer.status_code == 401


def test_a_person_and_an_app_are_told_apart(api: Api) -> None:
    alone, person = api.call("/caller").json, api.call("/caller", alone=False).json
    assert alone is not None
    assert person is not None
    assert (alone["alone"], person["alone"]) == (True, False)
    assert alone["oid"] != person["oid"]
    assert (alone["roles"], alone["sees"]) == (["Helpdesk.Read"], None)


def test_roles_are_those_of_this_very_token(api: Api) -> None:
    assert api.call("/people/mia", "Helpdesk.Read").status_code == 404
    for roles in (("Admin",), ("Helpdesk.Act",), ("helpdesk.read",), ("Helpdesk.Read.de",)):
        told = problem(api.call("/people/mia", *roles), 403, "role_missing")
        assert "Helpdesk.Read" in told["detail"]
    assert problem(api.call("/caller", token=api.token()), 403, "role_missing")
    assert problem(api.call("/caller", token=api.token(roles="Helpdesk.Read")), 403, "role_missing"), "a text is no list"


def test_a_guest_may_call_where_the_setting_says_so(database: Path, running: Sandbox) -> None:  # noqa: F811
    with calling(database, running, staff_guests=True) as api:
        assert api.call("/caller", alone=False, acct=1).status_code == 200


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_T18_no_cookie_authenticates_the_api_and_no_form_reaches_it(api: Api, method: str) -> None:
    """As the helpdesk with every right, in a browser that is signed in: for every operation."""
    web = api.web
    staff = web.signed_in(MIA, roles=("Helpdesk.Read", "Helpdesk.Act", "Admin"))
    csrf, before = staff.csrf(), web.rows()
    for path in paths(web, method):
        answer = staff.open(path, method=method, data={"csrf_token": csrf} if method == "POST" else None)
        problem(answer, 401, "no_token")
    assert web.rows() == before
    assert staff.get("/helpdesk").status_code == 200, "the session is good, for pages"


def test_T18_a_token_needs_no_form_token_and_leaves_no_cookie(api: Api) -> None:
    api.web.scene("open")
    answer = api.call("/search", body={"text": "mia"})
    assert answer.status_code == 200
    assert "Set-Cookie" not in answer.headers
    assert "Set-Cookie" not in api.call("/caller?lang=de").headers
    with api.web.engine.connect() as connection:
        assert connection.execute(sa.select(sessions)).all() == []


def test_T18_a_page_of_another_site_may_not_even_with_a_token(api: Api) -> None:
    elsewhere = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
    problem(api.call("/search", body={"text": "mia"}, headers=elsewhere), 403, "from_elsewhere")
    answer = api.call("/caller", headers={"Origin": "https://evil.example"})
    assert not any(name.lower().startswith("access-control") for name in answer.headers.keys())  # noqa: SIM118


def test_without_an_audience_there_is_no_api(database: Path, running: Sandbox) -> None:  # noqa: F811
    with calling(database, running, api_audience=None, api_clients=()) as api:
        problem(api.call("/caller"), 404, "api_off")


def test_while_entra_is_away_nobody_gets_in_and_is_told_when_to_come_back(database: Path, running: Sandbox) -> None:  # noqa: F811
    with calling(database, running, entra_authority="https://127.0.0.1:9") as api:
        answer = api.call("/caller")
        problem(answer, 503, "busy")
        assert int(answer.headers["Retry-After"]) > 0


def paths(web: Web, method: str) -> list[str]:
    rules = (rule for rule in web.app.url_map.iter_rules() if rule.endpoint.startswith("api.") and method in (rule.methods or ()))
    filled = (rule.rule.replace("<oid>", "mia").replace("<device_id>", "d1") for rule in rules if "openapi" not in rule.rule)
    found: list[Any] = [path.replace("<connection>", "ws1").replace("<record_id>", "1042") for path in filled]
    assert found
    return found
