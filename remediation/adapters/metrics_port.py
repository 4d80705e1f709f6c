"""Figures for Prometheus on a port of their own, which is no page's: off unless a setting names it, and this machine's own unless
that names a host. It speaks to nobody but the monitoring system, and never under the pages' address.

The worker's are read from the database when they are asked for. The pages' are counted by each of several processes, in files of
one folder that they share (prometheus_client's multiprocess mode); whichever process has the port adds them up, and when it ends
another takes the port. https://prometheus.github.io/client_python/multiprocess/
"""

from __future__ import annotations

import errno
import logging
import os
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from threading import Lock, Thread
from typing import TYPE_CHECKING

from ..ports import FigureRows, Figures
from .metrics import registry_of

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry
    from prometheus_client.metrics_core import Metric

log = logging.getLogger(__name__)

STAND = timedelta(seconds=10)
"""For so long figures stand: however often somebody asks, the database is read no more often."""
AGAIN_EVERY = 1.0  # seconds after which a process looks whether the port has become free
FOLDER = "PROMETHEUS_MULTIPROC_DIR"
SLOW = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class PortTaken(Exception):
    """Another program listens there."""


class WorkerMetrics:
    """A collector of prometheus_client's. `remediation_figures_read` is 0 where the database gave none."""

    def __init__(self, rows: FigureRows, clock: Callable[[], datetime]) -> None:
        self._rows, self._clock, self._lock = rows, clock, Lock()
        self._read: tuple[datetime, Figures] | None = None

    def collect(self) -> Iterator[Metric]:
        from prometheus_client.metrics_core import GaugeMetricFamily

        figures = self._figures()
        read = "1 where these figures could be read from the database, 0 where not"
        yield GaugeMetricFamily("remediation_figures_read", read, value=float(figures is not None))
        if figures is not None:
            yield from registry_of(figures).collect()

    def _figures(self) -> Figures | None:
        with self._lock:
            now = self._clock()
            if self._read is None or not timedelta(0) <= now - self._read[0] < STAND:
                try:
                    self._read = now, self._rows.read(now)
                except Exception as error:  # whatever it is, the monitoring system is to get an answer
                    log.error("figures were not read (%s)", type(error).__name__)
                    return None
            return self._read[1]


def serve_worker(bind: str, rows: FigureRows, clock: Callable[[], datetime]) -> None:
    """Until the process ends. Raises PortTaken."""
    from prometheus_client import CollectorRegistry, ProcessCollector

    registry = CollectorRegistry(auto_describe=False)
    ProcessCollector(registry=registry)
    registry.register(WorkerMetrics(rows, clock))
    try:
        _listen(bind, registry)
    except OSError as error:
        raise PortTaken(
            f"Cannot listen on {bind}: {error.strerror}. Choose another with REMEDIATION_WORKER_METRICS, or end the program that "
            "has it."
        ) from error


class WebMetrics:
    """Implements `ports.Meter` for one of the processes that share `folder`; made after the fork."""

    def __init__(self, folder: Path) -> None:
        os.environ[FOLDER] = str(folder)  # read by prometheus_client when it is first imported
        from prometheus_client import CollectorRegistry, Counter, Histogram
        from prometheus_client.multiprocess import MultiProcessCollector

        own = CollectorRegistry()
        self._answers = Counter(
            "remediation_web_answers", "Answers, by the route's own pattern", ("method", "route", "status"), registry=own
        )
        self._seconds = Histogram("remediation_web_seconds", "Until the answer", ("route",), registry=own, buckets=SLOW)
        self.of_all = CollectorRegistry()
        MultiProcessCollector(self.of_all, path=str(folder))  # type: ignore[no-untyped-call]

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        self._answers.labels(method, route, f"{status // 100}xx").inc()
        self._seconds.labels(route).observe(seconds)

    def serve(self, bind: str) -> None:
        Thread(target=self._serve, args=(bind,), name="metrics", daemon=True).start()

    def _serve(self, bind: str) -> None:
        """Another process of ours has the port, as a rule; when it ends, one of the others gets it."""
        while True:
            try:
                _listen(bind, self.of_all)
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    log.error("the figures' port cannot be had (%s)", error.strerror)
                    return
                time.sleep(AGAIN_EVERY)
            else:
                return


def _listen(bind: str, registry: CollectorRegistry) -> None:
    from prometheus_client import start_http_server

    host, _, port = bind.rpartition(":")
    start_http_server(int(port), host.strip("[]"), registry)
