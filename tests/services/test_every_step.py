"""Each scenario of the sandbox to the step where it honestly ends, and how it goes on from there. `docs/flow.md` has the table."""

from collections.abc import Callable

import pytest

from remediation.adapters.graph import NOBODY_KEPT_OUT
from remediation.domain.device import Platform
from remediation.domain.noticed import noticed
from remediation.domain.standing import not_for_you
from remediation.domain.steps import Step, candidates, help_why
from remediation.domain.troubles import Trouble
from sandbox.troubles import cure
from tests.stories import Story

Tell = Callable[..., Story]


def why(story: Story) -> str | None:
    return help_why(story.journey, story.world.clock())


def proves(story: Story, record: int | None = None) -> None:
    story.says_this_is_mine(record)
    story.taps_the_message()


@pytest.mark.parametrize("scenario", ["no_licence", "guest"])
def test_not_for_you_is_said_before_any_effort(tell: Tell, scenario: str) -> None:
    story = tell(scenario)
    story.arrives()
    standing = story.journey.standing
    assert standing is not None
    assert (story.step, not_for_you(standing)) == (Step.NOT_FOR_YOU, scenario)


def test_no_licence_goes_on_by_itself_once_one_is_assigned(tell: Tell) -> None:
    story = tell("no_licence")
    story.arrives()
    mia = next(p for p in story.sandbox.world.persons.values() if p.oid == story.oid)
    mia.licences = list(next(p for p in story.sandbox.world.persons.values() if p.name == "Noah Lind").licences)
    story.checks_again()
    assert story.step is Step.THIS_DEVICE


def test_a_licence_taken_away_after_the_first_look_is_said_once_it_is_asked_for_again(tell: Tell) -> None:
    story = tell("blocked_just_registered")
    story.arrives()
    mia = next(p for p in story.sandbox.world.persons.values() if p.oid == story.oid)
    mia.licences = []
    story.checks_again()
    assert story.step is Step.THIS_DEVICE, "read a moment ago, and nobody was kept out"
    story.tick(NOBODY_KEPT_OUT.total_seconds() + 1)
    story.checks_again()
    story.gets_to(Step.NOT_FOR_YOU)


def test_not_enrolled_goes_on_once_the_device_is_managed(tell: Tell) -> None:
    story = tell("not_enrolled")
    story.arrives()
    assert story.step is Step.ENROLL
    story.enrolls()
    story.gets_to(Step.THIS_DEVICE)
    proves(story)
    story.gets_to(Step.OPEN)


def test_two_phones_are_asked_about_and_the_one_in_the_hand_gets_the_message(tell: Tell) -> None:
    story = tell("two_phones")
    story.arrives()
    assert (story.step, len(story.journey.managed), story.journey.in_hand) == (Step.THIS_DEVICE, 2, None)
    proves(story, story.remotes.phone.record_id)
    assert (story.step, story.uploads()) == (Step.REGISTER, []), "what is registered may be the other one"
    story.tick(5)
    story.registers_again()
    story.gets_to(Step.OPEN)
    link = story.journey.link
    assert link is not None
    assert (link.managed.record_id, link.device_id) == (str(story.remotes.phone.record_id), story.remotes.phone.device_id)


def test_registered_last_year_a_pick_proves_nothing_and_registering_anew_does(tell: Tell) -> None:
    story = tell("registered_last_year")
    story.arrives()
    proves(story)
    assert story.step is Step.CHOOSE
    story.picks(story.remotes.phone.device_id)
    story.tick(5)
    assert (story.step, story.uploads()) == (Step.REGISTER, [])
    story.registers_again()
    story.gets_to(Step.OPEN)
    assert [upload.content[0]["DeviceId"] for upload in story.uploads()] == [story.remotes.phone.device_id]


def test_reregistered_under_the_same_id_the_old_link_ends_and_a_new_one_is_made(tell: Tell) -> None:
    story = tell("reregistered_same_id")
    story.gets_through()
    before = story.remotes.phone.device_id
    story.registers_again()
    story.passes(120)
    assert story.remotes.phone.device_id == before
    story.checks_again()
    story.gets_to(Step.OPEN)
    assert len({link.object_id for link in story.links()}) == 2


def test_owned_by_another_is_for_the_helpdesk_and_pushes_nothing(tell: Tell) -> None:
    story = tell("owned_by_another")
    story.arrives()
    proves(story)
    story.passes(60)
    assert (story.step, why(story), story.uploads()) == (Step.HELP, "owned_by_another", [])


def test_a_disabled_device_is_not_asked_to_register_again(tell: Tell) -> None:
    story = tell("disabled_device")
    story.arrives()
    proves(story)
    assert story.step is Step.REGISTER, "it may be an old device that is switched off"
    story.checks_again()
    assert story.step is Step.REGISTER, "what was registered just now is listed some seconds late"
    story.gets_to(Step.HELP)
    assert (why(story), story.uploads()) == ("disabled_device", [])
    next(d for d in story.sandbox.world.devices.values() if d.device_id == story.remotes.phone.device_id).enabled = True
    story.checks_again()
    story.gets_to(Step.OPEN)


def test_whoever_says_so_before_the_directory_lists_the_new_entry_is_not_sent_to_the_helpdesk(tell: Tell) -> None:
    """Beside it is an old entry that is switched off."""
    story = tell("android_fully_managed")
    story.arrives(platform=Platform.ANDROID)
    proves(story)
    story.registers()
    story.checks_again()
    assert (story.step, why(story)) == (Step.REGISTER, None)
    story.gets_to(Step.OPEN)


def test_duplicate_records_are_one_phone(tell: Tell) -> None:
    story = tell("duplicate_records")
    story.arrives()
    assert [d.key.record_id for d in story.journey.managed] == [str(story.remotes.phone.record_id)]
    proves(story)
    story.gets_to(Step.OPEN)


def test_T1_two_records_of_one_serial_that_nothing_tells_apart_are_a_question_and_no_link_comes_of_a_guess(tell: Tell) -> None:
    """Both enrolled, both seen at the same moment: the person is asked, and the message shows which is the phone."""
    story = tell("duplicate_records")
    world, number = story.sandbox.world, story.remotes.phone.record_id
    for record in world.records.values():
        record.last_seen = world.records[number].last_seen
    story.arrives()
    assert (story.step, len(story.journey.managed), story.journey.in_hand) == (Step.THIS_DEVICE, 2, None)
    proves(story, number)
    assert (story.step, story.uploads()) == (Step.REGISTER, []), "the other record may be a phone of its own"
    story.tick(5)
    story.registers_again()
    story.gets_to(Step.OPEN)
    assert story.journey.link is not None
    assert story.journey.link.managed.record_id == str(number)


def test_a_loop_gets_another_next_action_never_the_same_instruction_again(tell: Tell) -> None:
    story = tell("loop")
    story.arrives()
    assert (story.step, story.outlook_opens()) == (Step.OPEN, False)
    story.says_still_blocked()
    assert story.step is Step.THIS_DEVICE
    proves(story)
    story.gets_to(Step.OPEN)
    story.says_still_blocked()
    story.passes(30)
    assert (story.step, why(story)) == (Step.HELP, "loop")


@pytest.mark.parametrize("scenario", ["shared_user", "ambiguous_owner"])
def test_an_unclear_owner_is_for_the_helpdesk_never_for_enroll(tell: Tell, scenario: str) -> None:
    story = tell(scenario)
    story.arrives()
    assert (story.step, why(story)) == (Step.HELP, scenario)


@pytest.mark.parametrize(
    ("scenario", "platform"),
    [("android_work_profile", Platform.ANDROID), ("ipad", Platform.IOS)],
)
def test_other_devices_in_the_usual_arrival_get_through(tell: Tell, scenario: str, platform: Platform) -> None:
    story = tell(scenario)
    story.arrives(platform=platform)
    proves(story)
    story.gets_to(Step.OPEN)
    assert story.outlook_opens()


@pytest.mark.parametrize(
    ("scenario", "platform"),
    [("android_fully_managed", Platform.ANDROID), ("mac", Platform.MACOS)],
)
def test_other_devices_never_registered_get_through(tell: Tell, scenario: str, platform: Platform) -> None:
    story = tell(scenario)
    story.arrives(platform=platform)
    proves(story)
    assert story.step is Step.REGISTER
    story.registers()
    story.gets_to(Step.OPEN)


def test_windows_ends_honestly_in_help_where_no_channel_serves_it(tell: Tell) -> None:
    story = tell("windows")
    story.arrives(platform=Platform.WINDOWS)
    assert (story.step, why(story), story.uploads()) == (Step.HELP, "no_channel", [])


def test_stopped_half_way_one_step_is_left(tell: Tell) -> None:
    story = tell("half_registered")
    story.arrives()
    assert (story.step, story.journey.possession) == (Step.THIS_DEVICE, None)
    assert noticed(story.journey, story.world.clock()) == (Trouble.HALF_WAY,)
    proves(story)
    story.gets_to(Step.OPEN)


@pytest.mark.parametrize("scenario", ["new_phone", "removed_entry"])
def test_a_new_phone_and_one_whose_entry_was_removed_are_registered_anew(tell: Tell, scenario: str) -> None:
    story = tell(scenario)
    story.arrives()
    proves(story)
    assert (story.step, story.uploads()) == (Step.REGISTER, []), "the entry before is not this phone"
    story.tick(5)
    story.registers_again()
    story.gets_to(Step.OPEN)
    assert story.outlook_opens()


def test_three_entries_are_a_question_and_the_mark_of_the_person_settles_nothing(tell: Tell) -> None:
    story = tell("three_entries")
    story.arrives()
    proves(story)
    found = candidates(story.journey)
    assert found is not None
    assert (story.step, len(found.candidates)) == (Step.CHOOSE, 3)
    story.picks(found.candidates[0].device_id)
    assert (story.step, story.uploads(), story.journey.link) == (Step.REGISTER, [], None)


def test_a_no_without_a_reason_is_said_to_have_none(tell: Tell) -> None:
    story = tell("no_reason_given")
    story.arrives()
    proves(story)
    story.gets_to(Step.FIX)
    assert story.journey.in_hand is not None
    assert story.journey.in_hand.posture.failing == ()


def test_what_only_the_person_can_tell_ends_at_help_and_its_cure_opens(tell: Tell) -> None:
    """Every record is in order, so nothing but *still blocked* shows it."""
    story = tell("private_window")
    story.gets_through()
    assert (story.entra_shows, story.outlook_opens()) == (True, False)
    for _ in range(2):
        story.says_still_blocked()
        story.passes(30)
    assert (story.step, why(story)) == (Step.HELP, "loop")
    cure(story.sandbox.world, story.remotes.phone)
    assert story.outlook_opens()
