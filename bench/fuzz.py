"""A million requests that nobody in their right mind would send, over every route, method and role, through the whole web app on a
real database. What must never happen is counted: an answer that is a fault of ours (`server_errors`), markup of theirs in a page
(`reflected`), an address of theirs to go to (`offsite`), a committed change without exactly one audit row (`unaudited`), an answer
without its headers (`missing_headers`). `violations` is the sum; `routes_missed` counts pairs of route and method never asked.

`--break reflected|offsite|unaudited|missing_headers|server_errors` seeds the fault that the figure of that name must catch.
Next door: `stage/fuzzed.py` (what is sent), `stage/watchman.py` (what is counted).
"""

from __future__ import annotations

import logging
import multiprocessing
import random
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
import structlog
from pydantic import SecretStr

from bench.stage.company import database
from bench.stage.fuzzed import Fuzzer
from bench.stage.watchman import COUNTED, Watchman, seed_fault
from remediation.store.migrations import migrate
from sandbox.control import facts_of
from sandbox.server import SandboxConfig, create_sandbox
from tests.web.conftest import ORIGIN, Web
from tests.web.role_matrix import MATRIX
from tests.web.scenes import SCENES

if TYPE_CHECKING:
    from bench.__main__ import Options

PROCESSES = 2
BATCH = 2_000  # requests on one app and one set of people; then everything is begun anew with the next scene


@dataclass(frozen=True)
class Work:
    """What one process is given."""

    seed: int
    requests: int
    url: str
    folder: str
    settings: dict[str, Any]
    broken: str | None


def run(options: Options, say: Callable[[str], None]) -> dict[str, Any]:
    return play(4_000 if options.quick else 1_000_000, options.db, options.seed, options.broken, say)


def play(requests: int, db: str, seed: int, broken: str | None, say: Callable[[str], None]) -> dict[str, Any]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = database(db, folder, stack)
        migrate(url)
        sandbox = create_sandbox(SandboxConfig(ca_folder=folder / "ca", redirect_uri=f"{ORIGIN}/signed-in", product_origin=ORIGIN))
        sandbox.start(api_port=0, pages_port=0)
        stack.callback(sandbox.stop)
        sign_in = facts_of(sandbox)["sign_in"]
        settings = {
            "tenant_id": facts_of(sandbox)["tenant_id"],
            "entra_authority": sandbox.api_url,
            "ca_file": str(sandbox.keys.ca_pem),
            "sign_in_client_id": sign_in["client_id"],
            "sign_in_client_secret": sign_in["client_secret"],
        }
        shares = max(PROCESSES, requests // (10 * BATCH))
        works = [Work(seed * 1000 + n, requests // shares, url, str(folder), settings, broken) for n in range(shares)]
        began, tally = time.monotonic(), Counter[str]()
        with ProcessPoolExecutor(PROCESSES, mp_context=multiprocessing.get_context("spawn")) as pool:
            for done in pool.map(_one_process, works):
                tally.update(done["tally"])
                for line in done["examples"]:
                    say(line)
                say(f"  {tally['decided']} of {requests}, {time.monotonic() - began:.0f} s")
    counted = {name: tally[name] for name in COUNTED}
    return {
        "decided": tally["decided"],
        "violations": sum(counted.values()),
        **counted,
        "changes": tally["changes"],
        "routes": len({(method, rule) for method, rule in MATRIX if tally[f"route {method} {rule}"]}),
        "routes_missed": len({(method, rule) for method, rule in MATRIX if not tally[f"route {method} {rule}"]}),
        "statuses": {name.removeprefix("status "): tally[name] for name in sorted(tally) if name.startswith("status ")},
        "seconds": round(time.monotonic() - began, 1),
    }


def _one_process(work: Work) -> dict[str, Any]:
    logging.disable(logging.CRITICAL)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    chance, left = random.Random(work.seed), work.requests
    tally, examples = Counter[str](), list[str]()
    while left > 0:
        count = min(BATCH, left, work.requests // 3 + 1)  # a short run too begins anew a few times
        _batch(work, chance, count, tally, examples)
        left -= count
    return {"tally": tally, "examples": examples[:5]}


def _batch(work: Work, chance: random.Random, count: int, tally: Counter[str], examples: list[str]) -> None:
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(dir=work.folder))
        settings = {**work.settings, "sign_in_client_secret": SecretStr(work.settings["sign_in_client_secret"])}
        database = stack.enter_context(_copy_of(work.url, folder, f"batch_{chance.getrandbits(64):x}"))
        web = Web(database, demo=chance.random() < 0.5, **settings)
        seed_fault(web, work.broken)
        watchman = Watchman(web, tally, examples)
        fuzzer = Fuzzer(web, chance, chance.choice(SCENES))
        watchman.begin()
        for _ in range(count):
            sent = fuzzer.request()
            watchman.judge(sent, fuzzer.send(sent))
        watchman.end()
        web.engine.dispose()


@contextmanager
def _copy_of(url: str, folder: str, name: str) -> Iterator[str]:
    """A migrated, empty database of its own: wake-ups are the first of their rows in each batch."""
    if url.startswith("sqlite"):
        yield f"sqlite:///{shutil.copy(url.removeprefix('sqlite:///'), folder)}"
        return
    server = sa.make_url(url)
    admin = sa.create_engine(server.set(drivername="postgresql+psycopg", database="postgres"), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(sa.text(f'CREATE DATABASE "{name}" TEMPLATE "{server.database}"'))
        try:
            yield server.set(database=name).render_as_string(hide_password=False)
        finally:
            connection.execute(sa.text(f'DROP DATABASE "{name}" WITH (FORCE)'))
    admin.dispose()
