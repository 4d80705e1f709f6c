"""From a phone's passcode to Entra by an event: the pretend MDM sends it over a real socket to the real pages, in all its manners,
and the worker's services do the rest. No list is read meanwhile."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import requests
from pydantic import SecretStr

from remediation.adapters.workspace_one_events import hint_of
from remediation.adapters.workspace_one_targets import WorkspaceOneTargets
from remediation.domain.hints import password
from remediation.domain.push import Lane
from remediation.domain.steps import Step
from remediation.services.register_events import Did, register
from remediation.settings import WebSettings
from remediation.store.look_up import SqlLookUp
from remediation.store.sessions import SqlSessions, SqlSignInStates
from remediation.web import build_web
from sandbox.sockets import Socket
from sandbox.workspace_one_events import Manners
from tests.set_ups import set_up
from tests.stories import Story
from tests.web.conftest import SETTINGS

KEY = "dR5wYk9tBq2zXv7nGm4hJs8cLf3pAe6u-Ht"
KINDLY = Manners()
MANNERS: dict[str, tuple[Manners, int]] = {
    "as they come": (KINDLY, 1),
    "without blanks, five digits": (Manners(spaces=False, digits=5), 1),
    "old dates, byte arrays": (Manners(digits=0, byte_arrays=True), 1),
    "many times, in any order": (Manners(times=5, shuffled=True), 1),
    "half of it missing": (Manners(missing=["DeviceId", "EventTime", "EnrollmentStatus", "Udid", "EventId"]), 1),
    "XML": (KINDLY, 0),
    "XML without blanks": (Manners(spaces=False), 0),
}


class Told:
    """Mia's phone is through, and its MDM sends what happens to it to `address`."""

    def __init__(self, story: Story, *, through: bool = True) -> None:
        self.story = story
        if through:
            story.gets_through()
        story.with_world(recheck=timedelta(days=7))
        tenant = story.store.tenant_id
        settings = WebSettings.model_validate({**SETTINGS, "tenant_id": tenant, "hook_key": SecretStr(KEY)})
        states, look_up = SqlSignInStates(story.engine, tenant), SqlLookUp(story.engine, tenant)
        app = build_web(
            *(settings, story.store, SqlSessions(story.engine, tenant), states, look_up),
            set_up=set_up(story.engine, tenant),
            events=hint_of,
            clock=story.world.clock,
        )
        self.socket = Socket(app, 0)
        self.address = f"http://localhost:{self.socket.port}/hooks/mdm/ws1"
        targets = WorkspaceOneTargets(story.remotes.mdm._remote)
        assert register(targets, self.address, password(KEY, "ws1"), renew=False).did is Did.CREATED
        self.events = story.sandbox.events
        [self.target] = self.events.targets.values()

    def at_rest(self) -> None:
        """Everything has been told, and the last look is a while ago."""
        for _ in range(20):
            self.story.tick(10)
        assert self.story.push.at_rest

    def until(self, holds: Callable[[], bool]) -> None:
        ends = time.monotonic() + 10
        while not holds():
            assert time.monotonic() < ends, list(self.events.sent)
            time.sleep(0.01)


@pytest.fixture
def told(tell: Any) -> Iterator[Told]:
    made = Told(tell("blocked_just_registered"))
    yield made
    made.events.stop()
    made.socket.stop()


def test_a_change_at_the_mdm_reaches_entra_however_it_is_sent(told: Told) -> None:
    story, well = told.story, True
    for how, (manners, format_) in MANNERS.items():
        told.at_rest()
        told.events.manners, told.target.told["Format"] = replace(manners), format_
        told.events.sent.clear()
        wake, well = story.push.wake, not well
        story.reports_health(passcode=well)
        told.until(lambda manners=manners: len(told.events.sent) >= manners.times)  # type: ignore[misc]
        assert {status for _, status in told.events.sent} == {202}, how
        assert story.push.wake == wake + 1, how
        assert story.push.lane is (Lane.SWEEP if well else Lane.REVOKE), how
        assert story.entra_shows is not well, how
        told.at_rest()
        assert story.entra_shows is well, how


def test_T25_an_event_that_lies_changes_nothing_and_a_true_one_afterwards_does(told: Told) -> None:
    """What the worker reads counts: an event that says *wiped* of a healthy phone, or *compliant* of one that is not."""
    story = told.story
    told.at_rest()
    story.reports_health(passcode=False)
    told.until(lambda: len(told.events.sent) == 1)
    told.at_rest()
    assert story.entra_shows is False
    sent = len(story.uploads())
    lie = b'{"EventType": "Compliance Status Changed", "ComplianceStatus": "Compliant", "DeviceId": %d}' % story.remotes.record.id
    assert _sent(told, lie) == 202
    told.at_rest()
    assert story.entra_shows is False
    assert len(story.uploads()) == sent
    story.reports_health(passcode=True)
    told.until(lambda: len(told.events.sent) == 2)
    told.at_rest()
    assert story.entra_shows is True
    sent, lie = len(story.uploads()), lie.replace(b'"Compliant"', b'"NonCompliant", "EnrollmentStatus": "Unenrolled"')
    assert _sent(told, lie) == 202
    assert story.push.lane is Lane.REVOKE
    told.at_rest()
    assert story.entra_shows is True
    assert len(story.uploads()) == sent
    assert story.push.lane is Lane.SWEEP


def test_a_change_for_the_worse_keeps_its_place_while_the_mdm_wants_no_calls(told: Told) -> None:
    """Else it would wait behind all that is due, which in a storm is half an hour."""
    story = told.story
    told.at_rest()
    story.fault("workspace_one", "throttle", times=1, retry_after=20)
    story.reports_health(passcode=False)
    told.until(lambda: len(told.events.sent) == 1)
    assert story.push.lane is Lane.REVOKE
    story.tick()
    assert story.entra_shows is True
    assert story.push.lane is Lane.REVOKE
    told.at_rest()
    assert story.entra_shows is False
    assert story.push.lane is Lane.SWEEP


def _sent(told: Told, body: bytes) -> int:
    return requests.post(told.address, data=body, auth=("remediation", password(KEY, "ws1")), timeout=5).status_code


def test_who_waits_for_her_phone_moves_on_at_once_when_the_mdm_says_that_it_is_enrolled(tell: Any) -> None:
    """By now she is looked at once an hour. The control: while the event is lost, a minute changes nothing."""
    told = Told(tell("not_enrolled"), through=False)
    story = told.story
    try:
        story.arrives()
        assert story.step is Step.ENROLL
        story.passes(1200, every=30)
        told.events.manners = Manners(lost=True)
        story.enrolls()
        told.until(lambda: story.remotes.record.id in told.events._known)
        story.passes(60)
        assert (story.step, story.links()) == (Step.ENROLL, [])
        with story.sandbox.world.lock:
            told.events._known.pop(story.remotes.record.id)  # the MDM tells it after all
        told.events.manners = Manners(times=5)
        told.until(lambda: len(told.events.sent) >= 5)
        assert {status for _, status in told.events.sent} == {202}
        wake = story.journey.look.wake
        story.tick()
        assert story.step.value == Step.THIS_DEVICE
        assert story.links() == [], "nothing is granted by it"
        assert story.journey.look.wake <= wake + 1
    finally:
        told.events.stop()
        told.socket.stop()


def test_the_mdms_own_test_wants_200_and_the_right_password(told: Told) -> None:
    assert told.events.test(told.target) == 200
    told.target.told["Password"] = "wrong"
    assert told.events.test(told.target) == 401
