"""The durable engine, DBOS Transact, and nothing else of it: wake-ups go in through the store, a service is called for each.

A workflow here is only a wake-up. It has **no durable steps**: a step that read the posture before a crash would be replayed
after it, and an old *compliant* would be pushed. What a service has done stands in its own row; calling it again from the top is
always right.
The pickle door is shut by `store/pickle_door`, which `wiring` imports before anything of the engine. Next door: `pulse`.
"""

import sqlite3
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog
from dbos import DBOS, DBOSConfig, DBOSPortableJSONSerializer

from ..errors import RemoteError, Stale

log = structlog.get_logger(__name__)

REMEMBERED = timedelta(days=1)  # of ended wake-ups, for whoever looks into the engine's tables
ENDED = ["SUCCESS", "ERROR", "CANCELLED"]
POLL = 0.1  # seconds; with DBOS's own 1 s, a wish would be seen after half a second instead of a tenth
DRAIN = 25  # seconds for running work to end; the whole process has 30


class Unsuited(Exception):
    """This machine cannot run the engine; the text says why and what to do."""


@dataclass(frozen=True)
class Wakers:
    """What a wake-up calls, by the id of the row: `look` for journeys, `bring_to_rest` for links, `watch` for watches. `failed` is
    told of a bug: name of the workflow, id of the row, number of the wake-up."""

    look: Callable[[str], None]
    bring_to_rest: Callable[[str], None]
    watch: Callable[[str], None]
    failed: Callable[[str, str, int], None] | None = None


def refuse_old_sqlite(url: str, python: tuple[int, ...] = sys.version_info[:2], sqlite: str = sqlite3.sqlite_version) -> None:
    """DBOS 3.4 asks SQLite for `unixepoch('subsec')` where Python is 3.12 or newer; before SQLite 3.42 that is NULL, and it stops
    in the middle of its start with a constraint error that explains nothing."""
    if url.startswith("sqlite") and python >= (3, 12) and tuple(map(int, sqlite.split("."))) < (3, 42):
        raise Unsuited(
            f"This Python ({'.'.join(map(str, python))}) comes with SQLite {sqlite}, and together they cannot run the durable "
            "engine. Use Python 3.11, or a Python built with SQLite 3.42 or newer, or set REMEDIATION_DATABASE_URL to a PostgreSQL."
        )


class Engine:
    """One per process. `executor_id` must be the same after a restart, since nobody else takes up what this one left. Each of
    `queues` has `concurrency` slots of its own, so that slow grants never hold the slots of revocations."""

    def __init__(
        self, *, url: str, executor_id: str, queues: Sequence[str], concurrency: int, wakers: Wakers, drain: int = DRAIN
    ) -> None:
        refuse_old_sqlite(url)
        self._queues, self._concurrency, self._drain = queues, concurrency, drain
        # `application_version` is pinned: by default it is a hash of the code, and any deploy would strand what is unfinished.
        config = DBOSConfig(
            name="remediation",
            system_database_url=url,
            serializer=DBOSPortableJSONSerializer(),
            application_version="1",
            executor_id=executor_id,
            run_migrations=False,
            max_executor_threads=len(queues) * concurrency + 8,
            scheduler_polling_interval_sec=1,
            log_level="WARNING",
        )
        DBOS(config=config)
        self._register(wakers)

    def _register(self, wakers: Wakers) -> None:
        """The names are written in rows of the database: never rename them. A wake-up is tried after every crash, without limit."""

        @DBOS.workflow(name="look_journey", max_recovery_attempts=None)
        def look_journey(journey_id: str) -> None:
            _wake(wakers.look, "look_journey", journey_id, wakers.failed)

        @DBOS.workflow(name="push_link", max_recovery_attempts=None)
        def push_link(link_id: str) -> None:
            _wake(wakers.bring_to_rest, "push_link", link_id, wakers.failed)

        @DBOS.workflow(name="watch_source", max_recovery_attempts=None)
        def watch_source(name: str) -> None:
            _wake(wakers.watch, "watch_source", name, wakers.failed)

    def start(self) -> None:
        DBOS.launch()
        for queue in self._queues:
            DBOS.register_queue(queue, worker_concurrency=self._concurrency, polling_interval_sec=POLL, on_conflict="always_update")

    def forget(self) -> int:
        """Delete wake-ups that ended long ago; DBOS keeps them for ever, at about a kilobyte each. Their ids never come again."""
        before = (datetime.now(UTC) - REMEMBERED).isoformat()
        forgotten = 0
        while True:
            old = DBOS.list_workflows(
                status=ENDED, completed_before=before, queue_name=list(self._queues), limit=500, load_input=False, load_output=False
            )
            if not old:
                return forgotten
            DBOS.delete_workflows([workflow.workflow_id for workflow in old])
            forgotten += len(old)

    def stop(self) -> None:
        """Take nothing new, let running work end, at most `drain` seconds. What is cut off begins again at the next start."""
        DBOS.destroy(destroy_registry=True, workflow_completion_timeout_sec=self._drain)


def _wake(service: Callable[[str], None], workflow: str, row_id: str, failed: Callable[[str, str, int], None] | None) -> None:
    """Services park their rows themselves, so a failure here is never tried again by the engine: the pulse does, when the row says.

    A bug parks nothing, so `failed` does: the row then says that it is our fault and waits, longer each time.
    """
    try:
        service(row_id)
    except (RemoteError, Stale) as error:
        log.info("wake-up ended early", row=row_id, error=error.code)
    except Exception:
        log.exception("wake-up failed", row=row_id)
        _tell(failed, workflow, row_id)


def _tell(failed: Callable[[str, str, int], None] | None, workflow: str, row_id: str) -> None:
    wake = str(DBOS.workflow_id).rpartition(":")[2]  # ids are `row:wake`
    if failed is None or not wake.isdigit():
        return
    try:
        failed(workflow, row_id, int(wake))
    except Exception:  # a database that is away: the row keeps its old due time, and the bug its line above
        log.exception("the failure could not be noted", row=row_id)
