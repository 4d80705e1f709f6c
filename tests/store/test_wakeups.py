"""Wake-ups are committed with their row or not at all, never repeat an id, and find again what a vanished worker left."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from remediation.domain.push import Lane
from remediation.store.engine import writing
from remediation.store.wakeups import LOOK_JOURNEY, DbosWakeups
from tests.people import NOON, minutes
from tests.store.scenes import BAD, GOOD, Scene, all_at_once

NET = timedelta(seconds=60)


def want(scene: Scene, *, refresh: bool = False, at: datetime = NOON) -> None:
    with scene.change(at=at) as change:
        change.want_look("j1", refresh=refresh)


def due(scene: Scene, after: timedelta, *, limit: int = 100) -> int:
    return scene.store.wake_due(NOON + after, limit=limit).rows


def test_each_wish_is_a_wake_up_of_its_own(scene: Scene) -> None:
    want(scene)
    want(scene, refresh=True, at=NOON + minutes(1))
    look = scene.journey().look
    assert scene.wake_ups() == [(LOOK_JOURNEY, "j1:1", "push"), (LOOK_JOURNEY, "j1:2", "push")]
    assert (look.wake, look.wanted_at, look.refresh_wanted_at) == (2, NOON + minutes(1), NOON + minutes(1))
    assert look.next_at == NOON + minutes(1) + NET


def test_sixteen_wishes_at_once_have_sixteen_ids(scene: Scene) -> None:
    assert all_at_once([lambda: want(scene)] * 16) == {"done": 16}
    assert {wake_up[1] for wake_up in scene.wake_ups()} == {f"j1:{n}" for n in range(1, 17)}


def test_an_id_that_was_ever_used_is_refused_aloud(scene: Scene) -> None:
    want(scene)
    with pytest.raises(Exception, match="j1:1"), writing(scene.engine) as connection:
        DbosWakeups(scene.engine).enqueue(connection, LOOK_JOURNEY, "j1", 1, lane=Lane.PERSON)


def test_what_a_vanished_worker_left_is_woken_again(scene: Scene) -> None:
    want(scene)
    scene.link()
    assert due(scene, NET - timedelta(microseconds=1)) == 0
    assert due(scene, NET) == 2
    assert due(scene, NET) == 0
    assert {"j1:2", "l1:2"} <= {wake_up[1] for wake_up in scene.wake_ups()}


def test_no_row_is_handed_to_two_callers(scene: Scene) -> None:
    for n in range(2, 32):
        scene.arrive(f"j{n}")
        with scene.change() as change:
            change.want_look(f"j{n}")
    counts: list[int] = []
    assert all_at_once([lambda: counts.append(due(scene, NET, limit=4))] * 8)["done"] == 8
    while found := due(scene, NET, limit=4):
        counts.append(found)
    assert sum(counts) == 30
    assert len(scene.wake_ups()) == 60


def test_a_backlog_of_journeys_does_not_hold_up_a_revocation(scene: Scene) -> None:
    want(scene)
    scene.link()
    scene.desire(BAD, lane=Lane.REVOKE)
    assert due(scene, NET, limit=1) == 2
    assert ("push_link", "l1:2", "revoke") in scene.wake_ups()


def test_a_row_at_rest_is_woken_in_the_lane_of_sweeps(scene: Scene) -> None:
    scene.link()
    scene.desire(GOOD)
    with scene.change() as change:
        change.confirmed("l1", seq=1, by="already_so")
    assert due(scene, NET) == 1
    assert scene.push().lane is Lane.SWEEP


def test_journeys_are_watched_while_they_live(scene: Scene) -> None:
    want(scene)
    assert due(scene, timedelta(hours=24)) == 0


def note(
    scene: Scene, wake: int, *, at: datetime = NOON, error: str | None = None, owner: str | None = None, refreshed: bool = False
) -> None:
    found: dict[str, Any] = {"directory_error": None, "mdm_error": error, "owner_problem": owner}
    scene.store.note_look("j1", wake=wake, at=at, next_at=None, attempts=5, **found, refreshed=refreshed)


def test_a_look_is_noted_side_by_side(scene: Scene) -> None:
    want(scene)
    note(scene, 1, error="busy", refreshed=True)
    look = scene.journey().look
    assert (look.directory_read_at, look.directory_error, look.mdm_read_at, look.mdm_error) == (NOON, None, None, "busy")
    assert (look.done_at, look.refreshed_at, look.next_at, look.attempts) == (NOON, NOON, None, 5)
    assert not look.under_way
    assert due(scene, timedelta(hours=1)) == 0


def test_a_late_look_moves_no_timer_but_what_it_read_counts_where_newer(scene: Scene) -> None:
    want(scene)
    want(scene, at=NOON + minutes(1))
    note(scene, 1, error="busy")
    note(scene, 1, at=NOON - minutes(1))
    look = scene.journey().look
    assert look.under_way
    assert (look.attempts, look.mdm_error, look.next_at) == (0, None, NOON + minutes(1) + NET)
    assert (look.directory_read_at, look.mdm_read_at) == (NOON, NOON - minutes(1))
