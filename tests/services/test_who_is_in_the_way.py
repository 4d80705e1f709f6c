"""Old links, half lists and clocks that differ: no wrong link by a list that was not read, nobody stands still behind a link
that no longer holds (T1, T5). Controls: `test_the_way_through`."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from remediation.domain.device import LinkState
from remediation.domain.evidence import Level
from remediation.domain.steps import Step
from remediation.services import ask, prove_possession
from tests.stories import BROWSER, Story

Tell = Callable[..., Story]


@pytest.mark.parametrize("readable", [True, False])
def test_T1_no_link_is_made_on_a_list_that_was_not_read(tell: Tell, readable: bool) -> None:
    """A second phone appeared since the last good list: with it the pairing is a question."""
    story = tell("blocked_just_registered")
    story.arrives()
    story.says_this_is_mine()
    devices = story.sandbox.world.devices
    first = next(d for d in devices.values() if d.device_id == story.remotes.phone.device_id)
    second = replace(first, object_id=str(uuid4()), device_id=str(uuid4()), name="iPhone")
    devices[second.object_id] = second
    if not readable:
        story.fault("graph", "down", path="registeredDevices")
    story.taps_the_message()
    story.passes(30)
    assert (story.journey.links, story.uploads()) == ((), [])
    story.sandbox.faults.clear()
    story.passes(60)
    assert (story.step, story.journey.links) == (Step.CHOOSE, ())


@pytest.mark.parametrize("ahead", [0, 300])
def test_a_web_host_whose_clock_is_ahead_costs_one_refresh_and_shows_no_endless_look(tell: Tell, ahead: float) -> None:
    story = tell("not_compliant")
    story.arrives()
    story.says_this_is_mine()
    story.taps_the_message()
    before = refreshes(story)
    ask.check_again(story.store, story.journey_id, oid=story.oid, now=story.world.clock() + timedelta(seconds=ahead))
    story.passes(120)
    assert (refreshes(story) - before, story.journey.look.under_way) == (1, False)


def refreshes(story: Story) -> int:
    return sum(e["method"] == "POST" and "/commands" in e["path"] for e in story.ledger())


def test_a_pending_link_of_before_the_wipe_keeps_nobody_out(tell: Tell) -> None:
    story = tell("blocked_just_registered", minimum=Level.CERTIFICATE)
    story.arrives()
    story.says_this_is_mine()
    story.taps_the_message()
    assert (story.step, story.link_states()) == (Step.SIGN_IN, [LinkState.PENDING])
    story.remotes.record.enrolled_on += timedelta(hours=1)
    story.with_world(minimum=Level.POSSESSION)
    story.checks_again()
    assert (story.link_states(), story.step) == ([LinkState.ENDED], Step.THIS_DEVICE)
    story.says_this_is_mine()
    story.taps_the_message()
    story.gets_to(Step.OPEN)


def test_a_pending_link_ends_once_its_evidence_is_enough_and_is_proven_again(tell: Tell) -> None:
    story = tell("blocked_just_registered", minimum=Level.CERTIFICATE)
    story.arrives()
    story.says_this_is_mine()
    story.taps_the_message()
    story.checks_again()
    assert story.link_states() == [LinkState.PENDING]
    story.with_world(minimum=Level.POSSESSION)
    story.checks_again()
    story.gets_to(Step.OPEN)
    assert sorted(story.link_states()) == [LinkState.ACTIVE, LinkState.ENDED]


@pytest.mark.parametrize("minimum", [Level.POSSESSION, Level.CERTIFICATE])
def test_T5_a_phone_handed_over_and_enrolled_anew_serves_its_new_holder(tell: Tell, minimum: Level) -> None:
    """The link of the holder before, active or pending, is in the way until it is ended, and its device goes down first."""
    story = tell("blocked_just_registered", minimum=minimum)
    if minimum is Level.POSSESSION:
        story.gets_through()
    else:
        story.arrives()
        story.says_this_is_mine()
        story.taps_the_message()
    old = str(story.remotes.phone.device_id)
    story.with_world(minimum=Level.POSSESSION)
    phone, record, noah = story.remotes.phone, story.remotes.record, story.remotes.person("Noah")
    story.sandbox.world.lags.registration_lag = 0
    record.person_oid, record.enrolled_on = noah.oid, record.enrolled_on + timedelta(hours=1)
    phone.person_oid, phone.device_id = noah.oid, None
    story._attended.update(dict.fromkeys(story._ids("pushes", "link_id"), 10**6))  # the old link's own look has not come yet
    story.arrives("Noah")
    assert story.step is Step.THIS_DEVICE
    ask.in_my_hand(story.store, story.journey_id, story.journey.managed[0].key, oid=noah.oid, now=story.world.clock())
    story.tick()
    story.sandbox.world.advance(2)
    story.sandbox.world.register(phone)
    token = phone.messages[-1].body.rpartition("/possession/")[2].split()[0]
    prove_possession.prove(story.store, token, oid=noah.oid, browser=BROWSER, now=story.world.clock())
    story.tick()
    story.gets_to(Step.OPEN)
    told = [(u.content[1]["DeviceId"], u.content[1]["complianceStatus"]) for u in story.uploads()]
    assert told[-1] == (phone.device_id, "compliant")
    assert ((old, "notCompliant") in told) is (minimum is Level.POSSESSION)
