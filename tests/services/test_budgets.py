"""Full circle: the real adapters into the sandbox, as `wiring` puts them together, for two workers on one database.

Both attend to every row at every tick, whether it is due or not: so what keeps a call from leaving is the gate alone. The sandbox's
ledger is the judge.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import cycle, pairwise
from typing import Any

import pytest

from remediation.domain.budget import Admitted
from remediation.domain.push import Lane
from remediation.domain.steps import Step
from remediation.errors import RemoteError
from remediation.services.push_compliance import bring_to_rest
from remediation.services.world import World
from remediation.settings import WorkerSettings
from remediation.settings.mdm import WorkspaceOneConnection
from remediation.wiring import build_budgets, build_world
from sandbox.control import facts_of
from sandbox.server import Sandbox
from tests.stories import ORIGIN, Story
from tests.wsgi_adapter import WSGIAdapter

Tell = Callable[..., Story]


def settings_for(sandbox: Sandbox, **more: Any) -> WorkerSettings:
    facts, api = facts_of(sandbox), sandbox.api_url
    workspace_one = WorkspaceOneConnection(
        kind="workspace_one",
        url=f"{api}/ws1",
        token_url=facts["workspace_one"]["token_url"],
        client_id=facts["workspace_one"]["client_id"],
        client_secret=facts["workspace_one"]["client_secret"],
    )
    names = {
        "public_origin": ORIGIN,
        "tenant_id": facts["tenant_id"],
        "organisation": "Contoso",
        "minimum_evidence": "possession",
        "entra_authority": api,
        "graph_url": f"{api}/graph",
        "partner_hosts": "127.0.0.1",
        "service_client_id": facts["service"]["client_id"],
        "service_client_secret": facts["service"]["client_secret"],
        "mdm": {"ws1": workspace_one},
        "recheck_seconds": 30,
        "audit_key": "nK3wXv8pQz5rTm1yJd7bLf2hGc9sEa4u",
    }
    return WorkerSettings(**{**names, **more})


class TwoWorkers:
    """A story that two workers live through in turn, each with its own adapters, tokens and gates."""

    def __init__(self, story: Story, **settings: Any) -> None:
        self.story = story
        story.sandbox.world.stand_still()
        given, clock = settings_for(story.sandbox, **settings), story.world.clock
        self.budgets, other = (build_budgets(given, story.engine, clock=clock) for _ in range(2))
        worlds = [
            build_world(given, story.store, budgets, transport=WSGIAdapter(story.sandbox.api), clock=clock)
            for budgets in (self.budgets, other)
        ]
        self._turns = cycle(worlds)
        self.turn()

    def turn(self) -> None:
        self.story.world = next(self._turns)

    def live(self, seconds: float, *, every: float = 5, until: Step | None = None) -> None:
        for _ in range(int(seconds / every)):
            if self.story.step is until:
                return
            self.turn()
            self.story.tick(every, everything=True)

    def knock(self, call: Callable[[World], object], seconds: float, *, every: float = 0.5) -> None:
        """The same call again and again, by both in turn."""
        for _ in range(int(seconds / every)):
            self.turn()
            with suppress(RemoteError):
                call(self.story.world)
            self.story.sandbox.world.advance(every)

    def throttled(self, service: str) -> list[datetime]:
        return [at for at, status in self.calls(service) if status == 429]

    def calls(self, service: str, method: str | None = None) -> list[tuple[datetime, int]]:
        return [
            (datetime.fromisoformat(entry["at"]), entry["status"])
            for entry in self.story.ledger()
            if entry["service"] == service and method in (None, entry["method"])
        ]


@pytest.fixture
def two(tell: Tell) -> Callable[..., TwoWorkers]:
    return lambda scenario="blocked_just_registered", **settings: TwoWorkers(tell(scenario), **settings)


def arrived(workers: TwoWorkers) -> Story:
    story = workers.story
    story.arrives()
    story.says_this_is_mine()
    return story


@pytest.mark.parametrize("service", ["graph", "intune", "workspace_one", "entra"])
def test_no_call_inside_a_retry_after_window_by_whichever_worker(two: Callable[..., TwoWorkers], service: str) -> None:
    workers = two()
    story = workers.story
    throttle = {"for_seconds": 24, "retry_after": 20, "path": {"entra": "token"}.get(service)}
    if service == "entra":  # before there is a token, nobody gets anywhere
        story.fault(service, "throttle", **throttle)
        story.arrives()
        workers.live(50)
        story.says_this_is_mine()
    else:
        arrived(workers)
        story.fault(service, "throttle", **throttle)
    story.taps_the_message()
    workers.live(50)
    refused, made = workers.throttled(service), workers.calls(service)
    assert len(refused) == 2, "asked again once the first window was over, and told to wait once more"
    for told in refused:
        assert not [at for at, _ in made if told < at < told + timedelta(seconds=20)]
        assert [status for at, status in made if at == told][-1] == 429, "the same instant counts as well"
    workers.live(100, every=10, until=Step.OPEN)
    assert story.outlook_opens()


def test_untold_it_waits_longer_each_time_and_never_less_than_five_seconds(two: Callable[..., TwoWorkers]) -> None:
    workers = two()
    workers.story.fault("graph", "throttle")
    workers.knock(lambda world: world.directory.person("11111111-2222-4333-8444-555555555555"), 200)
    pauses = [(b - a).total_seconds() for a, b in pairwise(workers.throttled("graph"))]
    assert len(pauses) >= 4
    for base, pause in zip((5, 10, 20, 40, 60), pauses, strict=False):
        assert base <= pause <= base * 1.5 + 0.5
    assert any(pause % 5 > 0 for pause in pauses), "with jitter, so that not all come at once"


def test_a_remote_that_is_away_is_asked_by_one_at_a_time_and_noticed_when_it_is_back(two: Callable[..., TwoWorkers]) -> None:
    workers = two()
    workers.story.fault("workspace_one", "server_error", status=502, for_seconds=300, path="/ws1/")
    workers.knock(lambda world: world.managers["ws1"].device("1"), 300, every=1)
    failed = [at for at, status in workers.calls("workspace_one") if status == 502]
    assert len(failed) <= 5 + 8
    workers.knock(lambda world: world.managers["ws1"].device("1"), 91, every=1)
    later = [status for at, status in workers.calls("workspace_one") if at > failed[-1]]
    assert later
    assert 502 not in later


def test_what_was_not_asked_has_not_moved(two: Callable[..., TwoWorkers]) -> None:
    """A partner service that fails is looked for anew at Graph; one that was not called is not."""
    workers = two()
    workers.story.fault("intune", "server_error", status=502, for_seconds=60)
    workers.knock(lambda world: world.channels[0].carried("5f0c5a6e-8c57-4f0a-9b0b-3d2f5a7a9d11"), 60, every=1)  # type: ignore[attr-defined]
    failed = len(workers.calls("intune"))
    assert 5 <= failed <= 9
    assert len(workers.calls("graph")) <= 2 * (failed + 2)


def test_no_link_is_minted_for_an_mdm_that_takes_no_calls(two: Callable[..., TwoWorkers]) -> None:
    workers = two()
    story = workers.story
    story.arrives()
    story.fault("workspace_one", "throttle", times=1, retry_after=60)
    story.says_this_is_mine()
    workers.live(50)
    assert story.audit().count("possession.minted") <= 1
    assert story.audit().count("possession.failed") <= 1
    workers.live(60)
    story.taps_the_message()


def test_a_revocation_goes_out_first_when_the_bucket_is_nearly_empty(two: Callable[..., TwoWorkers]) -> None:
    workers = two(channel_writes="4/60")
    story = arrived(workers)
    story.taps_the_message()
    workers.live(60, until=Step.OPEN)
    workers.live(60, every=30)
    while isinstance(workers.budgets.enter("channel", Lane.PERSON, writes=True), Admitted):
        pass  # others send what they may
    story.reports_health(passcode=False)
    workers.turn()
    bring_to_rest(story.links()[0].id, world=story.world)
    assert len(workers.calls("intune", "PUT")) == 2, "the revocation went at once, in the pass that saw the need for it"
    workers.live(20)
    assert story.entra_shows is False
    story.reports_health(passcode=True)
    story.checks_again()
    waiting = story.push
    assert (len(workers.calls("intune", "PUT")), waiting.reason, waiting.attempts) == (2, "channel_busy", 0)
    workers.live(150, every=10, until=Step.OPEN)
    assert story.outlook_opens()


def test_graph_hears_whose_call_it_is(two: Callable[..., TwoWorkers]) -> None:
    workers = two()
    story = arrived(workers)
    told = {e["headers"].get("X-Ms-Throttle-Priority") for e in story.ledger() if e["service"] == "graph"}
    assert told == {"high"}
