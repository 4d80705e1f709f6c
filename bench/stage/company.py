"""A stand-in tenant on sockets with a crowd of linked devices, and the product's database filled alike: flip, hint, wait, count.

Next door: `crew` has the workers, `judge` says what became of it.
"""

import re
import sqlite3
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any

import sqlalchemy as sa

from bench.stage.fill import fill, link_of
from remediation.domain.push import Lane
from remediation.domain.watch import watch_names
from remediation.ports import Actor
from remediation.settings import WorkerSettings
from remediation.settings.names import environment_of
from remediation.store.engine import make_engine
from remediation.store.migrations import migrate
from remediation.store.store import SqlStore
from remediation.store.tables import pushes, watches
from remediation.store.wakeups import DbosWakeups
from sandbox import crowd, demo
from sandbox.clock import Clock
from sandbox.crowd import Member
from sandbox.ledger import Entry
from sandbox.server import Sandbox, SandboxConfig, create_sandbox
from tests.postgres import running_postgres
from tests.proven import messages_arrive

KEY = "a-key-for-benches-only-that-is-long-enough-to-be-taken"
WIDE = ("DIRECTORY_CALLS", "CHANNEL_CALLS", "CHANNEL_WRITES", "MDM_WS1_CALLS", "ENTRA_CALLS")
KINDS = (
    ("DataUploadMessages", "message"),
    ("oauth2|connect/token|openid", "token"),
    ("devices/search|v1.0/devices$", "list"),
    ("registeredOwners", "owner"),
    ("servicePrincipals", "discovery"),
    ("/compliance$", "compliance"),
    ("customattribute", "note"),
    (r"mdm/devices/\d+$|devices\(", "one"),
)
HINTS = Actor("bench", "hints")


@dataclass
class Books:
    """The sandbox's ledger, read in time and counted: entries themselves would fill the memory."""

    sandbox: Sandbox
    clock: Clock
    calls: Counter[str] = field(default_factory=Counter)
    """By service and what was asked, messages by method."""
    refused: Counter[str] = field(default_factory=Counter)
    """429 by service."""
    inside: list[float] = field(default_factory=list)
    """Each call inside a Retry-After window: real seconds from the 429's leaving the service to the call's leaving its sender."""
    messages: Counter[str] = field(default_factory=Counter)
    """How often each message id was sent."""
    _read_to: int = 0

    def read(self) -> None:
        entries = self.sandbox.ledger.since(self._read_to)
        if entries and entries[0].seq != self._read_to + 1:
            raise AssertionError("the ledger was read too late, and some of it is lost")
        for entry in entries:
            self._count(entry)
        self._read_to = entries[-1].seq if entries else self._read_to

    def _count(self, entry: Entry) -> None:
        kind = next((name for pattern, name in KINDS if re.search(pattern, entry.path)), "else")
        self.calls[f"{entry.service}.{kind}" + (f".{entry.method}" if kind == "message" else "")] += 1
        if entry.status == 429:
            self.refused[entry.service] += 1
        if entry.inside is not None:
            self.inside.append(self._left_after(entry, entry.inside))
        if kind == "message" and entry.method == "PUT":
            self.messages[entry.path.rpartition("'")[0].rpartition("'")[2]] += 1

    def _left_after(self, entry: Entry, inside: float) -> float:
        told = self.clock.really_at(datetime.fromisoformat(entry.at) - timedelta(seconds=inside))
        return (datetime.fromisoformat(entry.headers["X-Sent-At"]) - told).total_seconds()


class Company:
    """`db` is `sqlite` or `postgresql`; `pace` is how many times as fast the world's clock goes, and the workers' with it. The
    first `unwell` of the crowd are not compliant, and everybody knows it. A SQLite file may lie on a `disk` of its own."""

    def __init__(
        self,
        db: str,
        size: int,
        seed: int,
        *,
        unwell: int = 0,
        sockets: bool = True,
        pace: float = 1,
        lag: float = 0.2,
        disk: Path | None = None,
        impatient: bool = False,
    ) -> None:
        self._stack = ExitStack()
        self.folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory()))
        self.url = database(db, disk or self.folder, self._stack)
        config = SandboxConfig(ca_folder=self.folder / "ca", ledger_length=200_000)
        self.sandbox = create_sandbox(config)
        self.sandbox.begin(config.scenario, devices_seed=seed)
        self.world = self.sandbox.world
        self.world.page_size = 999  # Graph's own largest, for `devices`
        self.world.lags.processing_lag = self.world.lags.compliance_lag = lag
        self.clock = self.world.go_at(pace)
        self.members = [*crowd.gather(self.world, unwell), *crowd.gather(self.world, size - unwell)]
        crowd.report(self.world, self.members[:unwell], passcode=False)
        for member in self.members[:unwell]:
            member.device.is_compliant = False
        self.books = Books(self.sandbox, self.clock)
        self.truth = {m.device.device_id: [(stamp(m.record.last_seen), m.phone.health.passcode)] for m in self.members}
        """What was true of each device, in order: when the phone told its MDM, and whether it was well."""
        if sockets:
            self.sandbox.start(api_port=0, pages_port=0)
        self.engine = make_engine(self.url)
        if impatient:
            sa.event.listen(self.engine, "connect", _impatient)
        self.store = SqlStore(self.engine, self.world.tenant_id, DbosWakeups(self.engine))
        fill(self.engine, self.world, self.members)
        messages_arrive(self.engine, self.world.tenant_id)

    def __enter__(self) -> "Company":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.engine.dispose()
        self.sandbox.stop()
        self._stack.close()

    def environment(self, *, wide: bool = True) -> dict[str, str]:
        """For a worker. Nothing but hints and its own timers make it look: a recheck would mend what a bench is to find. `wide`
        budgets are for a stand-in without `limits`, which takes every call; else the product's own are in force."""
        ports = demo.Ports(8000, 8100, 8143)
        settings = demo.product_settings(self.sandbox, ports, self.folder, KEY)
        settings |= {
            "REMEDIATION_DATABASE_URL": self.url,
            "REMEDIATION_RECHECK_SECONDS": "86400",
            "REMEDIATION_QUEUE_CONCURRENCY": "8",
            **(dict.fromkeys((f"REMEDIATION_{name}" for name in WIDE), "100000/10") if wide else {}),
        }
        return environment_of(WorkerSettings, demo.environment(settings))

    # what happens in it

    def flip(self, members: Iterable[Member]) -> None:
        """Each phone's passcode goes, or comes back, and its MDM hears of it at once."""
        with self.world.settled():
            for member in members:
                well = not member.phone.health.passcode
                crowd.report(self.world, [member], passcode=well)
                history = self.truth[member.device.device_id]
                while stamp(member.record.last_seen) <= history[-1][0]:  # a millisecond tells one report from another
                    member.record.last_seen = self.world.now()
                history.append((stamp(member.record.last_seen), well))

    def has_read_its_lists(self) -> bool:
        """Each of them to its end, once."""
        of_lists = watches.c.name.in_(watch_names(["ws1"]))
        with self.engine.connect().execution_options(reads=True) as connection:
            done = connection.execute(sa.select(watches.c.done_at).where(of_lists)).scalars().all()
        return bool(done) and None not in done

    def hint(self, members: Iterable[Member], *, lane: Lane = Lane.SWEEP) -> None:
        """As a webhook would: the row is marked and its wake-up enqueued; what changed is not said."""
        for member in members:
            link = link_of(member)
            with self.store.change(HINTS, "hint.received", about=("link", link), at=self.world.now()) as change:
                change.wake_link(link, lane=lane)

    def mark(self, members: Iterable[Member]) -> None:
        """As a list that was read does: the rows are due, many at a time, and the pulse wakes them as there is room."""
        due = {"next_look_at": self.world.now(), "lane": Lane.SWEEP, "following": False}
        links = [link_of(member) for member in members]
        with self.engine.begin() as connection:
            for start in range(0, len(links), 500):
                some = pushes.c.link_id.in_(links[start : start + 500])
                connection.execute(sa.update(pushes).where(pushes.c.tenant_id == self.world.tenant_id, some).values(**due))

    # what there is to see

    def differing(self, among: Iterable[Member] | None = None) -> list[Member]:
        """Those of whom Entra shows another thing than is true."""
        with self.world.settled():
            chosen = self.members if among is None else among
            return [m for m in chosen if (m.device.is_compliant is True) is not self.truth[m.device.device_id][-1][1]]

    def agrees(self, *, within: float, calm: float = 2.0, say: Callable[[str], None] | None = None) -> bool:
        """Waits until Entra shows what is true of everybody, and still does after `calm` more seconds."""
        until, told, since = time.monotonic() + within, time.monotonic(), None
        while time.monotonic() < until:
            self.books.read()
            differing = self.differing()
            since = None if differing else since or time.monotonic()
            if since is not None and time.monotonic() - since >= calm:
                return True
            if say is not None and time.monotonic() - told > 10:
                told = time.monotonic()
                say(f"  {len(differing)} still differ")
            time.sleep(0.1)
        return False


def stamp(at: datetime) -> int:
    """Milliseconds, as the wire has them."""
    return int(at.timestamp() * 1000)


def _impatient(dbapi: Any, _record: Any) -> None:
    """For the bench itself: a row that a frozen worker holds must not stop the bench that would let it go on."""
    dbapi.execute("PRAGMA busy_timeout=3000" if isinstance(dbapi, sqlite3.Connection) else "SET lock_timeout = 300")
    dbapi.commit()


def database(db: str, folder: Path, stack: ExitStack, *, large: bool = False) -> str:
    """A fresh migrated one, for as long as the stack is open; on disk where it gets `large`."""
    if db == "sqlite":
        url = f"sqlite:///{folder / 'bench.sqlite'}"
    else:
        server = sa.make_url(stack.enter_context(running_postgres(large=large)))
        admin = sa.create_engine(server.set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
        with admin.connect() as connection:
            connection.execute(sa.text("CREATE DATABASE bench"))
        admin.dispose()
        url = server.set(database="bench").render_as_string(hide_password=False)
    migrate(url)
    return url
