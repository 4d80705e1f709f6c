"""A worker process whose services write down what they were called for.

The engine, the pulse, the signals and the store are the product's own; only the services are others. What a row is called
decides how its call goes: `slow-…` takes two seconds, `dead-…` a minute, as with a remote that does not answer; `busy-…`, `stale-…`
and `bug-…` fail.
"""

import time
from functools import partial
from pathlib import Path

from remediation import log
from remediation.errors import Busy, Stale
from remediation.store.engine import make_engine
from remediation.store.store import SqlStore
from remediation.store.wakeups import QUEUES, DbosWakeups
from remediation.wiring import now
from remediation.worker.engine import Engine, Wakers
from remediation.worker.process import Worker
from remediation.worker.pulse import Pulse

SLOW = {"slow": 2.0, "dead": 60.0}
ENDINGS = {"busy": Busy("throttled", remote="mdm", retry_after=1), "stale": Stale(), "bug": KeyError("a bug of ours")}


def serve(journal: Path, service: str, row_id: str) -> None:
    kind = row_id.partition("-")[0]
    write(journal, f"{service} began {row_id}")
    if kind in SLOW:
        time.sleep(SLOW[kind])
    if kind in ENDINGS:
        raise ENDINGS[kind]
    write(journal, f"{service} ended {row_id}")


def write(journal: Path, line: str) -> None:
    with journal.open("a") as file:
        file.write(line + "\n")


def main(url: str, journal: Path, name: str, drain: int) -> None:
    log.set_up("worker")
    engine = make_engine(url)
    store = SqlStore(engine, "8f5c1d3e-2a47-4c0b-9d6e-1b7f0a9c2e55", DbosWakeups(engine))
    wakers = Wakers(
        look=partial(serve, journal, "look"),
        bring_to_rest=partial(serve, journal, "push"),
        watch=partial(serve, journal, "watch"),
        failed=lambda workflow, row_id, wake: write(journal, f"{workflow} failed {row_id} at {wake}"),
    )
    durable = Engine(url=url, executor_id=name, queues=QUEUES, concurrency=10, wakers=wakers, drain=drain)
    due = Pulse("due rows", lambda: store.wake_due(now()), every=0.5)
    Worker(durable, [due, Pulse("old wake-ups", durable.forget, every=0.5)]).run()
