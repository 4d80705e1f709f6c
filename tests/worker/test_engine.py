"""What is committed is called, what is rolled back is not, what was killed is called again, and no row runs code."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import sqlalchemy as sa
from dbos import DBOSClient, EnqueueOptions

from remediation.domain.push import Lane
from remediation.store.engine import make_engine, writing
from remediation.store.takeover import take_over
from remediation.store.wakeups import LOOK_JOURNEY, PUSH_LINK, WATCH_SOURCE, DbosWakeups
from remediation.worker.engine import DRAIN, Unsuited, refuse_old_sqlite
from tests import children
from tests.children import Child
from tests.worker import a_worker

PATIENCE = 30


class Workshop:
    """A database, at most one worker process on it, and the journal that its services write."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url, self.journal, self.log = url, folder / "journal", folder / "worker.log"
        self.journal.touch()
        self.engine = make_engine(url, durable=False)
        self.wakeups = DbosWakeups(self.engine)
        self.process: Child | None = None

    def start(self, name: str = "worker-1", *, drain: int = DRAIN) -> None:
        self.process = children.calling(a_worker.main, self.url, self.journal, name, drain, log=self.log)

    def wake(self, row_id: str, *, workflow: str = PUSH_LINK, wake: int = 1, lane: Lane = Lane.PERSON) -> None:
        with writing(self.engine) as connection:
            self.wakeups.enqueue(connection, workflow, row_id, wake, lane=lane)

    def lines(self) -> list[str]:
        return self.journal.read_text().splitlines()

    def until(self, true: Callable[[list[str]], bool]) -> list[str]:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            if true(self.lines()):
                return self.lines()
            time.sleep(0.05)
        raise AssertionError(f"waited in vain: {self.lines()}\n{self.log.read_text()[-2000:]}")

    def kill(self, number: int = signal.SIGKILL) -> int:
        assert self.process is not None
        with suppress(ProcessLookupError):
            os.kill(self.process.pid, number)
        return self.process.wait(PATIENCE + DRAIN)


@pytest.fixture
def workshop(url: str, tmp_path: Path) -> Iterator[Workshop]:
    made = Workshop(url, tmp_path)
    try:
        yield made
    finally:
        if made.process is not None:
            made.kill()
        made.engine.dispose()


class Change(Exception):
    """Something went wrong before the commit."""


def test_committed_is_called_and_rolled_back_is_not(workshop: Workshop) -> None:
    workshop.start()
    workshop.wake("link")
    workshop.wake("journey", workflow=LOOK_JOURNEY)
    workshop.wake("revoked", lane=Lane.REVOKE)
    workshop.wake("mdm:ws1/poll", workflow=WATCH_SOURCE, lane=Lane.SWEEP)
    with suppress(Change), writing(workshop.engine) as connection:
        workshop.wakeups.enqueue(connection, PUSH_LINK, "ghost", 1, lane=Lane.PERSON)
        raise Change
    wanted = {"push ended link", "look ended journey", "push ended revoked", "watch ended mdm:ws1/poll"}
    workshop.until(lambda lines: wanted <= set(lines))
    workshop.wake("last")
    assert not any("ghost" in line for line in workshop.until(lambda lines: "push ended last" in lines))


def test_a_failing_call_is_not_repeated_and_holds_nobody_up(workshop: Workshop) -> None:
    for row_id in ("busy-1", "stale-1", "bug-1"):
        workshop.wake(row_id)
    workshop.start()
    workshop.until(lambda lines: len(lines) >= 4)
    workshop.wake("after")
    lines = workshop.until(lambda lines: "push ended after" in lines)
    assert sorted(lines[:4]) == ["push began bug-1", "push began busy-1", "push began stale-1", "push_link failed bug-1 at 1"]
    assert len(lines) == 6
    workshop.kill(signal.SIGTERM)
    log = workshop.log.read_text()
    assert log.count("wake-up failed") == 1
    assert "a bug of ours" in log


@pytest.mark.slow
def test_killed_in_the_middle_is_called_again(workshop: Workshop) -> None:
    workshop.start()
    for n in range(4):
        workshop.wake(f"slow-{n}")
    workshop.until(lambda lines: len(lines) == 4)
    workshop.kill()
    assert not any("ended" in line for line in workshop.lines())
    workshop.start()
    lines = workshop.until(lambda lines: sum("ended" in line for line in lines) == 4)
    assert sorted(line for line in lines if "ended" in line) == [f"push ended slow-{n}" for n in range(4)]


@pytest.mark.slow
def test_told_to_end_it_finishes_what_it_began(workshop: Workshop) -> None:
    workshop.start()
    workshop.wake("slow-1")
    workshop.until(lambda lines: "push began slow-1" in lines)
    began = time.monotonic()
    assert workshop.kill(signal.SIGTERM) == 0
    assert time.monotonic() - began < 30
    assert "push ended slow-1" in workshop.lines()


@pytest.mark.slow
def test_cut_off_by_a_remote_that_does_not_answer_and_handed_to_another_worker(workshop: Workshop) -> None:
    """A worker told to end does not wait for the remote; what it had begun waits for its name, or for whom it is handed to."""
    workshop.start(drain=1)
    rows = {"dead-1": Lane.REVOKE, "dead-2": Lane.PERSON}
    for row_id, lane in rows.items():
        workshop.wake(row_id, lane=lane)
    workshop.until(lambda lines: len(lines) == 2)
    began = time.monotonic()
    assert workshop.kill(signal.SIGTERM) == 0
    assert time.monotonic() - began < 1 + 5
    assert "worker ended" in workshop.log.read_text()
    workshop.start("worker-2", drain=1)
    workshop.wake("after")
    workshop.until(lambda lines: "push ended after" in lines)
    assert sum("dead" in line for line in workshop.lines()) == 2, "nobody takes it by himself"
    assert take_over(workshop.engine, "worker-1") == 2
    workshop.until(lambda lines: all(lines.count(f"push began {row_id}") == 2 for row_id in rows))
    assert take_over(workshop.engine, "worker-1") == 0


def test_old_wake_ups_are_forgotten_and_others_kept(workshop: Workshop) -> None:
    for row_id in ("old", "fresh"):
        workshop.wake(row_id)
    workshop.start()
    workshop.until(lambda lines: sum("ended" in line for line in lines) == 2)
    table = sa.table("workflow_status", sa.column("workflow_uuid"), sa.column("completed_at"), sa.column("status"))
    table.schema = "dbos" if workshop.engine.dialect.name == "postgresql" else None

    def known() -> set[str]:
        with workshop.engine.connect() as connection:
            return set(connection.execute(sa.select(table.c.workflow_uuid).where(table.c.status == "SUCCESS")).scalars())

    workshop.until(lambda _: {"old:1", "fresh:1"} <= known())
    long_ago = int((time.time() - 2 * 86_400) * 1000)
    with writing(workshop.engine) as connection:
        connection.execute(sa.update(table).where(table.c.workflow_uuid == "old:1").values(completed_at=long_ago))
    workshop.until(lambda _: "old:1" not in known())
    assert "fresh:1" in known()


class Trap:
    """Unpickling this runs a command."""

    def __init__(self, touched: Path) -> None:
        self.touched = touched

    def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
        return os.system, (f"touch {self.touched}",)


def test_a_pickled_row_runs_nothing(workshop: Workshop, tmp_path: Path) -> None:
    """Whoever can write the engine's tables must not be able to run code in the worker (dbos takes the decoder from the row)."""
    touched = tmp_path / "touched"
    attacker = DBOSClient(system_database_engine=workshop.engine, lazy=True, application_name="remediation")
    options: EnqueueOptions = {"workflow_name": PUSH_LINK, "queue_name": "push", "workflow_id": "planted:1"}
    with writing(workshop.engine) as connection:
        attacker.enqueue_in_transaction(connection, options, Trap(touched))
    workshop.start()
    workshop.wake("honest")
    workshop.until(lambda lines: "push ended honest" in lines)
    time.sleep(0.5)
    assert not touched.exists()
    assert workshop.lines() == ["push began honest", "push ended honest"]


@pytest.mark.parametrize(
    ("database", "python", "sqlite", "refused"),
    [
        ("sqlite:///x", (3, 12), "3.40.1", True),
        ("sqlite:///x", (3, 12), "3.42.0", False),
        ("sqlite:///x", (3, 11), "3.40.1", False),
        ("postgresql://h/x", (3, 13), "3.40.1", False),
    ],
)
def test_a_python_that_cannot_run_the_engine(database: str, python: tuple[int, int], sqlite: str, refused: bool) -> None:
    if refused:
        with pytest.raises(Unsuited, match="PostgreSQL"):
            refuse_old_sqlite(database, python, sqlite)
    else:
        refuse_old_sqlite(database, python, sqlite)
