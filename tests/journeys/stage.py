"""The sandbox on real sockets and the product as a child, on a database of one's own; ended whatever happens."""

import os
import shutil
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import requests
import sqlalchemy as sa

from remediation.settings import WebSettings, WorkerSettings
from remediation.settings.names import environment_of
from remediation.store.engine import make_engine
from sandbox import demo
from sandbox.faults import Fault
from sandbox.relay import switch_on
from sandbox.server import Sandbox, create_sandbox
from sandbox.world import Phone
from tests.children import Child, forked, typed
from tests.journeys.ports import free_port
from tests.proven import messages_arrive

KEY = "a-key-for-tests-only-that-is-long-enough-to-be-taken"
SECONDS_TO_START = 60


class Stage:
    """`url` names a migrated database. The web and the worker are two children, so that one can be killed alone.

    `lagging` keeps the seconds that the demo's Microsoft and MDM take; without it they are quick, and so are the tests. `web` names
    another module to serve the pages, for a bench that seeds a fault. `relay`: the MDM's maker tells Microsoft, every so many
    seconds. `without`: beginnings of settings that the environment does not give; `more` is what it
    gives besides.
    `typed`: the processes are begun by their commands, so that nothing in them is older than they are.
    """

    typed = False

    def __init__(
        self,
        url: str,
        folder: Path,
        scenario: str,
        *,
        lagging: bool = False,
        web: str | None = None,
        minimum: str = "possession",
        relay: float | None = None,
        without: tuple[str, ...] = (),
        more: Mapping[str, str] | None = None,
    ) -> None:
        self.without, self.more = without, more or {}
        self.url, self.folder, self.web, self.minimum, self.relay = url, folder, web, minimum, relay
        self.ports = demo.Ports(free_port(), free_port(), free_port())
        self.sandbox: Sandbox = create_sandbox(demo.tenant_for(self.ports, folder))
        self.sandbox.begin(scenario)
        if not lagging:
            lags = self.sandbox.world.lags
            lags.registration_lag = lags.compliance_lag = lags.processing_lag = lags.check_in_lag = lags.sign_in_lag = 0.2
        self.children: dict[str, Child] = {}

    def __enter__(self) -> "Stage":
        self.sandbox.start()
        try:
            self.settings = demo.product_settings(self.sandbox, self.ports, self.folder, KEY)
            if self.mia.vendor == "maas360":
                self.settings |= demo.second_mdm(self.sandbox)
            self.settings["REMEDIATION_DATABASE_URL"] = self.url
            self.settings["REMEDIATION_MINIMUM_EVIDENCE"] = self.minimum
            if self.relay is not None:
                switch_on(self.sandbox.world, self.mia.vendor, self.relay)
                self.settings |= {"REMEDIATION_CHANNEL_IOS": "mdm_relay:ws1", "REMEDIATION_MDM_WS1_RELAY_MINUTES": "1"}
            for name in [name for name in self.settings if name.startswith(self.without)]:
                del self.settings[name]
            self.settings |= self.more
            self._messages_arrive()
            self.start("serve", WebSettings)
            self.start("work", WorkerSettings)
            self._wait()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for child in self.children.values():
            child.terminate()
        for child in self.children.values():
            try:
                child.wait(15)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        self.sandbox.stop()

    def start(self, command: str, settings: type[WebSettings] | type[WorkerSettings]) -> None:
        environment, log = environment_of(settings, demo.environment(self.settings)), self.folder / f"{command}.log"
        if self.web is not None and command == "serve":
            self.children[command] = typed([self.web], environment, log)
        elif self.typed:
            self.children[command] = typed(["remediation", command], environment, log)
        else:
            self.children[command] = forked(command, environment, log)

    def kill_worker(self) -> None:
        """As a power cut would: no goodbye. Then the supervisor starts it again under its own name."""
        self.children["work"].kill()
        self.children["work"].wait()
        self.start("work", WorkerSettings)

    def fault(self, service: str, kind: str, **more: Any) -> None:
        self.sandbox.faults.add(Fault(service, kind, **more))

    @property
    def origin(self) -> str:
        return f"http://localhost:{self.ports.product}"

    @property
    def pages(self) -> str:
        return self.sandbox.pages_url

    @property
    def mia(self) -> Phone:
        return self.sandbox.world.phones["mia"]

    def uploads(self) -> list[Any]:
        with self.sandbox.world.settled() as world:
            return list(world.uploads.values())

    def _messages_arrive(self) -> None:
        engine = make_engine(self.url)
        try:
            for connection in ("ws1", "maas"):
                messages_arrive(engine, self.sandbox.world.tenant_id, connection)
        finally:
            engine.dispose()

    def audit(self) -> list[str]:
        engine = make_engine(self.url)
        try:
            with engine.connect() as connection:
                return list(connection.execute(sa.text("SELECT why FROM audit ORDER BY id")).scalars())
        finally:
            engine.dispose()

    def log(self, command: str) -> str:
        return (self.folder / f"{command}.log").read_text(errors="replace")

    def _wait(self) -> None:
        until = time.monotonic() + SECONDS_TO_START
        while time.monotonic() < until:
            for name, child in self.children.items():
                assert child.poll() is None, f"{name} ended: {self.log(name)[-2000:]}"
            try:
                if requests.get(f"{self.origin}/health", timeout=2).ok:
                    return
            except (requests.ConnectionError, requests.Timeout):  # not there yet, or there and short of breath
                time.sleep(0.1)
        raise AssertionError(f"the product did not start: {self.log('serve')[-2000:]}")


def copied(migrated: Path, folder: Path) -> str:
    """A SQLite database of one's own, from one that was migrated once."""
    path = folder / "remediation.sqlite"
    shutil.copy(migrated, path)
    os.chmod(path, 0o600)
    return f"sqlite:///{path}"
