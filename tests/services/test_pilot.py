"""A pilot device proves its channel: compliant, not compliant, compliant, each seen in Entra; and never up by itself."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from remediation.domain.finding import State
from remediation.domain.pilot import HELD, Pilot, PilotState, PilotStep
from remediation.domain.steps import Step
from remediation.errors import StepRefused
from remediation.ports import Actor
from remediation.services import pilot
from remediation.services.push_compliance import bring_to_rest
from sandbox.relay import EVERY
from tests.services.test_killed_anywhere import SAFETY_NET, Deadly, survive
from tests.services.test_relay import opened as opened_by_relay
from tests.stories import Story

Tell = Callable[..., Story]
ON_POSTGRESQL = True
ADMIN = Actor("person", "adam")
HOUR = 3600.0


def opened(tell: Tell) -> Story:
    story = tell("blocked_just_registered")
    story.gets_through()
    return story


def begins(story: Story, **more: Any) -> Pilot:
    found = pilot.start(story.world, story.links()[0].id, by_mdm=more.pop("by_mdm", False), actor=ADMIN)
    story.tick()
    return found


def stands(story: Story, begun: Pilot) -> Pilot:
    found = story.store.pilot(begun.id)
    assert found is not None
    return found


def gets_to(story: Story, begun: Pilot, step: PilotStep, *, within: float = 300, every: float = 5) -> None:
    for _ in range(int(within / every)):
        if stands(story, begun).step is step:
            return
        story.tick(every)
    raise AssertionError(f"it stands at {stands(story, begun)}")


def says(story: Story) -> tuple[State, str]:
    (found,) = [one for one in pilot.proven_of(story.world) if one.about == "ios"]
    return found.state, found.why


def test_down_and_up_again_each_seen_in_entra_and_each_change_audited_once(tell: Tell) -> None:
    story = opened(tell)
    assert says(story) == (State.UNKNOWN, "never")
    begun = begins(story)
    gets_to(story, begun, PilotStep.NOT_COMPLIANT)
    story.passes(60)
    gets_to(story, begun, PilotStep.AGAIN)
    down = stands(story, begun)
    assert (down.compliant_at is not None, down.not_compliant_at is not None) == (True, True)
    story.passes(120)
    proven = stands(story, begun)
    assert (proven.state, proven.why) == (PilotState.PROVEN, None)
    assert proven.compliant_at < proven.not_compliant_at < proven.again_at  # type: ignore[operator]
    assert (story.entra_shows, story.outlook_opens(), story.step) == (True, True, Step.OPEN)
    told = [why for why in story.audit() if why.startswith("pilot.")]
    assert told == ["pilot.started", "pilot.seen", "pilot.seen", "pilot.proven"]
    assert says(story) == (State.GOOD, "proven")
    assert uploads(story) == [True, False, True]


def test_T29_before_go_the_worker_does_nothing_for_whoever_was_not_named(tell: Tell) -> None:
    """Whatever the web let in."""
    story = tell("blocked_just_registered")
    story.with_world(first=frozenset({"3f0c5a6e-8c57-4f0a-9b0b-3d2f5a7a9d11"}))
    story.arrives()
    assert (story.step, story.links()) == (Step.NOT_FOR_YOU, [])
    story.with_world(first=frozenset({story.oid}))  # the control: she is named now
    story.checks_again()
    story.says_this_is_mine()
    story.taps_the_message()
    story.gets_to(Step.OPEN)


def uploads(story: Story) -> list[bool]:
    """What each message told of the device."""
    words = [entity["complianceStatus"] for one in story.uploads() for entity in one.content if "complianceStatus" in entity]
    return [word == "compliant" for word in words]


def test_while_it_is_held_down_entra_and_the_page_say_so(tell: Tell) -> None:
    story = opened(tell)
    begun = begins(story)
    gets_to(story, begun, PilotStep.NOT_COMPLIANT)
    story.tick()
    assert story.push.reasons == (HELD,)
    assert story.step is Step.WAIT, "no rule fails, so nothing is to be fixed"
    assert says(story) == (State.UNKNOWN, "running")


def test_I4_a_device_that_its_mdm_does_not_call_well_is_never_told_compliant_by_a_pilot(tell: Tell) -> None:
    story = opened(tell)
    story.reports_health(passcode=False)
    story.passes(120)
    assert story.entra_shows is False
    before = len(story.uploads())
    begun = begins(story)
    story.passes(80 * 60, every=60)
    ended = stands(story, begun)
    assert (ended.state, ended.why, story.entra_shows) == (PilotState.FAILED, "not_seen_compliant", False)
    assert len(story.uploads()) == before
    assert says(story) == (State.BAD, "not_seen_compliant")
    story.reports_health(passcode=True)
    again = begins(story)
    story.passes(400)
    assert stands(story, again).state is PilotState.PROVEN, "the control"
    assert says(story) == (State.GOOD, "proven")


def test_I4_one_that_fails_a_rule_while_it_is_held_down_stays_down(tell: Tell) -> None:
    story = opened(tell)
    begun = begins(story)
    gets_to(story, begun, PilotStep.NOT_COMPLIANT)
    story.reports_health(passcode=False)
    story.passes(80 * 60, every=60)
    ended = stands(story, begun)
    assert (ended.state, ended.why, story.entra_shows) == (PilotState.FAILED, "not_seen_again", False)


def test_nobody_drives_it_any_more_and_the_hold_ends_all_the_same(tell: Tell) -> None:
    """The row of the pilot is due and nobody takes it: a worker of an older version."""
    story = opened(tell)
    begun = begins(story)
    gets_to(story, begun, PilotStep.NOT_COMPLIANT)
    for minutes in (2, 100):
        story.sandbox.world.advance(minutes * 60)
        for _ in range(40):
            story.sandbox.world.advance(5)
            bring_to_rest(story.links()[0].id, world=story.world)
        assert story.entra_shows is (minutes > 75)
    assert stands(story, begun).state is PilotState.RUNNING


@pytest.mark.slow
@pytest.mark.parametrize("at", [1, 4, 7, 12, 17])
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_P2_killed_at_any_call_it_goes_on(tell: Tell, at: int, after: bool) -> None:
    story = opened(tell)
    transport: Any = story.remotes.transport
    transport.send = Deadly(transport, at, after=after)
    begun: list[Pilot] = [pilot.start(story.world, story.links()[0].id, by_mdm=False, actor=ADMIN)]
    survive(story.tick)
    survive(lambda: story.tick(SAFETY_NET))
    for _ in range(80):
        survive(lambda: story.tick(5))
    assert stands(story, begun[0]).state is PilotState.PROVEN
    assert uploads(story) == [True, False, True]


def test_stopped_it_is_let_go_at_once(tell: Tell) -> None:
    story = opened(tell)
    begun = begins(story)
    gets_to(story, begun, PilotStep.NOT_COMPLIANT)
    story.tick(5)
    pilot.stop(story.store, begun.platform, actor=ADMIN, now=story.world.clock())
    story.passes(120)
    assert (stands(story, begun).state, story.entra_shows) == (PilotState.STOPPED, True)
    with pytest.raises(StepRefused, match="not_running"):
        pilot.stop(story.store, begun.platform, actor=ADMIN, now=story.world.clock())


def test_one_at_a_time_and_only_with_a_link_and_a_channel(tell: Tell) -> None:
    story = opened(tell)
    begins(story)
    with pytest.raises(StepRefused, match="runs"):
        begins(story)
    with pytest.raises(StepRefused, match="no_link"):
        pilot.device_of(story.store, "ws1", "4711")
    assert pilot.device_of(story.store, "ws1", story.remotes.record_id) == story.links()[0].id
    story.with_world(channels=[])
    with pytest.raises(StepRefused, match="no_channel"):
        begins(story)


def test_a_link_that_ends_meanwhile_ends_the_pilot(tell: Tell) -> None:
    story = opened(tell)
    begun = begins(story)
    gets_to(story, begun, PilotStep.NOT_COMPLIANT)
    with story.store.change(ADMIN, "link.ended", about=("link", begun.link_id), at=story.world.clock()) as change:
        change.end_link(begun.link_id, "test")
    story.passes(30)
    assert (stands(story, begun).state, stands(story, begun).why) == (PilotState.FAILED, "link_ended")


def test_the_mdms_own_word_proves_it_where_somebody_asks_for_that(tell: Tell) -> None:
    story = opened(tell)
    begun = begins(story, by_mdm=True)
    gets_to(story, begun, PilotStep.NOT_COMPLIANT)
    story.passes(300)
    assert (stands(story, begun).step, story.entra_shows) == (PilotStep.NOT_COMPLIANT, True), "nothing is held down"
    story.reports_health(passcode=False)
    gets_to(story, begun, PilotStep.AGAIN)
    story.reports_health(passcode=True)
    story.passes(300)
    assert stands(story, begun).state is PilotState.PROVEN


@pytest.mark.parametrize("vendor", ["workspace_one", pytest.param("maas360", marks=pytest.mark.slow)])
def test_where_the_mdms_maker_carries_only_its_own_turns_prove_it(tell: Tell, vendor: Any) -> None:
    story = opened_by_relay(tell, vendor)
    every = EVERY[vendor]
    begun = begins(story)
    assert begun.down.value == "mdm"
    gets_to(story, begun, PilotStep.NOT_COMPLIANT, within=2 * every, every=every / 20)
    story.reports_health(passcode=False)
    gets_to(story, begun, PilotStep.AGAIN, within=3 * every + HOUR, every=every / 20)
    assert story.entra_shows is False
    story.reports_health(passcode=True)
    story.passes(3 * every + HOUR, every=every / 20)
    assert (stands(story, begun).state, story.entra_shows) == (PilotState.PROVEN, True)
    assert [why for why in story.audit() if why == "push.sent"] == []


def test_another_channel_serves_by_now_and_what_was_proven_says_nothing_of_it(tell: Tell) -> None:
    story = opened(tell)
    begins(story)
    story.passes(400)
    assert says(story) == (State.GOOD, "proven")
    story.with_world(channels=[story.remotes.make_graph_channel()])
    assert [one.about for one in pilot.proven_of(story.world)] == ["windows"]
    known = [one for one in story.store.pilots() if one.platform is begins_platform(story)]
    assert pilot.of_platform(known, begins_platform(story), "graph_device").why == "other_channel"


def begins_platform(story: Story) -> Any:
    return story.links()[0].platform


def test_P9_what_is_waited_for_never_lasts_for_ever(tell: Tell) -> None:
    """Microsoft does not apply what it accepted."""
    story = opened(tell)
    begun = begins(story)
    gets_to(story, begun, PilotStep.NOT_COMPLIANT)
    story.fault("intune", "down")
    story.sandbox.world.advance(timedelta(minutes=80).total_seconds())
    story.passes(60)
    assert (stands(story, begun).state, stands(story, begun).why) == (PilotState.FAILED, "not_seen_not_compliant")
