"""The work list on both databases: what is on it, its order and its pages, that it reads no row at rest, and who has taken what."""

import threading
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from remediation.domain.push import WORST
from remediation.domain.work import ANSWER, Kind, Position, Source
from remediation.errors import Conflict, Stale, WhoActs
from remediation.services import work
from remediation.services.work import Filter
from remediation.store.look_up import SqlLookUp
from remediation.store.tables import device_links, journeys, pushes, work_claims
from tests.people import LINK, NOON, minutes
from tests.reads import asked, reads_everything
from tests.store.scenes import GOOD, TENANT, Scene
from tests.store.test_stuck import looked, note, put, rests


def listed(scene: Scene, now: datetime = NOON, **more: Any) -> work.Listed:
    chosen = more.pop("chosen", Filter())
    return work.listed(SqlLookUp(scene.engine, TENANT).work, now, chosen=chosen, **more)


def kinds(scene: Scene, now: datetime = NOON, **more: Any) -> list[tuple[str, str, str]]:
    return [(item.row.id, item.kind.value, item.row.reason) for item in listed(scene, now, **more).items]


def many(scene: Scene, count: int, **values: Any) -> None:
    """Links of Mia's with a push that Microsoft has not shown, one minute after the other."""
    with scene.engine.begin() as connection:
        link = dict(connection.execute(sa.select(device_links).where(device_links.c.id == "l1")).mappings().one())
        push = dict(connection.execute(sa.select(pushes).where(pushes.c.link_id == "l1")).mappings().one())
        for number in range(count):
            key = f"m{number:04}"
            connection.execute(sa.insert(device_links).values(**{**link, "id": key, "state": "ended"}))
            told = {"desired_seq": 1, "desired_at": NOON - minutes(number % 50), "desired": "not_compliant", **values}
            connection.execute(sa.insert(pushes).values(**{**push, "link_id": key, **told}))


def test_what_goes_on_by_itself_needs_nobody_until_it_takes_longer_than_usual(scene: Scene) -> None:
    scene.link()
    scene.desire(GOOD)
    note(scene, reason="sent")
    assert kinds(scene, NOON + minutes(4)) == []
    later = NOON + minutes(6)
    assert kinds(scene, later) == [("l1", "ageing", "sent")]
    [item] = listed(scene, later).items
    assert (item.row.name, item.row.what, item.row.position.at) == ("Mia Berger", "mia iPhone", NOON + WORST)
    rests(scene, GOOD)
    assert kinds(scene, later) == []


def test_what_only_people_can_mend_is_there_at_once(scene: Scene) -> None:
    scene.link()
    scene.desire(GOOD)
    note(scene, reason="channel_refused")
    assert kinds(scene) == [("l1", "stuck", "channel_refused")]
    assert listed(scene).items[0].reason.who is WhoActs.ADMIN


def test_cases_loops_unproven_links_and_what_entra_shows_otherwise(scene: Scene) -> None:
    with scene.change() as change:
        change.need_help("j1", "conflict")
    assert kinds(scene) == [("j1", "help", "conflict")]
    put(scene, sa.update(journeys).values(help_why=None, still_blocked_count=2, still_blocked_at=NOON))
    assert kinds(scene) == [("j1", "looping", "loop")]
    assert kinds(scene, NOON + timedelta(hours=25)) == [], "a journey that is over needs nobody"
    put(scene, sa.update(journeys).values(still_blocked_count=0))
    looked(scene, mdm_error="refused")
    assert kinds(scene) == [("j1", "stuck", "mdm_refused")]
    looked(scene)
    scene.link()
    rests(scene, GOOD)
    put(scene, sa.update(pushes).values(observed=False, observed_at=NOON))
    assert kinds(scene) == [("l1", "mismatched", "shows_other")]
    put(scene, sa.update(pushes).values(observed=True))
    put(scene, sa.update(device_links).values(state="pending", made_at=NOON - minutes(10)))
    assert kinds(scene) == [("l1", "pending", "evidence")]
    assert listed(scene).items[0].row.position == Position(NOON - minutes(10) + ANSWER, Source.PENDING, "l1")


def test_the_oldest_promise_comes_first_and_pages_meet_without_a_gap(scene: Scene) -> None:
    scene.link()
    scene.desire(GOOD)
    many(scene, 130)
    with scene.change() as change:
        change.need_help("j1", "conflict")
    now, seen, after = NOON + minutes(10), list[work.Item](), None
    for _ in range(30):
        page = listed(scene, now, after=after, size=9)
        assert len(page.items) <= 9
        seen += page.items
        after = page.more
        if after is None:
            break
    assert len(seen) == len({item.row.id for item in seen}) == 132
    places = [item.row.position for item in seen]
    assert places == sorted(places)


def test_a_filter_that_few_meet_leads_on_and_misses_none(scene: Scene) -> None:
    scene.link()
    scene.desire(GOOD)
    many(scene, 700, reason="sent")
    put(scene, sa.update(pushes).where(pushes.c.link_id == "m0649").values(reason="no_channel", desired_at=NOON + minutes(9)))
    chosen, now, after, found, pages = Filter(kind=Kind.STUCK), NOON + minutes(10), None, list[str](), 0
    while True:
        page = listed(scene, now, chosen=chosen, after=after)
        found += [item.row.id for item in page.items]
        after, pages = page.more, pages + 1
        if after is None:
            break
    assert found == ["m0649"]
    assert pages == 2, "a page reads a bounded number of rows, and says where it goes on"


def test_the_usual_wait_is_measured(scene: Scene) -> None:
    scene.link()
    scene.desire(GOOD)
    rests(scene, GOOD)
    took = {"confirmed_seq": 1, "confirmed_by": "changed", "confirmed_at": NOON, "desired_at": NOON - minutes(12)}
    many(scene, 25, **took)
    wait = listed(scene).wait
    assert (wait.usual, wait.measured >= 25) == (minutes(12), True)


def test_T31_no_row_that_rests_is_read(scene: Scene) -> None:
    scene.link()
    scene.desire(GOOD)
    after = Position(NOON, Source.LINK, "a")
    for place in (None, after):
        with asked(scene.engine) as statements:
            listed(scene, after=place)
        assert len(statements) >= 5
        sqlite = scene.engine.dialect.name == "sqlite"
        assert not sqlite or reads_everything(scene.engine, statements) == []
        plans = plan_of(scene, statements)
        for index in (
            "ix_pushes_open",
            "ix_pushes_mismatched",
            "ix_device_links_pending",
            "ix_journeys_troubled",
            "ix_pushes_measured",
        ):
            assert index in plans, plans
        assert "TEMP B-TREE" not in plans, "the index has the order, so a page is all that is read"


def plan_of(scene: Scene, statements: Any) -> str:
    """PostgreSQL reads tables of a few rows whole, unless it is told to take an index where one fits."""
    with scene.engine.connect() as connection:
        explain = "EXPLAIN QUERY PLAN"
        if scene.engine.dialect.name == "postgresql":
            explain = "EXPLAIN"
            for way in ("seqscan", "bitmapscan", "sort", "hashjoin", "mergejoin"):
                connection.exec_driver_sql(f"SET LOCAL enable_{way} = off")
        return "\n".join(
            str(row[-1])
            for statement, parameters in statements
            for row in connection.exec_driver_sql(f"{explain} {statement}", parameters)
        )


# who has taken it


def take(scene: Scene, oid: str, now: datetime = NOON) -> bool:
    return work.take(SqlLookUp(scene.engine, TENANT).work, scene.store, "l1", oid=oid, name=oid.title(), now=now)


def taken_by(scene: Scene, now: datetime = NOON) -> str | None:
    claim = SqlLookUp(scene.engine, TENANT).work.claims(["l1"], now).get("l1")
    return claim.oid if claim is not None else None


def test_one_takes_it_others_see_who_and_it_releases_itself(scene: Scene) -> None:
    scene.link()
    assert take(scene, "hanna")
    with pytest.raises(Conflict):
        take(scene, "ida", NOON + minutes(29))
    assert taken_by(scene, NOON + minutes(29)) == "hanna"
    assert taken_by(scene, NOON + minutes(30)) is None
    assert take(scene, "ida", NOON + minutes(30))
    rows = SqlLookUp(scene.engine, TENANT).work
    with pytest.raises(Stale):
        work.release(rows, scene.store, "l1", oid="hanna", now=NOON + minutes(31))
    assert work.release(rows, scene.store, "l1", oid="ida", now=NOON + minutes(31))
    assert not work.take(rows, scene.store, "none", oid="ida", name="Ida", now=NOON)
    assert [why for why in scene.audited() if why.startswith("work.")] == ["work.taken", "work.taken", "work.released"]


def test_of_two_that_take_it_at_once_one_has_it(scene: Scene) -> None:
    scene.link()
    got: list[str] = []

    def tries(oid: str) -> None:
        try:
            take(scene, oid)
            got.append(oid)
        except Conflict:
            pass

    threads = [threading.Thread(target=tries, args=(f"s{number}",)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == 1
    assert taken_by(scene) == got[0]
    assert scene.rows(sa.select(sa.func.count()).select_from(work_claims))[0][0] == 1
    assert LINK.id == "l1"
