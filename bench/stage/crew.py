"""Workers as processes of their own, under fixed names: started, killed, frozen, and none left behind."""

import multiprocessing
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any

from bench.stage import worker
from bench.stage.worker import Death, Order
from remediation.settings import PREFIX
from sandbox.clock import Clock

_forks = multiprocessing.get_context("forkserver")
_forks.set_forkserver_preload(["tests.preloaded"])


class Crew:
    def __init__(
        self, environment: Mapping[str, str], folder: Path, *, fault: str | None = None, clock: Clock | None = None
    ) -> None:
        self._order = Order(environment, "", fault=fault, clock=clock)
        self._folder = folder
        self._processes: dict[str, Any] = {}

    def __enter__(self) -> "Crew":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for process in self._processes.values():
            with suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGCONT)
            process.kill()
        for process in self._processes.values():
            process.join()

    def start(self, name: str, *, death: Death | None = None, checkout: Path | None = None) -> None:
        """From this code or, where `checkout` is given, by the command of the product that lies there."""
        environment = {**self._order.environment, "REMEDIATION_EXECUTOR_ID": name}
        if checkout is not None:
            self._processes[name] = _Foreign(checkout, _known_to(checkout, environment), self._folder / f"{name}.log")
            return
        order = replace(self._order, environment=environment, log_file=str(self._folder / f"{name}.log"), death=death)
        process = _forks.Process(target=worker.work, args=(order,), name=name, daemon=True)
        process.start()
        self._processes[name] = process

    def kill(self, name: str) -> None:
        """`kill -9`."""
        self._processes[name].kill()
        self._processes[name].join()

    def end(self, name: str) -> None:
        """As `systemctl stop` does."""
        self._processes[name].terminate()
        self._processes[name].join()

    def freeze(self, name: str) -> None:
        """Returns once all of its threads stand still: one that runs on for a moment may take a lock."""
        os.kill(self.pid(name), signal.SIGSTOP)
        while any(_state(task) not in "Tt" for task in Path(f"/proc/{self.pid(name)}/task").iterdir()):
            time.sleep(0.001)

    def thaw(self, name: str) -> None:
        os.kill(self._processes[name].pid, signal.SIGCONT)

    def lives(self, name: str) -> bool:
        return bool(self._processes[name].is_alive())

    def check(self) -> None:
        """That nobody died who was not killed."""
        for name in self.names:
            if not self.lives(name):
                raise AssertionError(f"{name} died: {self.log(name)[-2000:]}")

    def died(self, name: str, *, within: float) -> bool:
        self._processes[name].join(within)
        return not self.lives(name)

    def pid(self, name: str) -> int:
        return int(self._processes[name].pid)

    @property
    def names(self) -> list[str]:
        return list(self._processes)

    def log(self, name: str) -> str:
        path = self._folder / f"{name}.log"
        return path.read_text(errors="replace") if path.exists() else ""


def _state(task: Path) -> str:
    """https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html: the third field, behind a name that may hold anything."""
    return (task / "stat").read_text().rpartition(")")[2].split()[0]


class _Foreign:
    """`remediation work` of another checkout; as much of `multiprocessing.Process` as is asked of it here."""

    def __init__(self, checkout: Path, environment: Mapping[str, str], log_file: Path) -> None:
        command = (sys.executable, "-m", "remediation", "work")
        with log_file.open("ab") as file:
            path = {"PYTHONPATH": str(checkout), "PATH": os.environ["PATH"]}
            self._process = subprocess.Popen(command, cwd=checkout, env={**environment, **path}, stdout=file, stderr=file)
        self.pid, self.kill, self.terminate = self._process.pid, self._process.kill, self._process.terminate

    def is_alive(self) -> bool:
        return self._process.poll() is None

    def join(self, timeout: float | None = None) -> None:
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout)


def _known_to(checkout: Path, environment: Mapping[str, str]) -> dict[str, str]:
    """Without settings that came later, which a version refuses by name, as it does a typing error."""
    sources = [*checkout.glob("remediation/settings/*.py"), *checkout.glob("remediation/settings.py")]
    fields = {field for source in sources for field in re.findall(r"^    (\w+): ", source.read_text(), re.MULTILINE)}
    names = {f"{PREFIX}{field.upper()}" for field in fields} | {f"{PREFIX}CONFIG"}
    connection = f"{PREFIX}MDM_WS1_"
    if "mdm" in fields:
        names |= {name for name in environment if name.startswith(connection)}
    else:  # one MDM, before there could be several
        environment = {name.replace(connection, f"{PREFIX}WORKSPACE_ONE_"): value for name, value in environment.items()}
    return {name: value for name, value in environment.items() if not name.startswith(PREFIX) or name in names}
