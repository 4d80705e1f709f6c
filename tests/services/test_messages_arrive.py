"""Until one message of an MDM connection was seen to arrive, possession is off there: nothing is sent, nothing is linked on it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from remediation.domain.device import LinkState, ManagedKey
from remediation.domain.steps import Step, help_why
from remediation.errors import Busy, MessageTestRefused
from remediation.ports import Actor
from remediation.services import ask
from remediation.services.message_test import arrived, device_for_test, see_test, send_test
from tests.proven import asked, messages_arrive, never_arrived
from tests.stories import BROWSER, Story

Tell = Callable[..., Story]
ROOT = Actor("operator", "root")


def sends_a_test(story: Story, record_id: str | None = None) -> str:
    """As `remediation doctor possession`; returns the token behind the link on the phone."""
    manager = story.world.managers["ws1"]
    device = device_for_test(manager, record_id or str(story.remotes.record.id))
    send_test(story.store, manager, device, text=lambda token: f"a test: {token}", actor=ROOT, why="pilot", clock=story.world.clock)
    return str(story.remotes.phone.messages[-1].body).removeprefix("a test: ")


@pytest.fixture
def story(tell: Tell) -> Story:
    story = tell("blocked_just_registered")
    never_arrived(story.engine)
    return story


def test_off_until_the_tap_was_seen_and_then_the_journey_goes_on_by_itself(story: Story) -> None:
    story.arrives()
    assert (story.step, help_why(story.journey, story.world.clock())) == (Step.HELP, "possession_off")
    token = sends_a_test(story)
    steps = [story.step]
    assert see_test(story.store, token) is not None
    steps.append(story.step)
    arrived(story.store, token, browser="of-the-pilot", now=story.world.clock())
    assert [*steps, story.step] == [Step.HELP, Step.HELP, Step.THIS_DEVICE], "sent is not seen, nor is opened"
    story.says_this_is_mine()
    story.taps_the_message()
    story.gets_to(Step.OPEN)
    seen = [why for why in story.audit() if why.startswith("message_test")]
    assert seen == ["message_test.asked", "message_test.sent", "message_test.seen"]


def test_a_form_of_before_wishes_nothing_and_the_worker_sends_nothing_either(story: Story) -> None:
    story.arrives()
    key = ManagedKey("ws1", str(story.remotes.record.id))
    ask.in_my_hand(story.store, story.journey_id, key, oid=story.oid, now=story.world.clock())
    assert story.journey.possession is None
    with story.store.change(
        Actor("person", story.oid), "test", about=("journey", story.journey_id), at=story.world.clock()
    ) as change:
        change.want_possession(story.journey_id, key)  # as a web process of the version before would
    story.passes(60)
    assert story.remotes.phone.messages == []
    messages_arrive(story.engine, story.store.tenant_id)
    story.checks_again()
    assert len(story.remotes.phone.messages) == 1


def test_I12_what_was_tapped_where_it_is_off_links_nothing(story: Story) -> None:
    messages_arrive(story.engine, story.store.tenant_id)
    story.arrives()
    story.says_this_is_mine()
    never_arrived(story.engine)
    story.taps_the_message()
    story.passes(60)
    assert (story.links(), story.uploads(), story.step) == ([], [], Step.HELP)
    messages_arrive(story.engine, story.store.tenant_id)
    story.checks_again()
    story.gets_to(Step.OPEN)


def test_links_already_made_stay(story: Story) -> None:
    messages_arrive(story.engine, story.store.tenant_id)
    story.gets_through()
    never_arrived(story.engine)
    story.passes(120)
    assert (story.step, story.link_states(), story.entra_shows) == (Step.OPEN, [LinkState.ACTIVE], True)


def test_another_connections_proof_is_not_this_ones(story: Story) -> None:
    messages_arrive(story.engine, story.store.tenant_id, "ws2")
    story.arrives()
    assert story.step is Step.HELP


def test_T7_tapped_twice_is_seen_once_and_too_late_is_not_seen(story: Story) -> None:
    token, now = sends_a_test(story), story.world.clock
    arrived(story.store, token, browser=BROWSER, now=now())
    first = story.store.message_test("ws1")
    story.sandbox.world.advance(5)
    with pytest.raises(MessageTestRefused, match="used"):
        arrived(story.store, token, browser=BROWSER, now=now())
    assert story.store.message_test("ws1") == first
    assert story.audit().count("message_test.seen") == 1
    never_arrived(story.engine)
    late = asked(story.store, now())
    story.sandbox.world.advance(601)
    with pytest.raises(MessageTestRefused, match="too_late"):
        arrived(story.store, late, browser=BROWSER, now=now())
    test = story.store.message_test("ws1")
    assert test is not None
    assert (test.seen_at, test.proven_at) == (None, None)


def test_T7_a_newer_test_takes_its_place_and_what_was_proven_stays(story: Story) -> None:
    token = sends_a_test(story)
    arrived(story.store, token, browser=BROWSER, now=story.world.clock())
    sends_a_test(story)
    test = story.store.message_test("ws1")
    assert test is not None
    assert (test.seen_at, test.proven_at is not None) == (None, True)
    with pytest.raises(MessageTestRefused, match="unknown"):
        arrived(story.store, token, browser=BROWSER, now=story.world.clock())


def test_a_persons_own_link_proves_no_connection_and_a_test_proves_no_person(story: Story) -> None:
    messages_arrive(story.engine, story.store.tenant_id)
    story.arrives()
    story.says_this_is_mine()
    with pytest.raises(MessageTestRefused, match="unknown"):
        arrived(story.store, story.token, browser=BROWSER, now=story.world.clock())
    arrived(story.store, sends_a_test(story), browser=BROWSER, now=story.world.clock())
    assert (story.journey.proven, story.step) == (False, Step.THIS_DEVICE)


def test_no_test_is_sent_to_a_device_that_is_not_enrolled_and_a_refusal_is_kept(story: Story) -> None:
    story.remotes.record.enrollment_status = "Unenrolled"
    with pytest.raises(MessageTestRefused, match="not_enrolled"):
        sends_a_test(story)
    story.remotes.record.enrollment_status = "Enrolled"
    story.fault("workspace_one", "server_error", path="messages/push")
    with pytest.raises(Busy):
        sends_a_test(story)
    assert story.audit()[-1] == "message_test.failed"
    test = story.store.message_test("ws1")
    assert test is not None
    assert (test.sent_at, test.proven_at) == (None, None)
