"""T27: whatever staff do, in whatever order, in every state from which nobody should get in, no device becomes compliant by it.

Like `bench laundering`, whose table says which attempts may open: each state here is one that may not, brought about in the
sandbox, and every repair that is offered is done to each of those it is offered for, over and over, the worker at work in between.
"""

from collections.abc import Callable
from datetime import timedelta

import pytest

from remediation.domain.device import Platform
from remediation.domain.evidence import Level
from remediation.domain.repairs import Repair
from remediation.domain.steps import Step
from remediation.errors import NotOffered, TooOften
from remediation.services.prove_possession import not_me
from tests.services.repairs import Desk, permits_disabling
from tests.services.test_a_wrong_phone import also_registered
from tests.services.test_every_step import proves
from tests.stories import BROWSER, Story

Tell = Callable[..., Story]
ROUNDS = 3


def arrived(tell: Tell, scenario: str = "blocked_just_registered", **more: Level) -> Story:
    story = tell(scenario, **more)
    story.arrives()
    return story


def _nobody_proved(tell: Tell) -> Story:
    return arrived(tell)


def _asked(tell: Tell) -> Story:
    story = arrived(tell)
    story.says_this_is_mine()
    return story


def _denied(tell: Tell) -> Story:
    story = _asked(tell)
    not_me(story.store, story.token, oid=story.oid, browser=BROWSER, now=story.world.clock())
    return story


def _proven(scenario: str, **more: Level) -> Callable[[Tell], Story]:
    def begin(tell: Tell) -> Story:
        story = arrived(tell, scenario, **more)
        proves(story)
        return story

    return begin


def _several(tell: Tell) -> Story:
    story = tell("blocked_just_registered")
    also_registered(story, days=0.01, os_version="17.0")
    story.arrives()
    proves(story)
    return story


def _two_phones(tell: Tell) -> Story:
    story = arrived(tell, "two_phones")
    proves(story, story.remotes.phone.record_id)
    return story


def _failing(tell: Tell) -> Story:
    story = tell("not_compliant")
    story.arrives()
    proves(story)
    return story


def _unenrolled(tell: Tell) -> Story:
    story = _asked(tell)
    story.remotes.record.enrollment_status = "Unenrolled"
    return story


def _over_with_a_proof(tell: Tell) -> Story:
    """Proven yesterday, registered by somebody since: what a case that is reopened must not remember."""
    story = _proven("blocked_unregistered")(tell)
    story.tick(25 * 3600)
    story.registers()
    return story


STATES: dict[str, Callable[[Tell], Story]] = {
    "nobody proved anything": _nobody_proved,
    "the message waits": _asked,
    "the message was denied": _denied,
    "nothing registered": _proven("blocked_unregistered"),
    "registered long before": _proven("registered_last_year"),
    "several could be it": _several,
    "another phone waits as well": _two_phones,
    "somebody else owns it": _proven("owned_by_another"),
    "switched off": _proven("disabled_device"),
    "a rule fails": _failing,
    "not enrolled any more": _unenrolled,
    "not enrolled yet": lambda tell: arrived(tell, "not_enrolled"),
    "no licence": lambda tell: arrived(tell, "no_licence"),
    "two users match": lambda tell: arrived(tell, "ambiguous_owner"),
    "a shared user": lambda tell: arrived(tell, "shared_user"),
    "microsoft is to name it": _proven("blocked_just_registered", minimum=Level.BOUND),
    "microsoft named another": _proven("signs_in_elsewhere", minimum=Level.BOUND),
    "a certificate is asked for": _proven("blocked_just_registered", minimum=Level.CERTIFICATE),
    "the case is over": _over_with_a_proof,
}


def walk(desk: Desk, story: Story) -> set[Repair]:
    """Every repair that is offered, to everything that it is offered for."""
    done: set[Repair] = set()
    for _ in range(ROUNDS):
        for which in Repair:
            offered = desk.offered().get(which)
            for target in [one.id for one in offered.targets] or [""] if offered is not None else []:
                try:
                    desk.does(which, target)
                except NotOffered:
                    continue  # not any more, after the one before
                except TooOften:
                    story.tick(600)
                    continue
                done.add(which)
                story.passes(60, every=15)
    return done


def compliant(story: Story) -> list[str]:
    world = story.sandbox.world
    sent = [upload.content[1]["DeviceId"] for upload in story.uploads() if upload.content[1]["complianceStatus"] == "compliant"]
    return sent + [device.device_id for device in world.devices.values() if device.is_compliant]


@pytest.mark.parametrize("state", STATES)
def test_T27_no_repair_makes_a_device_compliant(tell: Tell, state: str) -> None:
    story = STATES[state](tell)
    permits_disabling(story)
    before = compliant(story)
    assert before == []
    done = walk(Desk(story, mail=True, disable=True), story)
    assert {Repair.START_LINK, Repair.CLOSE, Repair.REOPEN} <= done, "the walk walked"
    assert compliant(story) == []
    assert not story.outlook_opens()


def test_T27_the_control_the_same_walk_sees_a_device_that_is_compliant(tell: Tell) -> None:
    """And from there it only ever goes down, until the person proves it anew."""
    story = tell("blocked_just_registered")
    story.gets_through()
    assert len(set(compliant(story))) == 1
    desk = Desk(story)
    desk.does(Repair.END_LINK)
    story.passes(120)
    sent = len(story.uploads())
    walk(desk, story)
    assert not story.entra_shows
    assert "compliant" not in [upload.content[1]["complianceStatus"] for upload in story.uploads()[sent:]]
    if story.journey.expires_at <= story.world.clock():
        story.arrives()
    proves(story)
    story.gets_to(Step.OPEN)


def test_T27_the_control_what_the_walk_does_not_do_opens(tell: Tell) -> None:
    """The very state *the message waits*, in which only the person's own tap is missing."""
    story = _asked(tell)
    walk(Desk(story), story)
    story.arrives(platform=Platform.IOS)
    proves(story)
    story.gets_to(Step.OPEN)
    assert story.world.clock() - story.journey.started_at < timedelta(days=2)
