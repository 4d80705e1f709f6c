"""The second lock under `mdm_relay`: the mark stands exactly where *compliant* is justified by us, and nowhere else."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from remediation.domain.device import LinkState
from remediation.domain.push import Lane
from remediation.domain.steps import Step
from remediation.services.push_compliance import bring_to_rest
from remediation.services.stuck import explain
from remediation.store.tables import alarms
from sandbox.relay import register_in_app, switch_on
from tests.locked import (
    NUMBER,
    TURN,
    VALUE,
    device,
    locked,
    mark_of,
    opened,
    prepare,
    proven,
    relayed,
    somebody_writes,
    under_the_lock,
)
from tests.services.test_late_worker import Interrupted
from tests.stories import Story

Tell = Callable[..., Story]
ON_POSTGRESQL = True
HOUR = 3600.0


def writes(story: Story) -> list[Any]:
    name = f"extensionAttribute{NUMBER}"
    patches = [call for call in story.ledger() if call["method"] == "PATCH" and call["status"] == 204]
    return [call["body"]["extensionAttributes"][name] for call in patches]


def raised(story: Story) -> list[Any]:
    with story.engine.connect() as connection:
        return list(connection.execute(sa.select(alarms)).all())


def swept(story: Story, seconds: float = 1.1 * HOUR) -> None:
    story.passes(seconds, every=240)


# what opens, and what does not


def test_mark_alone_stays_blocked(tell: Tell) -> None:
    """On a device that nobody calls compliant the mark opens nothing, whoever wrote it."""
    story = under_the_lock(tell("blocked_just_registered"))
    somebody_writes(story, VALUE)
    assert (mark_of(story), device(story).is_compliant, story.outlook_opens()) == (VALUE, None, False)
    device(story).is_compliant, device(story).is_managed = False, True
    assert story.outlook_opens() is False
    device(story).is_compliant = True
    assert story.outlook_opens() is True, "the control: both together open"
    somebody_writes(story, None)
    assert story.outlook_opens() is False, "and compliant alone does not"


def test_the_maker_says_compliant_and_without_evidence_the_device_stays_blocked(tell: Tell) -> None:
    story = under_the_lock(tell("blocked_just_registered"))
    story.arrives()
    register_in_app(story.sandbox.world, story.remotes.phone)
    story.passes(1.2 * TURN, every=60)
    assert (story.entra_shows, mark_of(story), story.outlook_opens()) == (True, None, False)
    assert story.step is not Step.OPEN, "the page does not claim it either"
    story.says_this_is_mine()
    story.taps_the_message()
    story.gets_to(Step.OPEN)
    assert (mark_of(story), story.outlook_opens()) == (VALUE, True), "the control"


def test_the_whole_way_and_the_mark_follows_the_posture_without_waiting_for_the_maker(tell: Tell) -> None:
    story = opened(tell("blocked_just_registered"))
    assert (story.step, story.outlook_opens(), writes(story)) == (Step.OPEN, True, [VALUE])
    assert (story.push.sent_seq, story.push.accepted_seq, story.push.confirmed_by) == (1, 1, "relayed")
    story.reports_health(jailbroken=True)
    story.passes(60)
    assert (story.entra_shows, mark_of(story), story.outlook_opens()) == (True, None, False), "the maker has not said so yet"
    story.reports_health(jailbroken=False)
    story.passes(60)
    assert (mark_of(story), story.outlook_opens(), story.step) == (VALUE, True, Step.OPEN)
    told = [why for why in story.audit() if why.startswith("push.")]
    assert told[:4] == ["push.prepared", "push.sent", "push.accepted", "push.confirmed"]


@pytest.mark.parametrize("end", ["unenrolled", "disabled", "owner"])
def test_the_end_of_a_link_takes_the_mark_away(tell: Tell, end: str) -> None:
    story = opened(tell("blocked_just_registered"))
    with story.sandbox.world.settled():
        if end == "unenrolled":
            story.remotes.record.enrollment_status = "Unenrolled"
        elif end == "disabled":
            device(story).enabled = False
        else:
            device(story).owner_oid = story.remotes.person("Noah").oid
    story.passes(120)
    assert (story.link_states(), mark_of(story), story.push.at_rest) == ([LinkState.ENDED], None, True)
    assert story.outlook_opens() is False


def test_a_lease_that_ends_takes_the_mark_away(tell: Tell) -> None:
    story = opened(tell("blocked_just_registered"))
    story.fault("workspace_one", "down")
    story.passes(71 * HOUR, every=HOUR)
    assert (mark_of(story), story.outlook_opens()) == (VALUE, True), "not a moment before"
    story.passes(3 * HOUR, every=600)
    assert (story.push.reasons, story.entra_shows, mark_of(story)) == (("lease_ended",), True, None)
    assert (story.outlook_opens(), story.step is Step.OPEN) == (False, False)
    story.sandbox.faults.clear()
    story.reports_health()
    story.gets_to(Step.OPEN, within=2 * HOUR)
    assert story.outlook_opens() is True


# before it is set up, and when it is switched on


def test_no_device_is_touched_before_the_attribute_was_seen_to_be_free(tell: Tell) -> None:
    story = tell("blocked_just_registered")
    switch_on(story.sandbox.world, "workspace_one")
    locked(story, prepared=False, policy=False)
    somebody_writes(story, "Finance")
    proven(story)
    register_in_app(story.sandbox.world, story.remotes.phone)
    story.checks_again()
    story.gets_to(Step.OPEN, within=1.2 * TURN)
    story.is_watched()
    swept(story)
    assert (mark_of(story), writes(story), raised(story)) == ("Finance", [], [])


def test_switched_on_where_devices_are_linked_already_the_sweep_marks_them(tell: Tell) -> None:
    story = tell("blocked_just_registered")
    switch_on(story.sandbox.world, "workspace_one")
    relayed(story)
    proven(story)
    register_in_app(story.sandbox.world, story.remotes.phone)
    story.checks_again()
    story.gets_to(Step.OPEN, within=1.2 * TURN)
    assert story.push.at_rest
    locked(story)
    assert story.outlook_opens() is False
    story.is_watched()
    swept(story)
    assert (mark_of(story), story.outlook_opens(), raised(story)) == (VALUE, True, [])


def test_without_the_permission_an_administrator_is_told_and_it_goes_on_once_granted(tell: Tell) -> None:
    story = tell("blocked_just_registered")
    switch_on(story.sandbox.world, "workspace_one")
    locked(story, permission=False)
    proven(story)
    assert (story.push.reason, mark_of(story)) == ("lock_refused", None)
    told = explain(story.push.reason or "")
    assert (told.key, told.who.value) == ("remote_lock", "admin")
    register_in_app(story.sandbox.world, story.remotes.phone)
    story.passes(1.2 * TURN, every=60)
    assert (story.entra_shows, story.outlook_opens(), story.step is Step.OPEN) == (True, False, False)
    story.remotes.approve_for_windows(approved=False)
    story.sandbox.world.end_tokens()
    story.gets_to(Step.OPEN, within=2 * HOUR)
    assert mark_of(story) == VALUE


def test_what_entra_takes_and_does_not_show_is_no_success(tell: Tell) -> None:
    story = under_the_lock(tell("blocked_just_registered"))
    story.fault("graph", "ignore_writes")
    proven(story)
    register_in_app(story.sandbox.world, story.remotes.phone)
    story.passes(1.5 * TURN, every=60)
    assert (story.push.reason, story.push.accepted_seq, story.step) == ("mark_not_shown", 0, Step.WAIT)
    story.passes(2 * HOUR, every=300)
    assert story.push.not_applied > 0
    story.sandbox.faults.clear()
    story.gets_to(Step.OPEN, within=2 * HOUR)


# marks that we did not write


def test_T8_a_forged_mark_on_a_device_that_fails_is_taken_away_and_told(tell: Tell) -> None:
    story = opened(tell("blocked_just_registered"))
    story.reports_health(passcode=False)
    story.passes(1200, every=60)
    assert (mark_of(story), raised(story)) == (None, [])
    story.is_watched()
    somebody_writes(story, VALUE)
    device(story).is_compliant = True  # and the maker, or whoever else, calls it compliant
    assert story.outlook_opens() is True, "what the lock cannot prevent by itself"
    swept(story)
    assert (mark_of(story), story.outlook_opens()) == (None, False)
    [alarm] = raised(story)
    assert (alarm.source, "extensionAttribute7" in alarm.text) == ("second_lock", True)
    assert story.remotes.phone.device_id not in alarm.text
    assert {"mark.repaired", "mark.foreign"} & set(story.audit())


def test_T8_a_mark_on_a_device_of_no_link_is_taken_away_and_told(tell: Tell) -> None:
    story = under_the_lock(tell("blocked_just_registered"))
    story.is_watched()
    laptop = next(d for d in story.sandbox.world.devices.values() if d.name == "CONTOSO-MB-07")
    somebody_writes(story, VALUE, laptop)
    somebody_writes(story, "Finance")
    swept(story)
    name = f"extensionAttribute{NUMBER}"
    assert (laptop.extension_attributes[name], mark_of(story)) == (None, None)
    assert (story.audit().count("mark.cleared"), len(raised(story))) == (2, 1), "one alarm in an hour, however many"
    before = len(writes(story))
    swept(story)
    assert len(writes(story)) == before, "the control: what is in order is left alone"


def test_T8_another_value_in_our_place_blocks_and_is_put_right(tell: Tell) -> None:
    story = opened(tell("blocked_just_registered"))
    story.passes(900, every=60)
    story.is_watched()
    somebody_writes(story, "Finance")
    assert story.outlook_opens() is False
    swept(story)
    assert (mark_of(story), story.outlook_opens(), len(raised(story))) == (VALUE, True, 1)


def test_a_mark_that_went_missing_is_written_again_and_alarms_nobody(tell: Tell) -> None:
    story = opened(tell("blocked_just_registered"))
    story.passes(900, every=60)
    story.is_watched()
    somebody_writes(story, None)
    swept(story)
    assert (mark_of(story), story.outlook_opens(), raised(story)) == (VALUE, True, [])


def test_T5_a_mark_that_comes_back_after_the_end_of_its_link_is_taken_away(tell: Tell) -> None:
    story = opened(tell("blocked_just_registered"))
    story.remotes.record.enrollment_status = "Unenrolled"
    story.passes(1200, every=60)
    story.is_watched()
    somebody_writes(story, VALUE)
    device(story).is_compliant = True
    swept(story)
    assert (mark_of(story), story.outlook_opens(), len(raised(story))) == (None, False, 1)


# crashes and late workers


@pytest.mark.parametrize("at", range(1, 9, 2))
def test_P3_a_late_mark_never_stays(tell: Tell, at: int) -> None:
    """A worker that was about to mark the device is overtaken by bad news; the sweep finds what it wrote late."""
    story = opened(tell("blocked_just_registered"))
    story.is_watched()
    story.reports_health(jailbroken=True)
    story.passes(180, every=60)
    story.reports_health(jailbroken=False)

    def meanwhile() -> None:
        story.reports_health(jailbroken=True)
        story.passes(90)

    link_id = story.push.link_id
    with story.store.change(story.world.actor, "hint", about=("link", link_id), at=story.world.clock()) as change:
        change.wake_link(link_id, lane=Lane.SWEEP)
    pause = Interrupted(story, at, meanwhile)
    bring_to_rest(link_id, world=story.world)
    if pause.left > 0:
        meanwhile()
    swept(story)
    assert (story.push.says_compliant, mark_of(story), story.outlook_opens()) == (False, None, False)


def test_a_day_under_the_lock_is_polite(tell: Tell) -> None:
    story = opened(tell("blocked_just_registered"))
    story.is_watched()
    story.passes(600, every=60)
    before, rows = len(story.ledger()), len(story.audit())
    story.passes(24 * HOUR, every=120)
    assert (len(story.audit()), len(story.ledger()) - before < 800) == (rows, True)


def test_prepared_late_nothing_is_missed(tell: Tell) -> None:
    """The link was made while the lock was not prepared: its next news, or the sweep, marks it."""
    story = tell("blocked_just_registered")
    switch_on(story.sandbox.world, "workspace_one")
    locked(story, prepared=False, policy=False)
    proven(story)
    prepare(story)
    story.with_world(recheck=timedelta(days=7))
    register_in_app(story.sandbox.world, story.remotes.phone)
    story.checks_again()
    story.passes(1.2 * TURN, every=60)
    assert (mark_of(story), story.step) == (VALUE, Step.OPEN)
