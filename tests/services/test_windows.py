"""Windows by way of Graph: from register to the end of the link, what Graph refuses, what it takes and does not apply, and a second
writer."""

from collections.abc import Callable

import pytest

from remediation.domain.device import LinkState, Platform
from remediation.domain.push import FLIPS_WITHIN
from remediation.domain.steps import Step
from remediation.services.stuck import explain
from remediation.store.figures import SqlFigures
from tests.stories import Story

Tell = Callable[..., Story]
ON_POSTGRESQL = True
HOUR = 3600.0


def on_windows(tell: Tell, **approval: bool) -> Story:
    story = tell("windows")
    story.remotes.approve_for_windows(**approval)
    story.with_world(channels=[story.remotes.make_graph_channel()])
    return story


def proven(story: Story) -> Story:
    story.arrives(platform=Platform.WINDOWS)
    story.says_this_is_mine()
    story.taps_the_message()
    return story


def opened(tell: Tell) -> Story:
    story = proven(on_windows(tell))
    story.gets_to(Step.OPEN)
    return story


def writes(story: Story) -> list[object]:
    return [call["body"] for call in story.ledger() if call["method"] == "PATCH" and call["status"] == 204]


def overwritten(story: Story) -> None:
    """By whoever else writes there."""
    with story.sandbox.world.settled() as world:
        device = world.device_by_device_id(str(story.remotes.phone.device_id))
        assert device is not None
        device.is_compliant = not device.is_compliant


def test_from_registering_to_the_end_of_the_link(tell: Tell) -> None:
    story = on_windows(tell)
    with story.sandbox.world.lock:
        story.sandbox.world.unregister(story.remotes.phone)
    proven(story)
    assert (story.step, writes(story)) == (Step.REGISTER, [])
    story.registers()
    story.gets_to(Step.OPEN)
    assert (story.outlook_opens(), story.push.confirmed_by, story.uploads()) == (True, "changed", [])
    story.reports_health(passcode=False)
    story.passes(60)
    assert (story.entra_shows, story.step, story.outlook_opens()) == (False, Step.FIX, False)
    story.reports_health(passcode=True)
    story.passes(60)
    assert (story.entra_shows, story.step) == (True, Step.OPEN)
    story.remotes.record.enrollment_status = "Unenrolled"
    story.passes(60)
    assert (story.entra_shows, story.link_states(), story.push.at_rest) == (False, [LinkState.ENDED], True)
    last = {"isManaged": False, "isCompliant": False}
    assert writes(story) == [*({"isManaged": True, "isCompliant": told} for told in (True, False, True)), last]


@pytest.mark.parametrize("lacks", ["permission", "approved"])
def test_an_app_that_is_not_approved_is_for_the_administrator_and_goes_on_once_it_is(tell: Tell, lacks: str) -> None:
    story = proven(on_windows(tell, **{lacks: False}))
    story.passes(120)
    assert (story.step, story.push.reason, story.entra_shows) == (Step.WAIT, "channel_not_approved", None)
    told = explain(story.push.reason or "")
    assert (told.key, told.who.value, told.repair) == ("channel_not_approved", "admin", "approval")
    assert [call.code for call in story.push.failed_calls] == ["refused"]
    story.remotes.approve_for_windows()
    story.sandbox.world.end_tokens()
    story.gets_to(Step.OPEN, within=2 * HOUR)


def test_what_graph_takes_and_does_not_apply_is_counted_and_told_again(tell: Tell) -> None:
    story = on_windows(tell)
    story.fault("graph", "ignore_writes")
    proven(story)
    story.passes(60)
    assert (story.step, story.push.reason, story.push.not_applied) == (Step.WAIT, "accepted_not_applied", 0)
    story.passes(2 * HOUR, every=300)
    assert (story.step, story.push.not_applied > 0, len(writes(story)) > 1) == (Step.WAIT, True, True)
    assert SqlFigures(story.engine, story.store.tenant_id).read(story.world.clock()).not_applied == story.push.not_applied
    story.sandbox.faults.clear()
    story.gets_to(Step.OPEN, within=2 * HOUR)
    figures = SqlFigures(story.engine, story.store.tenant_id).read(story.world.clock())
    assert figures.confirmed == {"changed": 1}


def test_already_so_is_not_our_success(tell: Tell) -> None:
    story = on_windows(tell)
    overwritten(story)
    story.arrives(platform=Platform.WINDOWS)
    story.says_still_blocked()
    story.says_this_is_mine()
    story.taps_the_message()
    story.gets_to(Step.OPEN)
    assert SqlFigures(story.engine, story.store.tenant_id).read(story.world.clock()).confirmed == {"already_so": 1}


def test_one_drift_is_repaired_and_two_within_a_day_are_a_second_writer(tell: Tell) -> None:
    story = opened(tell)
    overwritten(story)
    story.passes(60)
    assert (story.entra_shows, story.push.flips) == (True, 1)
    overwritten(story)
    story.passes(60)
    assert (story.push.reason, story.entra_shows, len(writes(story))) == ("two_writers", False, 2)
    assert (explain("two_writers").who.value, explain("two_writers").repair) == ("admin", "one_writer")
    story.passes(6 * HOUR, every=600)
    assert len(writes(story)) == 2, "a fight helps nobody"


def test_a_second_writer_never_keeps_bad_news_back(tell: Tell) -> None:
    story = opened(tell)
    for _ in range(2):
        overwritten(story)
        story.passes(60)
    assert story.push.reason == "two_writers"
    overwritten(story)
    story.reports_health(jailbroken=True)
    story.passes(2 * HOUR, every=60)
    assert (story.entra_shows, story.push.at_rest) == (False, True)


def test_the_next_day_it_is_tried_again_and_at_once_where_the_other_agrees(tell: Tell) -> None:
    story = opened(tell)
    for _ in range(2):
        overwritten(story)
        story.passes(60)
    overwritten(story)
    story.passes(2 * HOUR, every=600)
    assert (story.step, story.push.confirmed_by, len(writes(story))) == (Step.OPEN, "already_so", 2)
    overwritten(story)
    story.passes(2 * HOUR, every=600)
    assert (story.push.reason, story.step) == ("two_writers", Step.WAIT)
    story.passes(FLIPS_WITHIN.total_seconds(), every=900)
    assert (story.step, len(writes(story))) == (Step.OPEN, 3)
