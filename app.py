"""Two doors. `create_app()` is for any WSGI server; `python app.py` runs the whole product on one machine.

The second starts `serve` and `work` as two child processes, each with only the settings that it knows: the web's environment never
holds the service credential. Ctrl-C or SIGTERM ends both; where one ends by itself, the other is ended and the exit status says so.
"""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType

from flask import Flask

from remediation import onboard_wiring, wiring
from remediation.errors import NotReady
from remediation.settings import DatabaseSettings, WebSettings, WorkerSettings
from remediation.settings.names import environment_of
from remediation.settings.reading import FaultySettings, read, read_so_far

PATIENCE = 35  # seconds; each child drains within 30


def create_app() -> Flask:
    """The pages. Raises `FaultySettings` or `NotReady`, whose texts are for the person who starts it."""
    return onboard_wiring.web_app()


def main() -> int:
    refused = [words for words in (_refused(WebSettings), _refused(WorkerSettings)) if words]
    if refused:
        sys.stderr.write("\n\n".join(refused) + "\n")
        return 2
    database = read(DatabaseSettings)
    try:
        if database.database_url.get_secret_value().startswith("sqlite"):
            wiring.migrate(database)  # a PostgreSQL is migrated by whoever may change its tables
    except NotReady as error:
        sys.stderr.write(f"{error}\n")
        return 2
    ending = {"asked": False}

    def end(_signal: int, _frame: FrameType | None) -> None:
        ending["asked"] = True

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    children = {"serve": _start("serve", WebSettings), "work": _start("work", WorkerSettings)}
    while not ending["asked"] and all(child.poll() is None for child in children.values()):
        time.sleep(0.1)
    fallen = {name: child.poll() for name, child in children.items() if child.poll() is not None}
    _end(children)
    if ending["asked"]:
        return 0
    for name, status in fallen.items():
        sys.stderr.write(f"`{name}` ended by itself with status {status}; the other process was ended too.\n")
    return next((status for status in fallen.values() if status and status > 0), 1)


def _refused(settings: type[DatabaseSettings]) -> str | None:
    try:
        read_so_far(settings, onboard_wiring.taken_for(settings).typed)
    except FaultySettings as error:
        return str(error)
    return None


def _start(command: str, settings: type[DatabaseSettings]) -> subprocess.Popen[bytes]:
    environment = environment_of(settings, os.environ)
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, [str(Path(__file__).resolve().parent), os.environ.get("PYTHONPATH")]))
    return subprocess.Popen([sys.executable, "-m", "remediation", command], env=environment)  # noqa: S603 (our own command)


def _end(children: dict[str, subprocess.Popen[bytes]]) -> None:
    for child in children.values():
        if child.poll() is None:
            child.terminate()
    until = time.monotonic() + PATIENCE
    for child in children.values():
        try:
            child.wait(timeout=max(0.1, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


if __name__ == "__main__":
    sys.exit(main())
