"""Whether a call leaves at all: which outcome closes the gate for whom, and that what did not leave is no failed attempt."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from werkzeug.wrappers import Request, Response

from remediation.adapters import entra, graph, workspace_one
from remediation.adapters.gate import Gate
from remediation.adapters.http import Remote, Timeouts
from remediation.domain.budget import OPENS_AT, Admitted, Limit, Limits
from remediation.domain.push import Lane
from remediation.errors import Busy, NotFound, RemoteError, Unreachable
from remediation.errors import Refused as Forbidden
from remediation.ports import Budgets, in_lane
from remediation.store.budgets import SqlBudgets
from remediation.store.engine import make_engine
from remediation.store.tables import budgets as table
from remediation.store.tables import remotes, throttlings
from sandbox.faults import Fault
from tests.adapters.conftest import Server
from tests.people import NOON
from tests.remotes import Remotes

ERROR = json.dumps({"error": {"code": "Some_Code", "message": "m"}})
PAGE = "<html>We'll be back</html>"


class Shared(SqlBudgets):
    """The product's own budgets in a file of their own. It is noon until a test says otherwise."""

    def __init__(self, engine: sa.Engine, limits: Limits) -> None:
        super().__init__(
            engine, "contoso", clock=lambda: self.now, limits=dict.fromkeys(("directory", "tokens"), limits), chance=float
        )
        self.now = NOON


Having = Callable[..., Shared]


@pytest.fixture
def having(tmp_path: Path) -> Iterator[Having]:
    engine = make_engine(f"sqlite:///{tmp_path / 'budgets.sqlite'}")
    table.create(engine)
    remotes.create(engine)
    throttlings.create(engine)
    yield lambda limit, writes=None: Shared(engine, Limits(limit, writes))
    engine.dispose()


@pytest.fixture
def budgets(having: Having) -> Shared:
    return having(Limit(rate=1, burst=1000))


def gated(server: Server, budgets: Budgets, **more: Any) -> Remote:
    return server.remote(gate=Gate("directory", budgets, in_flight=4), **more)


def says(status: int, body: str = ERROR, **headers: str) -> Response:
    content_type = "text/html" if body.startswith("<") else "application/json"
    return Response(body, status, {name.replace("_", "-"): value for name, value in headers.items()}, content_type=content_type)


@pytest.mark.parametrize(
    ("answer", "told", "then", "wait"),
    [
        ((429, ERROR, "7"), Busy, Busy, 7),
        ((503, PAGE, "7"), Busy, Busy, 7),
        ((504, PAGE, "7"), Unreachable, Unreachable, 7),
        ((429, ERROR, None), Busy, Busy, 5),
        ((429, ERROR, "0"), Busy, Busy, 1),
    ],
)
def test_a_remote_that_wants_no_calls_gets_none(
    server: Server,
    budgets: Shared,
    answer: tuple[int, str, str | None],
    told: type[RemoteError],
    then: type[RemoteError],
    wait: float,
) -> None:
    status, body, after_seconds = answer
    server.answer = lambda _: says(status, body, **({"Retry_After": after_seconds} if after_seconds else {}))
    one, other = gated(server, budgets), gated(server, budgets)
    with pytest.raises(told) as raised:
        one.call("GET", "thing")
    assert raised.value.called
    with pytest.raises(then) as raised, in_lane(Lane.REVOKE):
        other.call("GET", "thing")
    assert (raised.value.called, raised.value.retry_after) == (False, wait)
    assert not getattr(raised.value, "ours", False)
    assert len(server.asked) == 1


@pytest.mark.parametrize(("status", "body"), [(500, ERROR), (502, PAGE), (200, PAGE), (302, PAGE)])
def test_after_a_few_failures_in_a_row_it_is_left_alone(server: Server, budgets: Shared, status: int, body: str) -> None:
    server.answer = lambda _: says(status, body)
    remote = gated(server, budgets)
    for _ in range(OPENS_AT):
        with pytest.raises(RemoteError):
            remote.call("GET", "thing")
    with pytest.raises(Unreachable) as raised:
        remote.call("GET", "thing")
    assert (raised.value.called, len(server.asked)) == (False, OPENS_AT)


@pytest.mark.parametrize(("status", "body"), [(404, ERROR), (404, PAGE), (400, ERROR), (401, ERROR), (403, PAGE), (200, '{"a": 1')])
def test_an_answer_about_one_thing_closes_nothing(server: Server, budgets: Shared, status: int, body: str) -> None:
    server.answer = lambda _: says(status, body)
    remote = gated(server, budgets)
    for _ in range(2 * OPENS_AT):
        with pytest.raises(RemoteError):
            remote.call("GET", "thing")
    assert len(server.asked) == 2 * OPENS_AT
    answer = budgets.enter("directory", Lane.SWEEP, writes=False)
    assert (type(answer), answer.budget.failures) == (Admitted, 0)


def test_a_good_answer_between_failures_begins_the_count_anew(server: Server, budgets: Shared) -> None:
    remote = gated(server, budgets)
    for n in range(3 * OPENS_AT):
        statuses = [200 if n % OPENS_AT == 0 else 500]
        server.answer = lambda _, statuses=statuses: says(statuses[0], "{}")  # type: ignore[misc]
        with suppress(Unreachable):
            remote.call("GET", "thing")
    assert len(server.asked) == 3 * OPENS_AT


def test_without_a_token_no_call_is_made_and_a_revocation_has_one_left(server: Server, having: Having) -> None:
    remote = gated(server, having(Limit(rate=0.5, burst=3, reserve=1)))
    for _ in range(2):
        remote.call("GET", "thing")
    with pytest.raises(Busy) as raised:
        remote.call("GET", "thing")
    assert (raised.value.ours, raised.value.called, raised.value.retry_after) == (True, False, 2)
    with in_lane(Lane.PERSON), in_lane(Lane.REVOKE):
        remote.call("GET", "thing")
    assert len(server.asked) == 3


def test_writes_may_run_out_before_reads(server: Server, having: Having) -> None:
    remote = gated(server, having(Limit(rate=1, burst=9), Limit(rate=1, burst=1)))
    remote.call("PUT", "thing", json={})
    with pytest.raises(Busy):
        remote.call("PUT", "thing", json={})
    remote.call("GET", "thing")
    assert [request.method for request in server.asked] == ["PUT", "GET"]


def test_a_slow_remote_holds_so_many_threads_and_no_revocation(server: Server, budgets: Shared) -> None:
    inside, go = threading.Barrier(5), threading.Event()

    def slow(_: Request) -> Response:
        inside.wait(5)
        go.wait(5)
        return says(200, "{}")

    server.answer = slow
    remote = gated(server, budgets, timeouts=Timeouts(5, 5, 5))
    threads = [threading.Thread(target=remote.call, args=("GET", "thing")) for _ in range(4)]
    for thread in threads:
        thread.start()
    inside.wait(5)
    with pytest.raises(Busy) as raised:
        remote.call("GET", "thing")
    assert (raised.value.ours, raised.value.retry_after) == (True, 1)
    server.answer = lambda _: says(200, "{}")
    with in_lane(Lane.REVOKE):
        remote.call("GET", "thing")
    go.set()
    for thread in threads:
        thread.join()
    remote.call("GET", "thing")


def test_the_end_of_the_process_in_the_middle_of_a_call_leaves_no_place_taken(server: Server, budgets: Shared) -> None:
    gate = Gate("directory", budgets, in_flight=1)
    for _ in range(3):
        with pytest.raises(KeyboardInterrupt), gate.passing("directory", writes=False):
            raise KeyboardInterrupt
    server.remote(gate=gate).call("GET", "thing")


@pytest.mark.parametrize(("lane", "word"), [(Lane.REVOKE, "high"), (Lane.PERSON, "high"), (Lane.SWEEP, "low")])
def test_graph_is_told_whose_call_it_is(server: Server, lane: Lane, word: str) -> None:
    with in_lane(lane):
        server.remote(lane_headers=graph.lane_headers).call("GET", "thing")
    assert server.asked[0].headers["x-ms-throttle-priority"] == word


def test_a_call_in_nobodys_name_is_a_sweeps(server: Server) -> None:
    server.remote(lane_headers=graph.lane_headers).call("GET", "thing")
    assert server.asked[0].headers["x-ms-throttle-priority"] == "low"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"limit": "250000", "remaining": "2499", "reset": "60"}, 60),
        ({"limit": "250000", "remaining": "2500", "reset": "60"}, None),
        ({"limit": "250000", "remaining": "0", "reset": "-60"}, None),
        ({"limit": "250000", "remaining": "many", "reset": "60"}, None),
        ({}, None),
    ],
)
def test_workspace_ones_quota_is_left_to_others_before_it_ends(
    server: Server, budgets: Shared, headers: Mapping[str, str], seconds: float | None
) -> None:
    begun = int(NOON.timestamp())
    told = {f"x-ratelimit-{k}": str(begun + int(v)) if k == "reset" else v for k, v in headers.items()}
    server.answer = lambda _: Response("{}", 200, told, content_type="application/json")
    remote = gated(server, budgets, quota=workspace_one.quota(lambda: NOON))
    remote.call("GET", "thing")
    if seconds is None:
        remote.call("GET", "thing")
        return
    with pytest.raises(Busy) as raised:
        remote.call("GET", "thing")
    assert (raised.value.ours, raised.value.retry_after) == (False, seconds)


class TestTokens:
    """Two processes of one tenant, with what they know of Entra's token endpoint in one database."""

    def process(self, remotes: Remotes, budgets: Shared, secret: str) -> entra.EntraTokens:
        gates: dict[str, Gate] = {}

        def gate_of(scope: str) -> Gate:
            return gates.setdefault(scope, Gate(f"tokens:{scope}", budgets, in_flight=4, refused_for=entra.refused_for))

        remote = remotes.remote("directory", remotes.facts["api_url"], entra.vendor_code, gate=Gate("tokens", budgets, in_flight=4))
        client_id = remotes.facts["service"]["client_id"]
        return entra.EntraTokens(remote, tenant_id=remotes.facts["tenant_id"], client_id=client_id, secret=secret, gate_of=gate_of)

    def asked(self, remotes: Remotes) -> int:
        return sum(entry.path.endswith("oauth2/v2.0/token") for entry in remotes.sandbox.ledger.since())

    def test_a_refused_secret_is_known_to_all(self, remotes: Remotes, budgets: Shared) -> None:
        one, other = (self.process(remotes, budgets, "wrong") for _ in range(2))
        scope = remotes.facts["graph_scope"]
        for tokens in (one, other, one, other):
            with pytest.raises(Forbidden) as raised:
                tokens.scope(scope, remote="channel").headers()
            assert (raised.value.vendor_code, raised.value.remote) == ("AADSTS7000215", "channel")
        assert self.asked(remotes) == 1
        budgets.now = NOON.replace(minute=1)
        with pytest.raises(Forbidden):
            other.token(scope)
        assert self.asked(remotes) == 2

    def test_a_throttled_endpoint_is_left_alone_by_all(self, remotes: Remotes, budgets: Shared) -> None:
        secret = remotes.facts["service"]["client_secret"]
        one, other = self.process(remotes, budgets, secret), self.process(remotes, budgets, secret)
        remotes.sandbox.faults.add(Fault("entra", "throttle", times=1, retry_after=20, path="token"))
        with pytest.raises(Busy):
            one.token(remotes.facts["graph_scope"])
        with pytest.raises(Busy) as raised:
            other.token(remotes.facts["intune_scope"])
        assert (raised.value.called, raised.value.retry_after, self.asked(remotes)) == (False, 20, 1)
        budgets.now = NOON.replace(second=20)
        assert other.token(remotes.facts["intune_scope"])

    def test_one_scope_refused_keeps_no_other_from_its_token(self, remotes: Remotes, budgets: Shared) -> None:
        tokens = self.process(remotes, budgets, remotes.facts["service"]["client_secret"])
        with pytest.raises(RemoteError) as raised:
            tokens.token("https://nowhere.example/.default")
        assert not isinstance(raised.value, NotFound)
        assert tokens.token(remotes.facts["graph_scope"])
