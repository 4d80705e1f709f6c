"""Sixteen workers on a hundred devices, flipping them ten thousand times: in the end Entra shows the newest of each.

Workers are threads of one process here, which bring rows to rest through the product's services, adapters and store; the stand-in
is in the same process. (`kill` and `zombie` have processes.) Each thread flips a device, marks its row as a hint would, and
brings it to rest, while others may do the same with the same device.

`--break no_compare` has them tell what they read and write it down without comparing the sequence: `duplicates_effective`
must count, and `stale` in a longer run.
"""

import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from bench.stage.broken import CarelessStore, tell_what_was_read
from bench.stage.company import Company
from bench.stage.fill import link_of
from bench.stage.in_process import Unheard, world_of
from bench.stage.judge import judge
from remediation.services.push_compliance import bring_to_rest
from remediation.store.store import SqlStore
from remediation.store.tables import pushes
from sandbox.crowd import Member

if TYPE_CHECKING:
    from bench.__main__ import Options

THREADS = 16


@dataclass(frozen=True)
class Size:
    devices: int
    flips: int


def run(options: "Options", say: Callable[[str], None]) -> dict[str, Any]:
    return play(Size(20, 400) if options.quick else Size(100, 10_000), options.db, options.seed, options.broken, say)


def play(size: Size, db: str, seed: int, broken: str | None, say: Callable[[str], None]) -> dict[str, Any]:
    begun = time.monotonic()
    with Company(db, size.devices, seed, sockets=False, lag=0) as company:
        store = (CarelessStore if broken == "no_compare" else SqlStore)(company.engine, company.world.tenant_id, Unheard())
        company.store = store
        service = tell_what_was_read if broken == "no_compare" else bring_to_rest
        racers = _Racers(company, partial(service, world=world_of(company, store)), size.flips, say)
        with ThreadPoolExecutor(THREADS) as threads:
            for done in [threads.submit(racers.race, random.Random(seed * 1000 + number)) for number in range(THREADS)]:
                done.result()
            racers.settle(threads, rounds=2 if broken else 60)
        return {**judge(company), "flips": size.flips, "workers": THREADS, "seconds": round(time.monotonic() - begun)}


class _Racers:
    def __init__(self, company: Company, bring: Callable[[str], None], flips: int, say: Callable[[str], None]) -> None:
        self._company, self._bring_link, self._say = company, bring, say
        self._left, self._lock = flips, threading.Lock()

    def race(self, chance: random.Random) -> None:
        while self._take():
            member = chance.choice(self._company.members)
            self._company.flip([member])
            self._company.hint([member])
            self._bring(member)
            self._bring(chance.choice(self._company.members))  # a hint that is delivered twice, or without any news

    def _take(self) -> bool:
        with self._lock:
            self._left -= 1
            self._company.books.read()
            if self._left % 500 == 0:
                self._say(f"  {self._left} flips to go")
            return self._left >= 0

    def _bring(self, member: Member) -> None:
        self._bring_link(link_of(member))

    def settle(self, threads: ThreadPoolExecutor, *, rounds: int) -> None:
        """Time passes, and rows whose time has come are looked at, as the pulse would: until none is due within a minute."""
        members = {link_of(member): member for member in self._company.members}
        for _ in range(rounds):
            soon = self._company.world.now() + timedelta(minutes=1)
            with self._company.engine.connect() as connection:
                due = connection.execute(sa.select(pushes.c.link_id).where(pushes.c.next_look_at <= soon)).scalars().all()
            if not due:
                return
            self._company.world.advance(5)
            list(threads.map(self._bring, [members[link] for link in due]))
