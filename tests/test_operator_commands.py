"""The commands of whoever runs the product, on a real database; in this process, since a fresh one each costs seconds."""

import getpass
import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from remediation.commands import remediation
from remediation.domain.compliance import Decision, Verdict
from remediation.domain.push import Lane
from remediation.settings import PREFIX
from remediation.store import DbosWakeups, SqlStore, make_engine, migrate
from remediation.store.tables import audit, watches
from remediation.terminal import moment
from tests.people import HEALTHY, MANAGED_PHONE
from tests.store.scenes import BAD, GOOD, Scene

TENANT = "8f5c1d3e-2a47-4c0b-9d6e-1b7f0a9c2e55"
FOREIGN = dict.fromkeys(name for name in os.environ if name.startswith(PREFIX))
PLANTED = "\x1b[31mred\x1b]0;owned\x07 iPhone"


class Ground:
    """A migrated database with Mia and her linked phone, and the settings that lead to it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.url = f"sqlite:///{folder}/kept.sqlite"
        migrate(self.url)
        self.settings = {PREFIX + "DATABASE_URL": self.url, PREFIX + "TENANT_ID": TENANT}
        self.engine = make_engine(self.url)
        self.store = SqlStore(self.engine, TENANT, DbosWakeups(self.engine))
        self.scene = Scene(self.engine, self.store)
        self.now = datetime.now(UTC)

    def linked(self) -> Scene:
        self.scene.arrive()
        self.scene.link()
        return self.scene

    def put(self, statement: sa.Executable) -> None:
        with self.engine.begin() as connection:
            connection.execute(statement)

    def fails(self, name: str = "mdm:ws1/poll", *, hours: float = 2, **more: Any) -> None:
        since = self.now - timedelta(hours=hours)
        values = {"failing_since": since, "good_at": since, "reason": "mdm_refused", **more}
        self.put(sa.insert(watches).values(tenant_id=TENANT, name=name, **values))

    def says(self, *command: str, status: int = 0) -> str:
        told = CliRunner().invoke(remediation, command, env={**FOREIGN, **self.settings}, catch_exceptions=False)
        assert told.exit_code == status, told.output
        return told.output

    def audited(self, why: str) -> list[Any]:
        with self.engine.connect() as connection:
            return list(connection.execute(sa.select(audit).where(audit.c.why == why)).all())


@pytest.fixture
def ground(tmp_path: Path) -> Iterator[Ground]:
    made = Ground(tmp_path)
    yield made
    made.engine.dispose()


def test_nothing_is_stuck(ground: Ground) -> None:
    assert ground.says("stuck") == "Everything rests.\n"


def test_what_is_stuck_is_told_with_who_can_act_and_a_repair_that_works(ground: Ground) -> None:
    scene = ground.linked()
    scene.desire(GOOD)
    ground.put(sa.text("UPDATE managed_devices SET name = :name").bindparams(name=PLANTED))
    soon = ground.now + timedelta(minutes=9)
    push = scene.push()
    ground.store.note_push("l1", wake=push.wake, seq=push.desired_seq, next_at=soon, attempts=4, reason="channel_refused")
    ground.fails()
    told = ground.says("stuck", status=1)
    for words in (
        *("2 rows do not rest", "link l1", "mia.berger@contoso.example", "[refused]", "tried 4 times", "next try in "),
        *("An administrator can act.", "checks the credential", "remediation stuck retry l1", "watch mdm:ws1/poll"),
    ):
        assert words in told
    assert "\x1b" not in told
    assert "\x07" not in told
    assert "2 more" in ground.says("stuck", "--limit", "0", status=1)
    wake = scene.push().wake
    assert "looked at now" in ground.says("stuck", "retry", "l1", "--why", "consent was given again")
    assert scene.push().wake == wake + 1
    [row] = ground.audited("stuck.retried")
    assert (row.actor_kind, row.actor_id, row.about_id) == ("operator", getpass.getuser(), "l1")
    assert row.detail == {"because": "consent was given again"}
    assert "no link, journey or watch l2" in ground.says("stuck", "retry", "l2", status=2)


def test_the_commands_want_a_database_and_a_tenant(ground: Ground, tmp_path: Path) -> None:
    del ground.settings[PREFIX + "TENANT_ID"]
    assert "REMEDIATION_TENANT_ID is not set" in ground.says("stuck", status=2)
    ground.settings[PREFIX + "TENANT_ID"] = TENANT
    ground.settings[PREFIX + "DATABASE_URL"] = f"sqlite:///{tmp_path}/none.sqlite"
    assert "remediation migrate" in ground.says("stuck", status=2)
    assert not (tmp_path / "none.sqlite").exists()


def test_an_open_revocation_keeps_its_lane(ground: Ground) -> None:
    scene = ground.linked()
    scene.desire(BAD, lane=Lane.REVOKE)
    ground.says("stuck", "retry", "l1")
    assert scene.push().lane is Lane.REVOKE


def test_leases_are_counted_and_extended_once(ground: Ground) -> None:
    assert ground.says("leases") == "No device is linked yet.\n"
    scene = ground.linked()
    read_at = ground.now - timedelta(hours=70)
    scene.see_managed(replace(MANAGED_PHONE, posture=replace(HEALTHY, last_seen=read_at, read_at=read_at)), at=ground.now)
    push = scene.desire(Decision(Verdict.COMPLIANT, (), ground.now + timedelta(hours=2)), read_at=read_at)
    with scene.change("confirmed") as change:
        change.confirmed("l1", seq=push.desired_seq, by="changed")
    ground.fails(hours=3)
    told = ground.says("leases")
    assert ["ws1", "1", "0", "1", "1", "1"] in [line.split() for line in told.splitlines()]
    assert "(3 h" in told
    assert "mdm_refused" in told
    assert "remediation leases extend ws1 --why" in told
    assert "Missing option '--why'" in ground.says("leases", "extend", "ws1", status=2)
    until = read_at + timedelta(days=7)
    assert f"1 device stands as compliant for longer now, the latest until {moment(until)}" in ground.says(
        "leases", "extend", "ws1", "--why", "power cut"
    )
    assert scene.push().compliant_until == until
    assert "1 lease extended at" in ground.says("leases")
    assert "once" in ground.says("leases", "extend", "ws1", "--why", "again", status=2)
    [row] = ground.audited("leases.extended")
    assert (row.actor_kind, row.actor_id, row.detail["because"]) == ("operator", getpass.getuser(), "power cut")
    assert "No MDM connection ws9" in ground.says("leases", "extend", "ws9", "--why", "x", status=2)


def test_a_worker_that_left_nothing_behind(ground: Ground) -> None:
    assert ground.says("work", "takeover", "worker-7") == "worker-7 left nothing behind.\n"
    assert ground.audited("work.taken_over") == []


def test_what_a_vanished_worker_left_is_handed_on_and_audited(ground: Ground) -> None:
    ground.linked()
    ground.put(sa.text("UPDATE workflow_status SET status = 'PENDING', executor_id = 'worker-7'"))
    assert ground.says("work", "takeover", "worker-7", "--why", "its host burned") == "1 wake-up of worker-7 handed on.\n"
    [row] = ground.audited("work.taken_over")
    assert (row.about_id, row.detail) == ("worker-7", {"because": "its host burned", "count": 1})
    with ground.engine.connect() as connection:
        found = connection.execute(sa.text("SELECT status, queue_name FROM workflow_status")).all()
    assert [tuple(row) for row in found] == [("ENQUEUED", "push")]
