"""I5 over whatever the directory may say of a linked device's owner, by the worker's own passes against the sandbox."""

from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st

from bench.stage.fill import fill, link_of
from remediation.services.push_compliance import bring_to_rest
from sandbox import crowd
from tests.stories import Story

Tell = Callable[..., Story]


def test_I5_compliant_is_told_only_of_an_enabled_device_of_this_owner_whose_account_is_on(tell: Tell) -> None:
    story = tell("blocked_just_registered")
    world = story.sandbox.world
    [stranger] = crowd.gather(world, 1)

    @settings(max_examples=25, deadline=None)
    @given(st.sampled_from(("owner", "stranger", "nobody we know")), st.booleans(), st.booleans())
    def whatever_the_directory_says(owner: str, enabled: bool, account_on: bool) -> None:
        [member] = crowd.gather(world, 1, compliant=False)
        fill(story.engine, world, [member])
        owners = {"owner": member.person.oid, "stranger": stranger.person.oid}
        with world.lock:
            member.device.owner_oid = owners.get(owner, "00000000-0000-4000-8000-000000000000")
            member.device.enabled, member.person.enabled = enabled, account_on
        for seconds in (0, 5, 10, 20, 40):
            bring_to_rest(link_of(member), world=story.world)
            world.advance(seconds)
        told = [upload.content[1] for upload in story.uploads() if upload.content[0]["DeviceId"] == member.device.device_id]
        said = {one["complianceStatus"] for one in told}
        if owner == "owner" and enabled and account_on:
            assert said == {"compliant"}, "the control"
            assert member.device.is_compliant is True
        else:
            assert "compliant" not in said
            assert member.device.is_compliant is not True

    whatever_the_directory_says()
