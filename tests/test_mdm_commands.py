"""`remediation mdm …` against the pretend MDM over TLS. Its console's *Test Connection* calls the real pages over a socket."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from flask import Flask

from remediation import secret_files, wiring
from remediation.commands import remediation
from remediation.settings import PREFIX, WebSettings, WorkerSettings
from remediation.settings.names import environment_of
from remediation.settings.reading import read
from remediation.store import migrate
from sandbox import demo
from sandbox.faults import Fault
from sandbox.server import Sandbox, SandboxConfig, create_sandbox
from sandbox.sockets import Socket

KEY, OTHER_KEY = "dR5wYk9tBq2zXv7nGm4hJs8cLf3pAe6u-Ht", "Zq4rTk8vBw2yXn6mGd3hJs7cLf5pAe9u-Mh"
FOREIGN = dict.fromkeys(name for name in os.environ if name.startswith(PREFIX))


class Ground:
    """A pretend tenant on sockets and the product's pages on one; the commands run in this process."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.sandbox: Sandbox = create_sandbox(SandboxConfig(ca_folder=folder / "ca"))
        self.sandbox.start(api_port=0, pages_port=0)
        self._late: list[Flask] = []
        self.socket = Socket(lambda *call: self._late[0](*call), 0)
        settings = demo.product_settings(self.sandbox, demo.Ports(self.socket.port, 8100, 8143), folder, secrets.token_urlsafe(40))
        self.settings = settings | {PREFIX + "HOOK_KEY": KEY}
        migrate(self.settings[PREFIX + "DATABASE_URL"])
        for name, value in environment_of(WebSettings, self.settings).items():
            patch.setenv(name, value)
        self.web = wiring.build_web_app(read(WebSettings))
        self._late.append(self.web)
        self.address = f"http://localhost:{self.socket.port}/hooks/mdm/ws1"

    def says(self, *command: str, status: int = 0, **settings: str | None) -> str:
        changed = {PREFIX + name: value for name, value in settings.items()}
        environment = {**FOREIGN, **environment_of(WorkerSettings, self.settings), **changed}
        told = CliRunner().invoke(remediation, ["mdm", "hooks", *command], env=environment, catch_exceptions=False)
        assert told.exit_code == status, told.output
        return told.output

    def registered(self) -> str:
        return self.says("--connection", "ws1")

    @property
    def target(self) -> Any:
        [target] = self.sandbox.events.targets.values()
        return target

    def audited(self) -> list[Any]:
        engine = sa.create_engine(self.settings[PREFIX + "DATABASE_URL"])
        with engine.connect() as connection:
            found = (
                connection.execute(sa.text("SELECT detail FROM audit WHERE why = 'events.registered' ORDER BY id")).scalars().all()
            )
        engine.dispose()
        return list(found)

    def stop(self) -> None:
        self.sandbox.stop()
        self.socket.stop()
        self.web.extensions["desk"].store._engine.dispose()


@pytest.fixture
def ground(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ground]:
    made = Ground(tmp_path, monkeypatch)
    yield made
    made.stop()


def test_a_target_is_made_once_and_repaired_where_it_differs(ground: Ground) -> None:
    assert "missing" in ground.says("--connection", "ws1", "--check", status=1)
    assert not ground.sandbox.events.targets
    assert f"Made: the MDM sends its events to {ground.address}" in ground.registered()
    assert ground.target.told["TargetUrl"] == ground.address
    assert ground.sandbox.events.test(ground.target) == 200, "the console's own test finds the pages, and its password right"
    assert "All well" in ground.registered()
    assert "All well" in ground.says("--connection", "ws1", "--check")
    assert len(ground.audited()) == 1
    ground.target.told |= {"TargetUrl": "https://localhost/old", "IsActive": False, "DeviceEvents": {"Enrollment": True}}
    assert "address, switched off, events or format" in ground.says("--connection", "ws1", "--check", status=1)
    assert "Repaired (address, switched off, events or format)" in ground.registered()
    assert ground.target.told["TargetUrl"] == ground.address
    assert ground.sandbox.events.test(ground.target) == 200
    assert "All well" in ground.registered()
    assert len(ground.audited()) == 2
    assert KEY not in str(ground.audited())


def test_another_key_is_told_to_the_mdm_when_asked(ground: Ground) -> None:
    ground.registered()
    assert "All well" in ground.says("--connection", "ws1", HOOK_KEY=OTHER_KEY), "an MDM does not tell the password it holds"
    assert "Repaired (password)" in ground.says("--connection", "ws1", "--renew", HOOK_KEY=OTHER_KEY)
    assert ground.sandbox.events.test(ground.target) == 401, "the pages have the old key yet"
    ground.says("--connection", "ws1", "--renew")
    assert ground.sandbox.events.test(ground.target) == 200


def test_T26_another_key_in_the_file_is_believed_by_the_running_pages_and_the_one_before_for_as_long_as_it_stands(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As docs/operating.md has it: nobody restarts anything, and no event is refused meanwhile."""

    def write(name: str, text: str) -> None:
        new = ground.folder / f"{name}.new"
        new.write_text(text + "\n")
        new.rename(ground.folder / name)

    for name, text in (("hook-key", KEY), ("hook-keys-before", "")):
        write(name, text)
    monkeypatch.delenv(PREFIX + "HOOK_KEY", raising=False)
    monkeypatch.setenv(PREFIX + "HOOK_KEY_FILE", str(ground.folder / "hook-key"))
    monkeypatch.setenv(PREFIX + "HOOK_KEY_FALLBACKS_FILE", str(ground.folder / "hook-keys-before"))
    ground.web.extensions["desk"].store._engine.dispose()
    ground.web = wiring.build_web_app(read(WebSettings))
    ground._late[:] = [ground.web]
    ground.says("--connection", "ws1", HOOK_KEY=None)
    assert ground.sandbox.events.test(ground.target) == 200
    write("hook-keys-before", KEY)
    write("hook-key", OTHER_KEY)
    assert ground.sandbox.events.test(ground.target) == 200, "the MDM has the password of the key before"
    ground.says("--connection", "ws1", "--renew", HOOK_KEY=None)
    assert ground.sandbox.events.test(ground.target) == 200
    write("hook-keys-before", "")
    write("hook-key", "weak")
    assert ground.sandbox.events.test(ground.target) == 200, "a weak one changes nothing"
    ground.says("--connection", "ws1", "--renew", HOOK_KEY=KEY, HOOK_KEY_FILE=None)
    assert ground.sandbox.events.test(ground.target) == 401, "the key before was taken away"
    assert {KEY, OTHER_KEY} <= set(secret_files.learned()), "so that the log keeps them out"


def test_by_hand_shows_what_to_enter_and_calls_nobody(ground: Ground) -> None:
    calls = len(ground.sandbox.ledger.since(0))
    told = dict(line.split("  ", 1) for line in ground.says("--connection", "ws1", "--by-hand").splitlines())
    assert (told["Target URL"], told["User name"].strip()) == (ground.address, "remediation")
    assert len(ground.sandbox.ledger.since(0)) == calls
    ground.registered()
    assert ground.target.told["Password"] == told["Password"].strip()


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (Fault("workspace_one", "server_error", path="eventnotifications"), "no good answer"),
        (Fault("workspace_one", "html", path="eventnotifications"), "no answer that could be read"),
        (Fault("workspace_one", "throttle", path="eventnotifications"), "Try again later"),
    ],
    ids=["500", "html", "429"],
)
def test_what_the_mdm_refuses_is_told_in_words(ground: Ground, fault: Fault, words: str) -> None:
    ground.sandbox.faults.add(fault)
    assert words in ground.says("--connection", "ws1", status=2)
    assert not ground.audited()


def test_without_a_key_or_with_another_connection_it_says_what_is_missing(ground: Ground) -> None:
    assert "REMEDIATION_HOOK_KEY is not set" in ground.says("--connection", "ws1", status=2, HOOK_KEY=None)
    assert "There is: ws1" in ground.says("--connection", "ws9", status=2)


class Looking(Ground):
    """The commands that look into an MDM."""

    def looks(self, *command: str, status: int = 0, **settings: str | None) -> str:
        changed = {PREFIX + name: value for name, value in settings.items()}
        environment = {**FOREIGN, **environment_of(WorkerSettings, self.settings), **changed}
        told = CliRunner().invoke(remediation, ["mdm", *command], env=environment, catch_exceptions=False)
        assert told.exit_code == status, told.output
        return told.output

    @property
    def record(self) -> Any:
        return self.sandbox.world.records[self.sandbox.world.phones["mia"].record_id or 0]

    def looked_up(self) -> list[Any]:
        engine = sa.create_engine(self.settings[PREFIX + "DATABASE_URL"])
        with engine.connect() as connection:
            asked = sa.text("SELECT actor_kind, about_id, detail FROM audit WHERE why = 'record.looked_up' ORDER BY id")
            found = list(connection.execute(asked).all())
        engine.dispose()
        return found


@pytest.fixture
def looking(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Looking]:
    made = Looking(tmp_path, monkeypatch)
    yield made
    made.stop()


def test_find_shows_the_records_of_a_serial_number_and_which_stands_for_the_device_and_is_audited(looking: Looking) -> None:
    record = looking.record
    told = looking.looks("find", "ws1", f" {record.serial.lower()}")
    assert "No record of this MDM bears it." in looking.looks("find", "ws1", "F2LXNOBODY77", status=1)
    rows = looking.looked_up()
    assert [(kind, about) for kind, about, _ in rows] == [("operator", "ws1")] * 2
    assert [json.loads(detail) for _, _, detail in rows] == [{"found": 1, "records": [str(record.id)]}, {"found": 0, "records": []}]
    assert record.serial not in str(rows), "who looked at which record, and never what was typed"
    assert f"record {record.id} *: enrolled, compliant" in told
    assert f"serial {record.serial}, UDID {record.udid}, last seen 20" in told
    older = replace(record, id=record.id + 9000, uuid=looking.sandbox.world.new_id())
    older.last_seen -= timedelta(days=200)
    older.friendly_name = "\x1b[31mred\x07"
    looking.sandbox.world.records[older.id] = older
    told = looking.looks("find", "ws1", record.serial)
    assert f"record {record.id} *" in told
    assert f"record {older.id}: enrolled" in told
    assert "* stands for the device" in told
    assert not {"\x1b", "\x07"} & set(told)
    older.last_seen = record.last_seen
    assert "somebody has to look at it" in looking.looks("find", "ws1", record.serial)
    record.enrollment_status = older.enrollment_status = "Unenrolled"
    assert "None of them is enrolled" in looking.looks("find", "ws1", str(record.id))


def test_groups_are_listed_with_how_many_are_in_them(looking: Looking) -> None:
    lines = looking.looks("groups", "ws1").splitlines()
    assert any(line.split()[:4] == ["3", "users", "Mobile", "users"] for line in lines)
    assert any("devices" in line and "All iOS devices" in line for line in lines)
    assert lines[-1] == f"{len(lines) - 1} groups."


def test_the_address_of_a_web_clip_is_an_entrance_that_opens_replaced_or_not(looking: Looking) -> None:
    told = looking.looks("lookup-values", "ws1")
    address = f"http://localhost:{looking.socket.port}/start"
    assert f"{address}?mdm=ws1&device={{DeviceUid}}\n" in told
    assert f"{address}\n" in told
    assert "never evidence" in told
    assert "{DeviceSerialNumber}" in told
    client = looking.web.test_client()
    pages = [
        client.get(f"/start{query}", base_url=address.removesuffix("/start")).get_data(as_text=True)
        for query in ("", "?mdm=ws1&device={DeviceUid}", "?mdm=maas&device=%csn%", "?mdm=ws1&device=F2LX-planted")
    ]
    assert all("/sign-in?entrance=start" in page and "planted" not in page and "csn" not in page for page in pages)


def test_what_goes_wrong_there_is_told_in_words(looking: Looking) -> None:
    for command, fault, words in (
        (["find", "ws1", "F2LXK0ABCD12"], Fault("workspace_one", "html"), "cannot be read"),
        (["groups", "ws1"], Fault("workspace_one", "server_error", status=500), "did not answer"),
        (["lookup-values", "ws1"], Fault("workspace_one", "throttle"), "allows no more calls"),
        (["find", "ws9", "x"], None, "There is: ws1"),
        (["groups", "ws9"], None, "There is: ws1"),
        (["lookup-values", "ws9"], None, "There is: ws1"),
    ):
        looking.sandbox.faults.clear()
        if fault is not None:
            looking.sandbox.faults.add(fault)
        assert words in looking.looks(*command, status=2)
    assert not looking.looked_up()
