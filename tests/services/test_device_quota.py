"""How many devices each person may have, read over the sandbox's Graph some times a day and kept for the helpdesk's page."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from remediation.adapters.tenant_facts import GraphTenantFacts
from remediation.domain.steps import Step
from remediation.domain.tenant_facts import DeviceQuota
from remediation.errors import Unreachable
from remediation.ports import Actor
from remediation.services.device_quota import ASKED_EVERY, full, keep
from remediation.store.look_up import SqlLookUp
from remediation.store.onboarding import SqlChoices
from remediation.wire import Wire
from remediation.wiring import build_budgets
from sandbox.deeds import do
from sandbox.faults import Fault
from sandbox.world import GRAPH_APP_ID
from tests.services.test_budgets import settings_for
from tests.stories import Story
from tests.wsgi_adapter import WSGIAdapter

Tell = Callable[..., Story]
POLICY = "deviceRegistrationPolicy"


@pytest.fixture
def story(tell: Tell) -> Story:
    found = tell("blocked_just_registered")
    found.sandbox.world.stand_still()
    found.sandbox.world.apps["service"].permissions[GRAPH_APP_ID].add("Policy.Read.DeviceConfiguration")
    return found


def kept(story: Story) -> DeviceQuota | None:
    """After a worker's beat; each has a token of its own."""
    settings, clock = settings_for(story.sandbox), story.world.clock
    wire = Wire(settings, build_budgets(settings, story.engine, clock=clock), WSGIAdapter(story.sandbox.api), clock)
    facts = GraphTenantFacts(wire.graph("directory"))
    keep(facts, SqlChoices(story.engine), story.store, actor=Actor("worker", "w"), now=clock())
    return quota(story)


def quota(story: Story) -> DeviceQuota | None:
    return SqlLookUp(story.engine, story.store.tenant_id).device_quota()


def asked(story: Story) -> int:
    return len([call for call in story.sandbox.ledger.since() if call.path.endswith(POLICY)])


def test_it_is_asked_some_times_a_day_and_read_by_the_pages(story: Story) -> None:
    assert quota(story) is None
    first = story.world.clock()
    story.sandbox.world.device_quota = 20
    assert kept(story) == DeviceQuota(20, first)
    story.sandbox.world.device_quota = 5
    story.sandbox.world.advance(60)
    assert (kept(story), asked(story)) == (DeviceQuota(20, first), 1)
    story.sandbox.world.advance(ASKED_EVERY.total_seconds())
    assert (kept(story), asked(story)) == (DeviceQuota(5, first + timedelta(seconds=60) + ASKED_EVERY), 2)


def test_without_the_permission_it_is_not_known_and_asked_again_later(story: Story) -> None:
    roles = story.sandbox.world.apps["service"].permissions[GRAPH_APP_ID]
    roles.discard("Policy.Read.DeviceConfiguration")
    found = kept(story)
    assert found is not None
    assert (found.most, found.full(99)) == (None, False)
    roles.add("Policy.Read.DeviceConfiguration")
    story.sandbox.world.advance(ASKED_EVERY.total_seconds())
    found = kept(story)
    assert found is not None
    assert (found.most, found.full(49), found.full(50)) == (50, False, True)


def test_a_directory_that_is_away_leaves_what_was_read(story: Story) -> None:
    before = kept(story)
    story.sandbox.world.advance(ASKED_EVERY.total_seconds())
    story.sandbox.faults.add(Fault("graph", "down", path=POLICY))
    with pytest.raises(Unreachable):
        kept(story)
    assert quota(story) == before


def test_whoever_has_as_many_as_they_may_have_is_told_before_they_register(tell: Tell) -> None:
    story = tell("too_many")
    look_up = SqlLookUp(story.engine, story.store.tenant_id)
    story.arrives()
    story.says_this_is_mine()
    story.taps_the_message()
    assert story.step is Step.REGISTER
    assert not full(look_up, story.oid), "nobody has read yet how many there may be"
    kept(story)
    assert full(look_up, story.oid)
    do(story.sandbox.world, story.remotes.phone, {"action": "cure"})
    story.checks_again()
    assert not full(look_up, story.oid)
    story.registers()
    story.passes(60)
    assert story.entra_shows is True
