"""What Microsoft took, heartbeats, and links that are told again, a page at a time: on both databases, and by one worker alone."""

from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from remediation.domain.compliance import Verdict
from remediation.domain.device import LinkState
from remediation.domain.partner import HEARTBEAT, RESYNC, Told
from remediation.domain.push import Lane
from remediation.domain.watch import Pace, Watch
from remediation.store.tables import audit, device_links, pushes
from tests.people import LINK, NOON, minutes
from tests.store.scenes import BAD, GOOD, WORKER, Scene, all_at_once, directory_phone, managed_phone

LATER = NOON + timedelta(hours=1)
TOLD = Told(True, "https://a/enrollment", "https://a/remediation", ("g1", "g2"), {"ios": "p1"}, NOON, "root")


def watch(scene: Scene, name: str = HEARTBEAT) -> Watch:
    scene.store.keep_watches([HEARTBEAT, RESYNC], at=NOON)
    found = scene.store.watch(name)
    assert found is not None
    return found


def beaten(scene: Scene) -> Watch:
    return watch(scene).beaten(LATER, Pace(), asked_at=NOON, trouble=None)


def put(scene: Scene, statement: sa.Executable) -> None:
    with scene.engine.begin() as connection:
        connection.execute(statement)


@pytest.fixture
def several(scene: Scene) -> Scene:
    """Four links, l1 to l4, told and confirmed."""
    numbers = range(1, 5)
    scene.see_managed(*(managed_phone(f"r{n}") for n in numbers))
    scene.see_directory(*(directory_phone(f"d{n}") for n in numbers))
    for n in numbers:
        key = managed_phone(f"r{n}").key
        scene.link(replace(LINK, id=f"l{n}", device_id=f"d{n}", object_id=f"object-d{n}", managed=key))
    at_rest = {"desired": Verdict.COMPLIANT, "desired_seq": 2, "sent_seq": 2, "confirmed_seq": 2}
    put(scene, sa.update(pushes).values(**at_rest, sent_at=NOON, next_look_at=None, posture_read_at=NOON))
    return scene


def marked(scene: Scene) -> list[str]:
    found = scene.rows(sa.select(pushes.c.link_id).where(pushes.c.tell_again_at.is_not(None)).order_by(pushes.c.link_id))
    return [row[0] for row in found]


def test_what_microsoft_took_is_kept_and_overwritten(scene: Scene) -> None:
    assert scene.store.partner_told() is None
    for told in (TOLD, replace(TOLD, provisioned=False, groups=(), told_at=LATER)):
        with scene.change("partner.provisioned") as change:
            change.partner_took(told)
        assert scene.store.partner_told() == told


def test_a_resync_begins_with_the_heartbeat_or_not_at_all(scene: Scene) -> None:
    after = beaten(scene)
    assert scene.store.note_beat(replace(after, wake=7), resync=NOON, at=LATER) is False
    assert watch(scene, RESYNC).cursor is None
    assert scene.store.note_beat(after, resync=NOON, at=LATER) is True
    begun = watch(scene, RESYNC)
    assert (begun.cursor, begun.began_at, begun.checkpoint, begun.next_look_at) == ("", LATER, NOON, LATER)
    assert watch(scene).checkpoint == NOON


def test_of_two_workers_one_begins_it(scene: Scene) -> None:
    claimed = [replace(watch(scene).begun(NOON), wake=watch(scene).wake) for _ in range(2)]
    scene.store.save_watch(replace(claimed[0], next_look_at=LATER))
    scene.store.wake_due(LATER)
    newest = watch(scene)
    late, owner = beaten(scene), newest.beaten(LATER, Pace(), asked_at=NOON, trouble=None)
    ended = [
        scene.store.note_beat(replace(late, wake=0), resync=NOON, at=LATER),
        scene.store.note_beat(owner, resync=NOON, at=LATER),
    ]
    assert ended == [False, True]


def test_links_are_marked_by_pages_and_each_is_due_with_the_sweeps(several: Scene) -> None:
    store = several.store
    first = store.links_to_tell_again("", told_before=LATER, limit=3)
    assert list(first) == ["l1", "l2", "l3"]
    assert store.tell_again(replace(watch(several, RESYNC), cursor="l3"), first, at=LATER) is True
    assert marked(several) == ["l1", "l2", "l3"]
    assert list(store.links_to_tell_again("l3", told_before=LATER, limit=3)) == ["l4"]
    push = several.push()
    assert (push.next_look_at, push.lane, push.wake, push.to_tell_again) == (LATER, Lane.SWEEP, 2, True)
    assert (store.waiting_to_be_told_again(LATER, limit=9), store.waiting_to_be_told_again(LATER, limit=2)) == (3, 2)
    store.wake_due(LATER)
    assert store.waiting_to_be_told_again(LATER, limit=9) == 0, "the pulse took them up"


def test_a_late_worker_marks_none(several: Scene) -> None:
    late = replace(watch(several, RESYNC), wake=9)
    assert several.store.tell_again(late, ["l1"], at=LATER) is False
    assert marked(several) == []


def test_who_need_not_be_told_again(several: Scene) -> None:
    put(several, sa.update(pushes).where(pushes.c.link_id == "l1").values(sent_at=LATER + minutes(1)))  # told since
    put(several, sa.update(pushes).where(pushes.c.link_id == "l2").values(desired_seq=3))  # news waits to be sent
    put(several, sa.update(device_links).where(device_links.c.id == "l3").values(state=LinkState.ENDED))
    assert list(several.store.links_to_tell_again("", told_before=LATER, limit=9)) == ["l4"]
    several.store.tell_again(watch(several, RESYNC), ["l2", "l4"], at=LATER)
    assert marked(several) == ["l4"]


def test_news_forgets_the_mark_and_a_revocation_keeps_its_lane(several: Scene) -> None:
    put(several, sa.update(pushes).where(pushes.c.link_id == "l1").values(lane=Lane.REVOKE))
    several.store.tell_again(watch(several, RESYNC), ["l1", "l2"], at=LATER)
    assert several.push().lane is Lane.REVOKE
    several.desire(BAD, read_at=LATER)
    with several.change("link.ended") as change:
        change.end_link("l2", "test")
    assert marked(several) == []


def test_marking_and_telling_do_not_wait_for_each_other(several: Scene) -> None:
    row = watch(several, RESYNC)

    def desires() -> None:
        with several.store.change(WORKER, "verdict", about=("link", "l1"), at=LATER) as change:
            change.desire("l1", seq=2, decision=GOOD, posture_read_at=LATER, lane=Lane.SWEEP)

    def marks() -> None:
        several.store.tell_again(row, ["l1", "l2", "l3"], at=LATER)

    assert all_at_once([desires, marks])["done"] == 2
    assert len(several.rows(sa.select(audit.c.id).where(audit.c.why == "verdict"))) == 1
