"""After the first success: posture follows, wipes end the link, the lease ends, and doubt is never an upgrade (T5, T8, T9)."""

from collections.abc import Callable
from datetime import timedelta

from remediation.domain.device import LinkState
from remediation.domain.evidence import Level
from remediation.domain.steps import Step
from tests.stories import Story

Tell = Callable[..., Story]
HOURS = 3600.0


def linked(tell: Tell) -> Story:
    story = tell("blocked_just_registered")
    story.gets_through()
    return story


def test_a_jailbreak_reaches_microsoft_and_its_cure_too(tell: Tell) -> None:
    story = linked(tell)
    story.reports_health(jailbroken=True)
    story.passes(60)
    assert (story.entra_shows, story.step, story.outlook_opens()) == (False, Step.FIX, False)
    story.reports_health(jailbroken=False)
    story.passes(60)
    assert (story.entra_shows, story.step, story.outlook_opens()) == (True, Step.OPEN, True)


def test_T5_a_wipe_ends_the_link_with_exactly_one_not_compliant(tell: Tell) -> None:
    story = linked(tell)
    story.remotes.record.enrollment_status = "Unenrolled"
    story.passes(60)
    last = story.uploads()[-1].content
    assert story.entra_shows is False
    assert len(story.uploads()) == 2
    assert {entity.get("DeviceManagementState") for entity in last} >= {"notManaged"}
    assert story.link_states() == [LinkState.ENDED]
    story.passes(2 * HOURS, every=900)
    assert len(story.uploads()) == 2


def test_T5_enrolled_anew_does_not_inherit_the_link(tell: Tell) -> None:
    story = linked(tell)
    story.remotes.record.enrolled_on += timedelta(hours=1)
    story.passes(60)
    assert (story.entra_shows, story.link_states()) == (False, [LinkState.ENDED])
    assert story.step is not Step.OPEN


def test_T5_a_device_handed_to_another_owner_is_pushed_down(tell: Tell) -> None:
    story = linked(tell)
    noah = story.remotes.person("Noah").oid
    next(d for d in story.sandbox.world.devices.values() if d.device_id == story.remotes.device_id).owner_oid = noah
    story.passes(60)
    assert (story.link_states(), story.entra_shows, story.push.at_rest) == ([LinkState.ENDED], False, True)
    assert not story.outlook_opens()


def test_T9_a_silent_mdm_ends_the_lease_at_its_end_and_not_before(tell: Tell) -> None:
    story = linked(tell)
    story.fault("workspace_one", "down")
    story.passes(71 * HOURS, every=HOURS)
    assert story.entra_shows is True
    story.passes(2 * HOURS, every=600)
    assert story.entra_shows is False
    assert story.push.reasons == ("lease_ended",)
    story.sandbox.faults.clear()
    story.reports_health()
    story.passes(2 * HOURS, every=600)
    assert story.entra_shows is True


def test_T9_a_device_that_stopped_checking_in_is_pushed_down_though_the_mdm_still_praises_it(tell: Tell) -> None:
    story = linked(tell)
    story.passes(13 * 24 * HOURS, every=12 * HOURS)
    assert story.entra_shows is True
    story.passes(30 * HOURS, every=HOURS)
    assert (story.entra_shows, story.step) == (False, Step.FIX)


def test_T8_an_unclear_posture_never_makes_a_phone_compliant(tell: Tell) -> None:
    story = tell("blocked_just_registered")
    story.remotes.record.compliance_override = "SomethingNew"
    story.arrives()
    story.says_this_is_mine()
    story.taps_the_message()
    story.passes(120)
    assert (story.uploads(), story.step) == ([], Step.WAIT)
    story.remotes.record.compliance_override = None
    story.gets_to(Step.OPEN, within=HOURS)


def test_T8_a_posture_that_turns_unclear_before_the_send_is_not_sent_from_memory(tell: Tell) -> None:
    story = tell("blocked_just_registered")
    story.arrives()
    story.says_this_is_mine()
    story.fault("intune", "server_error")
    story.taps_the_message()
    assert story.push.says_compliant
    story.remotes.record.compliance_override = "PendingComplianceCheck"
    story.sandbox.faults.clear()
    story.passes(120)
    assert (story.uploads(), story.push.reason) == ([], "no_fresh_evidence")


def test_drift_is_repaired(tell: Tell) -> None:
    story = linked(tell)
    device = next(d for d in story.sandbox.world.devices.values() if d.device_id == story.remotes.device_id)
    device.is_compliant = False
    story.passes(60)
    assert (story.entra_shows, "drift.repaired" in story.audit()) == (True, True)


def test_the_azure_device_id_is_noted_on_the_mdms_record_once_and_again_after_a_refusal(tell: Tell) -> None:
    story = tell("blocked_just_registered")
    story.fault("workspace_one", "server_error", path="customattributes")
    story.gets_through()
    assert (story.remotes.record.custom_attributes, story.push.noted_at) == ({}, None)
    story.sandbox.faults.clear()
    for jailbroken in (True, False):
        story.reports_health(jailbroken=jailbroken)
        story.passes(60)
    assert story.remotes.record.custom_attributes == {("EntraLink", "EntraDeviceId"): story.remotes.device_id}
    assert story.audit().count("link.noted") == 1


def test_I5_a_switched_off_account_takes_its_phone_down_and_comes_back_with_it(tell: Tell) -> None:
    story = linked(tell)
    mia = story.sandbox.world.persons[story.remotes.person("Mia").oid]
    mia.enabled = False
    story.reports_health()
    story.passes(2 * 24 * HOURS, every=HOURS)
    assert (story.entra_shows, story.push.reasons) == (False, ("account_disabled",))
    mia.enabled = True
    story.passes(2 * 24 * HOURS, every=HOURS)
    assert (story.entra_shows, story.link_states()) == (True, [LinkState.ACTIVE])


def test_I5_an_owner_whose_account_cannot_be_read_is_no_reason_to_say_compliant(tell: Tell) -> None:
    story = tell("blocked_just_registered")
    story.arrives()
    story.says_this_is_mine()
    story.fault("graph", "server_error", path="registeredOwners")
    story.taps_the_message()
    story.passes(300)
    assert not story.entra_shows
    story.sandbox.faults.clear()
    story.gets_to(Step.OPEN, within=3600)


def test_I12_a_raised_minimum_ends_weaker_links_with_their_lease_and_a_better_proof_opens_again(tell: Tell) -> None:
    story = linked(tell)
    story.with_world(minimum=Level.CERTIFICATE)
    story.passes(71 * HOURS, every=HOURS)
    assert (story.entra_shows, story.link_states()) == (True, [LinkState.ACTIVE])
    story.passes(3 * HOURS, every=600)
    assert (story.entra_shows, story.links()[0].ended_why) == (False, "evidence_below_minimum")
    story.with_world(minimum=Level.POSSESSION)
    story.gets_through()
    assert story.entra_shows is True
