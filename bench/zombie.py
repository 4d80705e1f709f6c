"""Workers that are frozen past their turn while the state flips, and wake when others have told the news: nothing old may take
effect.

Three workers as processes. In each event some phones flip, one worker is stopped (SIGSTOP) in the middle of its passes, the same
phones flip back, the other two tell that, and the frozen one goes on (SIGCONT) with what it had read before. The
directory takes 0.2 s for each answer, so that most are frozen with the MDM read and nothing written. `overtaken` counts passes of a
frozen worker over whose device newer news took effect meanwhile.

`--break no_compare` runs workers that tell what they read and write it down without comparing the sequence: `stale` must count.
"""

import random
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from bench.stage.company import Company
from bench.stage.crew import Crew
from bench.stage.fill import link_of
from bench.stage.judge import judge
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
    with Company(db, size.devices, seed, lag=0.05) as company, Crew(company.environment(), company.folder, fault=broken) as crew:
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
    chosen, zombie = chance.sample(company.members, min(AT_ONCE, len(company.members))), chance.choice(WORKERS)
    company.flip(chosen)
    company.hint(chosen)
    company.hint(chosen)  # a webhook that is delivered twice: two passes may carry the same news, and one of them is frozen
    time.sleep(chance.uniform(0.1, 0.8))
    crew.freeze(zombie)
    unheard: list[Member] = []
    try:
        if _locked(company):
            return 0  # it holds the lock that all others need, and nobody can overtake it
        held = _passes_of(company, zombie, chosen)
        company.flip(chosen)
        for member in chosen:
            try:
                company.hint([member])
            except sa.exc.OperationalError:
                unheard.append(member)  # the frozen one holds this row: whoever hints has to try again
        return _told_meanwhile(company, [member for member in held if member not in unheard])
    finally:
        crew.thaw(zombie)
        for member in unheard:
            _hint_again(company, member)
        time.sleep(0.3)


def _hint_again(company: Company, member: Member) -> None:
    for _ in range(100):
        try:
            return company.hint([member])
        except sa.exc.OperationalError:
            time.sleep(0.1)
    raise AssertionError("the row stays locked, though nobody is frozen")


def _told_meanwhile(company: Company, held: list[Member]) -> int:
    until = time.monotonic() + OVERTAKEN_WITHIN
    while time.monotonic() < until and (open_now := company.differing(held)):
        company.books.read()
        time.sleep(0.05)
    return len(held) - len(open_now if held else [])


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
    with closing(sqlite3.connect(str(company.engine.url.database), timeout=0.3, isolation_level=None)) as probe:
        try:
            probe.execute("BEGIN IMMEDIATE")
            probe.execute("ROLLBACK")
        except sqlite3.OperationalError:
            return True
    return False
