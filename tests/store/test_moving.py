"""From a SQLite file to PostgreSQL: all of it or nothing, and work goes on where it was."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from remediation.domain.device import Platform
from remediation.domain.push import Lane
from remediation.domain.seals import SealKeys
from remediation.ports import Actor
from remediation.services.audit_log import seal, verify
from remediation.services.prune import PRUNED
from remediation.store import DbosWakeups, SqlSessions, SqlStore, make_engine
from remediation.store.engine import reading, writing
from remediation.store.moving import MOVED, CannotMove, move, put_aside
from remediation.store.seals import SqlSeals
from remediation.store.tables import alarms, audit, metadata, observations, pushes, throttlings, watches
from tests.people import MIA, NOON, minutes
from tests.store.conftest import Lend
from tests.store.scenes import FINE, GOOD, TENANT, Scene, managed_phone
from tests.store.test_seals import KEY
from tests.store.test_shown_certificates import shows_certificate
from tests.store.test_sign_ins import comes_back

ODD = 'Mia\'s 📱\u202e "iPhone"; DROP TABLE people --'


class Move:
    """A file with a bit of everything, and an empty PostgreSQL."""

    def __init__(self, source: str, target: str) -> None:
        self.source, self.target = source, target
        self.file = Path(sa.make_url(source).database or "")
        self.told: list[tuple[str, int, int]] = []

    def fill(self) -> None:
        engine = make_engine(self.source)
        scene = Scene(engine, SqlStore(engine, TENANT, DbosWakeups(engine)))
        scene.arrive()
        scene.store.observe_person(MIA, FINE, at=NOON)
        scene.see_managed(managed_phone("1042", name=ODD), at=NOON + minutes(1))
        scene.ask_for_proof()
        scene.mint("hash")
        scene.link()
        scene.desire(GOOD)
        comes_back(scene)
        shows_certificate(scene)
        with scene.change("case.opened") as change:
            change.audit(reasons=[1, {"ö": None}], ended=True)
            change.open_case(case_code="AAA-BBB", browser="b", platform=Platform.MACOS, entrance="start")
        SqlSessions(engine, TENANT).begin(oid="mia", name="Mia", roles=("Helpdesk.Read",), browser="b", at=NOON)
        with writing(engine) as connection:
            connection.execute(
                sa.insert(watches).values(tenant_id=TENANT, name="mdm:ws1/poll", cursor="x", alarmed=1, good_at=NOON)
            )
            busy = {"day": NOON, "remote": "directory", "count": 3, "last_at": NOON, "last_code": "1012"}
            connection.execute(sa.insert(throttlings).values(tenant_id=TENANT, **busy))
            row = {"id": "x", "sink": "log", "source": "s", "level": 1, "at": NOON, "subject": ODD, "text": "t"}
            connection.execute(sa.insert(alarms).values(tenant_id=TENANT, **row))
        engine.dispose()

    def go(self, **more: Any) -> dict[str, int]:
        asked = {"tenant_id": TENANT, "operator": "root", "at": NOON, "progress": lambda *told: self.told.append(told), **more}
        return dict(move(self.source, self.target, **asked))

    def refusal(self) -> str:
        before = self.contents(self.source)
        with pytest.raises(CannotMove) as raised:
            self.go()
        assert self.contents(self.source) == before
        return str(raised.value)

    def contents(self, url: str) -> dict[str, list[tuple[Any, ...]]]:
        engine = make_engine(url, durable=False)
        try:
            with reading(engine) as connection:
                rows = {t.name: connection.execute(sa.select(t).order_by(*t.primary_key)).all() for t in metadata.sorted_tables}
        finally:
            engine.dispose()
        return {name: [tuple(row) for row in found] for name, found in rows.items()}


@pytest.fixture
def moving(sqlite: Lend, postgresql: Lend) -> Iterator[Move]:
    """Migrated already, which takes seconds; tests/journeys/test_move.py begins with a database that holds nothing at all."""
    with sqlite() as source, postgresql() as target:
        made = Move(source, target)
        made.fill()
        yield made


def test_everything_arrives_and_work_goes_on(moving: Move) -> None:
    before = moving.contents(moving.source)
    counts = moving.go()
    after = moving.contents(moving.target)
    marker = after["audit"].pop()
    assert after == before
    assert sum(map(len, before.values())) == sum(counts.values()) >= 15
    assert (MOVED in marker, counts["people"]) == (True, 1)
    assert {name for name, _, _ in moving.told} == {name for name, rows in before.items() if rows}
    assert not moving.file.exists()
    assert moving.file.with_name(moving.file.name + ".moved").is_file()
    engine = make_engine(moving.target)
    scene = Scene(engine, SqlStore(engine, TENANT, DbosWakeups(engine)))
    wake = scene.push().wake
    assert scene.store.wake_due(NOON + minutes(5)).rows == 2, "the link and the journey that were pending"
    assert scene.wake_ups()[-1] == ("push_link", f"l1:{wake + 1}", "push")
    with scene.store.change(Actor("worker", "w"), PRUNED, about=("tenant", TENANT), at=NOON):
        pass
    scene.see_managed(managed_phone("1043"), at=NOON + minutes(2))
    for table in (audit, observations):
        ids = [row[0] for row in scene.rows(sa.select(table.c.id).order_by(table.c.id))]
        assert len(ids) == len(set(ids))
        assert ids[-1] > max(row[0] for row in before[table.name])
    engine.dispose()


def test_T28_the_seals_come_along_and_the_log_goes_on(moving: Move) -> None:
    def log(url: str) -> SqlSeals:
        engines.append(make_engine(url))
        return SqlSeals(engines[-1], TENANT)

    engines: list[sa.Engine] = []
    before = seal(log(moving.source), KEY, lambda: NOON)
    engines.pop().dispose()
    moving.go()
    there = log(moving.target)
    assert seal(there, KEY, lambda: NOON) == 1, "the row that says that it was moved"
    checked = verify(there, SealKeys([KEY]), TENANT, {}, lambda done, total: None)
    assert (checked.first, checked.rows, checked.unsealed) == (None, before + 1, 0)
    engines.pop().dispose()


def test_cut_off_half_way_nothing_is_there_and_it_may_be_run_again(moving: Move) -> None:
    def power_cut(table: str, _done: int, _total: int) -> None:
        if table == "pushes":
            raise KeyboardInterrupt

    before = moving.contents(moving.source)
    with pytest.raises(KeyboardInterrupt):
        moving.go(progress=power_cut)
    assert moving.contents(moving.source) == before
    assert not any(moving.contents(moving.target).values())
    assert sum(moving.go().values()) == sum(map(len, before.values()))


@pytest.mark.parametrize("how", ["idle", "reading", "writing"])
def test_a_file_that_somebody_has_open_is_left_alone(moving: Move, how: str) -> None:
    engine = make_engine(moving.source)
    with engine.connect() as connection:
        if how != "writing":
            connection = connection.execution_options(reads=True)
        connection.execute(sa.select(pushes.c.link_id)).all()
        if how == "idle":
            connection.rollback()
        with pytest.raises(CannotMove, match=r"is in use\. End `serve` and `work`"):
            moving.go()
    engine.dispose()
    assert moving.go()["people"] == 1, "and afterwards it may be moved"


def test_a_target_that_holds_anything_is_left_alone(moving: Move) -> None:
    moving.go()
    moving.file.with_name(moving.file.name + ".moved").rename(moving.file)
    assert "was moved there at 2026-11-21 12:00 UTC, whole" in moving.refusal()
    engine = make_engine(moving.target)
    with writing(engine) as connection:
        connection.execute(sa.text("ALTER TABLE audit DISABLE TRIGGER audit_no_delete"))
        connection.execute(sa.delete(audit))
    assert "people 1, " in moving.refusal()
    with writing(engine) as connection:
        connection.execute(sa.text("TRUNCATE people CASCADE"))
        for table in metadata.sorted_tables:
            connection.execute(sa.delete(table))
    with writing(engine) as connection:
        DbosWakeups(engine).enqueue(connection, "push_link", "l1", 1, lane=Lane.PERSON)
    assert "holds data (workflow_status 1)" in moving.refusal()
    engine.dispose()


def test_what_cannot_be_moved_is_said(moving: Move, tmp_path: Path) -> None:
    with pytest.raises(CannotMove, match="must name the SQLite file"):
        move(f"sqlite:///{tmp_path}/none.sqlite", moving.target, tenant_id=TENANT, operator="root", at=NOON, progress=print)
    with pytest.raises(CannotMove, match="must be a PostgreSQL"):
        move(moving.source, moving.source, tenant_id=TENANT, operator="root", at=NOON, progress=print)
    engine = make_engine(moving.source)
    with writing(engine) as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '0001'"))
    engine.dispose()
    assert "not of this version" in moving.refusal()


def test_a_row_that_this_version_cannot_read_is_moved_like_any_other(moving: Move) -> None:
    engine = make_engine(moving.source)
    with writing(engine) as connection:
        connection.execute(sa.text("UPDATE pushes SET lane = 'a newer word', reason = 'nul' || char(0) || 'l'"))
    engine.dispose()
    moving.go()
    engine = make_engine(moving.target)
    with reading(engine) as connection:
        found = connection.execute(sa.text("SELECT lane, reason FROM pushes")).one()
    engine.dispose()
    assert tuple(found) == ("a newer word", "null")


def test_an_earlier_file_is_never_overwritten(tmp_path: Path) -> None:
    file = tmp_path / "kept.sqlite"
    assert put_aside(file).name == "kept.sqlite.moved"
    put_aside(file).touch()
    assert put_aside(file).name == "kept.sqlite.moved-1"
