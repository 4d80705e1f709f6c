"""*Send me a message when it is open*: by the MDM to that very phone once Entra shows it, once, and only where it was asked."""

from collections.abc import Callable
from typing import Any

from remediation.domain.steps import Step
from remediation.services import ask
from remediation.services.tell_owner import Ways, Words, tell_owner
from remediation.store.notices import SqlNotices
from tests.stories import Story

Tell = Callable[..., Story]
OPEN, REPLACED = "Close Outlook and open it again.", "Was it not you?"


def told(story: Story) -> int:
    ways = Ways(story.world.managers, None, lambda what: Words(what, OPEN if what == "open" else REPLACED))
    return tell_owner(SqlNotices(story.engine, story.store.tenant_id), ways, story.world.clock())


def messages(story: Story) -> list[str]:
    return [message.body for message in story.remotes.phone.messages]


def waits(tell: Tell, **more: Any) -> Story:
    story = tell("blocked_just_registered", **more)
    story.arrives()
    story.says_this_is_mine()
    story.sandbox.world.lags.compliance_lag = 60
    story.taps_the_message()
    story.passes(10)
    assert story.step is Step.WAIT
    return story


def asks(story: Story) -> None:
    ask.tell_when_open(story.store, story.journey.id, oid=story.journey.person.oid, now=story.world.clock())


def test_the_phone_gets_a_message_once_it_is_open(tell: Tell) -> None:
    story = waits(tell)
    asks(story)
    asks(story)
    assert told(story) == 0, "not before"
    story.gets_to(Step.OPEN)
    assert told(story) == 1
    assert told(story) == 0
    assert messages(story).count(OPEN) == 1
    assert REPLACED not in messages(story)


def test_whoever_did_not_ask_gets_none(tell: Tell) -> None:
    story = waits(tell)
    story.gets_to(Step.OPEN)
    assert told(story) == 0
    assert OPEN not in messages(story)


def test_what_comes_later_tells_nobody_again(tell: Tell) -> None:
    story = waits(tell)
    asks(story)
    story.gets_to(Step.OPEN)
    assert told(story) == 1
    story.reports_health(passcode=False)
    story.passes(600, every=60)
    story.reports_health(passcode=True)
    story.passes(600, every=60)
    assert told(story) == 0
