"""What the promises say when things go down: the database away for ten seconds and killed, no room on the disk, an MDM that is
silent for longer than a lease.

* `database` (PostgreSQL): stopped for ten seconds, then killed, while phones flip. The workers stay; nothing is lost. `first_push`:
  seconds from the server's being ready to the first message
* `disk_full` (SQLite, on a small file system of its own; needs the right to mount one): writes are refused, reads are not,
nothing is lost once there is room
* `mdm_silent` (in one process, the clock is moved): each device goes down at the end of its lease, never earlier, and comes back

`--break forgiving` gives the last one a store that never lets a lease end: `wrong` must count.
"""

import os
import random
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from bench.stage.broken import ForgivingStore
from bench.stage.company import Company
from bench.stage.crew import Crew
from bench.stage.fill import link_of
from bench.stage.in_process import Unheard, world_of
from bench.stage.judge import judge, received
from remediation.services.push_compliance import bring_to_rest
from remediation.store.store import SqlStore
from remediation.store.tables import pushes
from sandbox.faults import Fault
from tests.postgres import CARELESS

if TYPE_CHECKING:
    from bench.__main__ import Options

Say = Callable[[str], None]
WORKERS = ("worker-1", "worker-2")
SILENT_FOR = timedelta(hours=80)
STEP = timedelta(minutes=1)


@dataclass(frozen=True)
class Size:
    devices: int
    away: float
    leases: int


def run(options: "Options", say: Say) -> dict[str, Any]:
    return play(Size(60, 3, 20) if options.quick else Size(300, 10, 300), options.db, options.seed, options.broken, say)


def play(size: Size, db: str, seed: int, broken: str | None, say: Say) -> dict[str, Any]:
    figures: dict[str, Any] = {}
    if broken is None:
        figures = _database(size, seed, say) if db == "postgresql" else _disk_full(size, seed, say)
    return {**figures, "mdm_silent": _mdm_silent(size, db, seed, broken, say)}


# the database


def _database(size: Size, seed: int, say: Say) -> dict[str, Any]:
    with (
        Company("postgresql", size.devices, seed) as company,
        Crew(company.environment(), company.folder) as crew,
    ):
        server = _Server(company.url)
        _all_at_work(company, crew, random.Random(seed))
        stopped = _while_away(company, server, "fast", size.away, random.Random(seed + 1))
        say(f"  stopped for {size.away} s: first push {stopped} s after it was back")
        killed = _while_away(company, server, "immediate", 0, random.Random(seed + 2))
        say(f"  killed: first push {killed} s after it was back")
        company.agrees(within=150, say=say)
        crew.check()
        return {"database": {**judge(company), "first_push": {"stopped": stopped, "killed": killed}}}


def _all_at_work(company: Company, crew: Crew, chance: random.Random) -> None:
    """A worker that has no database yet when it starts ends, as it should, and would show nothing."""
    for name in WORKERS:
        crew.start(name)
    ends, engines = time.monotonic() + 60, "workflow_status" if company.engine.dialect.name == "sqlite" else "dbos.workflow_status"
    seen: set[str] = set()
    while not seen.issuperset(WORKERS):
        crew.check()
        if time.monotonic() > ends:
            raise AssertionError(f"only {sorted(seen)} came to work")
        company.hint(chance.sample(company.members, len(company.members) // 2))
        time.sleep(0.5)
        with company.engine.connect() as connection:
            seen = {row[0] for row in connection.execute(sa.text(f"SELECT DISTINCT executor_id FROM {engines}"))}  # noqa: S608
    _flip_some(company, chance)


def _flip_some(company: Company, chance: random.Random) -> None:
    chosen = chance.sample(company.members, len(company.members) // 2)
    company.flip(chosen)
    company.hint(chosen)


def _while_away(company: Company, server: "_Server", how: str, seconds: float, chance: random.Random) -> float | None:
    """Phones flip before, and while it is away; who would have hinted comes again afterwards."""
    _flip_some(company, chance)
    time.sleep(chance.uniform(0.3, 1.0))
    server.run("stop", "-m", how)
    missed = chance.sample(company.members, len(company.members) // 4)
    company.flip(missed)
    time.sleep(seconds)
    company.books.read()
    server.run("start", "-l", str(server.folder / "log"), "-o", server.options)
    ready, before = time.monotonic(), len(company.books.messages)
    company.engine.dispose()
    company.hint(missed)
    while time.monotonic() - ready < 60:
        company.books.read()
        if len(company.books.messages) > before:
            return round(time.monotonic() - ready, 1)
        time.sleep(0.05)
    return None


class _Server:
    """Debian's programs, as `tests.postgres` started them."""

    def __init__(self, url: str) -> None:
        self.folder = Path(str(sa.make_url(url).query["host"]))
        self.options = f"{CARELESS} -c listen_addresses='' -c unix_socket_directories={self.folder}"
        found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: int(p.parent.name))
        self._program = found[-1] / "pg_ctl"

    def run(self, what: str, *arguments: str) -> None:
        user = "postgres" if os.geteuid() == 0 else None
        command = [str(self._program), what, "-w", "-D", str(self.folder / "data"), *arguments]
        subprocess.run(command, user=user, group=user, extra_groups=[] if user else None, check=True, stdout=subprocess.DEVNULL)


# the disk


def _disk_full(size: Size, seed: int, say: Say) -> dict[str, Any]:
    with _small_disk() as disk:
        if disk is None:
            return {"disk_full": "not measured: no right to mount a small file system here"}
        with (
            Company("sqlite", size.devices, seed, disk=disk) as company,
            Crew(company.environment(), company.folder) as crew,
        ):
            _all_at_work(company, crew, random.Random(seed))
            time.sleep(1)
            with closing(sqlite3.connect(sa.make_url(company.url).database or "")) as connection:
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # there would be room in it else
            ballast = _fill_up(disk)
            refused = reads = 0
            chosen = random.Random(seed + 1).sample(company.members, size.devices // 2)
            company.flip(chosen)
            for member in chosen:
                try:
                    company.hint([member])
                except sa.exc.OperationalError:
                    refused += 1
                reads += company.store.push(link_of(member)) is not None
            time.sleep(size.away)
            say(f"  full: {refused} of {len(chosen)} writes refused, {reads} of {len(chosen)} reads answered")
            ballast.unlink()
            freed = time.monotonic()
            company.hint(chosen)
            agreed = company.agrees(within=150, calm=0, say=say)
            took = round(time.monotonic() - freed, 1)
            company.agrees(within=10)
            crew.check()
            with company.engine.connect() as connection:
                whole = connection.execute(sa.text("PRAGMA integrity_check")).scalar_one()
            figures = {"writes_refused": refused, "reads_answered": reads, "of": len(chosen), "integrity": whole}
            return {"disk_full": {**judge(company), **figures, "agreed": agreed, "agreed_after": took}}


@contextmanager
def _small_disk() -> Iterator[Path | None]:
    with tempfile.TemporaryDirectory() as folder:
        mount = ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", folder]
        if subprocess.run(mount, check=False, capture_output=True).returncode:
            yield None
            return
        try:
            yield Path(folder)
        finally:
            subprocess.run(["umount", "--lazy", folder], check=True)


def _fill_up(disk: Path) -> Path:
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        for piece in (1 << 16, 1 << 12, 1):
            try:
                while True:
                    file.write(b"\0" * piece)
            except OSError:
                continue
    return ballast


# the MDM


def _mdm_silent(size: Size, db: str, seed: int, broken: str | None, say: Say) -> dict[str, Any]:
    with Company(db, size.leases, seed, sockets=False, lag=0) as company:
        store = (ForgivingStore if broken == "forgiving" else SqlStore)(company.engine, company.world.tenant_id, Unheard())
        clock = _Still(company)
        ends = _spread_leases(company, random.Random(seed))
        world = world_of(company, store)
        company.sandbox.faults.add(Fault("workspace_one", "down"))
        passes = clock.bring_until(max(ends.values()) + STEP, lambda link: bring_to_rest(link, world=world))
        told = {message.device_id: message.update_time for message in received(company) if not message.compliant}
        left = [device for device in ends if device not in told]
        late = [(told[device] - ends[device]).total_seconds() for device in told]
        say(f"  {len(told)} of {len(ends)} pushed down, at most {max(late, default=0):.0f} s after the end of the lease")
        company.sandbox.faults.clear()
        passes += clock.bring_until(company.world.now() + timedelta(hours=2), lambda link: bring_to_rest(link, world=world))
        return {
            "wrong": len(left),
            "early": sum(after < 0 for after in late),
            "late_seconds": round(max(late, default=0), 1),
            "not_back": len(company.differing()),
            "leases": len(ends),
            "passes": passes,
        }


def _spread_leases(company: Company, chance: random.Random) -> dict[str, datetime]:
    """Read at different times, so the leases end at different times; each row sleeps until an hour before."""
    ends = {}
    with company.engine.begin() as connection:
        for member in company.members:
            until = company.world.now() + timedelta(seconds=chance.uniform(3700, SILENT_FOR.total_seconds()))
            ends[member.device.device_id] = until
            values = {"compliant_until": until, "next_look_at": until - timedelta(hours=1)}
            connection.execute(sa.update(pushes).where(pushes.c.link_id == link_of(member)).values(**values))
    return ends


class _Still:
    """Time that goes from one due row to the next."""

    def __init__(self, company: Company) -> None:
        self._company = company

    def bring_until(self, end: datetime, bring: Callable[[str], None]) -> int:
        passes, world = 0, self._company.world
        while True:
            with self._company.engine.connect() as connection:
                first = connection.execute(sa.select(sa.func.min(pushes.c.next_look_at))).scalar_one()
                due = [] if first is None else self._due(connection, max(first, world.now()))
            if first is None or first > end:
                world.advance(max(0.0, (end - world.now()).total_seconds()))
                return passes
            world.advance(max(0.0, (first.astimezone(UTC) - world.now()).total_seconds()))
            for link in due:
                bring(link)
                passes += 1

    def _due(self, connection: sa.Connection, at: datetime) -> list[str]:
        return list(connection.execute(sa.select(pushes.c.link_id).where(pushes.c.next_look_at <= at)).scalars())
