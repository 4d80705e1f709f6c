"""The product's processes: by the command an operator types, or forked from one that has imported it already, which spares each the
two seconds of CPU that importing takes. Real processes either way, and ended by the same signals."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

from sandbox import demo

_forks = multiprocessing.get_context("forkserver")
_forks.set_forkserver_preload(["tests.preloaded"])


class Child(Protocol):
    """As much of `subprocess.Popen` as is asked of either."""

    pid: int

    def poll(self) -> int | None: ...
    def wait(self, timeout: float | None = None) -> int: ...
    def terminate(self) -> None: ...
    def kill(self) -> None: ...


def typed(arguments: list[str], environment: Mapping[str, str], log: Path) -> Child:
    """With nothing in it from any process before it: what is searched for secrets begins here."""
    with log.open("ab") as file:
        command = [sys.executable, "-m", *arguments]
        return subprocess.Popen(command, env=environment, stdout=file, stderr=file, cwd=demo.REPOSITORY)


def forked(command: str, environment: Mapping[str, str], log: Path) -> Child:
    return calling(_product, command, environment=environment, log=log)


def calling(main: Callable[..., None], *arguments: object, environment: Mapping[str, str] = os.environ, log: Path) -> Child:
    """Whatever else is the whole life of a process."""
    return _Forked(main, arguments, environment, log)


class _Forked:
    def __init__(self, main: Callable[..., None], arguments: tuple[object, ...], environment: Mapping[str, str], log: Path) -> None:
        self._process = _forks.Process(target=_run, args=(main, arguments, dict(environment), str(log)))
        self._process.start()
        assert self._process.pid is not None
        self.pid = self._process.pid
        self.terminate, self.kill = self._process.terminate, self._process.kill

    def poll(self) -> int | None:
        code: int | None = self._process.exitcode
        return code

    def wait(self, timeout: float | None = None) -> int:
        self._process.join(timeout)
        code = self.poll()
        if code is None:
            raise subprocess.TimeoutExpired("remediation", timeout or 0)
        return code


def _run(main: Callable[..., None], arguments: tuple[object, ...], environment: dict[str, str], log: str) -> None:
    with open(log, "ab") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # the fork server ignores it
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(demo.REPOSITORY)
    main(*arguments)


def _product(command: str) -> None:
    from remediation.commands import remediation

    remediation([command], prog_name="remediation")


def wait_for(look: Callable[[], Any], within: float = 30) -> Any:
    """What a look finds once it finds something. Nobody there to be asked is nothing found."""
    until = time.monotonic() + within
    while True:
        try:
            if found := look():
                return found
        except (OSError, AssertionError):
            pass
        assert time.monotonic() < until
        time.sleep(0.02)
