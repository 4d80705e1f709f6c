"""The audit is sealed row by row: whatever somebody changes behind the product's back, `verify` names the first bad row."""

import os
import signal
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from remediation.domain.seals import Anchor, SealKeys
from remediation.ports import Actor
from remediation.services.audit_log import Checked, seal, verify
from remediation.store.engine import make_engine, writing
from remediation.store.seals import SqlSeals
from remediation.store.tables import audit, audit_seals
from tests import children
from tests.children import Child, wait_for
from tests.people import NOON, minutes
from tests.store.scenes import TENANT, WORKER, Scene, all_at_once

KEY = "nK3wXv8pQz5rTm1yJd7bLf2hGc9sEa4u"
OTHER = "Hq6tZr0bMx8cVn2kWj5pLs9dFg3aYe7u"
ROWS = 12


class Log:
    """A log of twelve rows, sealed; and somebody who owns the database but not the key."""

    def __init__(self, scene: Scene) -> None:
        self.scene, self.seals = scene, SqlSeals(scene.engine, TENANT)
        self.write(ROWS - len(scene.audited()))
        self.seal()

    def write(self, count: int, **more: Any) -> None:
        for number in range(count):
            with self.scene.change(f"told.{number}", **more) as change:
                change.audit(number=number, words=["ä", None, 1.5])

    def seal(self, key: str = KEY, at: Any = NOON, **more: Any) -> int:
        return seal(self.seals, key, lambda: at, **more)

    def verify(self, *keys: str, anchor: Anchor | None = None) -> Checked:
        anchors = {anchor.seq: anchor} if anchor else {}
        return verify(self.seals, SealKeys(keys or (KEY,)), TENANT, anchors, lambda done, total: None)

    def found(self, **more: Any) -> tuple[Any, Any] | None:
        first = self.verify(**more).first
        return None if first is None else (first.seq, first.what)

    @property
    def anchor(self) -> Anchor:
        head = self.seals.head()
        assert head is not None
        return Anchor(head.seq, head.digest)

    def tamper(self, *statements: Any) -> None:
        """No trigger holds whoever owns the tables."""
        tables = "audit", "audit_seals"
        with self.scene.engine.begin() as connection:
            if connection.dialect.name == "postgresql":
                for table in tables:
                    connection.execute(sa.text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
            else:
                rows = connection.execute(sa.text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")).all()
                for name, _ in rows:
                    connection.execute(sa.text(f"DROP TRIGGER {name}"))
            for statement in statements:
                assert connection.execute(statement).rowcount
            if connection.dialect.name == "postgresql":
                for table in tables:
                    connection.execute(sa.text(f"ALTER TABLE {table} ENABLE TRIGGER USER"))
            else:
                for _, sql in rows:
                    connection.execute(sa.text(sql))

    def id_of(self, seq: int) -> int:
        return int(self.scene.rows(sa.select(audit_seals.c.audit_id).where(audit_seals.c.seq == seq))[0][0])


@pytest.fixture
def log(scene: Scene) -> Log:
    return Log(scene)


def test_an_untouched_log_verifies(log: Log) -> None:
    checked = log.verify(anchor=log.anchor)
    assert (checked.rows, checked.begins, checked.first, checked.unsealed, checked.anchors) == (ROWS, 1, None, 0, 1)
    assert checked.last is not None
    assert (checked.last.seq, checked.backdated, checked.late) == (ROWS, 0, 0)


def other_value(column: sa.Column[Any]) -> Any:
    if isinstance(column.type, sa.JSON):
        return {"number": 99}
    if isinstance(column.type, sa.Text):
        return "something else"
    return NOON + minutes(1) if "at" in column.name.split("_") else 999


@pytest.mark.parametrize("column", audit.columns, ids=lambda column: column.name)
def test_T28_any_changed_column_of_a_row_is_named(log: Log, column: sa.Column[Any]) -> None:
    log.tamper(sa.update(audit).where(audit.c.id == log.id_of(5)).values({column.name: other_value(column)}))
    assert log.found() == (5, "deleted" if column.name in ("id", "tenant_id") else "changed")


@pytest.mark.parametrize("column", audit_seals.columns, ids=lambda column: column.name)
def test_T28_any_changed_column_of_a_seal_is_named(log: Log, column: sa.Column[Any]) -> None:
    log.tamper(sa.update(audit_seals).where(audit_seals.c.seq == 5).values({column.name: other_value(column)}))
    words = {"tenant_id": "missing", "seq": "missing", "audit_id": "deleted", "key": "sealed with a key that is not given"}
    assert log.found() == (5, words.get(column.name, "changed"))


def test_T28_a_deleted_row_is_named(log: Log) -> None:
    log.tamper(sa.delete(audit).where(audit.c.id == log.id_of(5)))
    assert log.found() == (5, "deleted")


def test_T28_a_row_deleted_with_its_seal_is_a_gap(log: Log) -> None:
    log.tamper(sa.delete(audit).where(audit.c.id == log.id_of(5)), sa.delete(audit_seals).where(audit_seals.c.seq == 5))
    assert log.found() == (5, "missing")


def test_T28_a_gap_that_was_closed_is_named(log: Log) -> None:
    below = audit_seals.c.seq
    closed = [sa.update(audit_seals).where(below == seq).values(seq=seq - 1) for seq in range(6, ROWS + 1)]
    log.tamper(sa.delete(audit).where(audit.c.id == log.id_of(5)), sa.delete(audit_seals).where(below == 5), *closed)
    assert log.found() == (5, "changed")


def test_T28_swapped_rows_are_named(log: Log) -> None:
    five, six = log.id_of(5), log.id_of(6)
    swap = [sa.update(audit).where(audit.c.id == a).values(id=b) for a, b in ((five, -1), (six, five), (-1, six))]
    log.tamper(*swap)
    assert log.found() == (5, "changed")


def test_T28_reordered_seals_are_named(log: Log) -> None:
    seq = audit_seals.c.seq
    log.tamper(*(sa.update(audit_seals).where(seq == a).values(seq=b) for a, b in ((5, 99), (6, 5), (99, 6))))
    assert log.found() == (5, "changed")


def test_T28_an_inserted_row_is_named(log: Log) -> None:
    """Between two rows: nobody has the key to seal it. Where a worker seals it as one that came late, it says a time long before
    those that were there already."""
    log.write(1, at=NOON + timedelta(hours=3))
    log.seal(at=NOON + timedelta(hours=3))
    values = {"at": NOON, "actor_kind": "person", "actor_id": "mia", "why": "x", "about_kind": "y", "about_id": "z", "detail": {}}
    log.tamper(sa.insert(audit).values(tenant_id=TENANT, id=-5, **values))
    checked = log.verify()
    assert checked.first is not None
    assert (checked.first.audit_id, checked.first.what) == (-5, "never sealed")
    log.seal(at=NOON + timedelta(hours=3), late=True)
    if log.scene.engine.dialect.name == "postgresql":
        checked = log.verify()
        assert (checked.first, checked.backdated, checked.first_backdated, checked.late) == (None, 1, ROWS + 2, 1)
    else:
        assert log.verify().first is not None, "on SQLite no row comes late, so none is sealed so"


def test_T28_a_forged_seal_is_named(log: Log) -> None:
    """Whoever can write rows but has another key."""
    log.write(1)
    log.seal(OTHER)
    assert log.found() == (ROWS + 1, "sealed with a key that is not given")


@pytest.mark.parametrize("rows_too", [True, False])
def test_T28_a_cut_tail_is_named_by_the_anchor_alone(log: Log, rows_too: bool) -> None:
    anchor, newest = log.anchor, log.id_of(ROWS)
    rows = [sa.delete(audit).where(audit.c.id == newest)] if rows_too else []
    log.tamper(*rows, sa.delete(audit_seals).where(audit_seals.c.seq == ROWS))
    assert log.found() is None, "what is left is whole"
    assert log.found(anchor=anchor) == (ROWS, "cut at its new end")
    log.write(1)
    log.seal(at=NOON + minutes(1))
    assert log.found(anchor=anchor) == (ROWS, "not what the anchor says"), "also once the log has grown over the cut"


def test_T28_what_stood_before_a_cut_cannot_be_put_back(log: Log) -> None:
    """The old row and its old seal fit each other, and the key signed both; the seal behind them names another."""
    [row] = log.scene.rows(sa.select(audit).where(audit.c.id == log.id_of(ROWS)))
    [kept] = log.scene.rows(sa.select(audit_seals).where(audit_seals.c.seq == ROWS))

    def taken_away() -> list[Any]:
        return [sa.delete(audit).where(audit.c.id == log.id_of(ROWS)), sa.delete(audit_seals).where(audit_seals.c.seq == ROWS)]

    log.tamper(*taken_away())
    log.write(2)
    log.seal(at=NOON + minutes(1))
    assert log.found() is None
    log.tamper(*taken_away(), sa.insert(audit).values(row._mapping), sa.insert(audit_seals).values(kept._mapping))
    assert log.found() == (ROWS + 1, "changed")


def test_T28_rows_cut_away_without_their_seals_are_named(log: Log) -> None:
    log.tamper(sa.delete(audit).where(audit.c.id >= log.id_of(10)))
    checked = log.verify()
    assert checked.first is not None
    assert (checked.first.seq, checked.first.what, checked.findings) == (10, "deleted", 3)


def test_T28_everything_cut_away_is_named_by_the_anchor(log: Log) -> None:
    anchor = log.anchor
    log.tamper(sa.delete(audit), sa.delete(audit_seals))
    assert log.found(anchor=anchor) == (1, "cut at its new end")


def test_T28_a_worker_that_runs_says_when_seals_were_cut_away(log: Log, capsys: pytest.CaptureFixture[str]) -> None:
    log.tamper(sa.delete(audit_seals).where(audit_seals.c.seq > 9))
    log.write(1)
    log.seal()
    told = capsys.readouterr().out
    assert "audit.cut" in told
    assert f"seq={ROWS}" in told


@pytest.mark.parametrize("junk", [{"at": "yesterday"}, {"detail": "{"}, {"detail": "NaN"}])
def test_T28_a_row_that_cannot_even_be_read_is_named(log: Log, junk: dict[str, str]) -> None:
    """SQLite takes any text; PostgreSQL refuses these."""
    [(column, value)] = junk.items()
    statement = sa.text(f"UPDATE audit SET {column} = :value WHERE id = :id").bindparams(value=value, id=log.id_of(5))  # noqa: S608
    if log.scene.engine.dialect.name == "postgresql":
        with pytest.raises(sa.exc.DBAPIError):
            log.tamper(statement)
        assert log.found() is None
        return
    log.tamper(statement)
    assert log.found() == (5, "changed")


def test_rows_that_say_an_odd_time_are_counted_and_no_proof(log: Log) -> None:
    """A clock that is wrong, or a worker that was down, is nobody's tampering."""
    log.write(1, at=NOON + timedelta(hours=3))
    log.write(2, at=NOON + timedelta(hours=1, minutes=30))
    log.seal(at=NOON + timedelta(hours=3))
    checked = log.verify()
    assert (checked.first, checked.backdated, checked.first_backdated) == (None, 2, ROWS + 2)
    assert (checked.late, checked.first_late) == (2, ROWS + 2)


# cutting the old end


def test_T28_the_old_end_goes_behind_a_signed_checkpoint_and_the_rest_verifies(log: Log) -> None:
    late = NOON + timedelta(days=800)
    log.write(3, at=late)
    log.seal(at=late)
    assert log.seals.cut(NOON + timedelta(days=1), KEY, WORKER, late) == ROWS
    for sealed in (False, True):
        if sealed:
            log.seal(at=late)
        checked = log.verify()
        assert (checked.first, checked.begins, checked.rows) == (None, ROWS + 1, 3 + sealed)
    assert log.scene.audited() == ["told.0", "told.1", "told.2", "audit.pruned"]
    assert log.seals.cut(NOON + timedelta(days=1), KEY, WORKER, late) == 0


def test_T28_a_missing_row_is_not_cut_away_with_the_old_ones(log: Log) -> None:
    log.tamper(sa.delete(audit).where(audit.c.id == log.id_of(5)))
    assert log.seals.cut(NOON + timedelta(days=1), KEY, WORKER, NOON + timedelta(days=800)) == 4
    assert log.found() == (5, "deleted")


def test_the_whole_log_may_grow_old(log: Log) -> None:
    late = NOON + timedelta(days=800)
    assert log.seals.cut(late, KEY, WORKER, late) == ROWS
    log.write(1, at=late)
    assert log.seal(at=late) == 2
    checked = log.verify()
    assert (checked.first, checked.begins, checked.rows) == (None, ROWS + 1, 2)


def test_T28_a_checkpoint_that_the_web_wrote_hides_no_cut(log: Log) -> None:
    """Whoever can write audit rows, as the web can, may write one that looks like ours, and the triggers then let rows go; but it
    bears no signature of ours."""
    head = log.scene.rows(sa.select(audit_seals).where(audit_seals.c.seq == 5))[0]
    forged = {"through": 5, "digest": head.digest, "rows": 5, "key": head.key, "mac": "0" * 64}
    with log.scene.store.change(Actor("worker", "worker-1"), "audit.pruned", about=("audit", "5"), at=NOON) as change:
        change.audit(**forged)
    ids = [log.id_of(seq) for seq in range(1, 6)]
    with writing(log.scene.engine) as connection:
        connection.execute(sa.delete(audit).where(audit.c.id.in_(ids)))
        connection.execute(sa.delete(audit_seals).where(audit_seals.c.seq <= 5))
    log.seal()
    assert log.found() == (6, "cut at its old end")


def test_T28_more_than_the_checkpoint_says_may_not_be_cut(log: Log) -> None:
    late = NOON + timedelta(days=800)
    log.write(3, at=late)
    log.seal(at=late)
    log.seals.cut(NOON + timedelta(days=1), KEY, WORKER, late)
    log.tamper(
        sa.delete(audit).where(audit.c.id == log.id_of(ROWS + 1)), sa.delete(audit_seals).where(audit_seals.c.seq == ROWS + 1)
    )
    assert log.found() == (ROWS + 2, "cut at its old end")


@pytest.mark.parametrize(
    "statement",
    [
        sa.update(audit_seals).values(digest="0"),
        sa.delete(audit_seals).where(audit_seals.c.seq == ROWS),
        sa.delete(audit_seals).where(audit_seals.c.seq == 1),
        sa.delete(audit).where(audit.c.why == "told.0"),
    ],
)
def test_audit_and_seals_can_only_grow(log: Log, statement: sa.Executable) -> None:
    with pytest.raises(sa.exc.DBAPIError, match="append-only"):
        log.scene.rows(statement)
    assert log.found() is None


# keys


def test_T26_the_key_is_rotated_while_rows_are_written(log: Log) -> None:
    log.write(3)
    log.seal(OTHER)
    log.write(3)
    log.seal(OTHER)
    assert log.verify(OTHER, KEY).first is None
    first = log.verify(OTHER).first
    assert first is not None
    assert (first.seq, first.what) == (1, "sealed with a key that is not given")


# sealing


def test_the_tail_that_waits_for_its_seal_is_counted_with_its_age(log: Log) -> None:
    log.write(2, at=NOON + minutes(1))
    checked = log.verify()
    assert (checked.first, checked.unsealed, checked.oldest_unsealed) == (None, 2, NOON + minutes(1))
    assert log.seal() == 2
    assert log.seal() == 0
    assert log.verify().unsealed == 0


def test_another_tenants_rows_are_another_log(log: Log) -> None:
    with writing(log.scene.engine) as connection:
        row = {"at": NOON, "actor_kind": "a", "actor_id": "b", "why": "c", "about_kind": "d", "about_id": "e", "detail": {}}
        connection.execute(sa.insert(audit).values(tenant_id="another", **row))
    assert log.seal() == 0
    assert SqlSeals(log.scene.engine, "another").seal(KEY, NOON) == 1
    assert log.found() is None


def test_workers_that_seal_at_once_seal_each_row_once(log: Log) -> None:
    log.write(40)
    calls: Sequence[Callable[[], object]] = [lambda: SqlSeals(log.scene.engine, TENANT).seal(KEY, NOON, limit=7)] * 16
    assert all_at_once(calls) == {"done": 16}
    log.seal()
    checked = log.verify()
    assert (checked.rows, checked.first, checked.unsealed) == (ROWS + 40, None, 0)


def test_a_row_that_becomes_visible_after_its_followers_is_sealed_too(log: Log) -> None:
    """PostgreSQL gives the id before the commit. SQLite lets one write at a time, so there is nothing to see there."""
    if log.scene.engine.dialect.name == "sqlite":
        return
    with log.scene.engine.connect() as slow:
        values = {"at": NOON, "actor_kind": "a", "actor_id": "b", "why": "slow", "about_kind": "d", "about_id": "e", "detail": {}}
        slow.execute(sa.insert(audit).values(tenant_id=TENANT, **values))
        log.write(2)
        with pytest.raises(RuntimeError), log.scene.change("rolled back"):
            raise RuntimeError
        log.write(1)
        assert log.seal() == 3
        slow.commit()
    assert log.seal() == 1
    assert log.verify().first is None
    newest = log.scene.rows(sa.select(audit_seals.c.audit_id).order_by(audit_seals.c.seq.desc()).limit(2))
    assert newest[0][0] < newest[1][0]


def seals_without_end(url: str) -> None:
    seals = SqlSeals(make_engine(url), TENANT)
    print("ready", flush=True)  # noqa: T201
    while True:
        seals.seal(KEY, datetime.now(UTC), limit=3)


@pytest.mark.slow
def test_sealers_killed_at_any_moment_leave_a_whole_log(log: Log, url: str, tmp_path: Path) -> None:
    told = tmp_path / "sealers"
    told.touch()

    def start() -> Child:
        begun = told.read_text().count("ready")
        process = children.calling(seals_without_end, url, log=told)
        wait_for(lambda: told.read_text().count("ready") > begun)
        return process

    alive = [start(), start()]
    for number in range(6):
        log.write(25)
        time.sleep(0.05 * (number % 3))
        victim = alive.pop(0)
        os.kill(victim.pid, signal.SIGKILL)
        victim.wait(10)
        alive.append(start())
        assert log.verify().first is None
    for process in alive:
        process.kill()
        process.wait(10)
    log.seal()
    checked = log.verify()
    assert (checked.rows, checked.first, checked.unsealed) == (ROWS + 150, None, 0)
