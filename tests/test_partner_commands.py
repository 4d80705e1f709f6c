"""`remediation partner` against the pretend Intune over TLS: what it says, what it changes there, what the audit keeps."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from bench.stage.fill import fill, link_of
from remediation.commands import remediation
from remediation.domain.compliance import Verdict
from remediation.domain.partner import HEARTBEAT
from remediation.domain.push import Lane
from remediation.partner_commands import WAITING
from remediation.settings import PREFIX, WorkerSettings
from remediation.settings.names import environment_of
from remediation.store import DbosWakeups, SqlStore, make_engine, migrate
from remediation.store.tables import audit, pushes
from sandbox import crowd, demo
from sandbox.faults import Fault
from sandbox.server import Sandbox, SandboxConfig, create_sandbox
from sandbox.slots import ALL_USERS
from sandbox.things import OtherPartner, PartnerTenant
from sandbox.world import GRAPH_APP_ID

FOREIGN = dict.fromkeys(name for name in os.environ if name.startswith(PREFIX))
ORIGIN = "https://return.contoso.example"


class Ground:
    """A pretend tenant on sockets that nobody provisioned yet, and the worker's settings; the commands run in this process."""

    def __init__(self, folder: Path, migrated: Path) -> None:
        self.sandbox: Sandbox = create_sandbox(SandboxConfig(ca_folder=folder / "ca"))
        self.sandbox.start(api_port=0, pages_port=0)
        self.partner.provisioned = None
        self.partner.policies.clear()
        self.partner.assignments.clear()
        settings = demo.product_settings(self.sandbox, demo.Ports(8000, 8100, 8143), folder, secrets.token_urlsafe(40))
        self.settings: dict[str, str | None] = {**settings, PREFIX + "PUBLIC_ORIGIN": ORIGIN, PREFIX + "GROUPS": None}
        self.settings[PREFIX + "CHANNEL_WRITES"] = "10000/20"  # one command after the other, as nobody types them
        shutil.copy(migrated, settings[PREFIX + "DATABASE_URL"].removeprefix("sqlite:///"))
        self.engine = make_engine(settings[PREFIX + "DATABASE_URL"], durable=False)
        self.store = SqlStore(self.engine, self.sandbox.world.tenant_id, DbosWakeups(self.engine))

    @property
    def partner(self) -> PartnerTenant:
        return self.sandbox.world.partner

    @property
    def tenant(self) -> str:
        return self.sandbox.world.tenant_id

    @property
    def groups(self) -> list[str]:
        return sorted(self.sandbox.world.groups)

    def says(self, *command: str, status: int = 0, typed: str | None = None, **settings: str | None) -> str:
        given = {name: value for name, value in self.settings.items() if value is not None}
        changed = {PREFIX + name: value for name, value in settings.items()}
        environment = {**FOREIGN, **environment_of(WorkerSettings, given), **changed}
        told = CliRunner().invoke(remediation, ["partner", *command], env=environment, input=typed, catch_exceptions=False)
        assert told.exit_code == status, told.output
        return told.output

    def writes(self) -> int:
        return sum(entry.service == "intune" and entry.method != "GET" for entry in self.sandbox.ledger.since(0))

    def audited(self) -> list[Any]:
        with self.engine.connect() as connection:
            return list(connection.execute(sa.select(audit).order_by(audit.c.id)).all())

    def assigned(self) -> dict[str, set[str]]:
        return {policy["Platform"]: set(self.partner.assignments[key]) for key, policy in self.partner.policies.items()}

    def stop(self) -> None:
        self.engine.dispose()
        self.sandbox.stop()


@pytest.fixture(scope="module")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("migrated") / "store.sqlite"
    migrate(f"sqlite:///{path}")
    return path


@pytest.fixture
def ground(tmp_path: Path, migrated: Path) -> Iterator[Ground]:
    made = Ground(tmp_path, migrated)
    yield made
    made.stop()


def test_a_tenant_is_provisioned_once_and_again_harmlessly(ground: Ground) -> None:
    dry = ground.says("provision", "--dry-run", status=1)
    for words in (f"Enrollment   {ORIGIN}/enrollment", "not provisioned from here yet", "iOS: there is no policy.", "all users"):
        assert words in dry
    assert (ground.writes(), ground.audited()) == (0, [])
    asked = ground.says("provision", typed="n\n", status=1)
    assert "Tell Microsoft?" in asked
    assert ground.writes() == 0
    told = ground.says("provision", "--yes", "--why", "INC-1")
    assert "Policy made: Android, iOS, macOS." in told
    assert (ground.partner.provisioned, ground.partner.enrollment_url, ground.partner.remediation_url) == (
        *(1, f"{ORIGIN}/enrollment", f"{ORIGIN}/remediation"),
    )
    assert ground.assigned() == {platform: {ALL_USERS} for platform in ("iOS", "Android", "macOS")}
    [row] = ground.audited()
    assert (row.why, row.actor_kind, row.about_id) == ("partner.provisioned", "operator", ground.tenant)
    assert row.detail["because"] == "INC-1"
    assert "Everything stands as it should." in ground.says("provision", "--dry-run")
    again = ground.says("provision", "--yes")
    assert "Policy stood there already: Android, iOS, macOS." in again
    assert len(ground.partner.policies) == 3
    heartbeat = ground.store.watch(HEARTBEAT)
    assert heartbeat is not None
    assert heartbeat.next_look_at is not None, "a worker that runs makes one at once"


def test_chosen_groups_are_assigned_by_name_and_others_refused(ground: Ground) -> None:
    told = ground.says("provision", "--yes", GROUPS=",".join(ground.groups))
    assert "2 groups: " in told
    assert "Mobile users" in told
    assert ground.assigned()["iOS"] == set(ground.groups)
    differs = ground.says("provision", "--dry-run", status=1, GROUPS=ground.groups[0])
    assert "The policies were assigned to others." in differs
    nowhere, writes = str(uuid4()), ground.writes()
    assert f"The directory has no such group: {nowhere}" in ground.says("provision", "--yes", status=2, GROUPS=nowhere)
    eleven = ",".join(str(uuid4()) for _ in range(11))
    assert "at most 10 groups" in ground.says("provision", "--yes", status=2, GROUPS=eleven)
    assert "GROUPS" in ground.says("provision", "--yes", status=2, GROUPS="everybody")
    assert ground.writes() == writes


def test_a_policy_that_stands_there_is_taken_and_one_that_intune_decides_is_said(ground: Ground) -> None:
    ground.says("provision", "--yes", "--platform", "ios")
    [policy] = ground.partner.policies.values()
    assert policy["Platform"] == "iOS"
    policy["PartnerManagedCompliance"] = False
    told = ground.says("provision", "--dry-run", "--platform", "ios", status=1)
    assert "iOS: the policy that stands there lets Intune decide" in told


def test_other_addresses_are_said_and_told(ground: Ground) -> None:
    ground.says("provision", "--yes")
    other: Any = {"PUBLIC_ORIGIN": "https://elsewhere.contoso.example"}
    assert "Microsoft was told other addresses." in ground.says("provision", "--dry-run", status=1, **other)
    ground.says("provision", "--yes", **other)
    assert ground.partner.enrollment_url == "https://elsewhere.contoso.example/enrollment"


def test_a_platform_that_is_refused_stops_no_other_and_the_next_time_mends_it(ground: Ground) -> None:
    ground.sandbox.faults.add(Fault("intune", "server_error", path="PartnerCompliancePolicies", method="POST", status=502, times=1))
    told = ground.says("provision", "--yes", status=1)
    assert "Android (policy): Microsoft gives no answer" in told
    assert "Policy assigned: iOS, macOS." in told
    assert "Android: the policy was not assigned from here yet." in ground.says("provision", "--dry-run", status=1)
    ground.says("provision", "--yes")
    assert "Everything stands" in ground.says("provision", "--dry-run")


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ("consent", "An Entra administrator can act: grant admin consent again."),
        ("intune", "Intune is not set up there, or not licensed. An Intune administrator can act."),
        ("role", "manage_partner_compliance_policy"),
        ("down", "Microsoft gives no answer"),
    ],
)
def test_what_is_in_the_way_is_said_by_its_cause_and_who_can_act(ground: Ground, wrong: str, words: str) -> None:
    app = ground.sandbox.world.apps["service"]
    if wrong == "consent":
        app.consented = False
    elif wrong == "intune":
        ground.partner.set_up = False
    elif wrong == "role":
        for roles in app.permissions.values():
            roles.discard("manage_partner_compliance_policy")
    else:
        ground.sandbox.faults.add(Fault("intune", "down"))
    assert words in ground.says("provision", "--yes", status=2)
    assert ground.audited() == []


def test_show_says_what_was_told_what_stands_and_who_holds_the_slot(ground: Ground) -> None:
    assert "Told         nothing from here yet" in ground.says("show")
    ground.says("provision", "--yes")
    ground.partner.others = [OtherPartner("o", "Another\x1b[31m Vendor", ["iOS"])]
    told = ground.says("show")
    for words in (
        *("Told         provisioned", f"Enrollment   {ORIGIN}/enrollment"),
        *("Policy       iOS: Remediation: iOS (", "the partner decides", "Intune       Android: ours, enabled"),
        *("Intune       iOS: held by Another", "only that vendor's word", "none was taken yet"),
    ):
        assert words in told
    assert "\x1b" not in told
    graph = ground.sandbox.world.apps["service"].permissions[GRAPH_APP_ID]
    graph.discard("DeviceManagementServiceConfig.Read.All")
    assert "for it: DeviceManagementServiceConfig.Read.All" in ground.says("show")


def test_deprovisioning_asks_for_the_tenant_id_once_more(ground: Ground) -> None:
    ground.says("provision", "--yes")
    writes = ground.writes()
    for typed in ("y\n", "yes\n", "\n", f"{uuid4()}\n"):
        assert "That is not the tenant id." in ground.says("deprovision", typed=typed, status=2)
    assert "That is not the tenant id." in ground.says("deprovision", "--tenant", "contoso", status=2)
    assert (ground.writes(), ground.partner.provisioned) == (writes, 1)
    told = ground.says("deprovision", "--why", "the end", typed=f"{ground.tenant}\n")
    assert "0 devices stand as compliant by our word." in told
    assert (ground.partner.provisioned, ground.partner.enrollment_url) == (2, f"{ORIGIN}/enrollment")
    row = ground.audited()[-1]
    assert (row.why, row.detail["because"]) == ("partner.deprovisioned", "the end")
    assert "was deprovisioned from here" in ground.says("provision", "--dry-run", status=1)
    ground.says("provision", "--yes")
    assert ground.partner.provisioned == 1


def linked(ground: Ground) -> str:
    """Mia's phone, linked and compliant by our word; the id of its link."""
    world = ground.sandbox.world
    [member] = crowd.gather(world, 1)
    fill(ground.engine, world, [member])
    return link_of(member)


def test_whoever_is_let_in_by_our_word_is_taken_down_first(ground: Ground) -> None:
    ground.says("provision", "--yes")
    link_id = linked(ground)
    told = ground.says("deprovision", "--no-wait", "--why", "the end", typed=f"{ground.tenant}\n", status=1)
    assert "1 device stands as compliant by our word. Each is taken down first" in told
    assert "1 device is still let in" in told
    assert ground.partner.provisioned == 1, "nothing was told yet"
    row = ground.audited()[-1]
    assert (row.why, row.detail["because"]) == ("partner.leaving", "the end")
    push = ground.store.push(link_id)
    assert push is not None
    assert (push.lane, push.next_look_at is not None) == (Lane.REVOKE, True)
    assert "leaving since" in ground.says("show")
    assert "1 device is still let in" in ground.says("deprovision", "--no-wait", status=1), (
        "cut off, it goes on without being asked"
    )
    drained(ground, link_id)
    told = ground.says("deprovision", "--tenant", ground.tenant)
    assert "All are down" in told
    assert (ground.partner.provisioned, ground.audited()[-1].detail["left"]) == (2, 0)


def drained(ground: Ground, link_id: str) -> None:
    """As the worker leaves it once Entra showed it."""
    told = {"desired": Verdict.NOT_COMPLIANT, "reasons": ["partner_leaving"], "compliant_until": None}
    with ground.engine.begin() as connection:
        this = pushes.c.link_id == link_id
        connection.execute(sa.update(pushes).where(this).values(**told, confirmed_seq=pushes.c.desired_seq))


def test_taking_it_back_looks_at_everybody_again(ground: Ground) -> None:
    ground.says("provision", "--yes")
    link_id = linked(ground)
    ground.says("deprovision", "--no-wait", "--tenant", ground.tenant, status=1)
    drained(ground, link_id)
    assert "Devices are being taken down" in ground.says("provision", "--dry-run", status=1)
    before = ground.store.push(link_id)
    ground.says("provision", "--yes")
    after, told = ground.store.push(link_id), ground.store.partner_told()
    assert before is not None
    assert after is not None
    assert told is not None
    assert (after.wake > before.wake, told.leaving_at) == (True, None)


def test_leaving_them_let_in_takes_the_count_typed(ground: Ground) -> None:
    ground.says("provision", "--yes")
    linked(ground)
    asked = ground.says("deprovision", "--leave", typed=f"{ground.tenant}\n\n", status=2)
    assert "nobody here can take them down afterwards" in asked
    assert "1 stay let in, not" in asked
    assert "not 2" in ground.says("deprovision", "--leave", "--devices-stay", "2", "--tenant", ground.tenant, status=2)
    assert ground.partner.provisioned == 1
    ground.says("deprovision", "--no-wait", "--tenant", ground.tenant, status=1)  # begun, and then thought better of
    ground.says("deprovision", "--leave", "--tenant", ground.tenant, typed="1\n")
    told = ground.store.partner_told()
    assert told is not None
    assert (ground.partner.provisioned, told.leaving_at, ground.audited()[-1].detail["left"]) == (2, None, 1)


def test_typed_quickly_it_waits_for_our_own_limit_says_so_and_goes_on(ground: Ground) -> None:
    told = "".join(ground.says("provision", "--yes", CHANNEL_WRITES="12/6") for _ in range(3))
    assert WAITING in told
    assert "Microsoft took both addresses." in told
    assert ground.says("provision", "--yes").count(WAITING) == 0, "the control"


def test_microsoft_takes_no_plain_http(ground: Ground) -> None:
    told = ground.says("provision", "--yes", status=2, PUBLIC_ORIGIN="http://localhost:8000", DEMO="false")
    assert "https://" in told
    assert ground.writes() == 0
