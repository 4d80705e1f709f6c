"""`python -m sandbox demo`: the pretend tenant in this process, the product as a child, one address to open.

What the demo keeps lives in one marked folder, so that a second start finds it and `reset` may throw it away. Next
door: `__main__` is the command line, `server` the tenant; the product is a stranger, started by `python app.py`.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from sandbox.maas360_shapes import csn
from sandbox.server import Sandbox, SandboxConfig, create_sandbox

REPOSITORY = Path(__file__).resolve().parent.parent
MARKER = ".remediation-demo"
PREFIX = "REMEDIATION_"
ADVICE = {"Passcode required": "passcode", "Encryption on": "encryption", "Not jailbroken": "jailbreak"}
"""Which of the product's own steps mends which policy of the pretend MDM."""
START_SECONDS, STOP_SECONDS = 60, 10
PRODUCT = (sys.executable, "app.py")
DOCTOR = (sys.executable, "-m", "remediation", "doctor", "possession", "--yes")


class CannotStart(Exception):
    """Said to the person at the terminal as it stands; `code` is the exit code."""

    def __init__(self, message: str, code: int = 2) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class Ports:
    product: int
    pages: int
    api: int

    def check(self, options: Sequence[str] = ("--port", "--pages-port", "--api-port")) -> None:
        named = (
            (self.product, "--port", "the product"),
            (self.pages, "--pages-port", "the pretend phone"),
            (self.api, "--api-port", "the pretend services"),
        )
        seen: dict[int, str] = {}
        for port, option, what in named:
            if port in seen:
                raise CannotStart(f"{seen[port]} and {option} are both {port}. Give each a port of its own.")
            seen[port] = option
            if option in options and not _is_free(port):
                other = port + 1 if port < 65535 else port - 1
                raise CannotStart(
                    f"Port {port} ({what}) is taken by another program. Stop that program, or choose another port: "
                    f"{option} {other}, or by make: make demo {option.lstrip('-').replace('-', '_').upper()}={other}"
                )


def _is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # A port that lingers after an earlier demo counts as free; one that somebody listens on does not.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
            probe.listen(1)
        except OSError:
            return False
    return True


# The folder


@contextmanager
def kept_in(folder: Path) -> Iterator[Path]:
    """The data folder, made and marked where it is new, and held against a second demo."""
    if folder.is_dir() and any(folder.iterdir()) and not (folder / MARKER).is_file():
        raise CannotStart(f"{folder} is not empty and no demo's folder. Choose another: --data FOLDER")
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise CannotStart(f"{folder} cannot be used as a folder ({error.strerror}). Choose another: --data FOLDER") from None
    with _held(folder):
        yield folder.resolve()


@contextmanager
def _held(folder: Path) -> Iterator[None]:
    with (folder / MARKER).open("a") as marker:
        try:
            fcntl.flock(marker, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise CannotStart(f"A demo is running in {folder}. End it first (Ctrl-C in its terminal).") from None
        yield


def reset(folder: Path) -> str:
    """Throws away what a demo kept; refuses whatever is not a demo's."""
    if not folder.exists() and not folder.is_symlink():
        return f"Nothing to throw away: {folder} does not exist."
    if folder.is_symlink() or not (folder / MARKER).is_file():
        raise CannotStart(f"{folder} was not made by the demo (it has no {MARKER}), so it is left alone.")
    with _held(folder):
        shutil.rmtree(folder)
    return f"Thrown away: {folder}"


def kept_secrets(folder: Path) -> dict[str, str]:
    """Made by chance at the first start, readable by nobody else, and the same ever after."""
    path = folder / "secrets.json"
    try:
        kept = {str(name): str(value) for name, value in json.loads(path.read_text()).items()} if path.exists() else {}
    except (ValueError, AttributeError, TypeError):
        raise CannotStart(f"{path} cannot be read. Begin anew: python -m sandbox reset") from None
    made = {name: secrets.token_urlsafe(48) for name in ("secret_key", "audit_key", "seal_key") if name not in kept}
    if made:
        kept |= made
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump(kept, file)
    return kept


# The product


def tenant_for(ports: Ports, folder: Path) -> SandboxConfig:
    """What an administrator enters with Microsoft about the product: its addresses, exactly."""
    origin = f"http://localhost:{ports.product}"
    return SandboxConfig(
        ports.api,
        ports.pages,
        folder / "ca",
        product_origin=origin,
        redirect_uri=f"{origin}/signed-in",
        logout_uri=f"{origin}/signed-out",
        enrollment_url=f"{origin}/enrollment",
        remediation_url=f"{origin}/remediation",
        partner_groups=("Mobile users",),
    )


def product_settings(sandbox: Sandbox, ports: Ports, folder: Path, secret_key: str) -> dict[str, str]:
    """Every setting of the product that the demo gives, in the one place; its own reference is docs/settings.md."""
    world, api, pages = sandbox.world, sandbox.api_url, sandbox.pages_url
    sign_in, service = world.apps["sign-in"], world.apps["service"]
    names = {
        "PUBLIC_ORIGIN": f"http://localhost:{ports.product}",
        "BIND": f"127.0.0.1:{ports.product}",
        "WEB_PROCESSES": "1",
        "SECRET_KEY": secret_key,
        "AUDIT_KEY": kept_secrets(folder)["audit_key"],
        "SEAL_KEY": kept_secrets(folder)["seal_key"],
        "DATABASE_URL": f"sqlite:///{folder / 'remediation.sqlite'}",
        "TENANT_ID": world.tenant_id,
        "SIGN_IN_CLIENT_ID": sign_in.client_id,
        "SIGN_IN_CLIENT_SECRET": sign_in.secret,
        "SERVICE_CLIENT_ID": service.client_id,
        "SERVICE_CLIENT_SECRET": service.secret,
        "ENTRA_AUTHORITY": api,
        "GRAPH_URL": f"{api}/graph",
        "PARTNER_HOSTS": "127.0.0.1",
        "PARTNER_NAME": world.partner.name,
        "MDM_WS1_KIND": "workspace_one",
        "MDM_WS1_URL": f"{api}/ws1",
        "MDM_WS1_TOKEN_URL": f"{api}/ws1auth/connect/token",
        "MDM_WS1_CLIENT_ID": world.mdm.client_id,
        "MDM_WS1_CLIENT_SECRET": world.mdm.client_secret,
        "MDM_WS1_ADVICE": json.dumps(ADVICE),
        "CA_FILE": str(sandbox.keys.ca_pem),
        "MINIMUM_EVIDENCE": "possession",
        "GROUPS": next(group.id for group in world.groups.values() if group.name == "Mobile users"),
        "RECHECK_SECONDS": "10",
        "RETURN_LINK": f"{pages}/phone/outlook",
        "ORGANISATION": "Contoso (stand-in)",
        "HELPDESK_PHONE": "+49 30 5550 100",
        "HELPDESK_HOURS": "Mon–Fri 7:00–19:00",
        "DEMO": "true",
    }
    return {PREFIX + name: value for name, value in names.items()}


def environment(settings: Mapping[str, str]) -> dict[str, str]:
    """This process's own, without any other setting of the product: one left in a shell must not leak into the demo."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    return {**own, **settings}


def second_mdm(sandbox: Sandbox) -> dict[str, str]:
    """The company's other MDM, which some stories are played in."""
    console = sandbox.world.maas360
    names = {
        "MDM_MAAS_KIND": "maas360",
        "MDM_MAAS_URL": f"{sandbox.api_url}/maas360",
        "MDM_MAAS_BILLING_ID": console.billing_id,
        "MDM_MAAS_APP_ID": console.app_id,
        "MDM_MAAS_ACCESS_KEY": console.access_key,
        "MDM_MAAS_USER": console.user,
        "MDM_MAAS_PASSWORD": console.password,
        "MDM_MAAS_ADVICE": json.dumps(ADVICE),
        "DEVICE_APPS": json.dumps({"maas": "MaaS360", "fleet": "Fleet Desktop"}),
    }
    return {PREFIX + name: value for name, value in names.items()}


def third_mdm(sandbox: Sandbox) -> dict[str, str]:
    """Fleet, for Macs. It sends no messages, so that nothing is linked through it on the demo's level of evidence."""
    names = {
        "MDM_FLEET_KIND": "fleet",
        "MDM_FLEET_URL": f"{sandbox.api_url}/fleet",
        "MDM_FLEET_TOKEN": sandbox.world.fleet.token,
        "MDM_FLEET_INTEGRITY_POLICIES": "Not jailbroken",
        "MDM_FLEET_ADVICE": json.dumps(ADVICE),
    }
    return {PREFIX + name: value for name, value in names.items()}


class Product:
    """The child, in a process group of its own, so that Ctrl-C reaches it once and through us."""

    def __init__(self, command: Sequence[str], folder: Path, settings: Mapping[str, str], log: Path) -> None:
        self.log = log
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                command,
                cwd=folder,
                env=environment(settings),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    def died(self) -> int | None:
        return self._process.poll()

    def last_lines(self, count: int = 15) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-count:])

    def stop(self) -> None:
        if self._process.poll() is None:
            self._process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(STOP_SECONDS)
        # Whatever it started and left behind goes with it.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


def _answers(port: int) -> bool:
    connection = HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", "/health", headers={"Host": f"localhost:{port}"})
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def _wait_until_up(product: Product, port: int, ended: threading.Event) -> bool:
    deadline = time.monotonic() + START_SECONDS
    while not ended.is_set():
        _check_alive(product)
        if _answers(port):
            return True
        if time.monotonic() > deadline:
            raise CannotStart(f"The product did not answer within {START_SECONDS} s. Its last lines:\n{product.last_lines()}", 1)
        ended.wait(0.1)
    return False


def _check_alive(product: Product) -> None:
    code = product.died()
    if code is not None:
        raise CannotStart(f"The product ended by itself (exit code {code}). Its last lines:\n{product.last_lines()}", 1)


# What an administrator does once


def taps_the_tests(sandbox: Sandbox, port: int, settings: Mapping[str, str], home: Path) -> str:
    """In each MDM, one after the other: Noah's phone lives in the second one for so long."""
    phone = sandbox.world.phones["noah"]
    record = sandbox.world.records[phone.record_id or 0]
    said = taps_the_test(sandbox, port, settings, home, "ws1", str(record.id))
    phone.vendor = record.vendor = "maas360"
    try:
        return "\n".join(dict.fromkeys((said, taps_the_test(sandbox, port, settings, home, "maas", csn(record)))))
    finally:
        phone.vendor = record.vendor = "workspace_one"


def taps_the_test(sandbox: Sandbox, port: int, settings: Mapping[str, str], home: Path, connection: str, record_id: str) -> str:
    """Messages to devices are off until one was seen to arrive: the product sends a test to Noah's phone, and its link is tapped
    there. Returns what to say at the terminal."""
    phone = sandbox.world.phones["noah"]
    command = [*DOCTOR, "--connection", connection, "--record", record_id, "--wait", "20"]
    phone.messages.clear()
    doctor = subprocess.Popen(
        command, cwd=home, env=environment(settings), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    try:
        until = time.monotonic() + START_SECONDS
        while not phone.messages and doctor.poll() is None and time.monotonic() < until:
            time.sleep(0.1)
        if phone.messages:
            _press_the_button(port, phone.messages[-1].body)
        said, _ = doctor.communicate(timeout=START_SECONDS)
    except (OSError, HTTPException, subprocess.TimeoutExpired) as error:
        doctor.kill()
        said = type(error).__name__.encode()
    if doctor.wait() == 0:
        return "A test message reached Noah’s phone and was tapped there, so messages to devices are on."
    return f"The test message was not seen, so messages to devices are off:\n{said.decode(errors='replace')[-500:]}"


def _press_the_button(port: int, message: str) -> None:
    """As a browser on the phone: open the link, keep the cookie, send the page's form."""
    found = re.search(r"https?://[^/\s]+(/message-test/[\w-]+)", message)
    if found is None:
        return
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    headers = {"Host": f"localhost:{port}"}
    try:
        connection.request("GET", found[1], headers=headers)
        answer = connection.getresponse()
        cookie, page = (answer.getheader("Set-Cookie") or "").partition(";")[0], answer.read().decode()
        token = re.search(r'name="csrf_token" value="([^"]+)"', page)
        form = {"Content-Type": "application/x-www-form-urlencoded", "Cookie": cookie, "Origin": f"http://localhost:{port}"}
        connection.request("POST", found[1], f"csrf_token={token[1] if token else ''}", headers | form)
        connection.getresponse().read()
    finally:
        connection.close()


# The whole


def play(ports: Ports, data: Path, command: Sequence[str] = PRODUCT, home: Path = REPOSITORY) -> None:
    """Runs until Ctrl-C or SIGTERM; raises `CannotStart` where it cannot begin or the product dies."""
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    ports.check()
    with kept_in(data) as folder:
        kept = kept_secrets(folder)
        sandbox = create_sandbox(tenant_for(ports, folder))
        sandbox.start()
        try:
            settings = {**product_settings(sandbox, ports, folder, kept["secret_key"]), **second_mdm(sandbox), **third_mdm(sandbox)}
            product = Product(command, home, settings, folder / "product.log")
            try:
                print("Starting …", flush=True)
                if _wait_until_up(product, ports.product, ended):
                    if command is PRODUCT:
                        print(taps_the_tests(sandbox, ports.product, settings, home), flush=True)
                    print(_welcome(sandbox, product), flush=True)
                while not ended.wait(0.5):
                    _check_alive(product)
                print("\nEnding …", flush=True)
            finally:
                product.stop()
        finally:
            sandbox.stop()


def _welcome(sandbox: Sandbox, product: Product) -> str:
    mia = sandbox.world.persons[sandbox.world.phones["mia"].person_oid]
    return f"""
  Open   {sandbox.pages_url}/

  1. Tap Outlook on the phone: Microsoft blocks it. Press Continue.
  2. Choose iPhone, sign in as {mia.name}, and do what the page says.
  3. Tap Outlook again: it opens.

  Ctrl-C ends it. The product's log: {product.log}
"""
