"""A story under the second lock: the maker of the MDM carries, and a policy of Entra's asks for our mark beside *compliant*."""

from __future__ import annotations

from datetime import timedelta

from remediation.adapters.graph import GraphDirectory
from remediation.adapters.mdm_relay import MdmRelayChannel
from remediation.adapters.second_lock import GraphSecondLock
from remediation.domain.device import Platform
from remediation.domain.second_lock import SecondLock
from sandbox.relay import EVERY, register_in_app, switch_on
from sandbox.things import DevicePolicy, DirectoryDevice
from tests.stories import Story

NUMBER, VALUE = 7, "remediation-5a1e0c7d"
POLICY = "Second lock"
TURN = EVERY["workspace_one"]


def relayed(story: Story) -> None:
    """The maker carries; nothing of the lock yet."""
    connection, platforms = story.remotes.mdm.connection, {Platform.IOS}
    every = timedelta(seconds=EVERY[story.remotes.phone.vendor])
    channel = MdmRelayChannel(connection, every=every, directory=story.world.directory, platforms=platforms)
    story.with_world(channels=[channel])


def locked(story: Story, *, prepared: bool = True, policy: bool = True, permission: bool = True) -> SecondLock:
    story.remotes.approve_for_windows(approved=False, permission=permission)
    story.sandbox.world.end_tokens()  # what was granted shows in a new one
    held = story.store.keep_second_lock(NUMBER, VALUE, at=story.world.clock())
    directory = GraphDirectory(story.remotes.graph, now=story.world.clock, mark=(held.name, held.value))
    lock = GraphSecondLock(story.remotes.graph_as("lock"), name=held.name, value=held.value, platforms={Platform.IOS})
    story.with_world(directory=directory, lock=lock)
    relayed(story)
    if policy:
        story.sandbox.world.device_policies = [DevicePolicy(POLICY, held.rule)]
    if prepared:
        prepare(story)
    return held


def prepare(story: Story) -> None:
    with story.store.change(story.world.actor, "lock.prepared", about=("lock", "x"), at=story.world.clock()) as change:
        change.lock_prepared()


def under_the_lock(story: Story) -> Story:
    """From the beginning of the person's way."""
    switch_on(story.sandbox.world, story.remotes.phone.vendor)
    locked(story)
    return story


def proven(story: Story) -> None:
    story.arrives()
    story.says_this_is_mine()
    story.taps_the_message()
    story.passes(20)


def opened(story: Story) -> Story:
    under_the_lock(story)
    proven(story)
    register_in_app(story.sandbox.world, story.remotes.phone)
    story.checks_again()
    story.passes(1.2 * TURN, every=60)
    return story


def device(story: Story) -> DirectoryDevice:
    found = story.sandbox.world.device_by_device_id(str(story.remotes.phone.device_id))
    assert found is not None
    return found


def mark_of(story: Story) -> str | None:
    with story.sandbox.world.settled():
        return device(story).extension_attributes.get(f"extensionAttribute{NUMBER}")


def somebody_writes(story: Story, value: str | None, what: DirectoryDevice | None = None) -> None:
    with story.sandbox.world.settled():
        (what or device(story)).extension_attributes[f"extensionAttribute{NUMBER}"] = value
