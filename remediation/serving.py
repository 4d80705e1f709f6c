"""gunicorn inside our own process: threads, since a page may wait a moment for the worker; no control socket, no reloader.

`app.py` serves the same app under any other WSGI server.
"""

import logging
import socket
from collections.abc import Callable
from typing import Any

from gunicorn.app.base import BaseApplication  # type: ignore[import-untyped]
from gunicorn.glogging import Logger  # type: ignore[import-untyped]

GRACE = 25  # seconds for pages under way when the process is told to end; all of it has 30


class PortTaken(Exception):
    """Another program listens there."""


class _Log(Logger):  # type: ignore[misc]  # gunicorn ships no types
    """Gunicorn's lines pass through our log, and so through its nets for secrets."""

    def setup(self, cfg: Any) -> None:
        self.error_log = logging.getLogger("gunicorn.error")
        self.error_log.handlers, self.error_log.propagate = [], True
        self.error_log.setLevel(logging.INFO)
        self.access_log = logging.getLogger("gunicorn.access")
        self.access_log.handlers, self.access_log.propagate = [], False


class _Server(BaseApplication):  # type: ignore[misc]
    def __init__(self, build: Callable[[], Any], options: dict[str, Any]) -> None:
        self._build, self._options = build, options
        super().__init__()

    def load_config(self) -> None:
        for name, value in self._options.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        """After the fork, so that no database connection is shared by two processes."""
        return self._build()


OPTIONS: dict[str, Any] = {
    "worker_class": "gthread",
    "control_socket_disable": True,
    "graceful_timeout": GRACE,
    "timeout": 60,
    "logger_class": _Log,
    "proc_name": "remediation serve",
    # What we are called stands in the settings, and nobody's address is asked for: no proxy need be believed (by default gunicorn
    # takes scheme and script name from whoever connects from this machine).
    "forwarded_allow_ips": "",
    "forwarder_headers": "",
}


def serve(build: Callable[[], Any], *, bind: str, processes: int, threads: int) -> None:
    """Until SIGTERM or SIGINT."""
    refuse_taken_port(bind)
    _Server(build, {**OPTIONS, "bind": bind, "workers": processes, "threads": threads}).run()


def refuse_taken_port(bind: str, setting: str = "REMEDIATION_BIND") -> None:
    host, _, port = bind.rpartition(":")
    family = socket.AF_INET6 if host.startswith("[") else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host.strip("[]"), int(port)))
        except OSError as error:
            raise PortTaken(
                f"Cannot listen on {bind}: {error.strerror}. Choose another with {setting}, or end the program that has it."
            ) from error
