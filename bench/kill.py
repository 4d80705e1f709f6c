"""`kill -9` of workers: at random moments, and between any two writes. Nothing may be lost, overwritten by older news, or left
wrong.

Three workers of the product as processes, the stand-in tenant on sockets, a real database. Phones flip between well and not well,
a hint wakes each row, and while that goes on a worker is killed and started again under its own name. Then each commit and each
call of one pass is the last thing that a worker does: before it, and after it.

`--break mark_first` runs a worker that writes down what it told before it tells it: `lost` must count.
"""

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count, takewhile
from typing import TYPE_CHECKING, Any

from bench.stage.company import Company
from bench.stage.crew import Crew
from bench.stage.judge import judge
from bench.stage.worker import Death
from sandbox.crowd import Member

if TYPE_CHECKING:
    from bench.__main__ import Options

WORKERS = ("worker-1", "worker-2", "worker-3")
SETTLES_WITHIN = 150.0  # seconds: a row whose worker vanished is found again after 60


@dataclass(frozen=True)
class Size:
    """`open_at_once` devices may differ while the next are flipped. `deaths` are the moments at which a worker ends itself; None
    for every commit and call of a pass."""

    devices: int
    pushes: int
    kills: int
    open_at_once: int
    deaths: tuple[Death, ...] | None


THE_MESSAGE = "DataUploadMessages"
FEW = tuple(Death("call", 1, after, THE_MESSAGE) for after in (False, True))
LONG = Size(devices=1000, pushes=20_000, kills=1000, open_at_once=80, deaths=None)
QUICK = Size(devices=60, pushes=120, kills=8, open_at_once=30, deaths=(*FEW, Death("commit", 2, after=True)))


def run(options: "Options", say: Callable[[str], None]) -> dict[str, Any]:
    return play(QUICK if options.quick else LONG, options.db, options.seed, options.broken, say)


def play(size: Size, db: str, seed: int, broken: str | None, say: Callable[[str], None]) -> dict[str, Any]:
    begun = time.monotonic()
    with Company(db, size.devices, seed) as company, Crew(company.environment(), company.folder, fault=broken) as crew:
        say(f"{size.devices} linked devices in {time.monotonic() - begun:.1f} s")
        between = _between_writes(company, crew, size.deaths, say, patience=4 if broken else 15)
        kills = _at_random(company, crew, company.members[between:], size, random.Random(seed), say)
        settled = company.agrees(within=6 if broken else SETTLES_WITHIN, say=say)
        say(f"settled: {settled}")
        return {
            **judge(company),
            "kills": kills + between,
            "kills_between_writes": between,
            "seconds": round(time.monotonic() - begun),
        }


def _at_random(
    company: Company, crew: Crew, members: Sequence[Member], size: Size, chance: random.Random, say: Callable[[str], None]
) -> int:
    for name in WORKERS:
        crew.start(name)
    kills, told, kill_at = 0, time.monotonic(), 2.0
    open_now: list[Member] = []
    while len(company.books.messages) < size.pushes or kills < size.kills:
        company.books.read()
        open_now = company.differing(open_now)
        if len(open_now) < size.open_at_once:
            chosen = chance.sample(members, min(size.open_at_once // 2, len(members)))
            company.flip(chosen)
            company.hint(chosen)
            open_now = list({m.record.id: m for m in (*open_now, *chosen)}.values())
        if len(company.books.messages) >= kill_at and kills < size.kills:
            time.sleep(chance.uniform(0, 0.5))  # by progress, or a slow machine would only ever start workers; and at any moment
            name = chance.choice(WORKERS)
            crew.kill(name)
            crew.start(name)
            kills += 1
            kill_at = len(company.books.messages) + chance.uniform(0, 2 * size.pushes / size.kills)
        if time.monotonic() - told > 10:
            told = time.monotonic()
            say(f"  {len(company.books.messages)} pushes, {kills} kills")
        time.sleep(0.02)
    return kills


def _between_writes(
    company: Company, crew: Crew, deaths: tuple[Death, ...] | None, say: Callable[[str], None], *, patience: float
) -> int:
    """One device for each, which nothing mends afterwards: its pass is cut off at this commit or call, and another worker begins.
    Where all are asked for, k counts up until a pass has no k-th any more."""
    fresh = iter(company.members)
    if deaths is not None:
        return sum(_cut_off(company, crew, next(fresh), death, patience) for death in deaths)
    kills = 0
    for what in ("commit", "call"):
        for after in (False, True):
            steps = (Death(what, at, after) for at in count(1))
            done = sum(1 for _ in takewhile(lambda death: _cut_off(company, crew, next(fresh), death, patience), steps))
            say(f"  {'after' if after else 'before'} each {what}: {done} kills")
            kills += done
    return kills


def _cut_off(company: Company, crew: Crew, member: Member, death: Death, patience: float) -> bool:
    """False where the pass had no such commit or call. The next worker is given `patience` seconds to bring the device to rest."""
    company.flip([member])
    company.hint([member])
    crew.start("worker-1", death=death)
    if died := _dies(company, crew, member):
        crew.start("worker-1")
        _until(lambda: not company.differing([member]), patience)
    crew.kill("worker-1")
    return died


def _dies(company: Company, crew: Crew, member: Member) -> bool:
    """Waits until the worker is dead, or has brought the device to rest and done nothing more for a while."""
    _until(lambda: not crew.lives("worker-1") or not company.differing([member]), 20)
    return crew.died("worker-1", within=4)


def _until(true: Callable[[], bool], seconds: float) -> None:
    end = time.monotonic() + seconds
    while not true() and time.monotonic() < end:
        time.sleep(0.02)
