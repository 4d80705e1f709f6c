"""The description that the API serves: made of the declarations, so that it and the routes are one; a fuzzer goes by it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis import Case, GenerationMode
from schemathesis.checks import CHECKS

from remediation.web.api import OPERATIONS
from remediation.web.api.operations import operation
from remediation.web.api.problems import KINDS, OF_STATUS
from remediation.web.api.shapes import Found, OfPerson, SearchAsked
from remediation.web.guards import Who
from sandbox.server import Sandbox
from tests.people import MIA
from tests.web.api_caller import Api, calling
from tests.web.test_sign_in import running  # noqa: F401  # a fixture

HTTP = ("get", "post", "put", "patch", "delete", "head", "options", "trace")
# What a schema cannot say: which cursors were made here, which days lie in the past, and that a key is for one request.
UNSAID = {"stuck", "timeline", "audit", "figures", "sign_out", "repair", "work_list", "figure_list"}


@pytest.fixture
def api(database: Path, running: Sandbox) -> Iterator[Api]:  # noqa: F811
    with calling(database, running) as api:
        yield api


def described(api: Api) -> dict[str, Any]:
    answer = api.web.browser().get("/api/v1/openapi.json")
    assert (answer.status_code, answer.content_type) == (200, "application/json")
    told: Any = answer.json
    return dict(told)


def test_routes_and_description_are_one(api: Api) -> None:
    told = described(api)
    assert told["openapi"].startswith("3.1")
    operations = {(method.upper(), path) for path, of_path in told["paths"].items() for method in of_path if method in HTTP}
    routes = set()
    for rule in api.web.app.url_map.iter_rules():
        if rule.endpoint.startswith("api.") and not rule.rule.endswith("/openapi.json"):
            path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule).removeprefix("/api/v1")
            routes |= {(method, path) for method in (rule.methods or set()) - {"HEAD"}}
    assert operations == routes
    assert {one.name for one in OPERATIONS} == {o["operationId"] for p in told["paths"].values() for o in p.values()}


def test_it_names_every_parameter_that_is_checked_and_no_other(api: Api) -> None:
    told = described(api)
    for one in OPERATIONS:
        names = {(p["in"], p["name"]) for p in told["paths"][one.address][one.method.lower()]["parameters"]}
        wanted = {
            ({"path": "path", "query": "query", "headers": "header"}[part], info.alias or name)
            for part, shape in one.parts.items()
            if part != "body"
            for name, info in shape.model_fields.items()
        }
        assert names == wanted, one.name
        assert set(re.findall(r"\{(\w+)\}", one.address)) == {name for where, name in names if where == "path"}


def test_every_problem_is_known_and_every_status_has_one() -> None:
    for one in OPERATIONS:
        assert set(one.may_refuse) <= KINDS.keys()
    assert {KINDS[code].status for code in OF_STATUS.values()} == OF_STATUS.keys()


def test_what_changes_something_cannot_be_declared_for_a_role_that_only_reads() -> None:
    nothing = Found(asked_enough=False, case=None, people=[], more=False)

    def change(path: OfPerson) -> Found:
        return nothing

    def look(body: SearchAsked) -> Found:
        return nothing

    wrong: Any = ((change, {"role": Who.HELPDESK, "acts": True}), (look, {"role": Who.HELPDESK_ACTS}))
    for does, more in wrong:
        with pytest.raises(RuntimeError, match="needs the role that may"):
            operation("POST", "/x", does, **more)
    assert operation("POST", "/x", look, role=Who.HELPDESK).acts is False


class Fuzzer:
    """schemathesis, by its own generation and with all its checks, over the app itself; the same questions each time."""

    def __init__(self, api: Api) -> None:
        self.api, self.asked = api, Counter[str]()

    def ask(self, one: Any, mode: GenerationMode, most: int) -> None:
        name = one.definition.raw["operationId"]
        unsaid: list[Any] = [check for check in CHECKS.get_all() if check.__name__ == "positive_data_acceptance"]

        @seed(20261127)
        @settings(
            max_examples=most,
            deadline=None,
            database=None,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=one.as_strategy(generation_mode=mode))
        def question(case: Case[Any]) -> None:
            self.api.web.clock.ahead += timedelta(seconds=20)  # its turns are back each time
            token = self.api.token("Helpdesk.Read", "Helpdesk.Act", "Admin", exp=4_000_000_000)
            headers = {"Authorization": f"Bearer {token}"}
            case.call_and_validate(headers=headers, excluded_checks=unsaid if name in UNSAID else [])
            self.asked[name] += 1

        question()


@pytest.mark.slow
def test_whatever_the_description_allows_is_answered_as_it_says(api: Api) -> None:
    api.web.scene("open")
    api.web.signed_in(MIA)
    schema: Any = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", api.web.app)
    fuzzer = Fuzzer(api)
    for found in schema.get_all_operations():
        one = found.ok()
        fuzzer.ask(one, GenerationMode.POSITIVE, 15)
        if one.definition.raw["parameters"] or "requestBody" in one.definition.raw:
            fuzzer.ask(one, GenerationMode.NEGATIVE, 10)
    assert set(fuzzer.asked) == {one.name for one in OPERATIONS}
    assert fuzzer.asked.total() > 10 * len(OPERATIONS)
