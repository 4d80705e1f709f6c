"""A phone that is linked anew: the old device goes down before the new one goes up, and the late end of the old link never knocks
out the new one (T1, P5). Control: the same way through without anything in its way."""

from collections.abc import Callable
from typing import Any

import pytest

from remediation.domain.device import LinkState
from remediation.domain.steps import Step
from tests.stories import Story

Tell = Callable[..., Story]


def told(story: Story) -> list[tuple[str, str]]:
    """What Microsoft was told, in order: which directory device, which word."""
    uploads = sorted(story.uploads(), key=lambda upload: upload.received_at)
    return [(u.content[1]["DeviceId"], u.content[1]["complianceStatus"]) for u in uploads]


def wiped(story: Story) -> None:
    story.remotes.record.enrolled_on = story.world.clock()


def registered_anew(story: Story) -> str:
    """The phone gets a new directory device, and the old one stays where it is. Returns the new id."""
    story.remotes.phone.device_id = None
    story.registers()
    return str(story.remotes.phone.device_id)


def proves_again(story: Story) -> None:
    story.checks_again()
    story.says_this_is_mine()
    story.taps_the_message()


@pytest.mark.parametrize("fault", [None, "down", "fail_upload", "throttle"])
def test_the_same_device_linked_anew_goes_down_and_then_up(tell: Tell, fault: str | None) -> None:
    story = tell("blocked_just_registered")
    story.gets_through()
    first = told(story)[0][0]
    wiped(story)
    if fault:
        story.fault("intune", fault, times=None if fault != "fail_upload" else 2)
    story.passes(60)
    proves_again(story)
    assert sorted(story.link_states()) == [LinkState.ACTIVE, LinkState.ENDED]
    story.passes(30)
    story.sandbox.faults.clear()
    story.gets_to(Step.OPEN, within=5400)
    words = [word for _, word in told(story)]
    assert words[0] == words[-1] == "compliant"
    assert words[1:-1] == ["notCompliant"] * (len(words) - 2) != []
    assert {device for device, _ in told(story)} == {first}
    story.passes(7200, every=300)
    assert (story.step, story.entra_shows, told(story)[-1]) == (Step.OPEN, True, (first, "compliant"))


@pytest.mark.parametrize("fault", [None, "down", "fail_upload"])
def test_T1_another_device_for_the_same_record_waits_until_the_old_one_is_down(tell: Tell, fault: str | None) -> None:
    story = tell("blocked_just_registered")
    story.gets_through()
    old = str(story.remotes.phone.device_id)
    wiped(story)
    if fault:
        story.fault("intune", fault, times=None if fault == "down" else 1)
    story.passes(60)
    story.checks_again()
    story.says_this_is_mine()
    story.sandbox.world.lags.registration_lag = 0
    story.sandbox.world.advance(2)  # the directory keeps whole seconds
    new = registered_anew(story)
    story.taps_the_message()
    story.passes(60)
    story.sandbox.faults.clear()
    story.gets_to(Step.OPEN, within=5400)
    assert told(story)[-1] == (new, "compliant")
    assert (old, "notCompliant") in told(story)
    assert told(story).index((old, "notCompliant")) < told(story).index((new, "compliant"))
    shown = {d.device_id: d.is_compliant for d in story.sandbox.world.devices.values() if d.device_id in (old, new)}
    assert shown == {old: False, new: True}


def test_an_old_device_that_the_directory_deleted_keeps_nobody_waiting(tell: Tell) -> None:
    story = tell("blocked_just_registered")
    story.gets_through()
    old = next(d for d in story.sandbox.world.devices.values() if d.device_id == story.remotes.phone.device_id)
    wiped(story)
    story.fault("intune", "down")
    story.passes(60)
    old.deleted = True
    new = registered_anew(story)
    story.sandbox.faults.clear()
    proves_again(story)
    story.gets_to(Step.OPEN, within=5400)
    assert told(story)[-1] == (new, "compliant")
    story.passes(3600, every=60)
    assert all_at_rest(story)


def all_at_rest(story: Story) -> bool:
    pushes: list[Any] = [story.store.push(link_id) for link_id in story._ids("pushes", "link_id")]
    return all(push.at_rest for push in pushes)
