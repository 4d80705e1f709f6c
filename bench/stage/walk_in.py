"""One person after the other before the same product: its web app on a socket, its worker's services on the same database, a
stand-in tenant whose clock only the bench moves. Each person finds the tenant and the database as on the first day.

There is no engine here: `works` calls the services for each row that was woken or whose time has come, as engine and pulse would.
Next door: `reader` (who reads the pages), `in_chromium` (the same with processes and a browser).
"""

import os
import shutil
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any

import sqlalchemy as sa
from jinja2 import BaseLoader
from werkzeug.serving import WSGIRequestHandler, make_server

from remediation import wiring
from remediation.adapters import sealing, workspace_one_events
from remediation.services.look import look
from remediation.services.push_compliance import bring_to_rest
from remediation.settings import WebSettings, WorkerSettings
from remediation.settings.reading import read
from remediation.store import tables
from remediation.store.engine import make_engine
from remediation.store.look_up import SqlLookUp
from remediation.store.migrations import migrate
from remediation.store.onboarding import SqlChoices
from remediation.store.sessions import SqlSessions, SqlSignInStates
from remediation.store.store import SqlStore
from remediation.store.wakeups import DbosWakeups
from remediation.web import build_web
from remediation.web.set_up import SetUp
from sandbox import demo
from sandbox.server import create_sandbox
from tests.journeys.ports import free_port
from tests.proven import messages_arrive
from tests.wsgi_adapter import WSGIAdapter

KEY = "a-key-for-benches-only-that-is-long-enough-to-be-taken"
HINDSIGHT = timedelta(minutes=55)
"""Whoever signs in again after a long wait must not hold a token of tomorrow: a token's times are held to the machine's clock."""


class WalkIn:
    """`templates` stands before the product's own: a seeded fault. `deaf`: nobody looks at a row a second time."""

    def __init__(self, folder: Path, *, templates: BaseLoader | None = None, deaf: bool = False) -> None:
        self.folder, self.deaf, self._templates = folder, deaf, templates
        self._fresh, self._file = folder / "fresh.sqlite", folder / "remediation.sqlite"
        migrate(f"sqlite:///{self._fresh}")
        shutil.copy(self._fresh, self._file)
        self.ports = demo.Ports(free_port(), free_port(), free_port())
        self.sandbox = create_sandbox(demo.tenant_for(self.ports, folder))
        self.world = self.sandbox.world
        self.spent = 0.0
        """Seconds of this machine that the worker's services took for the person who is here."""
        self._attended: dict[tuple[str, str], int] = {}
        self._lock = threading.Lock()

    def __enter__(self) -> "WalkIn":
        self.sandbox.start()
        given = demo.product_settings(self.sandbox, self.ports, self.folder, KEY) | demo.second_mdm(self.sandbox)
        with _environment(given | {"REMEDIATION_DATABASE_URL": f"sqlite:///{self._file}"}):
            web, worker = read(WebSettings), read(WorkerSettings)
        self.engine = make_engine(f"sqlite:///{self._file}", durable=False)
        self.store = SqlStore(self.engine, web.tenant_id, DbosWakeups(self.engine))
        transport = WSGIAdapter(self.sandbox.api)
        transport.requests = _Forgotten()
        budgets = wiring.build_budgets(worker, self.engine, clock=self.world.now)
        self.services = wiring.build_world(worker, self.store, budgets, transport=transport, clock=self.world.now)
        self._web(web)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._server.shutdown()
        self.sandbox.stop()
        self.engine.dispose()

    def _web(self, settings: WebSettings) -> None:
        sessions, states = SqlSessions(self.engine, settings.tenant_id), SqlSignInStates(self.engine, settings.tenant_id)
        half = sealing.public_half(settings.secret_key.get_secret_value())
        set_up = SetUp(SqlChoices(self.engine, settings.tenant_id), sealing.seal, half)
        more: dict[str, Any] = {"set_up": set_up, "events": workspace_one_events.hint_of, "clock": self.world.now}
        app = build_web(settings, self.store, sessions, states, SqlLookUp(self.engine, settings.tenant_id), **more)
        app.config["PATIENCE"] = 0  # nobody works while a page waits
        if self._templates is not None:
            app.jinja_env.loader, app.jinja_env.cache = self._templates, None
        self._server = make_server("127.0.0.1", self.ports.product, app, threaded=True, request_handler=Silent)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def origin(self) -> str:
        return f"http://localhost:{self.ports.product}"

    def begins(self, scenario: str, seed: int) -> None:
        """As on the first day, for the next person."""
        self.engine.dispose()
        for path in self.folder.glob("remediation.sqlite-*"):
            path.unlink()
        shutil.copy(self._fresh, self._file)
        self.world.stands_at = datetime.now(UTC) - HINDSIGHT
        self.sandbox.begin(scenario, devices_seed=seed)
        for connection in ("ws1", "maas"):
            messages_arrive(self.engine, self.world.tenant_id, connection)
        self._attended.clear()
        self.spent = 0.0

    def passes(self, seconds: float) -> None:
        self.world.advance(seconds)
        self.works()

    def works(self) -> None:
        begun = time.perf_counter()
        for _ in range(3):  # what one pass wakes, the next one does
            due = [*self._due("journeys", "id"), *self._due("pushes", "link_id")]
            for table, row in due:
                if table == "journeys":
                    look(row, world=self.services)
                else:
                    bring_to_rest(row, world=self.services)
            if not due:
                break
        self.spent += time.perf_counter() - begun

    def _due(self, table: str, column: str) -> Iterator[tuple[str, str]]:
        now = self.world.now()
        with self.engine.connect().execution_options(reads=True) as connection:
            rows = connection.execute(sa.select(tables.metadata.tables[table])).mappings().all()
        for row in rows:
            key = (table, str(row[column]))
            woken, next_at = self._attended.get(key) != row["wake"], row["next_look_at"]
            if self.deaf and key in self._attended:
                continue
            if woken or (next_at is not None and next_at <= now):
                self._attended[key] = row["wake"]
                yield key


class Silent(WSGIRequestHandler):
    def log(self, kind: str, message: str, *args: Any) -> None:
        """A line for each request would hide the figures."""


class _Forgotten(list[Any]):
    def append(self, item: Any) -> None:
        """A million requests would be kept else."""


@contextmanager
def _environment(settings: Mapping[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.clear()
    os.environ.update({k: v for k, v in before.items() if not k.startswith("REMEDIATION_")} | dict(settings))
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
