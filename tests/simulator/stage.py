"""The one sandbox and the one database of a run, put back to an opening for each seed; and the processes that live on them.

Making both anew would take a quarter of a second. An opening is kept as bytes: the world pickled, the database in memory.
"""

from __future__ import annotations

import pickle
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from remediation.adapters import graph, intune_partner, workspace_one
from remediation.adapters.gate import Gate
from remediation.adapters.http import Remote
from remediation.adapters.workspace_one_sign_in import BasicKey
from remediation.domain.budget import Limits
from remediation.domain.compliance import Lease
from remediation.domain.evidence import Level
from remediation.domain.watch import Pace
from remediation.ports.store import EVERYTHING
from remediation.services.world import World
from remediation.store.engine import make_engine
from remediation.store.migrations import migrate
from sandbox import graph_manners, intune
from sandbox.finder import Finder
from sandbox.server import Sandbox, SandboxConfig, create_sandbox
from sandbox.workspace_one_gate import tenant_code
from sandbox.world import GRAPH_APP_ID, INTUNE_APP_ID
from tests.proven import messages_arrive
from tests.simulator.doors import Manners, Queue, SteppedStore, WatchedBudgets
from tests.simulator.wire import Wire

ORIGIN = "http://localhost:8000"
MORNING = datetime(2026, 3, 2, 8, tzinfo=UTC)
PACE = Pace(poll=timedelta(minutes=20), sweep=timedelta(hours=1))
# A scale model: a lease of hours, so that a seed can live through several.
LEASE = Lease(since_read=timedelta(hours=3), since_check_in=timedelta(hours=8))
RECHECK = timedelta(hours=1)


@dataclass
class Kept:
    scenario: str
    world: bytes
    database: sqlite3.Connection
    diary: bytes


@dataclass(frozen=True)
class Parts:
    """What a process is wired from; `breaks` has others."""

    manager: type[workspace_one.WorkspaceOne] = workspace_one.WorkspaceOne
    channel: type[intune_partner.IntunePartnerChannel] = intune_partner.IntunePartnerChannel
    store: type[SteppedStore] = SteppedStore
    lease: Lease = LEASE


class Pass:
    """A token that never ends: how ours are got and renewed is tested with the adapters."""

    def __init__(self, token: str) -> None:
        self._headers = {"Authorization": f"Bearer {token}"}

    def headers(self) -> dict[str, str]:
        return self._headers

    def renew(self, rejected: Any) -> bool:
        return False


class Stage:
    def __init__(self, folder: Path) -> None:
        self.sandbox = create_sandbox(SandboxConfig(ca_folder=folder, product_origin=ORIGIN))
        self.sandbox.world.stands_at = MORNING
        path = folder / "simulated.sqlite"
        migrate(f"sqlite:///{path}")
        self.engine = make_engine(f"sqlite:///{path}", durable=False)
        messages_arrive(self.engine, self.sandbox.world.tenant_id)
        self.asks = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        """For the simulator's own looks at rows."""
        self._blank = self._copy_database()
        self.openings: dict[str, Kept] = {}

    def close(self) -> None:
        self.asks.close()
        self.engine.dispose()

    def keep(self, name: str, diary: object) -> None:
        """What there is now becomes an opening, with what the laws need to know of how it came about."""
        world = {k: v for k, v in vars(self.sandbox.world).items() if k != "lock" and not isinstance(v, Finder)}
        self.openings[name] = Kept(self.sandbox.world.scenario, pickle.dumps(world), self._copy_database(), pickle.dumps(diary))

    def begin(self, opening: str) -> Any:
        """An opening that was kept, or a scenario of the sandbox and an empty database; returns the diary that goes with it."""
        kept = self.openings.get(opening)
        self.sandbox.begin(kept.scenario if kept else opening)
        if kept:
            vars(self.sandbox.world).update(pickle.loads(kept.world))  # noqa: S301 - our own bytes
        raw = self.engine.raw_connection()
        try:
            driver: Any = raw.driver_connection
            (kept.database if kept else self._blank).backup(driver)
        finally:
            raw.close()
        self.tenant_id = self.sandbox.world.tenant_id
        return pickle.loads(kept.diary) if kept else None  # noqa: S301

    def _copy_database(self) -> sqlite3.Connection:
        copy = sqlite3.connect(":memory:", check_same_thread=False)
        raw = self.engine.raw_connection()
        try:
            driver: Any = raw.driver_connection
            driver.backup(copy)
        finally:
            raw.close()
        return copy


@dataclass(frozen=True)
class Around:
    """What all processes of a seed share."""

    stage: Stage
    parts: Parts
    wire: Wire
    queue: Queue
    tell: Callable[[str], None]
    decides: Callable[[str, datetime], None]
    limits: Mapping[str, Limits]
    """Of each remote's budget; none where calls are not counted."""
    manners: Manners
    chance: Callable[[], float]
    recheck: timedelta


@dataclass(frozen=True)
class Process:
    world: World
    store: SteppedStore
    budgets: WatchedBudgets
    counts: bool

    def pulse(self) -> int:
        woken = self.store.wake_due(self.world.clock(), room=self.budgets.room() if self.counts else EVERYTHING)
        if self.counts:
            self.budgets.woken(woken.to_write)
        return woken.rows


def start_process(name: str, around: Around, skew: timedelta) -> Process:
    """One process: its own adapters, caches and clock, over the store that all share."""
    sandbox, parts, wire = around.stage.sandbox, around.parts, around.wire
    tenant, mdm = sandbox.world.tenant_id, sandbox.world.mdm

    def now() -> datetime:
        return sandbox.world.now() + skew

    def remote(name: str, base: str, code: Any, credential: Any) -> Remote:
        more: dict[str, Any] = {"gate": gates[name]} if gates else {}
        return Remote(name, base, vendor_code=code, credential=credential, transport=wire, **more)

    limits = around.limits
    budgets = WatchedBudgets(around.stage.engine, tenant, clock=now, limits=limits, chance=around.chance, manners=around.manners)
    gates = {name: Gate("mdm:ws1" if name == "mdm" else name, budgets, in_flight=4) for name in limits}
    to_graph, to_intune = _token(sandbox, graph_manners.AUDIENCE), _token(sandbox, intune.AUDIENCE)
    opened = remote("directory", f"{sandbox.api_url}/graph/v1.0", graph.vendor_code, to_graph)
    directory = graph.GraphDirectory(opened, now=now)
    channel = parts.channel(
        tenant_id=tenant,
        graph=opened,
        connect=lambda base: remote("channel", base, intune_partner.vendor_code, to_intune),
        directory=directory,
        now=now,
        hosts=("127.0.0.1",),
        sleep=sandbox.world.advance,
    )
    key = BasicKey(user=mdm.client_id, password=mdm.client_secret, tenant_code=tenant_code(sandbox.world), now=sandbox.world.now)
    opened = remote("mdm", f"{sandbox.api_url}/ws1/API", workspace_one.vendor_code, key)
    manager = parts.manager("ws1", opened, now=now, group_id=mdm.group_id)
    store = parts.store(around.stage.engine, tenant, around.queue, around.tell, around.decides)
    world = World(
        store=store,
        directory=directory,
        managers={"ws1": manager},
        channels=[channel],
        clock=now,
        minimum=Level.POSSESSION,
        lease=parts.lease,
        recheck=around.recheck,
        pace=PACE,
        executor=name,
        possession_url=lambda token: f"{ORIGIN}/possession/{token}",
        message_text=lambda url, case: f"Tap to confirm {url} (case {case})",
    )
    return Process(world, store, budgets, bool(limits))


RESOURCES = {graph_manners.AUDIENCE: GRAPH_APP_ID, intune.AUDIENCE: INTUNE_APP_ID}


def _token(sandbox: Sandbox, audience: str) -> Pass:
    app = sandbox.world.apps["service"]
    roles = sorted(app.permissions[RESOURCES[audience]])
    claims = {"aud": audience, "appid": app.client_id, "tid": app.tenant_id, "roles": roles, "issued": 0.0, "exp": 1e12}
    return Pass(sandbox.keys.seal("access", claims))
