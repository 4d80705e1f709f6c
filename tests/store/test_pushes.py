"""The row of a push: whoever carries an older sequence, an older posture or an older time has lost, and left no trace."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest

from remediation.domain.compliance import Verdict
from remediation.domain.device import LinkState
from remediation.domain.push import Lane
from remediation.errors import Stale
from remediation.ports import Change
from tests.people import LINK, NOON, minutes
from tests.store.scenes import BAD, GOOD, Scene, all_at_once

Step = Callable[[Change, int], None]
STEPS: dict[str, Step] = {
    "desire": lambda c, seq: c.desire("l1", seq=seq, decision=BAD, posture_read_at=NOON + minutes(1), lane=Lane.SWEEP),
    "about_to_send": lambda c, seq: c.about_to_send("l1", seq=seq, message_id="m", update_time=NOON, seen_before=False),
    "sent": lambda c, seq: c.sent("l1", seq=seq),
    "accepted": lambda c, seq: c.accepted("l1", seq=seq),
    "confirmed": lambda c, seq: c.confirmed("l1", seq=seq, by="changed"),
}


@pytest.fixture
def linked(scene: Scene) -> Scene:
    scene.link()
    scene.desire(GOOD)
    return scene


def take(scene: Scene, step: Step, seq: int) -> None:
    with scene.change() as change:
        step(change, seq)


@pytest.mark.parametrize("name", STEPS)
def test_another_sequence_changes_nothing(linked: Scene, name: str) -> None:
    before, audited = linked.push(), linked.audited()
    for seq in (0, 2):
        with pytest.raises(Stale):
            take(linked, STEPS[name], seq)
    assert (linked.push(), linked.audited()) == (before, audited)


def test_a_push_comes_to_rest_step_by_step(linked: Scene) -> None:
    for name in ("about_to_send", "sent", "accepted", "confirmed"):
        assert not linked.push().at_rest
        take(linked, STEPS[name], 1)
    push = linked.push()
    assert (push.sent_seq, push.accepted_seq, push.confirmed_seq, push.confirmed_by) == (1, 1, 1, "changed")
    assert (push.message_id, push.last_update_time, push.seen_before) == ("m", NOON, False)
    assert push.open_at(NOON)


def test_of_sixteen_verdicts_on_one_sequence_one_wins(linked: Scene) -> None:
    assert all_at_once([partial(take, linked, STEPS["desire"], 1)] * 16) == {"done": 1, "stale": 15}
    assert linked.push().desired_seq == 2


def test_an_older_posture_never_decides(linked: Scene) -> None:
    with pytest.raises(Stale):
        linked.desire(BAD, read_at=NOON - timedelta(microseconds=1))
    assert linked.push().desired is Verdict.COMPLIANT


def test_a_new_verdict_forgets_what_was_carried_of_the_old(linked: Scene) -> None:
    take(linked, STEPS["about_to_send"], 1)
    push = linked.desire(BAD)
    assert (push.desired, push.reasons, push.compliant_until) == (Verdict.NOT_COMPLIANT, ("rules_fail",), None)
    assert (push.message_id, push.seen_before, push.last_update_time) == (None, None, NOON)


@pytest.mark.parametrize("state", [LinkState.PENDING, LinkState.ENDED])
def test_compliant_is_only_ever_said_of_an_active_link(scene: Scene, state: LinkState) -> None:
    scene.link(replace(LINK, state=LinkState.PENDING if state is LinkState.PENDING else LinkState.ACTIVE))
    if state is LinkState.ENDED:
        with scene.change() as change:
            change.end_link("l1", "unenrolled")
    with pytest.raises(Stale):
        scene.desire(GOOD)


@pytest.mark.parametrize(
    ("message_id", "later", "refused"), [("m", 0, False), ("m", 1, True), ("n", 1, False), ("n", 0, True), ("n", -1, True)]
)
def test_times_told_to_microsoft_only_grow(linked: Scene, message_id: str, later: int, *, refused: bool) -> None:
    take(linked, STEPS["about_to_send"], 1)

    def again(change: Change, seq: int) -> None:
        time = NOON + timedelta(milliseconds=later)
        change.about_to_send("l1", seq=seq, message_id=message_id, update_time=time, seen_before=None)

    if refused:
        with pytest.raises(Stale):
            take(linked, again, 1)
    else:
        take(linked, again, 1)
    assert linked.push().message_id == ("m" if refused else message_id)


def test_an_open_revocation_keeps_its_lane_when_a_person_wakes_the_row(linked: Scene) -> None:
    linked.desire(BAD, lane=Lane.REVOKE)
    with linked.change() as change:
        change.wake_link("l1", lane=Lane.PERSON)
    assert linked.push().lane is Lane.REVOKE
    assert linked.wake_ups()[-1] == ("push_link", "l1:2", "revoke")


def test_parking_renews_the_lease_of_the_verdict_that_stands(linked: Scene) -> None:
    later = replace(GOOD, until=NOON + timedelta(hours=80))
    park = partial(linked.store.note_push, "l1", seq=1, next_at=NOON + minutes(30), attempts=3, reason=None)
    park(wake=1, decision=later, posture_read_at=NOON + minutes(5))
    push = linked.push()
    assert (push.compliant_until, push.posture_read_at, push.next_look_at) == (later.until, NOON + minutes(5), NOON + minutes(30))
    park(wake=1, decision=GOOD, posture_read_at=NOON)  # an older read
    park(wake=1, decision=BAD, posture_read_at=NOON + minutes(9))  # another verdict: `desire` would be the way
    assert (linked.push().compliant_until, linked.push().desired) == (later.until, Verdict.COMPLIANT)


def test_a_late_worker_moves_no_timer_but_what_it_saw_counts_where_newer(linked: Scene) -> None:
    with linked.change() as change:
        change.wake_link("l1", lane=Lane.PERSON)
    timers = linked.push().next_look_at
    park = partial(linked.store.note_push, "l1", wake=1, seq=1, next_at=None, attempts=9, reason="late")
    renewed = replace(GOOD, until=NOON + timedelta(days=9))
    park(observed=True, observed_at=NOON, decision=renewed, posture_read_at=NOON + minutes(1))
    park(observed=False, observed_at=NOON - minutes(1), decision=replace(GOOD, until=NOON), posture_read_at=NOON)
    park(seq=2, decision=replace(GOOD, until=NOON), posture_read_at=NOON + minutes(2))  # of news that the row does not stand for
    push = linked.push()
    assert (push.next_look_at, push.attempts, push.reason, push.compliant_until) == (timers, 0, None, renewed.until)
    assert (push.observed, push.observed_at) == (True, NOON)


def test_who_parks_without_knowing_the_newest_sequence_has_the_row_looked_at_again(linked: Scene) -> None:
    """A late worker told its news after this pass had looked at the row; its own wake-up is an old one, so it parks nothing."""
    linked.desire(BAD)
    linked.store.note_push("l1", wake=1, seq=1, next_at=NOON + timedelta(days=1), attempts=0, reason=None, following=True)
    push = linked.push()
    assert (push.next_look_at, push.following, push.desired) == (push.desired_at, False, Verdict.NOT_COMPLIANT)


def test_what_was_judged_again_keeps_an_older_read_from_deciding(linked: Scene) -> None:
    linked.store.note_judged("l1", seq=1, decision=GOOD, posture_read_at=NOON + minutes(5))
    with pytest.raises(Stale):
        take(linked, STEPS["desire"], 1)
    for seq, decision, at in ((0, GOOD, minutes(6)), (1, BAD, minutes(6)), (1, GOOD, minutes(4))):
        with pytest.raises(Stale):
            linked.store.note_judged("l1", seq=seq, decision=decision, posture_read_at=NOON + at)
    assert linked.push().posture_read_at == NOON + minutes(5)


@pytest.mark.parametrize(("wake", "sooner"), [(1, True), (0, False)])
def test_an_overtaken_pass_has_the_row_looked_at_again_soon_unless_it_was_woken_since(
    linked: Scene, wake: int, *, sooner: bool
) -> None:
    before, soon = linked.push(), NOON + timedelta(seconds=4)
    linked.store.note_overtaken("l1", wake=wake, next_at=soon, attempts=1)
    push = linked.push()
    assert (push.next_look_at, push.attempts) == ((soon, 1) if sooner else (before.next_look_at, before.attempts))


def test_an_overtaken_pass_wakes_no_row_that_rests_for_good(linked: Scene) -> None:
    linked.store.note_push("l1", wake=1, seq=1, next_at=None, attempts=0, reason=None)
    linked.store.note_overtaken("l1", wake=1, next_at=NOON, attempts=1)
    assert linked.push().next_look_at is None
