"""One budget for all: eight callers share one limit, what one is told holds for every other, and one probe goes alone.

The callers are threads here, and processes in one test: what keeps them apart is the database alone.
"""

import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from remediation.domain.budget import BUSY, OPENS_AT, UNREACHABLE, Admitted, Limit, Limits, Outcome, Refused, Room
from remediation.domain.device import ManagedKey
from remediation.domain.hints import Mark
from remediation.domain.push import Lane
from remediation.store.budgets import SqlBudgets
from remediation.store.engine import make_engine
from remediation.store.tables import budgets as table
from tests.people import LINK, NOON, minutes
from tests.store.scenes import BAD, GOOD, TENANT, Scene, directory_phone, managed_phone

ROOT = Path(__file__).parents[2]

LIMITS = {
    "directory": Limits(Limit(rate=20, burst=30, reserve=5)),
    "channel": Limits(Limit(rate=20, burst=30, reserve=5), writes=Limit(rate=1, burst=10, reserve=4)),
    "mdm": Limits(Limit(rate=20, burst=30, reserve=5)),
}


class Hand:
    """A clock that everybody reads, and budgets that believe it."""

    def __init__(self, engine: sa.Engine) -> None:
        self.now = NOON
        self.budgets = self.another(engine)

    def another(self, engine: sa.Engine, *, tenant: str = TENANT) -> SqlBudgets:
        return SqlBudgets(engine, tenant, clock=lambda: self.now, limits=LIMITS, chance=lambda: 0.5)

    def later(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    def enter(self, remote: str = "directory", lane: Lane = Lane.SWEEP, *, writes: bool = False) -> Admitted:
        answer = self.budgets.enter(remote, lane, writes=writes)
        assert isinstance(answer, Admitted)
        return answer

    def refused(self, remote: str = "directory", lane: Lane = Lane.SWEEP, *, writes: bool = False) -> Refused:
        answer = self.budgets.enter(remote, lane, writes=writes)
        assert isinstance(answer, Refused)
        return answer


@pytest.fixture
def hand(engine: sa.Engine) -> Hand:
    return Hand(engine)


def crowd(count: int, call: Callable[[], object]) -> Counter[str]:
    with ThreadPoolExecutor(count) as threads:
        return Counter(type(answer).__name__ for answer in threads.map(lambda _: call(), range(count)))


def test_eight_callers_share_one_limit(hand: Hand, engine: sa.Engine) -> None:
    """Each asks as often as it can, with connections of its own; the first of all make the row."""
    mine = [hand.another(engine) for _ in range(8)]

    def ask(budgets: SqlBudgets) -> int:
        return sum(isinstance(budgets.enter("directory", Lane.REVOKE, writes=False), Admitted) for _ in range(8))

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(ask, mine)) == 30
        hand.later(0.5)
        assert sum(threads.map(ask, mine)) == 10


def test_processes_share_one_limit(url: str, engine: sa.Engine) -> None:
    """By their own clocks, against a limit that mints nothing worth counting while they run."""
    command = [sys.executable, "-m", "tests.store.a_caller", url, "30"]
    callers = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    assert sum(int(caller.communicate(timeout=60)[0]) for caller in callers) == 50
    with engine.connect() as connection:
        assert connection.execute(sa.select(table.c.remote)).scalars().all() == ["directory"]


def test_retry_after_told_to_one_closes_it_for_all(hand: Hand, engine: sa.Engine) -> None:
    begun = [hand.enter() for _ in range(2)]
    hand.budgets.leave("directory", begun[0], Outcome(BUSY, 20))
    hand.budgets.leave("directory", begun[1], Outcome())
    others = [hand.another(engine) for _ in range(8)]
    for lane in Lane:
        assert {type(other.enter("directory", lane, writes=False)) for other in others} == {Refused}
    assert hand.refused(lane=Lane.REVOKE).wait == 20
    hand.enter("mdm:ws1")
    hand.later(19.9)
    hand.refused(lane=Lane.REVOKE)
    hand.later(0.2)
    assert isinstance(others[0].enter("directory", Lane.SWEEP, writes=False), Admitted)


def test_sixteen_callers_at_a_half_open_circuit_are_one_probe(hand: Hand, engine: sa.Engine) -> None:
    for _ in range(OPENS_AT):
        hand.budgets.leave("directory", hand.enter(), Outcome(UNREACHABLE))
    assert hand.refused().why == UNREACHABLE
    hand.later(20)
    probes: list[Admitted] = []

    def ask() -> Admitted | Refused:
        answer = hand.another(engine).enter("directory", Lane.REVOKE, writes=False)
        probes.extend([answer] if isinstance(answer, Admitted) else [])
        return answer

    assert crowd(16, ask) == {"Refused": 15, "Admitted": 1}
    hand.budgets.leave("directory", probes[0], Outcome())
    assert crowd(16, ask) == {"Admitted": 16}


def test_a_hurried_engine_sees_the_same_rows(hand: Hand, url: str) -> None:
    hurried = make_engine(url, durable=False)
    hand.budgets.leave("directory", hand.enter(), Outcome(BUSY, 20))
    assert isinstance(hand.another(hurried).enter("directory", Lane.SWEEP, writes=False), Refused)
    with hurried.connect() as connection:
        asked = "PRAGMA synchronous" if hurried.dialect.name == "sqlite" else "SHOW synchronous_commit"
        assert connection.execute(sa.text(asked)).scalar() in (1, "off")
    hurried.dispose()


def test_two_tenants_have_budgets_of_their_own(hand: Hand, engine: sa.Engine) -> None:
    hand.budgets.leave("directory", hand.enter(), Outcome(BUSY, 20))
    assert isinstance(hand.another(engine, tenant="another").enter("directory", Lane.SWEEP, writes=False), Admitted)


def test_a_good_answer_is_no_news(hand: Hand, engine: sa.Engine) -> None:
    """Else every call would write twice."""
    written: list[str] = []
    sa.event.listen(engine, "before_cursor_execute", lambda *args: written.append(str(args[2]).split()[0]))
    entered = hand.enter()
    asked = len(written)
    hand.budgets.leave("directory", entered, Outcome())
    assert len(written) == asked


def link_phones(scene: Scene, count: int) -> None:
    """l1, l2 …; each is due a minute later."""
    numbers = range(1, count + 1)
    scene.see_managed(*(managed_phone(str(n)) for n in numbers))
    scene.see_directory(*(directory_phone(f"d{n}") for n in numbers))
    for n in numbers:
        scene.link(replace(LINK, id=f"l{n}", device_id=f"d{n}", object_id=f"object-d{n}", managed=ManagedKey("ws1", str(n))))


def due(scene: Scene, room: Room, *, after: int = 2) -> int:
    return scene.store.wake_due(NOON + minutes(after), room=room).rows


def test_no_more_rows_are_woken_than_there_is_room_for(scene: Scene, hand: Hand) -> None:
    link_phones(scene, 5)
    assert due(scene, Room(9, 9, 2)) == 2
    assert due(scene, Room(9, 9, 9)) == 3
    assert due(scene, Room(9, 9, 9), after=4) == 5


def test_a_revocation_has_room_of_its_own_and_what_was_sent_only_reads(scene: Scene) -> None:
    link_phones(scene, 4)
    scene.desire(BAD, lane=Lane.REVOKE)
    with scene.change() as change:
        change.desire("l2", seq=0, decision=BAD, posture_read_at=NOON, lane=Lane.PERSON)
        change.about_to_send("l2", seq=1, message_id="m", update_time=NOON, seen_before=None)
        change.sent("l2", seq=1)
    before = set(scene.wake_ups())
    assert due(scene, Room(1, 1, 0)) == 2
    assert {wake_up[1].partition(":")[0] for wake_up in set(scene.wake_ups()) - before} == {"l1", "l2"}


def test_a_lease_that_is_over_goes_with_the_revocations_before_all_that_is_due(scene: Scene) -> None:
    link_phones(scene, 4)
    scene.desire(replace(GOOD, until=NOON + minutes(3)))
    before = set(scene.wake_ups())
    assert due(scene, Room(1, 1, 0)) == 0, "until then it stands"
    assert due(scene, Room(1, 1, 0), after=3) == 1
    assert [wake_up[1:] for wake_up in set(scene.wake_ups()) - before] == [("l1:2", "revoke")]
    assert scene.push().lane is Lane.REVOKE


def test_what_is_marked_as_a_revocation_stays_one_until_it_was_looked_at(scene: Scene) -> None:
    link_phones(scene, 1)
    with scene.change() as change:
        change.wake_link("l1", lane=Lane.REVOKE)
    for looked, lane in ((False, Lane.REVOKE), (True, Lane.SWEEP)):
        push = scene.push()
        scene.store.note_push("l1", wake=push.wake, seq=0, next_at=NOON, attempts=0, reason=None, looked=looked)
        assert scene.push().lane is lane


def test_what_is_marked_as_a_revocation_stays_one_whoever_marks_it_next(scene: Scene) -> None:
    link_phones(scene, 1)
    scene.store.note_hint(Mark("l1", Lane.REVOKE, due=NOON))
    assert due(scene, Room(9, 9, 9)) == 1
    scene.store.note_hint(Mark("l1", Lane.SWEEP, due=NOON + minutes(2)))
    assert scene.push().lane is Lane.REVOKE
    with scene.change() as change:
        change.wake_link("l1", lane=Lane.PERSON)
    assert scene.push().lane is Lane.REVOKE


def test_news_that_came_while_older_news_was_confirmed_keeps_its_lane(scene: Scene) -> None:
    link_phones(scene, 1)
    scene.desire(GOOD)
    wake = scene.push().wake
    scene.store.note_hint(Mark("l1", Lane.REVOKE, due=NOON))
    with scene.change() as change:
        change.confirmed("l1", seq=1, by="changed")
    scene.store.note_push("l1", wake=wake, seq=1, next_at=None, attempts=0, reason=None)
    assert scene.push().lane is Lane.REVOKE
    assert due(scene, Room(1, 0, 0)) == 1


def test_a_lane_that_this_version_does_not_know_is_swept(scene: Scene) -> None:
    link_phones(scene, 2)
    scene.rows(sa.text("UPDATE pushes SET lane = 'express' WHERE link_id = 'l2' RETURNING link_id"))
    assert due(scene, Room(9, 9, 9)) == 2


def test_room_is_read_from_the_rows(hand: Hand) -> None:
    assert hand.budgets.room() == Room(10, 8, 6)
    for _ in range(6):
        hand.enter("channel", writes=True)
    assert hand.budgets.room() == Room(4, 8, 6), "woken rows are counted by themselves: a token is taken a little later"
    hand.budgets.woken(4)
    assert hand.budgets.room() == Room(4, 8, 2)
    hand.refused("channel", writes=True)
    assert hand.budgets.room() == Room(4, 8, 0), "whoever is refused shows that rows were woken for tokens that are not there"
    hand.later(3)
    assert hand.budgets.room() == Room(7, 8, 3)
    hand.budgets.leave("directory", hand.enter(), Outcome(BUSY, 20))
    assert hand.budgets.room() == Room(1, 1, 1)
