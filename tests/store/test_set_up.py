"""What a set-up keeps, on both databases: choices, scope, wishes, pilots, the second lock."""

from __future__ import annotations

from dataclasses import replace

import pytest
import sqlalchemy as sa

from remediation.domain.device import Platform
from remediation.domain.pilot import Down, Next, Pilot, PilotState, PilotStep
from remediation.domain.scope import ChosenGroup
from remediation.domain.second_lock import UNMARKED, SeenBlocked
from remediation.domain.wishes import Kind, Wish
from remediation.errors import Conflict, SetUpRefused, Stale
from remediation.ports import Choice
from remediation.store.onboarding import SqlChoices
from tests.people import NOON, minutes
from tests.store.scenes import Scene

PILOT = Pilot(
    *("p1", Platform.IOS, "intune_partner", "ws1", "l1", Down.PUSH, PilotStep.COMPLIANT, NOON),
    *(NOON + minutes(75), PilotState.RUNNING, NOON, "adam"),
)


def test_of_two_who_decide_on_the_same_settings_one_is_refused(scene: Scene) -> None:
    choices = SqlChoices(scene.engine)
    with scene.change() as change:
        assert change.choose({"first": Choice("mia")}, seen=0) == {"first": None}
    with pytest.raises(SetUpRefused), scene.change() as change:
        change.choose({"go": Choice("yes")}, seen=0)
    with scene.change() as change:
        assert change.choose({"go": Choice("yes"), "first": None}, seen=1)["first"] == Choice("mia")
    assert (choices.typed(), choices.seq()) == ({"go": Choice("yes")}, 2)


def test_a_scope_that_was_chosen_on_an_older_one_is_stale(scene: Scene) -> None:
    group = ChosenGroup("3f0c5a6e-8c57-4f0a-9b0b-3d2f5a7a9d11", "Mobile users")
    with scene.change() as change:
        change.choose_scope([group], seq=0, by="adam")
    with pytest.raises(Stale), scene.change() as change:
        change.choose_scope([], seq=0, by="hanna")
    assert scene.store.scope().groups == (group,)


def test_a_wish_wakes_the_worker_and_is_answered_once(scene: Scene) -> None:
    with scene.change() as change:
        change.make_wish(Wish("w1", Kind.ACCOUNT, {"name": "mia"}, "adam", NOON))
    assert [one.id for one in scene.store.open_wishes()] == ["w1"]
    assert scene.store.answer_wish("w1", at=NOON, answer={"oid": "mia"})
    assert not scene.store.answer_wish("w1", at=NOON, answer={"oid": "noah"})
    found = scene.store.last_wish(Kind.ACCOUNT)
    assert found is not None
    assert found.answer == {"oid": "mia"}
    assert any("set_up/wishes" in row[1] for row in scene.wake_ups())


def test_one_pilot_of_a_platform_runs_and_whoever_looked_at_an_earlier_step_looked_in_vain(scene: Scene) -> None:
    scene.link()
    with scene.change() as change:
        change.start_pilot(PILOT)
    with pytest.raises(Conflict), scene.change() as change:
        change.start_pilot(replace(PILOT, id="p2"))
    seen = Next(seen_at=NOON, step=PilotStep.NOT_COMPLIANT)
    with scene.change() as change:
        change.pilot_goes_on(PILOT, seen, until=NOON + minutes(75))
    with pytest.raises(Stale), scene.change() as change:
        change.pilot_goes_on(PILOT, seen, until=NOON + minutes(75))
    assert scene.store.held_down("l1", NOON)
    running = scene.store.running_pilot(Platform.IOS)
    assert running is not None
    with scene.change() as change:
        change.stop_pilot(running, why="by_hand")
    with scene.change() as change:  # the control: now another one may
        change.start_pilot(replace(PILOT, id="p2"))


def test_a_second_lock_is_given_up_whole_and_another_begins_anew(scene: Scene) -> None:
    store = scene.store
    assert store.keep_second_lock(7, "remediation-1", at=NOON) == store.keep_second_lock(9, "remediation-2", at=NOON)
    with scene.change() as change:
        change.lock_prepared()
    with scene.change() as change:
        change.saw_blocked(SeenBlocked(UNMARKED, "confirmed", "53003", NOON, "adam"))
    with scene.change() as change:
        change.lock_leaves()
    held = store.second_lock()
    assert held is not None
    assert held.prepared_at is None
    with scene.change() as change:
        change.lock_given_up()
    assert (store.second_lock(), list(store.seen_blocked())) == (None, [])
    assert store.keep_second_lock(9, "remediation-2", at=NOON).attribute == 9


def test_I5_what_was_refused_leaves_no_row_and_no_audit(scene: Scene) -> None:
    before = scene.audited()
    with pytest.raises(SetUpRefused), scene.change("settings.changed") as change:
        change.choose({"go": Choice("yes")}, seen=5)
    assert scene.audited() == before
    assert scene.rows(sa.text("SELECT name FROM choices")) == []
