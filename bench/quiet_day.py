"""A quiet day: how many calls it takes to keep watch over many links of which one in a hundred changes, and how much memory.

The clock is moved, not waited for. Every phone reports to its MDM four times a day; at random moments some lose their passcode.
`calls` are all that the stand-in received. `calls_least` is what the remotes' paging allows at the product's own pace: each poll
and sweep in the largest pages there are, and six calls for each change (the record, its compliance, the directory device, its
owner, the message, the reading back). `calls_nightly` is computed, not run: a script that lists the records once a night, reads
each and patches each device.

`memory` is the largest resident size of a worker process, in MB, after whole rounds of all lists, by links.

`--break direct` looks at each link by itself every hour besides: `calls_ratio` must be far above.
"""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from heapq import heapify, heapreplace
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from bench.stage.company import Company, stamp
from bench.stage.crew import Crew
from bench.stage.fill import link_of
from bench.stage.in_process import Unheard, world_of
from bench.stage.judge import judge
from remediation.domain.watch import Pace, watch_names
from remediation.services.push_compliance import bring_to_rest
from remediation.services.reconcile import watch
from remediation.services.world import World
from remediation.store.store import SqlStore
from remediation.store.tables import pushes, watches
from sandbox.crowd import Member

if TYPE_CHECKING:
    from bench.__main__ import Options

REPORTS_EVERY = timedelta(hours=6)
MDM_PAGE, DIRECTORY_PAGE = 500, 999
CALLS_OF_A_CHANGE = 6
RECHECK, DIRECT_EVERY = timedelta(days=30), timedelta(hours=1)


@dataclass(frozen=True)
class Size:
    links: int
    hours: float
    memory: tuple[int, ...]


def run(options: "Options", say: Callable[[str], None]) -> dict[str, Any]:
    size = Size(2000, 2, ()) if options.quick else Size(100_000, 24, (1000, 100_000))
    return play(size, options.db, options.seed, options.broken, say)


def play(size: Size, db: str, seed: int, broken: str | None, say: Callable[[str], None]) -> dict[str, Any]:
    begun = time.monotonic()
    memory = {links: _memory(links, db, seed, say) for links in size.memory}
    with Company(db, size.links, seed, sockets=False, lag=1) as company:
        say(f"{size.links} links in {time.monotonic() - begun:.1f} s")
        store = SqlStore(company.engine, company.world.tenant_id, Unheard())
        recheck = DIRECT_EVERY if broken == "direct" else RECHECK
        world = replace(world_of(company, store), recheck=recheck)
        day = _Day(company, world, random.Random(seed), timedelta(hours=size.hours), broken)
        day.passes(say)
        calls, least = sum(company.books.calls.values()), day.least()
        return {
            **judge(company),
            "links": size.links,
            "changes": len(day.changing),
            "hours": size.hours,
            "calls": calls,
            "calls_by_kind": dict(company.books.calls),
            "calls_least": least,
            "calls_ratio": round(calls / least, 3),
            "calls_nightly": ceil(size.links / MDM_PAGE) + 2 * size.links,
            "memory": memory,
            "seconds": round(time.monotonic() - begun),
        }


class _Day:
    def __init__(self, company: Company, world: World, chance: random.Random, length: timedelta, broken: str | None) -> None:
        self._company, self._world = company, world
        self._began = company.world.now()
        self._ends = self._began + length
        self.changing = chance.sample(company.members, max(1, len(company.members) // 100))
        # the last half hour is for what changed to arrive
        self._flips = sorted(
            ((self._began + chance.random() * (length - timedelta(minutes=30)), m) for m in self.changing), key=lambda f: f[0]
        )
        self._reports = [(self._began + chance.random() * REPORTS_EVERY, n) for n in range(len(company.members))]
        heapify(self._reports)
        self._told = {m.device.device_id for m in self.changing}
        if broken == "direct":
            self._spread(chance)
        world.store.keep_watches(watch_names(world.managers), at=self._began)

    def _spread(self, chance: random.Random) -> None:
        """Each link has a time of its own within the hour."""
        when = sa.update(pushes).where(pushes.c.link_id == sa.bindparam("link")).values(next_look_at=sa.bindparam("at"))
        rows = [{"link": link_of(m), "at": self._began + chance.random() * DIRECT_EVERY} for m in self._company.members]
        with self._company.engine.begin() as connection:
            connection.execute(when, rows)

    def passes(self, say: Callable[[str], None]) -> None:
        told, world = time.monotonic(), self._company.world
        while (at := self._next()) < self._ends:
            world.advance(max(0.0, (at - world.now()).total_seconds()))
            self._phones()
            for name in self._due(watches, watches.c.name):
                watch(name, world=self._world)
            for link in self._due(pushes, pushes.c.link_id):
                bring_to_rest(link, world=self._world)
            self._company.books.read()
            if time.monotonic() - told > 10:
                told = time.monotonic()
                hours = (world.now() - self._began).total_seconds() / 3600
                say(f"  {hours:.1f} h: {sum(self._company.books.calls.values())} calls")

    def _next(self) -> datetime:
        """When something is due next."""
        with self._company.engine.connect() as connection:
            soonest = (sa.select(sa.func.min(t.c.next_look_at)).where(self._ours(t)) for t in (watches, pushes))
            of_rows = [connection.execute(one).scalar_one() for one in soonest]
        moments: list[datetime] = [at for at in of_rows if at is not None]
        return min([*moments, *(at for at, _ in self._flips[:1])])

    def _due(self, table: sa.Table, key: sa.Column[Any]) -> list[str]:
        now = self._company.world.now()
        with self._company.engine.connect() as connection:
            return list(connection.execute(sa.select(key).where(self._ours(table), table.c.next_look_at <= now)).scalars())

    def _ours(self, table: sa.Table) -> sa.ColumnElement[bool]:
        """By which the index is found; without it each look at what is due next would read all rows."""
        return table.c.tenant_id == self._company.world.tenant_id

    def _phones(self) -> None:
        """What they did by now: those that change tell their MDM at once, all others when it is their time."""
        now = self._company.world.now()
        while self._flips and self._flips[0][0] <= now:
            self._company.flip([self._flips.pop(0)[1]])
        while self._reports[0][0] <= now:
            at, number = self._reports[0]
            self._report(self._company.members[number], at)
            heapreplace(self._reports, (at + REPORTS_EVERY, number))

    def _report(self, member: Member, at: datetime) -> None:
        if at <= member.record.last_seen:
            return
        member.record.last_seen = member.record.last_compliance_check = at
        history = self._company.truth[member.device.device_id]
        if member.device.device_id in self._told and stamp(at) > history[-1][0]:
            history.append((stamp(at), history[-1][1]))

    def least(self) -> int:
        pace, length, links = Pace(), self._ends - self._began, len(self._company.members)
        listed = links * ((pace.poll + pace.overlap) / REPORTS_EVERY)
        polls, sweeps = length // pace.poll, length // pace.sweep
        devices = sum(not d.deleted for d in self._company.world.devices.values())
        records = len(self._company.world.records)
        pages = ceil(records / MDM_PAGE) + ceil(devices / DIRECTORY_PAGE)
        return polls * max(1, ceil(listed / MDM_PAGE)) + sweeps * pages + CALLS_OF_A_CHANGE * len(self.changing)


def _memory(links: int, db: str, seed: int, say: Callable[[str], None]) -> float:
    """Over sockets, since only a worker in a process of its own has a size of its own."""
    with Company(db, links, seed) as company, Crew(company.environment(), company.folder) as crew:
        crew.start("worker-1")
        until = time.monotonic() + 1800
        while not company.has_read_its_lists():
            crew.check()
            if time.monotonic() > until:
                raise AssertionError("the lists were not read to their ends")
            company.books.read()
            time.sleep(0.2)
        status = Path(f"/proc/{crew.pid('worker-1')}/status").read_text()
        largest = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
        say(f"  {links} links: {largest // 1024} MB")
        return round(largest / 1024, 1)
