"""Workers that are frozen past their turn while the state flips, and wake when others have told the news: nothing old may take
effect.

Three workers as processes. In each event some phones flip, one worker is stopped (SIGSTOP) in the middle of its passes, the same
phones flip back, the other two tell that, and the frozen one goes on (SIGCONT) with what it had read before. The
directory takes 0.2 s for each answer, so that most are frozen with the MDM read and nothing written. `overtaken` counts passes of a
frozen worker whose device another worker has judged meanwhile, by a newer read.

`--break no_compare` runs workers that tell what they read and write it down without comparing the sequence: `stale` must count.
"""

import random
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from bench.stage.company import Company
from bench.stage.crew import Crew
from bench.stage.fill import link_of
from bench.stage.judge import judge
from remediation.store.tables import pushes
from sandbox.crowd import Member
from sandbox.faults import Fault

if TYPE_CHECKING:
    from bench.__main__ import Options

WORKERS = ("worker-1", "worker-2", "worker-3")
SLOW = 0.2
AT_ONCE = 12
OVERTAKEN_WITHIN = 5.0


@dataclass(frozen=True)
class Size:
    devices: int
    events: int


def run(options: "Options", say: Callable[[str], None]) -> dict[str, Any]:
    size = Size(120, 10) if options.quick else Size(1000, 300)
    return play(size, options.db, options.seed, options.broken, say)


def play(size: Size, db: str, seed: int, broken: str | None, say: Callable[[str], None]) -> dict[str, Any]:
    begun, chance = time.monotonic(), random.Random(seed)
    with (
        Company(db, size.devices, seed, lag=0.05, impatient=True) as company,
        Crew(company.environment(), company.folder, fault=broken) as crew,
    ):
        company.sandbox.faults.add(Fault("graph", "slow", seconds=SLOW))
        for name in WORKERS:
            crew.start(name)
        company.flip(company.members[:3])
        company.hint(company.members[:3])
        company.agrees(within=20, calm=0)
        events = overtaken = tried = 0
        while events < size.events and tried < 4 * size.events:
            tried += 1
            found = _event(company, crew, chance)
            overtaken += found
            events += found > 0
            if tried % 20 == 0:
                say(f"  {events} of {tried} froze in the middle; {overtaken} passes overtaken")
        settled = company.agrees(within=4 if broken else 150, say=say)
        say(f"settled: {settled}")
        return {**judge(company), "events": events, "overtaken": overtaken, "seconds": round(time.monotonic() - begun)}


def _event(company: Company, crew: Crew, chance: random.Random) -> int:
    """How many passes of the frozen worker were overtaken."""
    chosen = chance.sample(company.members, min(AT_ONCE, len(company.members)))
    company.flip(chosen)
    for member in (*chosen, *chosen):  # a webhook that is delivered twice: two passes may carry one piece of news, one is frozen
        _hint_until_heard(company, member)
    zombie = _busiest(company, chosen)
    time.sleep(chance.uniform(0, 0.4))
    unheard: list[Member] = []
    try:
        if not _frozen_unlocked(company, crew, zombie, chance):
            return 0
        held = _passes_of(company, zombie, chosen)
        company.flip(chosen)
        flipped = company.world.now()
        for member in chosen:
            try:
                company.hint([member])
            except sa.exc.OperationalError:
                unheard.append(member)  # the frozen one holds this row: whoever hints has to try again
        return _overtaken(company, [member for member in held if member not in unheard], flipped)
    finally:
        crew.thaw(zombie)
        for member in unheard:
            _hint_until_heard(company, member)
        company.agrees(within=3, calm=0)  # else a backlog grows, and whoever is frozen holds nothing that was just flipped


def _busiest(company: Company, chosen: list[Member]) -> str:
    """Who has most of these in hand, once somebody has any."""
    until = time.monotonic() + 3
    while True:
        most = max(WORKERS, key=lambda worker: len(_passes_of(company, worker, chosen)))
        if _passes_of(company, most, chosen) or time.monotonic() > until:
            return most
        time.sleep(0.02)


def _frozen_unlocked(company: Company, crew: Crew, zombie: str, chance: random.Random) -> bool:
    """Freezes it in the middle of its passes, but not where it holds the lock that all others need: nobody could overtake it."""
    for _ in range(20):
        crew.freeze(zombie)
        if not _locked(company):
            return True
        crew.thaw(zombie)
        time.sleep(chance.uniform(0.001, 0.02))
    return False


def _hint_until_heard(company: Company, member: Member) -> None:
    for _ in range(100):
        try:
            return company.hint([member])
        except sa.exc.OperationalError:
            time.sleep(0.1)
    raise AssertionError("the row stays locked, though nobody is frozen")


def _overtaken(company: Company, held: list[Member], since: datetime) -> int:
    """How many of these another worker has judged by a newer read."""
    newer = sa.select(sa.func.count()).where(pushes.c.link_id.in_(map(link_of, held)), pushes.c.posture_read_at > since)
    found, until = 0, time.monotonic() + OVERTAKEN_WITHIN
    while time.monotonic() < until and found < len(held):
        company.books.read()
        time.sleep(0.05)
        with company.engine.connect().execution_options(reads=True) as connection:
            found = connection.execute(newer).scalar_one()
    return found


def _passes_of(company: Company, worker: str, among: list[Member]) -> list[Member]:
    """Which of these the worker has in hand, by the engine's rows."""
    schema = "dbos" if company.engine.dialect.name == "postgresql" else None
    table = sa.table("workflow_status", *(sa.column(c) for c in ("workflow_uuid", "status", "executor_id")), schema=schema)
    held = sa.select(table.c.workflow_uuid).where(table.c.status == "PENDING", table.c.executor_id == worker)
    with company.engine.connect().execution_options(reads=True) as connection:
        links = {str(wake_up).rpartition(":")[0] for wake_up in connection.execute(held).scalars()}
    return [member for member in among if link_of(member) in links]


def _locked(company: Company) -> bool:
    """SQLite lets one writer in at a time, and this one may be frozen."""
    if company.engine.dialect.name != "sqlite":
        return False
    with closing(sqlite3.connect(str(company.engine.url.database), timeout=0.15, isolation_level=None)) as probe:
        try:
            probe.execute("BEGIN IMMEDIATE")
            probe.execute("ROLLBACK")
        except sqlite3.OperationalError:
            return True
    return False
