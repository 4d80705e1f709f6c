"""How each MDM is, told by rows that the worker wrote as it called them: every cause played by the sandbox on both vendors, with
the sentence that says who can act and what to do; nothing secret, no id and no name in it; and well again: the control."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from remediation.domain.health import Cause, Condition, Health, judge
from remediation.domain.watch import watch_names
from remediation.errors import RemoteError
from remediation.operator_wiring import Operating
from remediation.services.reconcile import watch
from remediation.settings import OperatorSettings
from remediation.settings.mdm import Maas360Connection, WorkspaceOneConnection
from remediation.settings.names import secrets_of
from remediation.store.remotes import SqlConnections
from remediation.wiring import build_budgets, build_world
from sandbox.control import facts_of
from sandbox.faults import Fault
from sandbox.workspace_one_gate import tenant_code
from tests.services.test_budgets import settings_for
from tests.stories import Story
from tests.wsgi_adapter import WSGIAdapter

Tell = Callable[..., Story]
VENDOR = {"ws1": "workspace_one", "basic": "workspace_one", "maas": "maas360"}


class Two:
    """A worker with a Workspace ONE by OAuth, the same by Basic, and a MaaS360, each with a watch; and what is known of them."""

    def __init__(self, story: Story) -> None:
        self.story, self.sandbox = story, story.sandbox
        story.sandbox.world.stand_still()
        self.wire = WSGIAdapter(self.sandbox.api)
        self.begin()
        self.lasts(2)

    def begin(self, **changed: Any) -> None:
        """A worker, as by its settings now."""
        facts, own = facts_of(self.sandbox), ("billing_id", "app_id", "access_key", "user", "password")
        of_maas = facts["maas360"]
        given = settings_for(self.sandbox)
        maas = Maas360Connection(kind="maas360", url=of_maas["api_url"], **{name: of_maas[name] for name in own})
        mdm = self.sandbox.world.mdm
        basic = WorkspaceOneConnection(
            kind="workspace_one",
            url=f"{self.sandbox.api_url}/ws1",
            user=mdm.client_id,
            password=SecretStr(mdm.client_secret),
            tenant_code=SecretStr(changed.pop("tenant_code", tenant_code(self.sandbox.world))),
        )
        connections = {"ws1": given.mdm["ws1"], "basic": basic, "maas": maas}
        self.settings = given.model_copy(update={"mdm": connections, **changed})
        clock = self.story.world.clock
        budgets = build_budgets(self.settings, self.story.engine, clock=clock)
        self.world = build_world(self.settings, self.story.store, budgets, transport=self.wire, clock=clock)
        self.story.store.keep_watches(watch_names(self.world.managers), at=clock())

    def lasts(self, rounds: int, *, every: float = 70) -> None:
        """Each list is asked for in each round, whatever its own time."""
        for _ in range(rounds):
            self.sandbox.world.advance(every)
            for name in watch_names(self.world.managers):
                watch(name, world=self.world)

    def health(self, name: str) -> Health:
        now = self.story.world.clock()
        found = judge(SqlConnections(self.story.engine, self.story.store.tenant_id).connections(now), now)
        return next(one for one in found if one.connection.name in (name, f"mdm:{name}"))

    def told(self, name: str) -> str:
        """As the command says it, which the page says in the same texts. Nothing that must not be told is anywhere in it."""
        given = OperatorSettings(database_url=SecretStr(self.story.url), tenant_id=self.story.store.tenant_id, check_in_days=14)
        found = Operating(given, "root").connections(self.story.world.clock())
        whole = json.dumps([asdict(one) for one in found], default=str)
        with self.story.engine.connect() as connection:
            whole += str(connection.execute(sa.text("SELECT * FROM remotes")).all())
        forbidden = [*secrets_of(self.settings), self.sandbox.world.mdm.client_id, self.sandbox.world.maas360.user]
        assert not [one for one in forbidden if len(one) > 5 and one in whole]
        one = next(one for one in found if one.shown.name == name or (one.shown.kind == name))
        return " ".join((one.title, one.condition, one.what, one.do, one.then, *(str(fact) for fact in one.facts)))

    def spoil(self, name: str, kind: str, **more: Any) -> None:
        self.sandbox.faults.add(Fault(VENDOR[name], kind, **more))

    def mended(self) -> None:
        self.sandbox.faults.clear()
        self.begin()
        self.lasts(1, every=3700)  # longer than anything that was refused is left alone


@pytest.fixture
def two(tell: Tell) -> Two:
    return Two(tell("two_mdms"))


def wrong_credentials(two: Two, name: str) -> None:
    two.sandbox.world.mdm.client_secret = two.sandbox.world.maas360.password = "changed-at-the-console"
    two.sandbox.world.end_tokens()


def locked(two: Two, name: str) -> None:
    two.sandbox.world.mdm.locked = two.sandbox.world.maas360.locked = True
    two.sandbox.world.end_tokens()


def another_group(two: Two, name: str) -> None:
    two.begin(tenant_code="bm90LXRoZS1jb2RlLW9mLW91cnM=")
    two.sandbox.world.maas360.billing_id = "39999999"
    two.sandbox.world.end_tokens()


def spoilt(kind: str, **more: Any) -> Callable[[Two, str], None]:
    return lambda two, name: two.spoil(name, kind, **more)


API = {"ws1": "mdm/devices", "basic": "mdm/devices", "maas": "device-apis"}
CAUSES: dict[str, tuple[Callable[[Two, str], None], Cause, str, tuple[str, ...]]] = {
    "wrong credentials": (wrong_credentials, Cause.CREDENTIALS, "does not take our credential", ("ws1", "basic", "maas")),
    "locked": (locked, Cause.LOCKED, "account is locked", ("ws1", "basic", "maas")),
    "revoked": (
        lambda two, name: two.spoil(name, "server_error", status=401, path=API[name]),
        Cause.REVOKED,
        "it was revoked, or ends too soon",
        ("ws1", "maas"),
    ),
    "another group": (another_group, Cause.GROUP, "organization group", ("basic", "maas")),
    "no permission": (
        lambda two, name: two.spoil(name, "server_error", status=403, path=API[name]),
        Cause.PERMISSION,
        "a permission is missing",
        ("ws1", "basic", "maas"),
    ),
    "a page": (spoilt("html"), Cause.PAGE, "A page comes back", ("ws1", "maas")),
    "half": (spoilt("garbled"), Cause.HALF, "break off", ("ws1", "maas")),
    "too large": (spoilt("huge"), Cause.LARGE, "larger than any", ("ws1", "maas")),
    "throttled": (spoilt("throttle", retry_after=1900), Cause.THROTTLED, "wants fewer calls", ("ws1", "maas")),
    "failing": (spoilt("server_error", status=502), Cause.AWAY, "fails by itself", ("ws1", "maas")),
    "down": (spoilt("down"), Cause.CONNECTION, "No connection to it comes about", ("ws1", "maas")),
}


@pytest.mark.parametrize("name", ["ws1", "basic", "maas"])
def test_each_cause_is_told_with_who_can_act_and_is_over_once_it_is(two: Two, name: str) -> None:
    world = two.sandbox.world
    secret, billing = (world.mdm.client_secret, world.maas360.password), world.maas360.billing_id
    for what, (spoil, cause, words, names) in CAUSES.items():
        if name not in names:
            continue
        before = two.story.world.clock()
        spoil(two, name)
        two.lasts(2, every=1 if what == "throttled" else 70)
        found = two.health(name)
        assert (found.condition, found.cause) == (Condition.FAILING, cause), what
        assert found.since is not None
        assert found.since > before, what
        said = two.told(name)
        assert words in said, what
        assert "administrator" in said or "hoever runs" in said, "who can act"
        if what not in ("wrong credentials", "locked", "another group"):
            others = ("ws1", "basic") if VENDOR[name] == "maas360" else ("maas",)
            assert {two.health(other).condition for other in others} == {Condition.WELL}, "one is not the other"
        world.mdm.client_secret, world.maas360.password = secret
        world.mdm.locked = world.maas360.locked = False
        world.maas360.billing_id = billing
        two.mended()
        assert two.health(name).condition is Condition.WELL, (what, two.told(name))


def test_what_the_vendor_said_is_shown_short_of_names_ids_and_secrets(two: Two) -> None:
    locked(two, "basic")
    two.lasts(2)
    row = two.health("basic").connection.row
    assert (row.error, row.status, row.code, row.words) == ("refused", 401, "1005", "The account … is locked.")
    assert "The account … is locked." in two.told("basic")


def test_hostile_words_and_codes_are_harmless_and_what_echoes_our_secret_is_dropped(two: Two) -> None:
    secret = two.sandbox.world.mdm.client_secret
    planted = f"\x1b[31m<script>alert(1)</script>\u202e token {secret} of mia.berger@contoso.example is invalid {'A' * 9000}"

    def hostile(request: Any, status: int, body: bytes) -> bytes:
        return json.dumps({"errorCode": "<b>1005</b>", "message": planted}).encode()

    two.wire.change = hostile
    two.spoil("ws1", "server_error", status=403)
    two.lasts(2)
    row = two.health("ws1").connection.row
    assert (row.cause, row.code) == (Cause.PERMISSION, None)
    assert row.words == "… token … of … is invalid …"
    told = two.told("ws1")
    assert not [one for one in ("\x1b", "<", "\u202e", "mia", "alert", "AAA") if one in told]


def test_a_refusal_about_one_device_is_no_trouble_of_the_remote(two: Two) -> None:
    for name in ("ws1", "maas"):
        with suppress(RemoteError):
            two.world.managers[name].device("99999999")
        assert two.health(name).condition is Condition.WELL, name
    assert two.health("maas").connection.row.failures == 0


def test_one_right_that_is_missing_beside_others_that_work_is_well_in_part(two: Two) -> None:
    two.spoil("ws1", "server_error", status=403, path="users/search")
    with pytest.raises(RemoteError):
        two.world.managers["ws1"].devices_of(two.story.remotes.person())
    watch("mdm:ws1/poll", world=two.world)
    found = two.health("ws1")
    assert (found.condition, found.cause) == (Condition.PARTLY, Cause.PERMISSION)
    assert "not to everything" in two.told("ws1")
    two.lasts(1, every=3700)
    assert two.health("ws1").condition is Condition.WELL


def test_the_wrong_organization_group_lists_nothing_and_refuses_nothing(tell: Tell) -> None:
    """As where the OAuth client belongs to another group; nobody is taken for absent because of it."""
    story = tell("blocked_just_registered")
    story.gets_through()
    story.is_watched()

    def how() -> tuple[Condition, Cause | None]:
        now = story.world.clock()
        connections = SqlConnections(story.engine, story.store.tenant_id).connections(now)
        return next((one.condition, one.cause) for one in judge(connections, now) if one.connection.name == "mdm:ws1")

    story.passes(120, every=60)
    assert how() == (Condition.WELL, None)
    story.fault("workspace_one", "unlisted")
    story.passes(7200, every=300)
    assert how() == (Condition.FAILING, Cause.NOTHING)
    assert story.entra_shows is True
    story.sandbox.faults.clear()
    story.passes(7200, every=300)
    assert how() == (Condition.WELL, None)


def test_entra_without_a_token_says_so_once_and_graph_and_the_channel_point_there(two: Two) -> None:
    two.begin(service_client_secret=SecretStr("not-the-secret-of-this-app"))
    two.lasts(3)
    assert two.health("entra").cause is Cause.CREDENTIALS
    assert "AADSTS7000215" in two.told("entra")
    assert two.health("directory").cause is Cause.SIGN_IN
    assert {two.health(name).condition for name in ("ws1", "maas")} == {Condition.WELL}
    two.mended()
    assert {two.health(name).condition for name in ("entra", "directory")} == {Condition.WELL}


def test_a_permission_that_graph_lacks_and_one_that_is_optional(two: Two) -> None:
    roles = two.sandbox.world.apps["service"].permissions["00000003-0000-0000-c000-000000000000"]
    roles -= {"GroupMember.Read.All", "Directory.Read.All"}
    two.begin(groups=tuple(two.sandbox.world.groups)[:1])
    assert two.world.directory.standing(two.story.remotes.person().oid).in_scope is None
    assert two.health("directory").condition is Condition.WELL, "the tenant may leave it out"
    roles.discard("Device.Read.All")
    two.begin()
    two.lasts(3)
    assert two.health("directory").cause is Cause.PERMISSION
    roles.add("Device.Read.All")
    two.mended()
    assert two.health("directory").condition is Condition.WELL


def test_a_circuit_that_is_open_says_until_when_and_the_budget_what_is_used(two: Two) -> None:
    two.spoil("ws1", "throttle", retry_after=600)
    two.lasts(1, every=1)
    until = two.health("ws1").connection.closed_until(two.story.world.clock())
    assert until is not None
    assert timedelta(0) < until - two.story.world.clock() <= timedelta(seconds=600)
    told = two.told("ws1")
    assert "are held back" in told
    assert "Budget used just now" in told
    assert "go through" in two.told("maas")


def test_nothing_is_asked_and_no_worker_is_noticed(two: Two) -> None:
    asked = len(two.wire.requests)
    two.told("ws1")
    assert len(two.wire.requests) == asked
    two.sandbox.world.advance(3600)
    found = two.health("ws1")
    assert (found.condition, found.cause) == (Condition.FAILING, Cause.NO_WORKER)
    two.lasts(1)
    assert two.health("ws1").condition is Condition.WELL


def test_a_good_answer_is_written_once_a_minute_and_a_failure_at_once(two: Two) -> None:
    def good_at() -> Any:
        return two.health("ws1").connection.row.good_at

    watch("mdm:ws1/poll", world=two.world)
    first = good_at()
    two.sandbox.world.advance(20)
    watch("mdm:ws1/poll", world=two.world)
    assert good_at() == first
    two.spoil("ws1", "down")
    watch("mdm:ws1/poll", world=two.world)
    assert two.health("ws1").connection.row.failures == 1
    assert two.health("ws1").condition is Condition.WELL, "one failure is the network's noise"
    two.sandbox.faults.clear()
    watch("mdm:ws1/poll", world=two.world)
    row = two.health("ws1").connection.row
    assert (row.failures, row.failing_since, row.good_at) == (0, None, two.story.world.clock())
