"""Honest people and the wrong phone: an old or private one that happens to be the only registered device is not linked (T1, T5).

Control: `test_the_way_through`, where the only candidate was registered after the enrollment.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

from remediation.domain.steps import Step
from sandbox.things import DirectoryDevice
from tests.stories import Story

Tell = Callable[..., Story]


def also_registered(story: Story, *, days: float, os_version: str = "16.2") -> DirectoryDevice:
    """Another iPhone of Mia's in the directory, which no MDM knows."""
    world = story.sandbox.world
    pattern = next(iter(world.devices.values()))
    at = world.now() - timedelta(days=days)
    device = replace(
        pattern,
        object_id=str(uuid4()),
        device_id=str(uuid4()),
        name="Mia’s iPhone",
        os="iOS",
        os_version=os_version,
        owner_oid=story.remotes.person().oid,
        registered_at=at,
        listed_at=at,
        enabled=True,
        is_compliant=None,
        is_managed=None,
        trust_type="Workplace",
        registered_users=[],
    )
    world.devices[device.object_id] = device
    return device


def test_T1_registering_within_the_listing_lag_links_the_new_phone_and_never_the_old_one(tell: Tell) -> None:
    story = tell("blocked_unregistered")
    old = also_registered(story, days=400)
    story.arrives()
    story.says_this_is_mine()
    story.tick(2)
    story.registers()
    story.taps_the_message()
    assert story.step is Step.REGISTER, (
        "the directory lists the old phone alone, and it was registered before this one was enrolled"
    )
    story.gets_to(Step.OPEN)
    assert {upload.content[0]["DeviceId"] for upload in story.uploads()} == {story.remotes.phone.device_id}
    assert old.is_compliant is None


def test_T1_a_private_phone_that_runs_a_newer_system_is_not_the_managed_one(tell: Tell) -> None:
    story = tell("blocked_unregistered")
    private = also_registered(story, days=0.001, os_version="99.1")
    story.arrives()
    story.says_this_is_mine()
    story.taps_the_message()
    story.passes(60)
    assert (story.step, story.uploads(), private.is_compliant) == (Step.REGISTER, [], None)
