"""Where the MDM's maker tells Microsoft: we guide, ask the MDM to hear from the device, watch, and never say *sent*."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from remediation.adapters.mdm_relay import MdmRelayChannel
from remediation.domain.device import LinkState, Platform
from remediation.domain.relay import relay_of
from remediation.domain.steps import RELAYED, ChainState, Step, chain, help_why
from remediation.ports import Relaying, Sending
from remediation.services.stuck import explain
from sandbox.relay import EVERY, register_in_app, switch_on
from tests.stories import Story

Tell = Callable[..., Story]
ON_POSTGRESQL = True
HOUR = 3600.0
SCENARIO = {"workspace_one": "blocked_just_registered", "maas360": "on_maas360"}


def channel_of(story: Story, connection: str | None = None) -> MdmRelayChannel:
    every = timedelta(seconds=EVERY[story.remotes.phone.vendor])
    named = connection or story.remotes.mdm.connection
    return MdmRelayChannel(named, every=every, directory=story.remotes.directory, platforms={Platform.IOS})


def relayed(tell: Tell, vendor: str = "workspace_one") -> Story:
    story = tell(SCENARIO[vendor])
    story.with_world(channels=[channel_of(story)])
    switch_on(story.sandbox.world, story.remotes.phone.vendor)
    return story


def proven(story: Story) -> Story:
    story.arrives()
    story.says_this_is_mine()
    story.taps_the_message()
    story.passes(10)
    return story


def registers_in_app(story: Story) -> None:
    register_in_app(story.sandbox.world, story.remotes.phone)


def opened(tell: Tell, vendor: str = "workspace_one") -> Story:
    story = proven(relayed(tell, vendor))
    registers_in_app(story)
    story.checks_again()
    story.gets_to(Step.OPEN, within=1.2 * EVERY[story.remotes.phone.vendor])
    return story


def says(story: Story) -> dict[str, ChainState]:
    return {link.name: link.state for link in chain(story.journey, story.world.clock())}


def told_microsoft(story: Story) -> list[str]:
    """Whatever we wrote there: nothing, ever."""
    writes = [c["path"] for c in story.ledger() if c["service"] in ("graph", "intune") and c["method"] in ("PUT", "PATCH", "POST")]
    return [path for path in writes if "checkMemberGroups" not in path] + [why for why in story.audit() if why == "push.sent"]


def test_it_can_observe_and_nothing_else(tell: Tell) -> None:
    story = tell("already_fine")
    channel = channel_of(story)
    assert isinstance(channel, Relaying)
    assert not isinstance(channel, Sending)
    assert channel.observe(story.remotes.device_id).compliant is True


@pytest.mark.parametrize("vendor", SCENARIO)
def test_registered_and_the_mdm_does_not_know_is_a_step_of_its_own_until_it_is_begun_in_the_app(tell: Tell, vendor: str) -> None:
    story = proven(relayed(tell, vendor))
    every = EVERY[story.remotes.phone.vendor]
    assert (story.step, story.push.reason) == (Step.IN_APP, "waiting_for_mdm")
    assert tuple(says(story)) == RELAYED
    assert says(story)["relayed"] is ChainState.BROKEN
    story.passes(1.5 * every, every=every / 20)
    assert (story.step, story.push.reason, story.entra_shows) == (Step.IN_APP, "mdm_does_not_know", None)
    assert (explain("mdm_does_not_know").who.value, explain("mdm_does_not_know").repair) == ("you", "in_app")
    registers_in_app(story)
    story.checks_again()
    relay = relay_of(story.journey, story.world.clock())
    assert relay is not None
    assert (story.step, relay.by - story.world.clock() <= timedelta(seconds=every)) == (Step.WAIT, True)
    assert says(story)["relayed"] is ChainState.CURRENT
    story.gets_to(Step.OPEN, within=1.2 * every)
    assert (story.outlook_opens(), story.push.confirmed_by, told_microsoft(story)) == (True, "relayed", [])


def test_whoever_registers_after_the_page_told_them_where_to_begin_waits_for_the_makers_turn(tell: Tell) -> None:
    story = tell("blocked_unregistered")
    story.with_world(channels=[channel_of(story)])
    switch_on(story.sandbox.world, "workspace_one")
    proven(story)
    assert (story.step, story.journey.relay) == (Step.REGISTER, timedelta(seconds=EVERY["workspace_one"]))
    registers_in_app(story)
    story.gets_to(Step.WAIT)
    story.gets_to(Step.OPEN, within=1.2 * EVERY["workspace_one"])


def test_said_done_and_not_done_comes_back_after_the_makers_turn(tell: Tell) -> None:
    story = proven(relayed(tell))
    story.checks_again()
    assert story.step is Step.WAIT
    story.passes(1.1 * EVERY["workspace_one"], every=30)
    relay = relay_of(story.journey, story.world.clock())
    assert (story.step, relay is not None and relay.missed) == (Step.IN_APP, True)


def test_pressing_check_while_waiting_does_not_put_off_the_answer(tell: Tell) -> None:
    story = proven(relayed(tell))
    story.checks_again()
    for _ in range(6):
        story.passes(EVERY["workspace_one"] / 5, every=30)
        if story.step is Step.WAIT:
            story.checks_again()
    assert story.step is Step.IN_APP


def test_a_custom_attribute_pushes_nothing(tell: Tell) -> None:
    story = proven(relayed(tell))
    story.remotes.ws1.note_link(story.remotes.record_id, str(story.remotes.phone.device_id))
    assert str(story.remotes.phone.device_id) in story.remotes.record.custom_attributes.values()
    story.passes(6 * EVERY["workspace_one"], every=60)
    assert (story.entra_shows, story.step) == (None, Step.IN_APP)
    registers_in_app(story)
    story.passes(1.1 * EVERY["workspace_one"], every=60)
    assert story.entra_shows is True


def test_i_have_done_it_has_the_mdm_hear_from_the_device(tell: Tell) -> None:
    story = proven(relayed(tell))
    before = len(story.ledger())
    story.checks_again()
    assert [c for c in story.ledger()[before:] if c["service"] == "workspace_one" and c["path"].endswith("/commands")]


def test_the_posture_follows_both_ways_at_the_makers_turns(tell: Tell) -> None:
    story = opened(tell)
    story.reports_health(jailbroken=True)
    story.passes(60)
    assert (story.step, story.entra_shows, story.push.reason) == (Step.FIX, True, "waiting_for_mdm"), "not ours to take down"
    story.passes(1.2 * EVERY["workspace_one"], every=30)
    assert (story.entra_shows, story.push.at_rest, story.push.confirmed_by) == (False, True, "relayed")
    story.reports_health(jailbroken=False)
    story.passes(60)
    assert story.step is Step.WAIT
    story.gets_to(Step.OPEN, within=1.2 * EVERY["workspace_one"])
    assert told_microsoft(story) == []


def test_the_end_of_a_link_changes_nothing_at_microsoft_and_rests(tell: Tell) -> None:
    story = opened(tell)
    noah = story.remotes.person("Noah").oid
    with story.sandbox.world.settled() as world:
        device = world.device_by_device_id(str(story.remotes.phone.device_id))
        assert device is not None
        device.owner_oid = noah
    story.passes(120)
    assert (story.link_states(), story.entra_shows) == ([LinkState.ENDED], True)
    assert (story.push.at_rest, story.push.confirmed_by, story.push.observed) == (True, "not_ours", True)
    before = story.audit()
    story.is_watched()
    story.passes(6 * HOUR, every=600)
    assert (story.audit(), told_microsoft(story)) == (before, [])


def test_a_lease_that_ends_is_said_and_not_enforced(tell: Tell) -> None:
    story = opened(tell)
    story.fault("workspace_one", "down")
    story.passes(74 * HOUR, every=HOUR)
    assert (story.push.reasons, story.entra_shows) == (("lease_ended",), True)
    assert story.step is not Step.OPEN
    assert told_microsoft(story) == []


def test_a_day_of_waiting_is_polite(tell: Tell) -> None:
    story = proven(relayed(tell, "maas360"))
    before = len(story.ledger())
    story.passes(24 * HOUR, every=60)
    assert len(story.ledger()) - before < 1500


def test_a_device_of_another_mdm_than_the_makers_has_no_channel(tell: Tell) -> None:
    story = tell("blocked_just_registered")
    story.with_world(channels=[channel_of(story, "maas")])
    story.arrives()
    assert (story.step, help_why(story.journey, story.world.clock())) == (Step.HELP, "no_channel")
