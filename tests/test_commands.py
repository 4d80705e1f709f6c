"""The command line as a stranger meets it: help, faults in words, and processes that end when they are told to."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.request import Request, urlopen

import pytest
from click.testing import CliRunner

from remediation.commands import remediation
from remediation.settings import PREFIX
from tests.test_settings import GOOD_WEB, GOOD_WORKER

ROOT = Path(__file__).parents[1]
PATIENCE = 60


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def good(tmp_path: Path, port: int) -> dict[str, str]:
    own = {
        "PUBLIC_ORIGIN": f"http://localhost:{port}",
        "BIND": f"127.0.0.1:{port}",
        "DATABASE_URL": f"sqlite:///{tmp_path}/kept/here.sqlite",
        "WEB_PROCESSES": "1",
    }
    return {PREFIX + name: value for name, value in (GOOD_WEB | GOOD_WORKER | own).items()}


def environment(settings: dict[str, str]) -> dict[str, str]:
    plain = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX) and name != "FLASK_DEBUG"}
    return plain | {"PYTHONPATH": str(ROOT)} | settings


def run(folder: Path, *arguments: str, settings: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "remediation", *arguments]
    return subprocess.run(
        command, cwd=folder, env=environment(settings or {}), capture_output=True, text=True, timeout=PATIENCE, check=False
    )


def test_help(tmp_path: Path) -> None:
    told = run(tmp_path, "--help")
    assert told.returncode == 0
    assert {"serve", "work", "migrate", "check-settings"} <= set(told.stdout.split())


@pytest.mark.parametrize("command", ["serve", "work", "migrate", "check-settings"])
def test_help_of_a_command(command: str) -> None:
    told = CliRunner().invoke(remediation, [command, "--help"])
    assert told.exit_code == 0
    assert len(told.stdout.split()) > 25


def test_check_settings_lists_every_fault_of_both(tmp_path: Path) -> None:
    told = run(tmp_path, "check-settings", settings={PREFIX + "SECRET_KEY": "planted-and-short"})
    assert told.returncode == 2
    for name in ("PUBLIC_ORIGIN", "SECRET_KEY", "SIGN_IN_CLIENT_ID", "SERVICE_CLIENT_ID", "MDM_…", "MINIMUM_EVIDENCE"):
        assert PREFIX + name in told.stderr
    assert "planted" not in told.stderr + told.stdout
    assert "Traceback" not in told.stderr
    assert "MDM_" not in run(tmp_path, "check-settings", "--web").stderr
    assert "SECRET_KEY" not in run(tmp_path, "check-settings", "--worker").stderr


def test_check_settings_is_content(tmp_path: Path, good: dict[str, str]) -> None:
    told = run(tmp_path, "check-settings", settings=good)
    assert (told.returncode, told.stdout) == (0, "The settings are good.\n")


@pytest.mark.parametrize("command", ["serve", "work"])
def test_an_unprepared_database(tmp_path: Path, good: dict[str, str], command: str) -> None:
    told = run(tmp_path, command, settings=good)
    assert told.returncode == 2
    assert "remediation migrate" in told.stderr
    assert "Traceback" not in told.stderr
    assert not (tmp_path / "kept").exists()


def test_a_database_that_does_not_answer(tmp_path: Path, good: dict[str, str], port: int) -> None:
    good[PREFIX + "DATABASE_URL"] = f"postgresql://u:planted@127.0.0.1:{port}/nowhere"
    told = run(tmp_path, "serve", settings=good)
    assert told.returncode == 2
    assert "REMEDIATION_DATABASE_URL" in told.stderr
    assert "planted" not in told.stderr


def test_a_taken_port(tmp_path: Path, good: dict[str, str], port: int) -> None:
    assert run(tmp_path, "migrate", settings=good).returncode == 0
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        told = run(tmp_path, "serve", settings=good)
    assert told.returncode == 2
    assert f"127.0.0.1:{port}" in told.stderr
    assert "REMEDIATION_BIND" in told.stderr
    assert "Not for the web process, and ignored: " in told.stderr
    for name in ("REMEDIATION_SERVICE_CLIENT_SECRET", "REMEDIATION_AUDIT_KEY"):  # the key of the audit, too, is the worker's alone
        assert name in told.stderr
    assert "planted" not in told.stderr


def test_any_server_may_serve_the_app(tmp_path: Path, good: dict[str, str], port: int) -> None:
    program = f"import app; print(app.create_app().test_client().get('/health', base_url='http://localhost:{port}').status)"
    command = [sys.executable, "-c", program]

    def tried(settings: dict[str, str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command, cwd=tmp_path, env=environment(settings), capture_output=True, text=True, timeout=PATIENCE, check=False
        )

    assert "REMEDIATION_PUBLIC_ORIGIN is not set" in tried({}).stderr
    assert "remediation migrate" in tried(good).stderr
    assert run(tmp_path, "migrate", settings=good).returncode == 0
    assert tried(good).stdout == "200 OK\n"


class Product:
    """`python app.py` in a folder of its own."""

    def __init__(self, folder: Path, settings: dict[str, str]) -> None:
        self.port = int(settings[PREFIX + "BIND"].rpartition(":")[2])
        self.log = folder / "log"
        with self.log.open("wb") as log:
            command = [sys.executable, str(ROOT / "app.py")]
            self.process = subprocess.Popen(command, cwd=folder, env=environment(settings), stderr=log, stdout=log)

    def wait_until_up(self) -> None:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                request = Request(f"http://127.0.0.1:{self.port}/health", headers={"Host": f"localhost:{self.port}"})
                with urlopen(request, timeout=2) as answer:  # noqa: S310
                    if answer.status == 200 and "worker ready" in self.log.read_text():
                        return
            except OSError:
                time.sleep(0.1)
        raise AssertionError(self.log.read_text()[-3000:])

    def children(self) -> dict[str, int]:
        """By the name of their command."""
        found = {}
        listed = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        for pid in map(int, listed):
            found[Path(f"/proc/{pid}/cmdline").read_text().rstrip("\0").split("\0")[-1]] = pid
        return found


@pytest.fixture
def product(tmp_path: Path, good: dict[str, str]) -> Iterator[Product]:
    made = Product(tmp_path, good)
    try:
        made.wait_until_up()
        yield made
    finally:
        if made.process.poll() is None:
            made.process.terminate()
            made.process.wait(PATIENCE)


def is_gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].startswith("Z")
    except (FileNotFoundError, ProcessLookupError):
        return True


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.long)])
def test_both_processes_end_with_the_door(product: Product, number: int) -> None:
    children = product.children()
    assert set(children) == {"serve", "work"}
    product.process.send_signal(number)
    assert product.process.wait(PATIENCE) == 0
    assert all(is_gone(pid) for pid in children.values())
    assert "Traceback" not in product.log.read_text()


@pytest.mark.slow
@pytest.mark.parametrize("fallen", ["serve", pytest.param("work", marks=pytest.mark.long)])
def test_one_does_not_go_on_without_the_other(product: Product, fallen: str) -> None:
    children = product.children()
    os.kill(children[fallen], signal.SIGKILL)
    assert product.process.wait(PATIENCE) != 0
    assert all(is_gone(pid) for pid in children.values())
    assert f"`{fallen}` ended by itself" in product.log.read_text()


@pytest.mark.slow
def test_the_webs_environment_never_holds_the_workers_credentials(product: Product) -> None:
    children = product.children()
    web = Path(f"/proc/{children['serve']}/environ").read_text()
    worker = Path(f"/proc/{children['work']}/environ").read_text()
    assert "service-9942-planted" not in web
    assert "mdm-5510-planted" not in web
    assert "service-9942-planted" in worker
    assert "sign-in-7731-planted" not in worker
