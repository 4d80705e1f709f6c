"""`remediation lock` against the pretend Entra over TLS: the policy to paste, an attribute in use, and what was seen blocked."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from remediation.commands import remediation
from remediation.lock_commands import KIND, MISSING, SHOWS
from remediation.settings import PREFIX, WorkerSettings
from remediation.settings.names import environment_of
from remediation.store import DbosWakeups, SqlStore, make_engine
from remediation.store.tables import audit
from sandbox import demo
from sandbox.policy import open_outlook
from sandbox.server import Sandbox, SandboxConfig, create_sandbox
from sandbox.things import DevicePolicy
from sandbox.world import GRAPH_APP_ID
from tests.test_partner_commands import FOREIGN, migrated

__all__ = ["migrated"]  # a fixture


class Ground:
    def __init__(self, folder: Path, migrated: Path) -> None:
        self.sandbox: Sandbox = create_sandbox(SandboxConfig(ca_folder=folder / "ca", scenario="blocked_just_registered"))
        self.sandbox.start(api_port=0, pages_port=0)
        self.world = self.sandbox.world
        self.roles.add("Device.ReadWrite.All")
        settings = demo.product_settings(self.sandbox, demo.Ports(8000, 8100, 8143), folder, secrets.token_urlsafe(40))
        self.settings: dict[str, str | None] = {**settings, PREFIX + "CHANNEL_IOS": "mdm_relay:ws1"}
        self.settings[PREFIX + "SECOND_LOCK_ATTRIBUTE"] = "7"
        shutil.copy(migrated, settings[PREFIX + "DATABASE_URL"].removeprefix("sqlite:///"))
        self.engine = make_engine(settings[PREFIX + "DATABASE_URL"], durable=False)
        self.store = SqlStore(self.engine, self.world.tenant_id, DbosWakeups(self.engine))

    @property
    def roles(self) -> set[str]:
        return self.world.apps["service"].permissions[GRAPH_APP_ID]

    def says(self, *command: str, status: int = 0, typed: str | None = None, **settings: str | None) -> str:
        given = {name: value for name, value in self.settings.items() if value is not None}
        changed = {PREFIX + name: value for name, value in settings.items()}
        environment = {**FOREIGN, **environment_of(WorkerSettings, given), **changed}
        told = CliRunner().invoke(remediation, ["lock", *command], env=environment, input=typed, catch_exceptions=False)
        assert told.exit_code == status, told.output
        return told.output

    def blocked(self, *, registered: bool = True, **device: Any) -> str:
        """The request id of Microsoft's page."""
        phone = self.world.phones["mia"]
        with self.world.lock:
            if not registered:
                self.world.unregister(phone)
            elif found := self.world.device_by_device_id(str(phone.device_id)):
                for name, value in device.items():
                    setattr(found, name, value)
            outcome = open_outlook(self.world, phone)
        self.world.advance(30)
        return outcome.request_id

    def audited(self) -> list[Any]:
        with self.engine.connect() as connection:
            return list(connection.execute(sa.select(audit).order_by(audit.c.id)).all())

    def stop(self) -> None:
        self.engine.dispose()
        self.sandbox.stop()


@pytest.fixture
def ground(tmp_path: Path, migrated: Path) -> Iterator[Ground]:
    made = Ground(tmp_path, migrated)
    yield made
    made.stop()


def test_the_policy_to_paste_has_a_value_by_chance_and_stays_the_same(ground: Ground) -> None:
    told = ground.says("rule")
    held = ground.store.second_lock()
    assert held is not None
    for words in (held.rule, "Block access", "https://entra.microsoft.com", "Office 365", "iOS", "lock prepare"):
        assert words in told
    assert len(held.value) > 40
    assert held.rule in ground.says("rule")
    refused = ground.says("rule", status=2, SECOND_LOCK_ATTRIBUTE="9")
    assert "Set it to 7 again" in refused
    assert "is not set" in ground.says("rule", status=2, SECOND_LOCK_ATTRIBUTE=None)


def test_an_attribute_that_somebody_uses_stops_the_set_up(ground: Ground) -> None:
    laptop = next(d for d in ground.world.devices.values() if d.name == "CONTOSO-MB-07")
    laptop.extension_attributes["extensionAttribute7"] = "Finance"
    told = ground.says("prepare", "--yes", status=2)
    assert "On 1 device another value stands in extensionAttribute7" in told
    assert laptop.device_id in told
    assert "Finance" not in told
    assert ground.store.second_lock().prepared_at is None  # type: ignore[union-attr]
    laptop.extension_attributes["extensionAttribute7"] = None
    assert "Write our mark there?" in ground.says("prepare", typed="n\n", status=1)
    assert "Prepared." in ground.says("prepare", "--yes", "--why", "INC-1")
    [row] = ground.audited()
    assert (row.why, row.actor_kind, row.detail["because"]) == ("lock.prepared", "operator", "INC-1")
    assert "was prepared at" in ground.says("prepare")


def test_go_waits_until_both_were_seen_blocked_by_entras_own_record(ground: Ground) -> None:
    assert MISSING["not_prepared"] in ground.says("show", status=1)
    assert "not prepared" in ground.says("blocked", "unmarked", "--saw", "no way in", status=2)
    ground.says("prepare", "--yes")
    held = ground.store.second_lock()
    assert held is not None
    ground.world.device_policies = [DevicePolicy("Second lock", held.rule)]
    assert "does not have this sign-in" in ground.says("blocked", "unmarked", "--sign-in", ground.world.new_id(), status=2)
    assert SHOWS["not_compliant"] in ground.says("blocked", "unmarked", "--sign-in", ground.blocked(), status=2)
    marked = {"extensionAttribute7": "forged"}
    assert SHOWS["marked"] in ground.says(
        "blocked", "unmarked", "--sign-in", ground.blocked(is_compliant=True, extension_attributes=marked), status=2
    )
    told = ground.says("blocked", "unmarked", "--sign-in", ground.blocked(is_compliant=True, extension_attributes={}))
    assert f"Kept: {KIND['unmarked']}" in told
    assert MISSING["unregistered_not_seen_blocked"] in ground.says("show", status=1)
    other = ground.says("blocked", "unmarked", "--sign-in", ground.blocked(registered=False), status=2)
    assert f"It shows {KIND['unregistered']}" in other, "the other one is kept all the same"
    assert "may be relied on" in ground.says("show")


def test_what_an_administrator_saw_counts_where_the_log_cannot_be_read(ground: Ground) -> None:
    ground.says("prepare", "--yes")
    ground.roles.discard("AuditLog.Read.All")
    ground.world.end_tokens()
    assert "AuditLog.Read.All" in ground.says("blocked", "unmarked", "--sign-in", ground.world.new_id(), status=2)
    ground.says("blocked", "unmarked", "--saw", "AADSTS53003 on the test iPhone")
    ground.says("blocked", "unregistered", "--saw", "53003 \x1b[31m in a new profile")
    told = ground.says("show")
    assert "AADSTS53003 on the test iPhone" in told
    assert "\x1b" not in told
    assert [row.why for row in ground.audited()] == ["lock.prepared", "lock.seen_blocked", "lock.seen_blocked"]
    for wrong in ((), ("--saw", "x", "--sign-in", "y"), ("--saw", "  ")):
        assert "either" in ground.says("blocked", "unmarked", *wrong, status=2)


def test_the_lock_is_given_up_only_with_its_policy_off_and_leaves_no_mark_behind(ground: Ground) -> None:
    ground.says("prepare", "--yes")
    held = ground.store.second_lock()
    assert held is not None
    ground.world.device_policies = [DevicePolicy("Second lock", held.rule)]
    marked = [device for device in ground.world.devices.values() if not device.deleted][:3]
    with ground.world.lock:
        for device in marked:
            device.extension_attributes[held.name] = held.value
    ground.world.advance(60)
    assert "Still on: Second lock" in ground.says("give-up", "--yes", status=2)
    ground.world.device_policies = []
    assert "3 devices of" in ground.says("give-up", typed="n\n", status=1)
    assert ground.store.second_lock() == held, "nothing was done"
    ground.roles.discard("Policy.Read.All")
    ground.world.end_tokens()
    assert "--policy-is-off" in ground.says("give-up", "--yes", status=2)
    leave = ("give-up", "--yes", "--policy-is-off", "--why", "INC-7")
    assert "Still shown on 3 devices" in ground.says(*leave, status=1), "as Entra lags"
    ground.world.advance(60)
    assert "no device bears our mark any more" in ground.says(*leave)
    assert [device.extension_attributes.get(held.name) for device in marked] == [None] * 3
    rows = [(row.why, row.detail) for row in ground.audited() if row.why.startswith("lock.") and row.why != "lock.prepared"]
    assert [why for why, _ in rows] == ["lock.leaving", "lock.given_up"]
    old = {"attribute": 7, "value": held.value}
    assert rows[0][1] == {"because": "INC-7", **old, "devices": 3}
    assert rows[1][1] == {"because": "INC-7", "old": old, "new": None}
    assert "extensionAttribute9" in ground.says("rule", SECOND_LOCK_ATTRIBUTE="9"), "another one may be chosen now"


def test_a_mark_that_is_still_shown_keeps_the_lock_until_it_is_gone(ground: Ground) -> None:
    ground.says("prepare", "--yes")
    held = ground.store.second_lock()
    assert held is not None
    one = next(device for device in ground.world.devices.values() if not device.deleted)
    one.extension_attributes[held.name] = held.value
    ground.world.advance(60)
    ground.roles.discard("Device.ReadWrite.All")
    ground.world.end_tokens()
    assert "refuses it" in ground.says("give-up", "--yes", status=2)
    left = ground.store.second_lock()
    assert left is not None
    assert left.prepared_at is None, "no further mark is written"
    assert "Set it to 7 again" in ground.says("rule", status=2, SECOND_LOCK_ATTRIBUTE="9")
    ground.roles.add("Device.ReadWrite.All")
    ground.world.end_tokens()
    ground.says("give-up", "--yes", status=1)
    ground.world.advance(60)
    ground.says("give-up", "--yes")
    assert (ground.store.second_lock(), one.extension_attributes.get(held.name)) == (None, None)
