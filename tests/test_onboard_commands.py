"""The set-up by the command line: the same rows, rules and checklist as the pages."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from remediation import onboard_wiring
from remediation.adapters.sealing import open_sealed
from remediation.commands import remediation
from remediation.registrations import GRAPH_APP, INTUNE_APP
from remediation.settings import PREFIX, WorkerSettings
from remediation.settings.reading import read_so_far
from remediation.store import make_engine, migrate
from remediation.store.onboarding import SqlChoices
from tests.from_zero import AUDIT_KEY, SEAL_KEY, WEB_KEY
from tests.test_settings import Surroundings, around

__all__ = ["around"]  # a fixture
TENANT = "8f5c1d3e-2a47-4c0b-9d6e-1b7f0a9c2e55"


class Ground:
    def __init__(self, folder: Path, around: Surroundings) -> None:
        self.url, self.folder = f"sqlite:///{folder}/kept.sqlite", folder
        migrate(self.url)
        keys = {"SECRET_KEY": WEB_KEY, "SEAL_KEY": SEAL_KEY, "AUDIT_KEY": AUDIT_KEY}
        around.set({"DATABASE_URL": self.url, "PUBLIC_ORIGIN": "https://return.contoso.example", **keys})
        self.engine = make_engine(self.url)
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
    assert steps[-1]["state"] == "blocked"
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
    assert [role["value"] for role in sign_in["appRoles"]] == ["Helpdesk.Read", "Helpdesk.Act", "Admin"]
    assert sign_in["web"]["redirectUris"][0] == "https://return.contoso.example/signed-in"
    assert {one["resourceAppId"] for one in service["requiredResourceAccess"]} == {GRAPH_APP, INTUNE_APP}
    script = (folder / "register.sh").read_text()
    assert "sign-in.json" in script
    assert "secret" not in script.partition("make its client secret")[0], "it prints none"
    assert "Intune" not in ground.run("apps", "--no-intune-partner").output.partition("register.sh")[0]
