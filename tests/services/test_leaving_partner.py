"""The end of a compliance partner: whoever is let in by our word is taken down first, whatever their MDM says; it can be
undone. What the heartbeat saw of the slots is kept for those who may not ask."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
import sqlalchemy as sa

from remediation.adapters.compliance_partners import GraphCompliancePartners
from remediation.domain.device import Platform
from remediation.domain.health import Cause, Condition, judge
from remediation.domain.partner import HEARTBEAT
from remediation.domain.steps import Step, help_why
from remediation.ports import Actor
from remediation.services import heartbeat, provision_partner
from remediation.services.provision_partner import Wanted
from remediation.services.stuck import explain
from remediation.store.remotes import SqlConnections
from remediation.store.tables import watches
from sandbox.things import OtherPartner
from sandbox.world import GRAPH_APP_ID
from tests.stories import ORIGIN, Story

Tell = Callable[..., Story]
HOUR = 3600.0
ROOT = Actor("operator", "root")
OURS = frozenset({Platform.IOS, Platform.ANDROID, Platform.MACOS})
WANTED = Wanted(f"{ORIGIN}/enrollment", f"{ORIGIN}/remediation", tuple(sorted(OURS)), (), "acacacac-9df4-4c7d-9d50-4ef0226f57a9")


def leave(story: Story) -> None:
    provision_partner.leave(story.store, WANTED, OURS, actor=ROOT, why="the end", clock=story.world.clock)


def stay(story: Story) -> None:
    with story.store.change(ROOT, "partner.provisioned", about=("partner", "x"), at=story.world.clock()) as change:
        change.partner_leaves(None)
        change.look_at_partner_links(OURS)


@pytest.mark.parametrize("mdm", ["answers", "down"])
def test_a_device_that_is_well_is_taken_down_and_seen_in_entra_before_the_end(tell: Tell, mdm: str) -> None:
    story = tell("blocked_just_registered")
    story.gets_through()
    assert provision_partner.still_let_in(story.store, OURS) == 1
    if mdm == "down":
        story.fault("workspace_one", "down")
    leave(story)
    assert provision_partner.still_let_in(story.store, OURS) == 1, "not before Entra shows it"
    story.passes(60)
    assert (story.entra_shows, story.outlook_opens(), story.push.reasons) == (False, False, ("partner_leaving",))
    assert (provision_partner.still_let_in(story.store, OURS), story.push.at_rest) == (0, True)
    assert (story.step, help_why(story.journey, story.world.clock())) == (Step.HELP, "no_channel")
    assert explain("partner_leaving").repair == "provision"


def test_it_stays_down_without_a_storm_and_comes_up_again_once_it_is_taken_back(tell: Tell) -> None:
    story = tell("blocked_just_registered")
    story.gets_through()
    story.is_watched(poll=timedelta(minutes=5))
    leave(story)
    story.passes(120)
    before = len(story.uploads())
    calls = len(story.ledger())
    story.passes(6 * HOUR, every=120)
    assert (story.entra_shows, len(story.uploads())) == (False, before)
    assert len(story.ledger()) - calls < 400
    stay(story)
    story.passes(120)
    assert (story.entra_shows, story.outlook_opens(), story.step) == (True, True, Step.OPEN)


def test_begun_twice_it_is_one_beginning(tell: Tell) -> None:
    story = tell("blocked_just_registered")
    story.gets_through()
    leave(story)
    first = story.store.partner_told()
    story.passes(60)
    leave(story)
    again = story.store.partner_told()
    assert first is not None
    assert again is not None
    assert (again.leaving_at, first.leaving_at is not None) == (first.leaving_at, True)
    story.passes(60)
    assert (story.entra_shows, provision_partner.still_let_in(story.store, OURS)) == (False, 0)


def test_a_channel_of_another_kind_is_left_alone(tell: Tell) -> None:
    story = tell("windows")
    story.remotes.approve_for_windows()
    story.with_world(channels=[story.remotes.make_graph_channel()])
    story.arrives(platform=Platform.WINDOWS)
    story.says_this_is_mine()
    story.taps_the_message()
    story.gets_to(Step.OPEN)
    leave(story)
    story.passes(300)
    assert (story.entra_shows, provision_partner.still_let_in(story.store, OURS)) == (True, 0)


# slots


def beaten(story: Story) -> None:
    listed = GraphCompliancePartners(story.remotes.graph)
    story.with_world(partners=listed, partner_name=story.sandbox.world.partner.name)
    story.store.keep_watches(heartbeat.rows_of(story.world), at=story.world.clock())
    with story.engine.begin() as connection:
        due = sa.update(watches).where(watches.c.name == HEARTBEAT)
        connection.execute(due.values(next_look_at=story.world.clock(), wake=watches.c.wake + 1))
    story.tick(1)


def test_who_holds_each_platform_and_when_microsoft_heard_of_us_is_kept_with_the_heartbeat(tell: Tell) -> None:
    story = tell("blocked_just_registered")
    beaten(story)
    rows = SqlConnections(story.engine, story.store.tenant_id)

    def channel() -> tuple[Condition, Cause | None, dict[str, str]]:
        found = next(
            one for one in judge(rows.connections(story.world.clock()), story.world.clock()) if one.connection.name == "channel"
        )
        return found.condition, found.cause, {slot.platform: slot.why for slot in found.connection.slots}

    assert channel()[2] == {"ios": "ours", "android": "ours", "macos": "ours"}
    beat = next(one for one in rows.connections(story.world.clock()) if one.name == "channel").beat
    assert beat is not None
    assert beat.good_at is not None
    world = story.sandbox.world
    world.partner.platforms = ["Android", "macOS"]
    world.partner.others = [OtherPartner(world.new_id(), "Jamf", ["iOS"])]
    beaten(story)
    assert channel() == (Condition.FAILING, Cause.SLOT, {"ios": "taken", "android": "ours", "macos": "ours"})
    world.apps["service"].permissions[GRAPH_APP_ID].discard("DeviceManagementServiceConfig.Read.All")
    world.end_tokens()
    beaten(story)
    assert channel()[2]["ios"] == "taken", "what was known stays, with its time"
