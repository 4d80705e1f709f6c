"""The set-up by the command line: the same rows, rules and checklist as the pages."""

import getpass
import json
import os
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result

from remediation import onboard_wiring, registrations
from remediation.adapters.sealing import open_sealed
from remediation.commands import remediation
from remediation.domain.arrival import WAYS
from remediation.domain.device import Platform
from remediation.domain.onboarding import Looked
from remediation.domain.wishes import Kind
from remediation.ports import Actor
from remediation.registrations import GRAPH_APP, INTUNE_APP
from remediation.services import arrival
from remediation.services.audit_log import seal
from remediation.services.scope import wish
from remediation.settings import PREFIX, WorkerSettings
from remediation.settings.reading import read_so_far
from remediation.store import DbosWakeups, SqlStore, make_engine, migrate
from remediation.store.onboarding import SqlChoices
from remediation.store.seals import SqlSeals
from remediation.store.tables import DEPLOYMENT
from sandbox.graph_applications import token_of_administrator
from sandbox.server import SandboxConfig, create_sandbox
from tests.from_zero import AUDIT_KEY, SEAL_KEY, WEB_KEY
from tests.test_settings import GOOD_WEB, GOOD_WORKER, Surroundings, around

__all__ = ["around"]  # a fixture
RETURN = "https://return.contoso.example"
TENANT = "8f5c1d3e-2a47-4c0b-9d6e-1b7f0a9c2e55"


class Ground:
    def __init__(self, folder: Path, around: Surroundings) -> None:
        self.url, self.folder = f"sqlite:///{folder}/kept.sqlite", folder
        migrate(self.url)
        keys = {"SECRET_KEY": WEB_KEY, "SEAL_KEY": SEAL_KEY, "AUDIT_KEY": AUDIT_KEY}
        around.set({"DATABASE_URL": self.url, "PUBLIC_ORIGIN": "https://return.contoso.example", **keys})
        self.engine = make_engine(self.url, durable=False)
        self.choices = SqlChoices(self.engine)

    def worker_starts(self) -> None:
        found, missing = read_so_far(WorkerSettings)
        onboard_wiring.tell(found, self.engine, missing)

    def run(self, *words: str, given: str | None = None) -> Result:
        return CliRunner().invoke(remediation, ["onboard", *words], input=given)


@pytest.fixture
def ground(tmp_path: Path, around: Surroundings) -> Iterator[Ground]:
    ground = Ground(tmp_path, around)
    yield ground
    ground.engine.dispose()


def test_the_link_is_printed_and_only_its_digest_kept(ground: Ground) -> None:
    told = ground.run()
    assert told.output.startswith("https://return.contoso.example/set-up/")
    assert told.output.strip().rpartition("/")[2].encode() not in (ground.folder / "kept.sqlite").read_bytes()


def test_settings_are_stored_by_the_rules_and_secrets_come_from_a_file(ground: Ground) -> None:
    assert ground.run("set", PREFIX + "TENANT_ID", TENANT).exit_code == 0
    refused = ground.run("set", PREFIX + "SERVICE_CLIENT_ID", "contoso")
    assert (refused.exit_code, "GUID" in refused.output) == (2, True)
    assert ground.run("set", PREFIX + "DATABASE_URL", "sqlite:///x").exit_code == 2
    secret = PREFIX + "SERVICE_CLIENT_SECRET"
    assert "--from-file" in ground.run("set", secret, "planted-7731").output
    assert "REMEDIATION_SEAL_KEY" in ground.run("set", secret, "--from-file", "-", given="planted-7731").output
    ground.worker_starts()
    assert ground.run("set", secret, "--from-file", "-", given="planted-7731\n").exit_code == 0
    assert open_sealed(secret, ground.choices.typed()[secret].value, [SEAL_KEY]) == "planted-7731"
    assert ground.run("set", secret, "--unset").exit_code == 0
    assert set(ground.choices.typed()) == {PREFIX + "TENANT_ID"}


def test_the_checklist_says_what_is_next_and_go_waits_for_it(ground: Ground) -> None:
    told = ground.run("status")
    assert told.exit_code == 1
    assert told.output.splitlines()[0].split() == ["company", "next"]
    steps = json.loads(ground.run("status", "--json").output)
    assert next(step["state"] for step in steps if step["step"] == "go") == "blocked"
    refused = ground.run("go", "--yes")
    assert (refused.exit_code, "company" in refused.output) == (2, True)
    assert "go" not in ground.choices.typed()


def test_the_worker_is_asked_to_look(ground: Ground) -> None:
    assert ground.run("test", "consent").exit_code == 0
    assert [one.name for one in ground.choices.wanted()] == ["consent"]


def test_both_apps_are_written_as_microsoft_takes_them(ground: Ground) -> None:
    folder = ground.folder / "apps"
    assert ground.run("apps", "--to", str(folder)).exit_code == 0
    sign_in, service = (json.loads((folder / name).read_text()) for name in ("sign-in.json", "service.json"))
    assert "requiredResourceAccess" not in sign_in, "the sign-in app has no power"
    assert [role["value"] for role in sign_in["appRoles"]] == ["Helpdesk.Read", "Helpdesk.Act", "Helpdesk.Lead", "Admin"]
    assert sign_in["web"]["redirectUris"][0] == "https://return.contoso.example/signed-in"
    assert {one["resourceAppId"] for one in service["requiredResourceAccess"]} == {GRAPH_APP, INTUNE_APP}
    script = (folder / "register.sh").read_text()
    assert "sign-in.json" in script
    assert "secret" not in script.partition("make its client secret")[0], "it prints none"
    assert "Intune" not in ground.run("apps", "--no-intune-partner").output.partition("register.sh")[0]


def test_T28_rows_from_before_the_tenant_is_known_are_sealed_and_checked(ground: Ground, around: Surroundings) -> None:
    ground.run()
    seal(SqlSeals(ground.engine, DEPLOYMENT), AUDIT_KEY, lambda: datetime.now(UTC))
    around.set({"TENANT_ID": TENANT})
    told = CliRunner().invoke(remediation, ["audit", "verify", "--set-up"])
    assert (told.exit_code, "1 row checked" in told.output) == (0, True), told.output
    with ground.engine.begin() as connection:
        connection.execute(sa.text("DROP TRIGGER audit_no_update"))
        connection.execute(sa.text("UPDATE audit SET actor_id = 'nobody'"))
    assert CliRunner().invoke(remediation, ["audit", "verify", "--set-up"]).exit_code == 1


def test_each_change_leaves_its_row_with_who_did_it(ground: Ground) -> None:
    ground.run()
    ground.run("set", PREFIX + "TENANT_ID", TENANT)
    ground.run("test", "consent")
    with ground.engine.connect() as connection:
        rows = connection.execute(sa.text("SELECT why, actor_kind, actor_id, detail FROM audit ORDER BY id")).all()
    assert [row.why for row in rows] == ["set_up.link_made", "settings.changed", "set_up.look_wanted"]
    assert {(row.actor_kind, row.actor_id) for row in rows} == {("operator", getpass.getuser())}
    assert json.loads(rows[1].detail) == {"changes": [{"name": PREFIX + "TENANT_ID", "old": None, "new": TENANT}]}


def test_go_by_the_command_line_once_everything_is_done(ground: Ground, around: Surroundings) -> None:
    """All but what only a remote can prove stands in the environment; the proofs are rows."""
    around.set(
        {name: value for name, value in {**GOOD_WEB, **GOOD_WORKER}.items() if name not in ("MINIMUM_EVIDENCE", "AUDIT_KEY")}
    )
    around.set(dict.fromkeys(("CHANNEL_IOS", "CHANNEL_ANDROID", "CHANNEL_MACOS"), "intune_partner") | {"CHANNEL_WINDOWS": "none"})
    now = datetime.now(UTC)
    store = SqlStore(ground.engine, DEPLOYMENT, DbosWakeups(ground.engine))
    with store.change(Actor("worker", "w"), "test", about=("look", "all"), at=now) as change:
        for name in ("consent", "sign_in", "mdm:ws1"):
            change.looked_at(Looked(name, looked_at=now, good_at=now))
    around.set({"GROUPS": "3f0c5a6e-8c57-4f0a-9b0b-3d2f5a7a9d11"})
    ida, theirs = Actor("operator", "ida"), SqlStore(ground.engine, GOOD_WEB["TENANT_ID"], DbosWakeups(ground.engine))
    for kind in (Kind.PARTNER_SAID, Kind.POLICY_SAID, Kind.PILOT_SAID):
        wish(theirs, kind, {}, actor=ida, now=now)
    way = next(iter(WAYS))
    arrival.open_window(theirs, way, actor=ida, now=now)
    arrival.arrived(theirs, entrance="start", way=way, platform=Platform.IOS, came_from=None, own_host=None, now=now)
    assert "evidence" in ground.run("go", "--yes").output
    assert ground.run("set", PREFIX + "MINIMUM_EVIDENCE", "possession").exit_code == 0
    assert ground.run("go", given="n\n").exit_code == 1, ground.run("status").output
    assert "go" not in ground.choices.typed()
    assert ground.run("go", "--yes").exit_code == 0, ground.run("status").output
    assert "go" in ground.choices.typed()
    assert ground.run("status").exit_code == 0


def test_the_script_registers_both_apps_at_graph_and_consent_is_all_that_is_left(tmp_path: Path) -> None:
    """With curl, over TLS, as the pretend tenant's Application Administrator."""
    config = SandboxConfig(ca_folder=tmp_path / "ca", redirect_uri=f"{RETURN}/signed-in", product_origin=RETURN)
    sandbox = create_sandbox(config)
    sandbox.start(api_port=0, pages_port=0)
    try:
        sandbox.world.apps.clear()
        for name, text in registrations.files(RETURN, intune_partner=True, windows=False).items():
            (tmp_path / name).write_text(text)
        surroundings = {"PATH": os.environ["PATH"], "GRAPH": f"{sandbox.api_url}/graph", "CURL_CA_BUNDLE": str(sandbox.keys.ca_pem)}

        def run(*scopes: str) -> subprocess.CompletedProcess[str]:
            token = token_of_administrator(sandbox, *scopes)
            command = ["/bin/sh", str(tmp_path / "register.sh")]
            return subprocess.run(command, env={**surroundings, "TOKEN": token}, capture_output=True, text=True, timeout=60)

        refused = run("User.Read")
        assert (refused.returncode, "Authorization_RequestDenied" in refused.stderr) == (1, True), refused
        assert not sandbox.world.apps
        done = run()
        assert done.returncode == 0, done.stderr
        sign_in, service = sandbox.world.apps.values()
        assert f"Sign-in: client id    {sign_in.client_id}" in done.stdout
        assert f"Service: client id    {service.client_id}" in done.stdout
        assert sign_in.app_roles == ("Helpdesk.Read", "Helpdesk.Act", "Helpdesk.Lead", "Admin")
        assert (sign_in.optional_claims, sign_in.requested) == (("auth_time", "acct"), {})
        assert {"Device.Read.All", "User.Read.All", "Application.Read.All"} <= service.requested[GRAPH_APP]
        assert service.requested[INTUNE_APP] == {"update_device_attributes", "manage_partner_compliance_policy"}
        assert (sign_in.consented, service.permissions) == (True, {}), "in the tenant, and nothing granted"
        again = run()
        assert (again.returncode, "already" in again.stderr, len(sandbox.world.apps)) == (1, True, 2)
    finally:
        sandbox.stop()


def test_the_script_asks_graph_of_the_tenants_cloud(ground: Ground) -> None:
    folder = ground.folder / "china"
    assert ground.run("apps", "--to", str(folder), "--cloud", "china").exit_code == 0
    assert "https://microsoftgraph.chinacloudapi.cn" in (folder / "register.sh").read_text()
    assert ground.run("apps", "--cloud", "moon").exit_code == 2
