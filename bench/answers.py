"""How long a page takes while a remote is dead, slow or throttled, against the same page with all remotes well.

The promise: every page answers within a second, whatever the remotes do, because the web process asks none of them. One signed-in
person reloads the journey page; seconds are measured by the client, on this machine, one request at a time. `--break patience` runs
a web that waits too long for the worker: `over_one_second` must then count.
"""

import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from remediation.store.migrations import migrate
from tests.journeys.plain import Plain
from tests.journeys.stage import Stage
from tests.postgres import running_postgres

if TYPE_CHECKING:
    from bench.__main__ import Options

WEATHER: dict[str, tuple[tuple[str, str, dict[str, Any]], ...]] = {
    "well": (),
    "mdm_down": (("workspace_one", "down", {}),),
    "mdm_slow": (("workspace_one", "slow", {"seconds": 12}),),
    "directory_down": (("graph", "down", {}),),
    "directory_slow": (("graph", "slow", {"seconds": 12}),),
    "all_down": (("workspace_one", "down", {}), ("graph", "down", {}), ("intune", "down", {})),
}


def run(options: "Options", say: Callable[[str], None]) -> dict[str, Any]:
    reloads = 10 if options.quick else 100
    chosen = list(WEATHER) if not options.quick else ["well", "mdm_slow", "all_down"]
    figures: dict[str, Any] = {}
    for name in chosen:
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            web = "bench.too_patient" if options.broken == "patience" else None
            stage = stack.enter_context(Stage(_database(options.db, folder, stack), folder, "blocked_just_registered", web=web))
            taken = sorted(_reload(stage, name, reloads))
        figures[name] = {
            "median_ms": _ms(statistics.median(taken)),
            "p95_ms": _ms(taken[int(len(taken) * 0.95)]),
            "max_ms": _ms(taken[-1]),
        }
        say(f"{name:20} {figures[name]}")
    return {"reloads": reloads, "over_one_second": sum(f["max_ms"] > 1000 for f in figures.values()), "weather": figures}


def _reload(stage: Stage, name: str, times: int) -> list[float]:
    for service, kind, more in WEATHER[name]:
        stage.fault(service, kind, **more)
    mia = Plain(stage)
    mia.arrives()
    mia.signs_in()
    taken = []
    for _ in range(times):
        begun = time.perf_counter()
        mia.goes(f"{stage.origin}/journey")
        taken.append(time.perf_counter() - begun)
    return taken


def _database(db: str, folder: Path, stack: ExitStack) -> str:
    if db == "sqlite":
        url = f"sqlite:///{folder / 'bench.sqlite'}"
    else:
        server = sa.make_url(stack.enter_context(running_postgres()))
        admin = sa.create_engine(server.set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
        with admin.connect() as connection:
            connection.execute(sa.text("CREATE DATABASE bench"))
        admin.dispose()
        url = server.set(database="bench").render_as_string(hide_password=False)
    migrate(url)
    return url


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 1)
