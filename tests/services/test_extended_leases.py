"""An extension in an outage: the device stands until its end, is down after it, and a good answer makes an end of it."""

from collections.abc import Callable
from datetime import timedelta

import sqlalchemy as sa

from remediation.domain.compliance import Verdict
from remediation.ports import Actor
from remediation.services.leases import extend
from remediation.store.leases import SqlLeases
from remediation.store.tables import watches
from tests.stories import Story

HOUR = 3600.0


def in_an_outage(tell: Callable[..., Story]) -> Story:
    """Seventy hours after the last good read, the MDM dead, the leases extended."""
    story = tell("blocked_just_registered")
    story.gets_through()
    story.tick(60)
    story.fault("workspace_one", "down")
    since = story.world.clock()
    with story.engine.begin() as connection:
        row = {"name": "mdm:ws1/poll", "failing_since": since, "good_at": since, "reason": "mdm_unreachable"}
        connection.execute(sa.insert(watches).values(tenant_id=story.store.tenant_id, **row))
    for _ in range(7):
        story.tick(10 * HOUR)
    extend(
        *(story.store, SqlLeases(story.engine, story.store.tenant_id), "ws1"),
        check_in=timedelta(days=14),
        actor=Actor("operator", "root"),
        why="data centre lost power",
        now=story.world.clock(),
    )
    return story


def test_the_device_stands_until_the_extension_ends_and_no_longer(tell: Callable[..., Story]) -> None:
    story = in_an_outage(tell)
    until = story.push.compliant_until
    assert until is not None
    assert story.push.posture_read_at is not None
    assert until == story.push.posture_read_at + timedelta(days=7)
    while story.world.clock() + timedelta(hours=5) < until:
        story.tick(5 * HOUR)
        assert story.push.desired is Verdict.COMPLIANT
        assert story.entra_shows is True
    story.tick((until - story.world.clock()).total_seconds())
    story.passes(60)
    assert story.push.desired is Verdict.NOT_COMPLIANT
    assert story.push.reasons == ("lease_ended",)
    assert story.entra_shows is False


def test_the_first_good_answer_takes_a_failing_device_down(tell: Callable[..., Story]) -> None:
    story = in_an_outage(tell)
    story.sandbox.faults.clear()
    story.reports_health(jailbroken=True)
    story.tick(HOUR)
    story.passes(60)
    assert story.push.desired is Verdict.NOT_COMPLIANT
    assert story.entra_shows is False
