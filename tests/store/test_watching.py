"""A page is written down in a handful of statements, by whom the watch belongs to, and never against what is newer."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from remediation.domain.compliance import Lease, MdmWord
from remediation.domain.device import ManagedKey, Person
from remediation.domain.evidence import Level
from remediation.domain.listing import PageNews, Renewal, Rules, of_directory, of_records
from remediation.domain.push import Lane
from remediation.domain.watch import DIRECTORY_SWEEP, Pace, Watch, sweep_of, watch_names
from remediation.store.tables import pushes
from tests.people import LINK, MANAGED_PHONE, NOON, minutes
from tests.store.scenes import BAD, GOOD, Scene, all_at_once, directory_phone, managed_phone

SWEEP = sweep_of("ws1")
LATER = NOON + timedelta(hours=1)
UNTIL = LATER + timedelta(hours=72)
RULES = Rules(Lease(), Level.POSSESSION, timedelta(days=7))


def watch(scene: Scene, name: str = SWEEP) -> Watch:
    scene.store.keep_watches(watch_names(["ws1"]), at=NOON)
    found = scene.store.watch(name)
    assert found is not None
    return found


def renewal(link_id: str = "l1", *, read_at: datetime = LATER, until: datetime = UNTIL) -> Renewal:
    return Renewal(link_id, read_at, until, LATER + timedelta(days=3))


def note(
    scene: Scene,
    news: PageNews,
    *,
    of: Watch | None = None,
    absent_since: datetime | None = None,
    at: datetime = LATER,
    connection: str | None = "ws1",
) -> bool:
    stands = (of or watch(scene)).whole(at, Pace())
    return scene.store.note_page(stands, news, at=at, connection=connection, absent_since=absent_since)


@pytest.fixture
def resting(scene: Scene) -> Scene:
    """Linked, told and confirmed; asleep for a quarter of an hour after `LATER`."""
    scene.link()
    scene.desire(GOOD)
    with scene.change() as change:
        change.confirmed("l1", seq=1, by="changed")
    scene.store.note_push("l1", wake=1, seq=scene.push().desired_seq, next_at=LATER + minutes(15), attempts=0, reason=None)
    return scene


def test_a_watch_is_made_once_and_due_at_once(scene: Scene) -> None:
    first = watch(scene)
    assert (first.next_look_at, first.wake, first.cursor, first.done_at) == (NOON, 0, None, None)
    assert scene.store.save_watch(replace(first, cursor="3.1500", attempts=2, reason="mdm_busy"))
    scene.store.keep_watches([SWEEP, "mdm:ws2/poll"], at=LATER)
    again = watch(scene)
    assert (again.cursor, again.attempts, again.reason, again.next_look_at) == ("3.1500", 2, "mdm_busy", NOON)


def test_due_watches_are_woken_beside_the_rest_each_for_one_caller(scene: Scene) -> None:
    watch(scene)
    assert all_at_once([lambda: scene.store.wake_due(NOON)] * 4) == {"done": 4}
    woken = [w for w in scene.wake_ups() if w[0] == "watch_source"]
    assert woken == [("watch_source", f"{name}:1", "push") for name in sorted(watch_names(["ws1"]))]


def test_a_late_worker_writes_nothing(resting: Scene) -> None:
    late, before = watch(resting), resting.push()
    resting.store.wake_due(NOON)
    news = PageNews(("l1",), (renewal(),), {Lane.REVOKE: ("l1",)})
    assert not note(resting, news, of=late, absent_since=LATER)
    assert not resting.store.save_watch(late.whole(LATER, Pace()))
    assert resting.push() == before
    assert watch(resting).done_at is None


def test_a_renewal_lengthens_the_lease_and_the_sleep(resting: Scene) -> None:
    assert note(resting, PageNews(("l1",), (renewal(),)))
    push = resting.push()
    assert (push.compliant_until, push.next_look_at) == (UNTIL, LATER + timedelta(days=3))
    assert (push.posture_read_at, push.wake) == (NOON, 1)
    listed = resting.rows(sa.select(pushes.c.mdm_listed_at, pushes.c.directory_listed_at))
    assert [tuple(row) for row in listed] == [(LATER, None)]


@pytest.mark.parametrize("how", ["shorter", "older", "down", "ended"])
def test_a_renewal_never_wins_over_what_is_newer_or_other(resting: Scene, how: str) -> None:
    one = renewal()
    if how == "shorter":
        one = renewal(until=NOON + timedelta(hours=71))
    elif how == "older":
        resting.store.note_push(
            "l1",
            wake=1,
            seq=resting.push().desired_seq,
            next_at=LATER,
            attempts=0,
            reason=None,
            decision=GOOD,
            posture_read_at=LATER + minutes(1),
        )
    elif how == "down":
        resting.desire(BAD, lane=Lane.REVOKE)
    else:
        with resting.change() as change:
            change.end_link("l1", "unenrolled")
    before = resting.push()
    assert note(resting, PageNews(("l1",), (one,)))
    assert resting.push() == replace(before, mdm_listed_at=LATER)


def test_a_row_that_is_marked_in_hand_or_in_trouble_keeps_its_time(resting: Scene) -> None:
    for next_at, reason in ((LATER, None), (LATER + timedelta(seconds=59), None), (LATER + minutes(30), "mdm_pending")):
        resting.store.note_push("l1", wake=1, seq=resting.push().desired_seq, next_at=next_at, attempts=0, reason=reason)
        assert note(resting, PageNews(("l1",), (renewal(),)))
        assert resting.push().next_look_at == next_at


def test_a_mark_is_due_at_once_in_its_lane_and_outruns_who_has_the_row_in_hand(resting: Scene) -> None:
    assert note(resting, PageNews(("l1",), (), {Lane.REVOKE: ("l1",)}))
    marked = resting.push()
    assert (marked.next_look_at, marked.lane, marked.wake) == (LATER, Lane.REVOKE, 2)
    resting.store.note_push(
        "l1", wake=1, seq=resting.push().desired_seq, next_at=UNTIL, attempts=0, reason=None, decision=GOOD, posture_read_at=LATER
    )
    assert resting.push() == replace(marked, posture_read_at=LATER), "what it read counts, its plan for the row does not"
    assert resting.store.wake_due(LATER).rows >= 1
    assert ("push_link", "l1:3", "revoke") in resting.wake_ups()
    resting.store.note_push("l1", wake=3, seq=resting.push().desired_seq, next_at=UNTIL, attempts=0, reason=None)
    assert resting.push().lane is Lane.SWEEP


def test_a_sweeps_mark_leaves_what_is_due_or_under_way_in_its_lane(resting: Scene) -> None:
    note(resting, PageNews(("l1",), (), {Lane.REVOKE: ("l1",)}))
    before = resting.push()
    note(resting, PageNews(("l1",), (), {Lane.SWEEP: ("l1",)}), at=LATER + minutes(1))
    assert resting.push() == replace(before, mdm_listed_at=LATER + minutes(1))
    resting.desire(BAD, lane=Lane.REVOKE)
    resting.store.note_push("l1", wake=2, seq=resting.push().desired_seq, next_at=LATER + minutes(9), attempts=1, reason="sent")
    note(resting, PageNews(("l1",), (), {Lane.SWEEP: ("l1",)}), at=LATER + minutes(2))
    assert (resting.push().lane, resting.push().next_look_at) == (Lane.REVOKE, LATER + minutes(2))


@pytest.mark.parametrize("connection", ["ws1", None])
def test_who_is_not_in_a_whole_list_is_looked_at_and_nobody_else(scene: Scene, connection: str | None) -> None:
    many(scene, 4)
    listed = PageNews(("l1", "l2"))
    name = SWEEP if connection else DIRECTORY_SWEEP
    assert note(scene, listed, of=watch(scene, name), connection=connection, absent_since=LATER)
    due = scene.rows(sa.select(pushes.c.link_id).where(pushes.c.next_look_at == LATER).order_by(pushes.c.link_id))
    assert [row.link_id for row in due] == ["l3", "l4"]  # l5 was made after the list had begun
    assert scene.push("l3").lane is Lane.SWEEP


def many(scene: Scene, old: int) -> None:
    """Links `l1` to `l<old>` that rest, and one that was made later."""
    for n in range(1, old + 2):
        person = Person(oid=f"person{n}", name="Somebody", user_name=f"s{n}")
        with scene.change() as change:
            change.save_person(person)
        scene.see_managed(managed_phone(f"r{n}", generation=f"g{n}"), oid=person.oid)
        scene.see_directory(directory_phone(f"d{n}", owner_oid=person.oid, compliant=True), oid=person.oid)
        link = replace(LINK, id=f"l{n}", device_id=f"d{n}", object_id=f"object-d{n}", oid=person.oid, generation=f"g{n}")
        made_at = LATER + minutes(1) if n > old else NOON
        scene.link(replace(link, managed=ManagedKey("ws1", f"r{n}"), made_at=made_at))
        with scene.change() as change:
            change.desire(f"l{n}", seq=0, decision=GOOD, posture_read_at=NOON, lane=Lane.PERSON)
        with scene.change() as change:
            change.confirmed(f"l{n}", seq=1, by="changed")
        scene.store.note_push(f"l{n}", wake=1, seq=scene.push(f"l{n}").desired_seq, next_at=UNTIL, attempts=0, reason=None)


@contextmanager
def counted(engine: sa.Engine) -> Iterator[list[str]]:
    said: list[str] = []

    def before(_c: object, _k: object, statement: str, *_more: object) -> None:
        if not statement.startswith("BEGIN"):
            said.append(statement)

    sa.event.listen(engine, "before_cursor_execute", before)
    yield said
    sa.event.remove(engine, "before_cursor_execute", before)


def test_a_page_is_a_handful_of_statements_however_many_rows_it_has(scene: Scene) -> None:
    """Of either list, with rows that renew, that are marked in both lanes, that are absent, and that are seen differently."""
    counts = []
    for begin, size in ((1, 4), (5, 24)):
        if begin == 1:
            many(scene, 28)
        ids = range(begin, begin + size)
        words = (MdmWord.COMPLIANT, MdmWord.NOT_COMPLIANT, MdmWord.UNKNOWN)
        posture = replace(MANAGED_PHONE.posture, read_at=LATER)
        records = [managed_phone(f"r{n}", generation=f"g{n}", posture=replace(posture, word=words[n % 3])) for n in ids]
        devices = [directory_phone(f"d{n}", owner_oid=f"person{n}", compliant=bool(n % 2), read_at=LATER) for n in ids]
        with counted(scene.engine) as said:
            held = scene.store.held_of_records("ws1", [r.key.record_id for r in records])
            news = of_records(records, held, LATER, RULES)
            assert note(scene, news, of=replace(watch(scene), next_look_at=None), absent_since=LATER)
            ours = scene.store.held_of_directory([d.device_id for d in devices])
            drift = of_directory(devices, ours)
            assert note(scene, drift, of=watch(scene, DIRECTORY_SWEEP), connection=None)
        assert (len(held), len(ours), len(drift.changed)) == (size, size, size // 2)
        assert set(news.look) == {Lane.REVOKE, Lane.SWEEP}
        assert news.renewals
        counts.append(len(said))
    assert counts[0] == counts[1] <= 20


def test_what_the_directorys_list_shows_is_observed_where_it_differs_and_is_newer(scene: Scene) -> None:
    many(scene, 2)
    seen = len(scene.observed())
    renamed = directory_phone("d1", owner_oid=None, compliant=None, name="Renamed", read_at=LATER)
    moved = directory_phone("d2", owner_oid="noah", compliant=True, read_at=LATER)
    changed = of_directory([renamed, moved], scene.store.held_of_directory(["d1", "d2"])).changed
    scene.see_directory(directory_phone("d2", owner_oid="person2", compliant=True, read_at=NOON + minutes(1)), oid="person2")
    assert note(scene, PageNews(changed=changed), of=watch(scene, DIRECTORY_SWEEP), connection=None)
    found = sorted(scene.observed()[seen:], key=str)
    assert found == [
        ("directory_device", "compliant", True, None),
        ("directory_device", "name", "Mia's iPhone", "Renamed"),
    ]
    [one, two] = sorted(scene.store.held_of_directory(["d1", "d2"]), key=lambda held: held.link.id)
    assert one.directory is not None
    assert two.directory is not None
    assert (one.directory.name, one.directory.owner_oid, two.directory.owner_oid) == ("Renamed", "person1", "person2")


def test_another_connections_records_are_not_this_lists(scene: Scene) -> None:
    many(scene, 2)
    assert scene.store.held_of_records("ws2", ["r1", "r2"]) == []
    assert note(scene, PageNews(("l1",)), connection="ws2", absent_since=LATER)
    assert scene.push("l2").next_look_at == UNTIL
