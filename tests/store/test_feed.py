"""T28: whoever copies the audit page by page misses no row, whoever writes at the same time and in whatever order it commits."""

from __future__ import annotations

import threading

import sqlalchemy as sa

from remediation.ports import Actor
from remediation.services.audit_log import seal
from remediation.store.look_up import SqlLookUp
from remediation.store.seals import SqlSeals
from remediation.store.tables import audit
from tests.people import NOON, minutes
from tests.store.scenes import TENANT, Scene
from tests.store.test_seals import KEY


class Reader:
    """A SIEM: it keeps a place, and asks for what comes after."""

    def __init__(self, scene: Scene) -> None:
        self.look_up, self.place, self.read = SqlLookUp(scene.engine, TENANT), 0, list[str]()

    def reads(self, limit: int = 3) -> None:
        while True:
            page = self.look_up.audit_after(self.place, limit=limit)
            assert not page.gap
            self.read += [str(row.what) for row in page.rows]
            self.place = page.last
            if not page.more:
                return


def written(scene: Scene) -> list[str]:
    with scene.engine.connect() as connection:
        return list(connection.execute(sa.select(audit.c.why).where(audit.c.tenant_id == TENANT)).scalars())


def test_T28_a_row_that_commits_after_its_followers_is_read_all_the_same(scene: Scene) -> None:
    """On PostgreSQL it has the smaller id by then; SQLite lets one writer in at a time, and so it comes after them."""
    reader, sealer = Reader(scene), SqlSeals(scene.engine, TENANT)
    late = {"tenant_id": TENANT, "at": NOON, "why": "late.one", "detail": {}, "about_kind": "x", "about_id": "x"}
    insert = sa.insert(audit).values(**late, actor_kind="worker", actor_id="w")
    at_once = scene.engine.dialect.name == "postgresql"
    with scene.engine.connect() as connection:
        if at_once:
            connection.execute(insert)  # its id is taken, and nobody sees it yet
        for number in range(3):
            with scene.change(f"fast.{number}"):
                pass
        seal(sealer, KEY, lambda: NOON)
        reader.reads()
        assert reader.read[-3:] == ["fast.0", "fast.1", "fast.2"]
        if not at_once:
            connection.execute(insert)
        connection.commit()
    seal(sealer, KEY, lambda: NOON)
    reader.reads()
    assert reader.read[-1] == "late.one"
    assert sorted(reader.read) == sorted(written(scene)), "each once"


def test_T28_many_writers_at_once_and_a_reader_beside_them(scene: Scene) -> None:
    reader, sealer = Reader(scene), SqlSeals(scene.engine, TENANT)

    def write(name: str) -> None:
        for number in range(15):
            with scene.change(f"{name}.{number}"):
                pass

    threads = [threading.Thread(target=write, args=(f"w{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        seal(sealer, KEY, lambda: NOON)
        reader.reads()
    seal(sealer, KEY, lambda: NOON)
    reader.reads()
    assert sorted(reader.read) == sorted(written(scene))
    assert len(written(scene)) >= 60


def test_what_is_not_sealed_yet_is_not_read_yet(scene: Scene) -> None:
    reader = Reader(scene)
    with scene.change("one"):
        pass
    reader.reads()
    assert reader.read == []
    seal(SqlSeals(scene.engine, TENANT), KEY, lambda: NOON)
    reader.reads()
    assert "one" in reader.read


def test_a_reader_whose_place_was_cut_away_is_told(scene: Scene) -> None:
    log = SqlSeals(scene.engine, TENANT)
    for number in range(5):
        with scene.change(f"told.{number}"):
            pass
    seal(log, KEY, lambda: NOON)
    look_up = SqlLookUp(scene.engine, TENANT)
    all_of_it = look_up.audit_after(None, limit=100)
    assert log.cut(NOON + minutes(60 * 24), KEY, Actor("worker", "w"), NOON) == len(all_of_it.rows)
    seal(log, KEY, lambda: NOON)
    assert look_up.audit_after(1, limit=10).gap
    assert not look_up.audit_after(all_of_it.last, limit=10).gap
    assert [row.what for row in look_up.audit_after(None, limit=10).rows] == ["audit.pruned"]


def test_another_tenants_rows_are_not_in_it(scene: Scene) -> None:
    with scene.change("one"):
        pass
    seal(SqlSeals(scene.engine, TENANT), KEY, lambda: NOON)
    assert SqlLookUp(scene.engine, "another").audit_after(None, limit=10).rows == []
    assert SqlLookUp(scene.engine, TENANT).audit_after(None, limit=10).rows
