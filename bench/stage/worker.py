"""One worker of the product as a process: what `remediation work` runs, from the same settings, with other parts where a bench
says so.

Forked off a server that has imported everything, so that a thousand starts cost a tenth of a second each. Next door: `crew`
starts it.
"""

import os
import signal
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

import requests
import sqlalchemy as sa
import structlog
from requests.adapters import HTTPAdapter

from bench.stage import broken
from remediation import log, wiring
from remediation.ports import Store, Wakeups
from remediation.services.push_compliance import bring_to_rest
from remediation.settings import WorkerSettings
from remediation.settings.reading import read
from remediation.store.store import SqlStore
from sandbox.clock import Clock

SERVICES = {"mark_first": broken.mark_first, "no_compare": broken.tell_what_was_read}


@dataclass(frozen=True)
class Death:
    """Kills its own process at the `at`-th commit of ours or call to a remote since it began: before it happened, or after. Of
    calls, only those count whose address holds `where`."""

    what: Literal["commit", "call"]
    at: int
    after: bool
    where: str = ""


@dataclass(frozen=True)
class Order:
    """What a worker is started with. `fault` names what is seeded."""

    environment: Mapping[str, str]
    log_file: str
    fault: str | None = None
    death: Death | None = None
    clock: Clock | None = None
    more: Mapping[str, Any] = field(default_factory=dict)


def work(order: Order) -> None:
    """The process's whole life."""
    with open(order.log_file, "ab") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    os.environ.clear()
    os.environ.update(order.environment)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the bench's; it ends us itself
    log.set_up("worker")
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(30))
    wiring.build_worker(read(WorkerSettings), parts(order)).run()


def parts(order: Order) -> wiring.Parts:
    store: Any = broken.CarelessStore if order.fault == "no_compare" else SqlStore
    counter = _Counter(order.death)

    def make_store(engine: sa.Engine, tenant_id: str, wakeups: Wakeups) -> Store:
        counter.watch(engine)
        made: Store = store(engine, tenant_id, wakeups)
        return made

    return wiring.Parts(
        clock=order.clock or wiring.now,
        due_every=wiring.DUE_EVERY / (order.clock.pace if order.clock else 1),
        budgets=broken.apart if order.fault == "apart" else lambda budgets: budgets,
        store=make_store,
        transport=_Wire(counter),
        bring_to_rest=SERVICES.get(order.fault or "", bring_to_rest),
    )


class _Counter:
    def __init__(self, death: Death | None) -> None:
        self._death, self._seen, self._lock = death, 0, threading.Lock()
        self._wrote = threading.local()

    def before(self, address: str | None = None) -> bool:
        """Counts a call to this address, or a commit; True where it is the one after which to die."""
        counted = "commit" if address is None else "call"
        if self._death is None or self._death.what != counted or self._death.where not in (address or ""):
            return False
        with self._lock:
            self._seen += 1
            mine = self._seen == self._death.at
        if mine and not self._death.after:
            die()
        return mine

    def watch(self, engine: sa.Engine) -> None:
        """Commits of write transactions, those of the pulse aside: a connection goes back to its pool right after its commit."""

        def commits(connection: sa.Connection) -> None:
            options = connection.get_execution_options()
            reads = options.get("reads") or options.get("postgresql_readonly")
            if not reads and threading.current_thread().name != "due rows":
                self._wrote.last = self.before()

        def comes_back(_dbapi: Any, _record: Any) -> None:
            if getattr(self._wrote, "last", False):
                die()

        sa.event.listen(engine, "commit", commits)
        sa.event.listen(engine, "checkin", comes_back)


class _Wire(HTTPAdapter):
    """The product's own way out, but that each call says when it left, and that one may be the last."""

    def __init__(self, counter: _Counter) -> None:
        super().__init__(max_retries=0, pool_maxsize=20)
        self._counter = counter

    def send(self, request: requests.PreparedRequest, *args: Any, **kw: Any) -> requests.Response:
        last = self._counter.before(str(request.url))
        request.headers["X-Sent-At"] = datetime.now(UTC).isoformat()
        answer = super().send(request, *args, **kw)
        if last:
            die()
        return answer


def die() -> None:
    """As a power cut would: nothing is said, closed or written any more."""
    sys.stderr.write("killed by itself\n")
    os.kill(os.getpid(), signal.SIGKILL)
