"""The four ways in which an iPhone arrives, each to its end, and what was sent to whom in which order."""

from collections.abc import Callable

import pytest

from remediation.domain.steps import ChainState, Step, chain
from tests.stories import Story

Tell = Callable[..., Story]


def test_blocked_just_registered_the_usual_arrival(tell: Tell) -> None:
    story = tell("blocked_just_registered")
    assert not story.outlook_opens()
    story.arrives()
    assert story.step is Step.THIS_DEVICE
    story.says_this_is_mine()
    assert story.uploads() == []
    story.taps_the_message()
    story.gets_to(Step.WAIT, within=5)
    story.gets_to(Step.OPEN)
    assert story.outlook_opens()
    assert len(story.uploads()) == 1
    assert story.push.confirmed_by == "changed"


def test_nothing_is_sent_before_the_proof_and_read_back_follows_the_send(tell: Tell) -> None:
    story = tell("blocked_just_registered")
    story.gets_through()
    why = story.audit()
    order = ["possession.sent", "possession.proven", "link.made", "verdict.changed", "push.sent", "push.accepted", "push.confirmed"]
    assert [w for w in why if w in order] == order
    calls = [(e["service"], e["method"], e["path"]) for e in story.ledger()]
    sent = next(i for i, (_, method, path) in enumerate(calls) if method == "PUT" and "DataUploadMessages" in path)
    posted = next(i for i, (_, method, path) in enumerate(calls) if method == "POST" and path.endswith("/messages/push"))
    assert posted < sent
    assert any(path.startswith("/graph/v1.0/devices") or "/devices(" in path for _, method, path in calls[sent:] if method == "GET")


def test_blocked_unregistered_is_noticed_with_the_page_closed(tell: Tell) -> None:
    story = tell("blocked_unregistered")
    story.arrives()
    story.says_this_is_mine()
    story.taps_the_message()
    assert story.step is Step.REGISTER
    story.registers()
    story.tick()
    assert story.step is Step.REGISTER, "the directory does not list it yet, and the page must not say otherwise"
    story.gets_to(Step.OPEN)
    assert story.outlook_opens()


def test_not_compliant_shows_the_rule_and_opens_once_it_is_mended(tell: Tell) -> None:
    story = tell("not_compliant")
    story.arrives()
    story.says_this_is_mine()
    story.taps_the_message()
    assert story.step is Step.FIX
    device = story.journey.in_hand
    assert device is not None
    assert [(rule.name, rule.advice) for rule in device.posture.failing] == [("Passcode required", "passcode")]
    story.remotes.phone.health.passcode = True
    story.checks_again()
    story.gets_to(Step.OPEN)
    assert story.outlook_opens()


def test_already_fine_sends_nothing_and_says_so(tell: Tell) -> None:
    story = tell("already_fine")
    story.arrives()
    assert story.step is Step.OPEN
    assert (story.uploads(), story.journey.links) == ([], ())


def test_already_fine_but_still_blocked_walks_the_whole_way(tell: Tell) -> None:
    story = tell("already_fine")
    story.arrives()
    story.says_still_blocked()
    assert story.step is Step.THIS_DEVICE
    story.says_this_is_mine()
    story.taps_the_message()
    story.gets_to(Step.OPEN)
    assert story.push.confirmed_by == "already_so"


def test_coming_back_goes_on_with_the_same_journey_and_case_code(tell: Tell) -> None:
    story = tell("blocked_just_registered")
    story.gets_through()
    before = story.journey.case_code
    story.arrives()
    assert (story.journey.case_code, story.step) == (before, Step.OPEN)


def test_ticking_at_rest_changes_nothing(tell: Tell) -> None:
    story = tell("blocked_just_registered")
    story.gets_through()
    before = (story.audit(), len(story.uploads()))
    for _ in range(5):
        story.tick(1, everything=True)
    assert (story.audit(), len(story.uploads())) == before


@pytest.mark.parametrize("seconds", [0, 4, 30])
def test_the_chain_never_claims_what_was_not_seen(tell: Tell, seconds: float) -> None:
    story = tell("blocked_just_registered")
    story.arrives()
    story.says_this_is_mine()
    story.taps_the_message()
    story.tick(seconds)
    done = [link.name for link in chain(story.journey, story.world.clock()) if link.state is ChainState.DONE]
    assert ("open" in done) is (story.entra_shows is True and story.step is Step.OPEN)
    assert ("accepted" in done) <= any(upload.status == "Completed" for upload in story.uploads())
