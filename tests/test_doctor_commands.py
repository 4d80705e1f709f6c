"""`remediation doctor` at the command line: one line for each check, an exit status, JSON; and a test message that is tapped."""

from __future__ import annotations

import json
import logging
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result

from remediation.commands import remediation
from remediation.services.message_test import arrived
from remediation.store import DbosWakeups, SqlStore, make_engine, migrate
from remediation.store.tables import audit
from sandbox import demo
from sandbox.server import Sandbox, create_sandbox
from tests.journeys.ports import free_port

KEY = "a-key-for-tests-only-that-is-long-enough-to-be-taken"


class Terminal:
    """The sandbox on sockets, a database, and the worker's environment."""

    def __init__(self, folder: Path, url: str) -> None:
        ports = demo.Ports(free_port(), free_port(), free_port())
        self.sandbox: Sandbox = create_sandbox(demo.tenant_for(ports, folder))
        self.sandbox.start()
        self.environment = {**demo.product_settings(self.sandbox, ports, folder, KEY), "REMEDIATION_DATABASE_URL": url}
        self.engine = make_engine(url, durable=False)
        self.store = SqlStore(self.engine, self.sandbox.world.tenant_id, DbosWakeups(self.engine))

    def __call__(self, *arguments: str, **more: str) -> Result:
        root = logging.getLogger()
        handlers, level = list(root.handlers), root.level
        try:
            return CliRunner().invoke(remediation, ["doctor", *arguments], env={**self.environment, **more})
        finally:
            root.handlers, root.level = handlers, level

    @property
    def record(self) -> str:
        return str(self.sandbox.world.phones["mia"].record_id)

    def taps(self) -> threading.Thread:
        """As soon as the message is there."""

        def wait_and_tap() -> None:
            phone, until = self.sandbox.world.phones["mia"], time.monotonic() + 20
            while not phone.messages and time.monotonic() < until:
                time.sleep(0.05)
            token = str(phone.messages[-1].body).rpartition("/message-test/")[2].split()[0]
            arrived(self.store, token, browser="of-the-pilot", now=self.sandbox.world.now())

        thread = threading.Thread(target=wait_and_tap, daemon=True)
        thread.start()
        return thread


@pytest.fixture(scope="module")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("migrated") / "store.sqlite"
    migrate(f"sqlite:///{path}")
    return path


@pytest.fixture
def terminal(migrated: Path, tmp_path: Path) -> Iterator[Terminal]:
    path = shutil.copy(migrated, tmp_path / "remediation.sqlite")
    terminal = Terminal(tmp_path, f"sqlite:///{path}")
    yield terminal
    terminal.engine.dispose()
    terminal.sandbox.stop()


def test_a_line_for_each_check_and_the_exit_status(terminal: Terminal) -> None:
    found = terminal()
    assert found.exit_code == 1, found.output
    *lines, in_all = found.output.splitlines()
    assert all(line.split()[0] in ("good", "bad", "unknown") for line in lines)
    bad = [line for line in lines if line.startswith("bad")]
    assert len(bad) == 3, bad
    assert "messages of ws1: No message of it was seen to arrive" in bad[0]
    assert "[whoever runs this product] remediation doctor possession --connection ws1" in bad[0]
    assert "No worker has ever run" in bad[2]
    unknown = [line for line in lines if line.startswith("unknown")]
    assert in_all == f"In all: 3 bad, {len(unknown)} not known (4 to look at yourself), {len(lines) - len(unknown) - 3} good."
    as_json = json.loads(terminal("--json").output)
    assert as_json["status"] == "bad"
    assert len(as_json["checks"]) == len(lines)
    assert (as_json["bad"], as_json["unknown"]) == (3, len(unknown))
    assert {"check", "about", "state", "why", "seen", "who", "do"} <= as_json["checks"][0].keys()
    for secret in (terminal.sandbox.world.apps["service"].secret, terminal.sandbox.world.mdm.client_secret):
        assert secret not in found.output + json.dumps(as_json)


def test_a_database_that_is_not_prepared_and_settings_that_are_not_whole(terminal: Terminal, tmp_path: Path) -> None:
    found = terminal(REMEDIATION_DATABASE_URL=f"sqlite:///{tmp_path / 'nowhere.sqlite'}")
    assert (found.exit_code, found.output.count("\n")) == (1, 2)
    assert "remediation migrate" in found.output
    broken = terminal(REMEDIATION_GRAPH_URL="http://graph.example")
    assert broken.exit_code == 2
    assert "REMEDIATION_GRAPH_URL" in broken.output


def test_possession_is_proven_by_a_tap_and_said_so(terminal: Terminal) -> None:
    thread = terminal.taps()
    seen = terminal("possession", "--connection", "ws1", "--record", terminal.record, "--yes", "--wait", "20")
    thread.join()
    assert seen.exit_code == 0, seen.output
    assert "possession is on for ws1" in seen.output
    with terminal.engine.connect() as connection:
        rows = connection.execute(sa.select(audit.c.why, audit.c.actor_kind, audit.c.about_id).order_by(audit.c.id)).all()
    assert [tuple(row) for row in rows] == [
        ("message_test.asked", "operator", "ws1"),
        ("message_test.sent", "operator", "ws1"),
        ("message_test.seen", "browser", "ws1"),
    ]
    assert "good     messages of ws1" in terminal().output


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (("--connection", "ws9", "--record", "1", "--yes"), 2, "No MDM connection ws9 is set. Known: ws1."),
        (("--connection", "ws1", "--record", "99999999", "--yes"), 2, "Not sent"),
        (("--connection", "ws1", "--record", "../x", "--yes"), 1, "Not sent"),
    ],
)
def test_what_cannot_be_sent_is_said(terminal: Terminal, arguments: Any, status: int, words: str) -> None:
    found = terminal("possession", *arguments)
    assert (found.exit_code, words in found.output) == (status, True), found.output


def test_not_tapped_is_not_seen_and_no_means_no(terminal: Terminal) -> None:
    refused = terminal("possession", "--connection", "ws1", "--record", terminal.record)
    assert refused.exit_code == 1
    assert terminal.sandbox.world.phones["mia"].messages == []
    found = terminal("possession", "--connection", "ws1", "--record", terminal.record, "--yes", "--wait", "1")
    assert (found.exit_code, "Not seen" in found.output) == (1, True), found.output
    test = terminal.store.message_test("ws1")
    assert test is not None
    assert test.proven_at is None
