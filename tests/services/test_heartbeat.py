"""Microsoft hears from us, hears everything again where it asks for that, once; and what a tenant took away is noticed, said by its
cause, waited for without a storm, and gone on with by itself."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from remediation.adapters.compliance_partners import GraphCompliancePartners
from remediation.domain.partner import HEARTBEAT, RESYNC, Told
from remediation.domain.steps import Step
from remediation.domain.watch import Pace, Watch
from remediation.ports import Actor
from remediation.services import alarms, heartbeat, stuck
from remediation.store.alarms import SqlAlarms
from remediation.store.leases import SqlLeases
from remediation.store.stuck import SqlStuckRows
from remediation.wiring import build_budgets, build_world
from sandbox.things import OtherPartner
from sandbox.world import GRAPH_APP_ID, INTUNE_APP_ID
from tests.services.test_budgets import settings_for
from tests.services.test_killed_anywhere import Deadly, survive
from tests.stories import Story
from tests.wsgi_adapter import WSGIAdapter

Tell = Callable[..., Story]
ON_POSTGRESQL = True
HOUR = 3600.0


def begun(tell: Tell, *, through: bool = True, wired: bool = False) -> Story:
    """Linked and open, and the heartbeat has begun. `wired`: budgets and gates included."""
    story = tell("blocked_just_registered")
    story.sandbox.world.stand_still()
    listed = GraphCompliancePartners(story.remotes.graph)
    story.with_world(recheck=timedelta(days=7), partners=listed, partner_name=story.sandbox.world.partner.name)
    if wired:
        given, clock = settings_for(story.sandbox, partner_name="Contoso Remediation"), story.world.clock
        budgets = build_budgets(given, story.engine, clock=clock)
        world = build_world(given, story.store, budgets, transport=WSGIAdapter(story.sandbox.api), clock=clock)
        story.world = replace(world, recheck=timedelta(days=7), pace=Pace())
    if through:
        story.gets_through()
    story.passes(60)
    story.store.keep_watches(heartbeat.rows_of(story.world), at=story.world.clock())
    story.tick(1)
    return story


def row(story: Story, name: str = HEARTBEAT) -> Watch:
    found = story.store.watch(name)
    assert found is not None
    return found


def calls(story: Story, path: str, since: int = 0) -> int:
    return sum(path in entry["path"] for entry in story.ledger()[since:])


def beats(story: Story) -> int:
    """That were taken: the sandbox's tokens end by its clock, and MSAL looks at another one."""
    return sum("PartnerTenantHeartbeat" in entry["path"] and entry["status"] == 200 for entry in story.ledger())


def asks_again(story: Story, times: int = 1) -> None:
    story.sandbox.world.partner.resync_at, story.sandbox.world.partner.resync_times = story.world.clock(), times


def test_microsoft_hears_from_us_each_hour_whatever_happens(tell: Tell) -> None:
    story = begun(tell)
    assert (beats(story), row(story).good_at) == (1, story.world.clock())
    story.passes(3 * HOUR + 60, every=600)
    assert beats(story) == 4
    assert (row(story).failing_since, row(story).reason) == (None, None)


def test_a_heartbeat_that_fails_is_made_again_soon_and_told_once_it_ages(tell: Tell) -> None:
    story = begun(tell)
    rows, leases = SqlAlarms(story.engine, story.store.tenant_id), SqlLeases(story.engine, story.store.tenant_id)

    def judged() -> int:
        return alarms.judge(rows, leases, story.world.clock(), sinks=["log"])

    story.fault("intune", "down", path="Heartbeat")
    story.passes(2.2 * HOUR, every=120)
    failing = row(story)
    assert (failing.failing_since is not None, failing.reason) == (True, "channel_unreachable")
    assert 12 <= calls(story, "PartnerTenantHeartbeat") <= 60, "again and again, and no storm"
    assert (judged(), judged()) == (1, 0)
    [alarm] = [due.alarm for due in rows.claim(story.world.clock(), ["log"])]
    assert alarm.subject == "No good answer from Microsoft's connection to its compliance partner for 1 hour"
    story.sandbox.faults.clear()
    story.passes(600)
    assert row(story).failing_since is None
    assert judged() == 1, "and that it is back"


def test_what_is_asked_for_again_is_told_again_once(tell: Tell) -> None:
    story = begun(tell)
    assert len(story.uploads()) == 1
    asks_again(story, times=5)
    story.passes(3 * HOUR + 300, every=300)
    assert [message.content[1]["complianceStatus"] for message in story.uploads()] == ["compliant"] * 2
    assert story.audit().count("push.resync") == 1
    assert (story.push.tell_again_at, story.push.at_rest, story.step) == (None, True, Step.OPEN)
    assert row(story, RESYNC).cursor is None
    asks_again(story)
    story.passes(HOUR + 300, every=300)
    assert len(story.uploads()) == 3, "another time is another request"


def test_T9_nothing_is_told_again_on_old_evidence(tell: Tell) -> None:
    """The device went bad meanwhile: what is told then is that, and *compliant* is not repeated."""
    story = begun(tell)
    with story.sandbox.world.lock:
        story.remotes.phone.health.jailbroken = True
        story.sandbox.world.check_in(story.remotes.record.id)
    asks_again(story)
    story.passes(HOUR + 300, every=300)
    assert [message.content[1]["complianceStatus"] for message in story.uploads()] == ["compliant", "notCompliant"]
    assert "push.resync" not in story.audit()


def test_what_cannot_be_read_is_told_again_once_it_can(tell: Tell) -> None:
    story = begun(tell)
    asks_again(story)
    story.fault("workspace_one", "down")
    story.passes(HOUR + 600, every=300)
    assert (len(story.uploads()), story.push.tell_again_at is not None) == (1, True)
    story.sandbox.faults.clear()
    story.passes(HOUR, every=300)
    assert (len(story.uploads()), story.push.tell_again_at) == (2, None)


@pytest.mark.slow
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("at", range(1, 14, 3))
def test_P2_killed_at_any_call_it_is_told_again_once(tell: Tell, at: int, after: bool) -> None:
    story = tell("blocked_just_registered")
    story.gets_through()
    story.with_world(recheck=timedelta(days=7))
    story.passes(60)
    story.store.keep_watches(heartbeat.rows_of(story.world), at=story.world.clock())
    asks_again(story, times=9)
    transport: Any = story.remotes.transport
    transport.send = Deadly(transport, at, after=after)
    for _ in range(30):
        survive(lambda: story.tick(61))
    assert (len(story.uploads()), story.audit().count("push.resync"), story.outlook_opens()) == (2, 1, True)


def told(story: Story, *, provisioned: bool) -> None:
    now = story.world.clock()
    with story.store.change(Actor("operator", "root"), "partner.test", about=("partner", "x"), at=now) as change:
        change.partner_took(Told(provisioned, "https://x/e", "https://x/r", (), {}, now, "root"))
        change.watch_soon(HEARTBEAT)


def test_a_tenant_that_was_deprovisioned_is_left_alone(tell: Tell) -> None:
    story = begun(tell)
    told(story, provisioned=False)
    story.passes(3 * HOUR, every=600)
    assert (beats(story), row(story).next_look_at) == (1, None)
    told(story, provisioned=True)
    story.tick(1)
    assert beats(story) == 2


def test_without_a_channel_that_wants_it_nothing_beats(tell: Tell) -> None:
    story = begun(tell)
    story.with_world(channels=[])
    assert heartbeat.rows_of(story.world) == ()
    story.passes(2 * HOUR, every=600)
    assert (beats(story), row(story).next_look_at) == (1, None)


def taken(story: Story) -> None:
    story.sandbox.world.partner.others = [OtherPartner("another", "Another Vendor", ["iOS"])]


def nobody(story: Story) -> None:
    story.sandbox.world.partner.platforms.remove("iOS")


def rejected(story: Story) -> None:
    story.sandbox.world.partner.state = "rejected"


def mended(story: Story) -> None:
    partner = story.sandbox.world.partner
    partner.others, partner.platforms, partner.state = [], ["iOS", "Android", "macOS"], None


@pytest.mark.parametrize(("happens", "why"), [(taken, "taken"), (nobody, "missing"), (rejected, "not_enabled")])
def test_a_slot_that_is_not_ours_is_said_and_gone_on_with(tell: Tell, happens: Callable[[Story], None], why: str) -> None:
    story = begun(tell)
    happens(story)
    story.passes(HOUR + 300, every=300)
    assert row(story).reason == f"partner_{why}"
    found = stuck.find(SqlStuckRows(story.engine, story.store.tenant_id), story.world.clock(), limit=9)
    [one] = [one for one in found.shown if one.row.id == HEARTBEAT]
    assert (one.reason.key, one.reason.who.value, one.reason.repair) == (f"partner_{why}", "admin", "slot")
    assert alarms._what_to_do(f"partner_{why}").startswith("Who can act: an Intune administrator.")
    mended(story)
    story.passes(HOUR + 300, every=300)
    assert (row(story).reason, row(story).failing_since) == (None, None)


def test_without_the_right_to_read_the_list_a_slot_is_no_trouble(tell: Tell) -> None:
    story = begun(tell)
    taken(story)
    story.sandbox.world.apps["service"].permissions[GRAPH_APP_ID].discard("DeviceManagementServiceConfig.Read.All")
    story.sandbox.world.end_tokens()
    story.passes(2 * HOUR, every=600)
    assert row(story).reason is None


@contextmanager
def takes_the_roles_away(story: Story, *resources: str) -> Iterator[None]:
    app = story.sandbox.world.apps["service"]
    before = {resource: set(app.permissions[resource]) for resource in resources}
    for resource in resources:
        app.permissions[resource].clear()
    story.sandbox.world.end_tokens()
    yield
    app.permissions.update(before)


@contextmanager
def deletes_the_app(story: Story) -> Iterator[None]:
    story.sandbox.world.apps["service"].consented = False
    story.sandbox.world.end_tokens()
    yield
    story.sandbox.world.apps["service"].consented = True


@contextmanager
def intune_goes(story: Story) -> Iterator[None]:
    story.sandbox.world.partner.set_up = False
    yield
    story.sandbox.world.partner.set_up = True


TAKES = {
    "the app": (deletes_the_app, "oauth2/v2.0/token", "channel_no_consent"),
    "its roles at Intune": (lambda story: takes_the_roles_away(story, INTUNE_APP_ID), "TenantDataSync", "channel_no_consent"),
    "Intune": (intune_goes, "servicePrincipals", "channel_not_set_up"),
}


@pytest.mark.parametrize("what", TAKES)
def test_what_an_administrator_took_away_is_probed_each_quarter_of_an_hour(tell: Tell, what: str) -> None:
    takes, probe, reason = TAKES[what]
    story = begun(tell, through=False, wired=True)
    with takes(story):
        story.passes(HOUR + 600, every=300)
        since = len(story.ledger())
        story.passes(1.5 * HOUR, every=60)
        asked = calls(story, probe, since)
        assert row(story).reason == reason
    assert 5 <= asked <= 14, "once for each of both tokens in 15 minutes"
    story.passes(16 * 60, every=60)
    assert (row(story).reason, row(story).failing_since) == (None, None), "and it went on by itself"


def test_a_revocation_waits_for_the_consent_says_so_and_goes_on_by_itself(tell: Tell) -> None:
    story = begun(tell, wired=True)
    with takes_the_roles_away(story, INTUNE_APP_ID):
        story.reports_health(jailbroken=True)
        story.tick(1, everything=True)
        story.passes(HOUR, every=300)
        assert (story.push.reason, story.push.at_rest) == ("channel_no_consent", False)
        told = stuck.explain("channel_no_consent")
        assert (told.who.value, told.repair) == ("admin", "consent")
    since = len(story.ledger())
    story.passes(20 * 60, every=60)
    assert (story.push.reason, story.entra_shows) == (None, False)
    assert calls(story, "DataUploadMessages", since) <= 6


def test_one_permission_that_is_gone_stops_nothing_else(tell: Tell) -> None:
    """The control: the app may still send device messages, so the channel stays open."""
    story = begun(tell, wired=True)
    story.sandbox.world.apps["service"].permissions[INTUNE_APP_ID].discard("manage_partner_compliance_policy")
    story.sandbox.world.end_tokens()
    story.reports_health(jailbroken=True)
    story.tick(1, everything=True)
    story.passes(300, every=30)
    assert story.entra_shows is False
    story.passes(HOUR, every=300)
    assert row(story).reason == "channel_refused"
