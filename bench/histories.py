"""Random histories of register, link, relink, wipe, enroll anew, hand over, delete and disable, with two tabs open: which invariant
of docs/security.md is ever violated?

In the pure domain (`stage/pure_history`), on a real database by the store's own changes (`stage/stored_history`), and carried to
Microsoft's stand-in while links are replaced (`stage/carried_history`).

`violations` by invariant: I1 two living links on one device, I2 and I6 a link that outlived what it pinned, I3 a verdict on an
older read, I7 *compliant* beyond its lease, I9 changes and audit rows that differ, I11 update times that do not grow, I12
*compliant* below the minimum, `down_before_up` two entries of one phone compliant at once. `surprises` are answers of the store
that a model of a few lines did not foretell; `never_up` are phones that are well and got nowhere.

`--break forgetful` has a domain that does not look at the enrollment, and a store that ends a link without telling Microsoft;
`--break up_first` workers that wait for no other link.
"""

import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from bench.stage.carried_history import CarriedHistory
from bench.stage.company import Company, database
from bench.stage.in_process import Unheard
from bench.stage.pure_history import STEPS, PureHistory
from bench.stage.stored_history import Silent, StoredHistory
from remediation.store.engine import make_engine
from remediation.store.store import SqlStore

if TYPE_CHECKING:
    from bench.__main__ import Options


@dataclass(frozen=True)
class Size:
    pure: int
    stored: int
    carried: int


def run(options: "Options", say: Callable[[str], None]) -> dict[str, Any]:
    return play(Size(4000, 60, 12) if options.quick else Size(100_000, 5000, 500), options.db, options.seed, options.broken, say)


def play(size: Size, db: str, seed: int, broken: str | None, say: Callable[[str], None]) -> dict[str, Any]:
    begun, found = time.monotonic(), Counter[str]()
    for number in range(size.pure):
        PureHistory(random.Random(seed * 1_000_003 + number), found, blind=broken == "forgetful").plays()
    say(f"  {size.pure} in the pure domain, {time.monotonic() - begun:.0f} s: {dict(found)}")
    _stored(size.stored, db, seed, broken, found, say)
    _carried(size.carried, db, seed, broken, found, say)
    surprises, never_up = found.pop("surprise", 0), found.pop("never_up", 0)
    return {
        "pure": size.pure,
        "stored": size.stored,
        "carried": size.carried,
        "steps": STEPS,
        "violations": sum(found.values()),
        "by_invariant": dict(found),
        "surprises": surprises,
        "never_up": never_up,
        "seconds": round(time.monotonic() - begun),
    }


def _stored(size: int, db: str, seed: int, broken: str | None, found: Counter[str], say: Callable[[str], None]) -> None:
    with ExitStack() as stack:
        url = database(db, Path(stack.enter_context(TemporaryDirectory())), stack)
        engine = make_engine(url, durable=False)
        stack.callback(engine.dispose)
        for number in _counted(size, db, found, say):
            store = (Silent if broken == "forgetful" else SqlStore)(engine, f"tenant-{number}", Unheard())
            StoredHistory(random.Random(seed * 1_000_033 + number), found, engine, store).plays()


def _carried(size: int, db: str, seed: int, broken: str | None, found: Counter[str], say: Callable[[str], None]) -> None:
    with Company(db, 0, seed, sockets=False, lag=4) as company:
        for number in _counted(size, f"{db}, carried", found, say):
            CarriedHistory(random.Random(seed * 1_000_037 + number), found, company, broken=broken == "up_first").plays()


def _counted(size: int, where: str, found: Counter[str], say: Callable[[str], None]) -> Iterator[int]:
    told = time.monotonic()
    for number in range(size):
        yield number
        if time.monotonic() - told > 10:
            told = time.monotonic()
            say(f"  {number + 1} of {size} on {where}: {dict(found)}")
