"""Every unkindness of the remotes, at every step: nothing breaks, nothing is claimed or sent that is not so, people go on."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from remediation.domain.push import POLL_FAILED, POLL_FAST_FOR
from remediation.domain.steps import Step
from tests.stories import Story

Tell = Callable[..., Story]


def enroll(story: Story) -> None:
    story.arrives()


def this_device(story: Story) -> None:
    story.arrives()


def message(story: Story) -> None:
    story.arrives()
    story.says_this_is_mine()


def register(story: Story) -> None:
    message(story)
    story.taps_the_message()


def fix(story: Story) -> None:
    register(story)
    story.passes(20)


def wait(story: Story) -> None:
    message(story)
    story.sandbox.world.lags.compliance_lag = 60
    story.taps_the_message()
    story.passes(10)


def opened(story: Story) -> None:
    story.gets_through()


# Each: how a story comes to the step, in which scenario, and what then lets it go on to *open*.
STEPS: dict[str, tuple[str, Callable[[Story], None], Callable[[Story], None]]] = {
    "enroll": ("not_enrolled", enroll, lambda story: story.enrolls()),
    "this_device": ("blocked_just_registered", this_device, lambda story: None),
    "message": ("blocked_just_registered", message, lambda story: None),
    "register": ("blocked_unregistered", register, lambda story: story.registers()),
    "fix": ("not_compliant", fix, lambda story: story.reports_health(passcode=True)),
    "wait": ("blocked_just_registered", wait, lambda story: None),
    "open": ("blocked_just_registered", opened, lambda story: None),
}
UNKIND: dict[str, tuple[tuple[str, str, dict[str, Any]], ...]] = {
    "mdm_down": (("workspace_one", "down", {}),),
    "mdm_html": (("workspace_one", "html", {}),),
    "mdm_half_json": (("workspace_one", "garbled", {}),),
    "mdm_huge": (("workspace_one", "huge", {}),),
    "mdm_429_with": (("workspace_one", "throttle", {"retry_after": 7}),),
    "mdm_429_without": (("workspace_one", "throttle", {}),),
    "graph_down": (("graph", "down", {}),),
    "graph_html": (("graph", "html", {}),),
    "graph_half_json": (("graph", "garbled", {}),),
    "graph_429_with": (("graph", "throttle", {"retry_after": 7}),),
    "intune_down": (("intune", "down", {}),),
    "intune_500": (("intune", "server_error", {}),),
    "intune_html": (("intune", "html", {}),),
    "all_down": (("workspace_one", "down", {}), ("graph", "down", {}), ("intune", "down", {}), ("entra", "down", {})),
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", UNKIND)
@pytest.mark.parametrize("step", STEPS)
def test_an_unkindness_at_any_step_breaks_nothing_and_passes(tell: Tell, step: str, kind: str) -> None:
    scenario, come, go_on = STEPS[step]
    story = tell(scenario)
    come(story)
    for service, fault, more in UNKIND[kind]:
        story.fault(service, fault, **more)
    story.checks_again()
    story.passes(40)
    is_truthful(story)
    story.sandbox.faults.clear()
    go_on(story)
    reaches_open(story)
    is_truthful(story)


@pytest.mark.parametrize("service", ["workspace_one", "graph"])
def test_after_an_outage_that_outlasts_anybodys_patience_the_page_moves_on_by_itself(tell: Tell, service: str) -> None:
    story = tell("blocked_just_registered")
    story.fault(service, "down")
    story.arrives()
    story.passes(POLL_FAST_FOR.total_seconds() * 2)
    assert story.step is Step.LOOKING
    story.sandbox.faults.clear()
    story.gets_to(Step.THIS_DEVICE, within=POLL_FAILED.total_seconds() + 30)


def test_in_an_outage_whoever_has_arrived_is_not_looked_at_as_if_they_waited(tell: Tell) -> None:
    story = tell("blocked_just_registered")
    story.gets_through()
    story.fault("workspace_one", "down")
    story.checks_again()
    story.passes(POLL_FAST_FOR.total_seconds() + 60)
    next_at = story.journey.look.next_at
    assert next_at is not None
    assert next_at - story.world.clock() > POLL_FAILED


def reaches_open(story: Story) -> None:
    """Goes on as a person would, pressing what the page shows."""
    for _ in range(60):
        step = story.step
        if step is Step.OPEN:
            assert story.outlook_opens()
            return
        proof = story.journey.possession
        if step is Step.THIS_DEVICE and story.journey.managed:
            if proof is not None and proof.waiting(story.world.clock()) and proof.sent_at is not None:
                story.taps_the_message()
            else:
                story.says_this_is_mine()
        story.tick(20)
    raise AssertionError(f"still at {story.step}")


def is_truthful(story: Story) -> None:
    """*Open* only where Entra showed it at the last look; *compliant* only for this phone."""
    if story.step is Step.OPEN:
        assert story.journey.push is not None
        assert story.journey.push.observed is True
    for upload in story.uploads():
        entities = upload.content if isinstance(upload.content, list) else json.loads(upload.content)
        for entity in entities:
            if entity.get("complianceStatus") == "compliant":
                assert entity["DeviceId"] == story.remotes.phone.device_id


@pytest.mark.parametrize("skew", [-600, 600])
def test_a_remote_whose_clock_is_wrong_changes_nothing(tell: Tell, skew: int) -> None:
    story = tell("blocked_just_registered")
    story.sandbox.world.skew = timedelta(seconds=skew)
    story.gets_through()
    assert story.outlook_opens()


def test_tokens_that_end_in_mid_run_are_renewed_unseen(tell: Tell) -> None:
    story = tell("blocked_just_registered")
    story.arrives()
    story.sandbox.world.end_tokens()
    story.says_this_is_mine()
    story.sandbox.world.end_tokens()
    story.taps_the_message()
    story.gets_to(Step.OPEN)


def test_an_mdm_that_is_down_for_an_hour_costs_no_more_than_that(tell: Tell) -> None:
    story = tell("blocked_just_registered")
    story.arrives()
    story.fault("workspace_one", "down")
    story.checks_again()
    story.passes(3600, every=60)
    assert story.journey.look.mdm_error == "unreachable"
    story.sandbox.faults.clear()
    story.passes(3700, every=60)
    assert story.journey.look.mdm_error is None
    reaches_open(story)
