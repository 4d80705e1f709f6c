"""The demo as a person at a terminal meets it, with a tiny stand-in child where the product would be."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import requests

from sandbox.demo import MARKER, CannotStart, Ports, environment, kept_secrets, product_settings, reset, tenant_for
from sandbox.server import SandboxConfig, create_sandbox

REPOSITORY = Path(__file__).resolve().parents[2]

CHILD = """
import json, os, sys, signal, time
from http.server import BaseHTTPRequestHandler, HTTPServer
what = sys.argv[1]
if what == "dies":
    sys.exit("The settings have 2 faults.")
if what == "deaf":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
class Health(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/health" else 404); self.end_headers()
    def log_message(self, *_): pass
json.dump({k: v for k, v in os.environ.items() if k.startswith("REMEDIATION_")}, open("seen.json", "w"))
server = HTTPServer(("127.0.0.1", int(os.environ["REMEDIATION_BIND"].rsplit(":")[1])), Health)
if what == "dies later":
    server.timeout = 0.2
    until = time.monotonic() + 1.5
    while time.monotonic() < until:
        server.handle_request()
    sys.exit("The worker is gone.")
server.serve_forever()
"""

DRIVER = """
import sys
from pathlib import Path
from sandbox import demo
demo.STOP_SECONDS = float(sys.argv[7])
try:
    demo.play(demo.Ports(*map(int, sys.argv[1:4])), Path(sys.argv[4]), [sys.executable, "child.py", sys.argv[5]], Path(sys.argv[6]))
except demo.CannotStart as reason:
    print(reason, file=sys.stderr)
    sys.exit(reason.code)
"""


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [int(one.getsockname()[1]) for one in sockets]
    for one in sockets:
        one.close()
    return ports


class Terminal:
    """One demo with its three ports and its folder."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.ports = folder, _free_ports(3)
        (folder / "child.py").write_text(CHILD)
        self.running: list[subprocess.Popen[str]] = []

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def start(self, child: str = "serves", patience: float = 10, **more: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", DRIVER, *map(str, self.ports), str(self.data), child, str(self.folder), str(patience)]
        process = subprocess.Popen(
            command, cwd=REPOSITORY, env={**os.environ, **more}, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        self.running.append(process)
        return process

    def until_welcome(self, process: subprocess.Popen[str]) -> str:
        assert process.stdout is not None
        said = ""
        for line in process.stdout:
            said += line
            if "Ctrl-C" in line:
                return said
        raise AssertionError(said + (process.stderr.read() if process.stderr else ""))

    def seen(self) -> dict[str, str]:
        seen: dict[str, str] = json.loads((self.folder / "seen.json").read_text())
        return seen


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    terminal = Terminal(tmp_path)
    yield terminal
    for process in terminal.running:
        if process.poll() is None:
            process.kill()
        process.communicate()


def _ends(process: subprocess.Popen[str], how: signal.Signals = signal.SIGINT) -> tuple[int, float]:
    begun = time.monotonic()
    process.send_signal(how)
    process.communicate(timeout=30)
    return process.returncode, time.monotonic() - begun


def test_a_demo_prints_one_address_and_ends_cleanly(terminal: Terminal) -> None:
    process = terminal.start(REMEDIATION_LEFT_OVER="x", REMEDIATION_ORGANISATION="Wrong")
    said = terminal.until_welcome(process)
    product, pages, api = terminal.ports
    address = f"http://127.0.0.1:{pages}/"
    assert address in said
    assert said.count("http") == 1
    assert requests.get(address, timeout=5).status_code == 200
    seen = terminal.seen()
    assert "REMEDIATION_LEFT_OVER" not in seen
    assert seen["REMEDIATION_ORGANISATION"] == "Contoso (stand-in)"
    assert seen["REMEDIATION_PUBLIC_ORIGIN"] == f"http://localhost:{product}"
    ca, token_url = seen["REMEDIATION_CA_FILE"], seen["REMEDIATION_MDM_WS1_TOKEN_URL"]
    assert token_url.startswith(f"https://127.0.0.1:{api}/")
    with requests.Session() as http:
        http.trust_env = False
        assert http.post(token_url, verify=ca, timeout=5).json() == {"error": "unsupported_grant_type"}
    code, seconds = _ends(process)
    assert code == 0
    assert seconds < 5
    Ports(*terminal.ports).check()


def test_a_second_start_keeps_the_secrets_and_survives_old_ports(terminal: Terminal) -> None:
    keys = []
    for how in (signal.SIGINT, signal.SIGTERM):
        process = terminal.start()
        terminal.until_welcome(process)
        keys.append(terminal.seen()["REMEDIATION_SECRET_KEY"])
        assert _ends(process, how)[0] == 0
    assert keys[0] == keys[1]
    assert len(keys[0]) >= 32
    assert stat.S_IMODE((terminal.data / "secrets.json").stat().st_mode) == 0o600
    assert stat.S_IMODE(terminal.data.stat().st_mode) == 0o700


def test_a_child_that_dies_is_told_with_its_last_words(terminal: Terminal) -> None:
    process = terminal.start("dies")
    _, error = process.communicate(timeout=20)
    assert process.returncode == 1
    assert "The settings have 2 faults." in error
    Ports(*terminal.ports).check()


def test_a_child_that_dies_later_ends_the_demo(terminal: Terminal) -> None:
    process = terminal.start("dies later")
    terminal.until_welcome(process)
    _, error = process.communicate(timeout=20)
    assert process.returncode == 1
    assert "The worker is gone." in error


def test_a_deaf_child_is_killed(terminal: Terminal) -> None:
    process = terminal.start("deaf", patience=0.5)
    terminal.until_welcome(process)
    code, seconds = _ends(process)
    assert code == 0
    assert seconds < 5
    Ports(*terminal.ports).check()


def test_one_folder_serves_one_demo_at_a_time(terminal: Terminal) -> None:
    terminal.until_welcome(terminal.start())
    with pytest.raises(CannotStart, match="is running"):
        reset(terminal.data)
    assert (terminal.data / "secrets.json").exists()


def _cli(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "sandbox", *words]
    return subprocess.run(command, cwd=REPOSITORY, text=True, capture_output=True, timeout=30, check=False)


def test_a_taken_port_is_named_with_its_option(tmp_path: Path) -> None:
    with closing(socket.socket()) as other:
        other.bind(("127.0.0.1", 0))
        other.listen(1)
        taken, (free, third) = str(other.getsockname()[1]), map(str, _free_ports(2))
        for words in (
            ("--port", taken, "--pages-port", free, "--api-port", third),
            ("--port", free, "--pages-port", taken, "--api-port", third),
            ("--port", free, "--pages-port", third, "--api-port", taken),
        ):
            answer = _cli("demo", *words, "--data", str(tmp_path / "data"))
            assert answer.returncode == 2
            assert taken in answer.stderr
            option = words[words.index(taken) - 1]
            assert option + " " in answer.stderr
            assert f"make demo {option[2:].upper().replace(chr(45), chr(95))}=" in answer.stderr
    assert not (tmp_path / "data").exists()


def test_two_ports_must_differ() -> None:
    with pytest.raises(CannotStart, match="--port and --api-port"):
        Ports(9, 10, 9).check(())


def test_reset_throws_away_what_it_made_and_nothing_else(tmp_path: Path) -> None:
    own, foreign, link = tmp_path / "own", tmp_path / "foreign", tmp_path / "link"
    own.mkdir()
    (own / MARKER).touch()
    (own / "remediation.sqlite").touch()
    foreign.mkdir()
    (foreign / "thesis.txt").write_text("years of work")
    link.symlink_to(own)
    for kept in (foreign, link):
        answer = _cli("reset", "--data", str(kept))
        assert answer.returncode == 2
        assert "left alone" in answer.stderr
    assert (foreign / "thesis.txt").exists()
    assert _cli("reset", "--data", str(own)).returncode == 0
    assert not own.exists()
    assert _cli("reset", "--data", str(own)).returncode == 0


def test_a_foreign_folder_is_not_used(terminal: Terminal) -> None:
    terminal.data.mkdir()
    (terminal.data / "thesis.txt").write_text("years of work")
    process = terminal.start()
    _, error = process.communicate(timeout=20)
    assert process.returncode == 2
    assert "--data" in error


def test_spoilt_secrets_are_told(tmp_path: Path) -> None:
    (tmp_path / "secrets.json").write_text("{")
    with pytest.raises(CannotStart, match="reset"):
        kept_secrets(tmp_path)


def test_the_childs_environment_is_ours_and_the_settings() -> None:
    assert environment({"REMEDIATION_DEMO": "true"})["PATH"] == os.environ["PATH"]


def test_serve_prints_settings_and_ends(tmp_path: Path) -> None:
    ports = list(map(str, _free_ports(2)))
    words = ["serve", "--pages-port", ports[0], "--api-port", ports[1], "--data", str(tmp_path / "data")]
    with subprocess.Popen(
        [sys.executable, "-u", "-m", "sandbox", *words], cwd=REPOSITORY, text=True, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(5)]
        assert f"http://127.0.0.1:{ports[0]}/control/facts" in lines[0]
        assert lines[1].startswith("REMEDIATION_")
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0


def test_the_demo_names_a_step_for_each_policy_of_its_mdm(tmp_path: Path) -> None:
    sandbox = create_sandbox(tenant_for(Ports(1, 2, 3), tmp_path))
    settings = product_settings(sandbox, Ports(1, 2, 3), tmp_path, "key")
    advice = json.loads(settings["REMEDIATION_MDM_WS1_ADVICE"])
    assert set(advice) == {policy.name for record in sandbox.world.records.values() for policy in record.policies}
    assert sandbox.config.addresses() == SandboxConfig(product_origin="http://localhost:1").addresses()
