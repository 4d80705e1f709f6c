"""One side is away, gone or forgetful: bad news still travels, *compliant* never outlives its evidence, and nobody is stuck.

T5, T8, T9, P4, P5. Controls: one 404 is no deletion, and `test_afterwards`."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from remediation.domain.compliance import Lease
from remediation.domain.device import LinkState
from remediation.domain.steps import Step
from tests.stories import Story

Tell = Callable[..., Story]
HOURS = 3600.0


def linked(tell: Tell) -> Story:
    story = tell("blocked_just_registered")
    story.gets_through()
    return story


def words(story: Story) -> list[str]:
    return [u.content[1]["complianceStatus"] for u in sorted(story.uploads(), key=lambda upload: upload.received_at)]


@pytest.mark.parametrize("kind", ["down", "throttle", "html"])
def test_P5_a_jailbreak_reaches_microsoft_while_the_directory_does_not_answer(tell: Tell, kind: str) -> None:
    story = linked(tell)
    story.fault("graph", kind)
    story.reports_health(jailbroken=True)
    story.passes(120)
    assert (story.entra_shows, words(story)) == (False, ["compliant", "notCompliant"])
    story.sandbox.faults.clear()
    story.reports_health(jailbroken=False)
    story.passes(120)
    assert (story.entra_shows, story.step) == (True, Step.OPEN)


def test_P4_nothing_goes_up_while_the_directory_does_not_answer(tell: Tell) -> None:
    story = linked(tell)
    story.reports_health(jailbroken=True)
    story.passes(60)
    story.fault("graph", "down")
    story.reports_health(jailbroken=False)
    story.passes(120)
    assert words(story) == ["compliant", "notCompliant"]


def test_T5_a_wipe_ends_the_link_while_the_directory_does_not_answer(tell: Tell) -> None:
    story = linked(tell)
    story.fault("graph", "down")
    story.remotes.record.enrollment_status = "Unenrolled"
    story.passes(120)
    assert (story.entra_shows, story.link_states()) == (False, [LinkState.ENDED])


@pytest.mark.parametrize("kind", ["down", "throttle"])
def test_T9_the_lease_ends_at_its_end_however_long_the_mdm_asks_us_to_wait(tell: Tell, kind: str) -> None:
    story = linked(tell)
    story.fault("workspace_one", kind, retry_after=7 * 24 * 3600 if kind == "throttle" else None)
    begun = story.world.clock()
    while story.push.says_compliant:
        until = story.push.compliant_until
        assert until is not None
        assert story.world.clock() < until + timedelta(minutes=1)
        story.tick(30 if until - story.world.clock() < timedelta(minutes=10) else 300)
    assert story.world.clock() - begun > timedelta(hours=71)
    story.passes(60)
    assert story.entra_shows is False


def test_T9_a_device_heard_of_stays_up_while_the_directory_is_away_but_not_for_ever(tell: Tell) -> None:
    story = linked(tell)
    story.with_world(lease=Lease(since_read=timedelta(hours=72), since_check_in=timedelta(hours=12)))
    story.passes(11 * HOURS, every=HOURS)
    story.fault("graph", "down")
    judged_at, record = story.push.posture_read_at, story.remotes.phone.record_id
    assert judged_at is not None
    assert record is not None
    story.sandbox.world.check_in(record)
    story.tick(2 * HOURS, everything=True)  # the worker comes late: by what it knew, the device has been silent for too long
    until = story.push.compliant_until
    assert until is not None
    assert (story.push.says_compliant, until > story.world.clock()) == (True, True)
    while story.push.says_compliant:
        story.sandbox.world.check_in(record)
        story.tick(HOURS / 4)
    assert timedelta(hours=72) <= story.world.clock() - judged_at < timedelta(hours=73)
    assert story.push.reasons == ("lease_ended",)


def test_T9_a_check_in_renews_nothing_where_the_directory_says_that_there_is_no_such_device(tell: Tell) -> None:
    story = linked(tell)
    story.with_world(lease=Lease(since_read=timedelta(hours=72), since_check_in=timedelta(hours=12)))
    story.passes(11 * HOURS, every=HOURS)
    devices, record = story.sandbox.world.devices, story.remotes.phone.record_id
    assert record is not None
    story.sandbox.world.check_in(record)
    del devices[next(key for key, device in devices.items() if device.device_id == story.remotes.device_id)]
    story.tick(2 * HOURS, everything=True)
    assert (story.push.says_compliant, story.push.reasons) == (False, ("lease_ended",))


def test_T9_a_connection_taken_out_of_the_settings_does_not_stay_compliant(tell: Tell) -> None:
    story = linked(tell)
    story.with_world(managers={})
    story.passes(73 * HOURS, every=600)
    assert (story.entra_shows, story.push.reasons) == (False, ("lease_ended",))


def test_T9_a_bug_in_reading_does_not_stay_compliant(tell: Tell) -> None:
    class Broken:
        connection = "ws1"

        def device(self, record_id: str) -> None:
            raise ZeroDivisionError(record_id)

    story = linked(tell)
    story.with_world(managers={"ws1": Broken()})
    story.passes(73 * HOURS, every=600)
    assert (story.entra_shows, story.push.reasons) == (False, ("lease_ended",))


def test_T7_a_message_that_microsoft_forgot_is_not_told_again_from_memory(tell: Tell) -> None:
    story = tell("blocked_just_registered")
    story.sandbox.world.lags.processing_lag = 60
    story.arrives()
    story.says_this_is_mine()
    story.taps_the_message()
    story.passes(10)
    assert words(story) == ["compliant"]
    story.sandbox.world.uploads.clear()
    story.remotes.record.compliance_override = "PendingComplianceCheck"
    story.passes(120)
    assert (words(story), story.push.reason) == ([], "no_fresh_evidence")
    story.remotes.record.compliance_override = None
    story.gets_to(Step.OPEN, within=HOURS)
    assert words(story) == ["compliant"]


def test_T5_a_deleted_record_ends_the_link_with_one_not_compliant(tell: Tell) -> None:
    story = linked(tell)
    record = story.sandbox.world.records.pop(story.remotes.phone.record_id)
    story.passes(5 * 60, every=20)
    assert story.entra_shows is True
    story.passes(25 * 60, every=20)
    assert (story.entra_shows, story.link_states()) == (False, [LinkState.ENDED])
    story.sandbox.world.records[record.id] = record
    story.passes(HOURS, every=60)
    assert words(story) == ["compliant", "notCompliant"]


@pytest.mark.parametrize("side", ["record", "device"])
def test_a_404_now_and_then_ends_nothing(tell: Tell, side: str) -> None:
    story = linked(tell)
    world = story.sandbox.world
    device = next(d for d in world.devices.values() if d.device_id == story.remotes.device_id)
    for _ in range(3):
        if side == "record":
            record = world.records.pop(story.remotes.phone.record_id)
            story.passes(60)
            world.records[record.id] = record
        else:
            device.deleted = True
            story.passes(60)
            device.deleted = False
        story.passes(15 * 60, every=30)
    assert (story.link_states(), words(story)) == ([LinkState.ACTIVE], ["compliant"])


def test_T5_a_phone_enrolled_under_a_new_record_is_not_kept_out_by_its_old_one(tell: Tell) -> None:
    story = linked(tell)
    world = story.sandbox.world
    old = world.records.pop(story.remotes.phone.record_id)
    new = replace(old, id=old.id + 5000, uuid=world.new_id(), enrolled_on=story.world.clock())
    world.records[new.id] = new
    story.remotes.phone.record_id = new.id
    story.passes(30 * 60, every=20)
    assert (story.step, story.entra_shows) == (Step.THIS_DEVICE, False)
    story.says_this_is_mine()
    story.taps_the_message()
    story.gets_to(Step.OPEN, within=2 * HOURS)
    assert words(story) == ["compliant", "notCompliant", "compliant"]


def test_T5_a_phone_registered_anew_gets_through_once_the_directory_lost_its_old_device(tell: Tell) -> None:
    story = linked(tell)
    world = story.sandbox.world
    world.unregister(story.remotes.phone)
    story.registers()
    story.checks_again()
    story.passes(30 * 60, every=20)
    assert LinkState.ENDED in story.link_states()
    if story.step is Step.THIS_DEVICE:
        story.says_this_is_mine()
        story.taps_the_message()
    story.gets_to(Step.OPEN, within=2 * HOURS)
    assert story.entra_shows is True
