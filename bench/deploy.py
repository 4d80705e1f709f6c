"""A deploy, there and back: workers of the version before and of this one share the work while phones change, and nothing may be
lost, overwritten by older news, or left wrong.

The version before is what git has from before the newest migration, so that both run on a schema of which one knows less. One
worker after the other is ended as `systemctl stop` does, and comes back under its name in the other version, until all have gone
there and back `rounds` times.

`--break renamed` gives a workflow another name in the version before, which then takes up wake-ups that it does not know: `wrong`
must count.
"""

import random
import subprocess
import tarfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from bench.stage.company import Company
from bench.stage.crew import Crew
from bench.stage.judge import judge
from sandbox.crowd import Member

if TYPE_CHECKING:
    from bench.__main__ import Options

ROOT = Path(__file__).parents[1]
MIGRATIONS = "remediation/store/migrations/versions"
WORKERS = ("worker-1", "worker-2", "worker-3")


@dataclass(frozen=True)
class Size:
    devices: int
    rounds: int
    pushes_between: int
    """How many are sent from one exchange to the next."""


def run(options: "Options", say: Callable[[str], None]) -> dict[str, Any]:
    size = Size(60, 1, 15) if options.quick else Size(300, 20, 40)
    return play(size, options.db, options.seed, options.broken, say)


def play(size: Size, db: str, seed: int, broken: str | None, say: Callable[[str], None]) -> dict[str, Any]:
    begun, chance = time.monotonic(), random.Random(seed)
    with (
        _version_before(broken) as (commit, before),
        Company(db, size.devices, seed) as company,
        Crew(company.environment(), company.folder) as crew,
    ):
        for name in WORKERS:
            crew.start(name, checkout=before)
        exchanges, day = 0, _Day(company, crew, chance)
        for checkout in (None, before) * size.rounds:
            for name in WORKERS:
                day.goes_on(size.pushes_between, patience=4 if broken else 120)
                crew.end(name)
                crew.start(name, checkout=checkout)
                exchanges += 1
            version = "this version" if checkout is None else commit
            say(f"  {exchanges} exchanges, {len(company.books.messages)} pushes; all run {version}")
        settled = company.agrees(within=6 if broken else 150, say=say)
        say(f"settled: {settled}")
        return {**judge(company), "before": commit, "exchanges": exchanges, "seconds": round(time.monotonic() - begun)}


class _Day:
    def __init__(self, company: Company, crew: Crew, chance: random.Random) -> None:
        self._company, self._crew, self._chance = company, crew, chance
        self._open: list[Member] = []

    def goes_on(self, pushes: int, *, patience: float) -> None:
        company, until = self._company, time.monotonic() + patience
        enough = len(company.books.messages) + pushes
        while len(company.books.messages) < enough and time.monotonic() < until:
            company.books.read()
            self._crew.check()
            self._open = company.differing(self._open)
            if len(self._open) < 20:
                chosen = self._chance.sample(company.members, 10)
                company.flip(chosen)
                company.hint(chosen)
                self._open = list({m.record.id: m for m in (*self._open, *chosen)}.values())
            time.sleep(0.02)


@contextmanager
def _version_before(broken: str | None) -> Iterator[tuple[str, Path]]:
    """Its commit, and a folder that holds it."""
    added = _git("log", "--format=%h", "--diff-filter=A", "-1", "--", MIGRATIONS).decode().strip()
    commit = _git("rev-parse", "--short", f"{added}^").decode().strip()
    with TemporaryDirectory() as folder:
        with tarfile.open(fileobj=BytesIO(_git("archive", commit))) as archive:
            archive.extractall(folder, filter="data")
        if broken == "renamed":
            engine = Path(folder) / "remediation/worker/engine.py"
            engine.write_text(engine.read_text().replace('name="push_link"', 'name="push_device"'))
        yield commit, Path(folder)


def _git(*words: str) -> bytes:
    return subprocess.run(("git", *words), cwd=ROOT, check=True, capture_output=True).stdout
