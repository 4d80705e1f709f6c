"""Each link of the chain broken by a seeded fault: the phone stays blocked, the page truthful. Control: `test_the_way_through`."""

from collections.abc import Callable
from dataclasses import replace
from uuid import uuid4

import pytest

from remediation.domain.evidence import Level
from remediation.domain.steps import Step
from remediation.errors import PossessionRefused
from remediation.services import prove_possession
from tests.stories import BROWSER, Story

Tell = Callable[..., Story]


def as_far_as_it_goes(story: Story) -> None:
    story.arrives()
    if story.step is Step.THIS_DEVICE:
        story.says_this_is_mine()
        story.taps_the_message()
    story.passes(60)


@pytest.mark.parametrize(
    ("service", "kind", "step"),
    [
        ("intune", "down", Step.WAIT),
        ("intune", "server_error", Step.WAIT),
        ("intune", "html", Step.WAIT),
        ("intune", "garbled", Step.WAIT),
        ("intune", "ignore_writes", Step.WAIT),
        ("intune", "fail_upload", Step.WAIT),
        ("intune", "throttle", Step.WAIT),
        ("graph", "down", Step.LOOKING),
        ("graph", "html", Step.LOOKING),
        ("graph", "throttle", Step.LOOKING),
        ("workspace_one", "down", Step.LOOKING),
        ("workspace_one", "html", Step.LOOKING),
        ("workspace_one", "garbled", Step.LOOKING),
    ],
)
def test_a_fault_keeps_the_phone_blocked_and_its_end_lets_it_through(tell: Tell, service: str, kind: str, step: Step) -> None:
    story = tell("blocked_just_registered")
    story.fault(service, kind)
    as_far_as_it_goes(story)
    assert story.step is step
    assert story.outlook_opens() is (kind == "garbled" and service == "intune"), "only an answer was lost there, not the message"
    story.sandbox.faults.clear()
    if story.step is Step.LOOKING:
        story.gets_to(Step.THIS_DEVICE, within=300)
        story.says_this_is_mine()
        story.taps_the_message()
    story.gets_to(Step.OPEN, within=5400)
    assert story.outlook_opens()


def test_the_page_can_say_which_side_is_slow(tell: Tell) -> None:
    story = tell("blocked_just_registered")
    story.fault("workspace_one", "down")
    story.arrives()
    look = story.journey.look
    assert (look.mdm_error, look.directory_error) == ("unreachable", None)


def test_first_401_and_a_dropped_answer_still_make_one_message(tell: Tell) -> None:
    story = tell("blocked_just_registered")
    story.fault("intune", "first_401")
    story.gets_through()
    other = tell("blocked_just_registered")
    other.arrives()
    other.says_this_is_mine()
    other.fault("intune", "drop_answer", times=1)
    other.taps_the_message()
    other.gets_to(Step.OPEN)
    assert (len(story.uploads()), len(other.uploads())) == (1, 1)


@pytest.mark.parametrize("minimum", [Level.BOUND, Level.CERTIFICATE, Level.AGENT])
def test_I12_evidence_below_the_minimum_is_pending_and_pushes_nothing(tell: Tell, minimum: Level) -> None:
    story = tell("blocked_just_registered", minimum=minimum)
    as_far_as_it_goes(story)
    assert (story.step, story.journey.help_why, story.uploads()) == (Step.SIGN_IN, None, [])
    story.checks_again()
    assert (story.step, story.uploads()) == (Step.SIGN_IN, [])


def test_T1_a_second_registered_device_is_a_question_and_not_a_guess(tell: Tell) -> None:
    story = tell("blocked_just_registered")
    devices = story.sandbox.world.devices
    first = next(d for d in devices.values() if d.device_id == story.remotes.phone.device_id)
    second = replace(first, object_id=str(uuid4()), device_id=str(uuid4()), name="iPhone")
    devices[second.object_id] = second
    as_far_as_it_goes(story)
    assert (story.step, story.uploads()) == (Step.CHOOSE, [])


def test_T2_another_person_cannot_use_the_link(tell: Tell) -> None:
    story = tell("blocked_just_registered")
    story.arrives()
    story.says_this_is_mine()
    noah = story.remotes.person("Noah")
    with pytest.raises(PossessionRefused) as refused:
        prove_possession.prove(story.store, story.token, oid=noah.oid, browser=BROWSER, now=story.world.clock())
    assert (refused.value.why, story.journey.proven) == ("other_person", False)
    story.taps_the_message()
    assert story.journey.proven


def test_T7_the_link_works_once_and_in_time(tell: Tell) -> None:
    story = tell("blocked_just_registered")
    story.arrives()
    story.says_this_is_mine()
    story.sandbox.world.advance(601)
    with pytest.raises(PossessionRefused) as late:
        story.taps_the_message()
    assert (late.value.why, story.journey.proven) == ("too_late", False)
    story.says_this_is_mine()
    story.taps_the_message()
    with pytest.raises(PossessionRefused) as again:
        story.taps_the_message()
    assert (again.value.why, len(story.journey.links)) == ("used", 1)


def test_a_wipe_between_proof_and_link_voids_the_proof(tell: Tell) -> None:
    story = tell("blocked_unregistered")
    story.arrives()
    story.says_this_is_mine()
    story.taps_the_message()
    story.remotes.record.enrolled_on = story.world.clock()
    story.registers()
    story.passes(60)
    assert (story.step, story.uploads()) == (Step.THIS_DEVICE, [])


def test_a_record_somebody_else_owns_is_never_offered(tell: Tell) -> None:
    story = tell("blocked_just_registered")
    story.arrives()
    assert {device.owner_mail for device in story.journey.managed} == {story.remotes.person().mail}


def test_T5_a_wiped_phone_can_prove_itself_anew_in_the_same_journey(tell: Tell) -> None:
    story = tell("blocked_just_registered")
    story.gets_through()
    story.remotes.record.enrolled_on = story.world.clock()
    story.passes(60)
    story.checks_again()
    assert story.step is Step.THIS_DEVICE
    story.says_this_is_mine()
    story.taps_the_message()
    story.gets_to(Step.OPEN)
