"""Who is in the groups that limit a role of the helpdesk: listed page by page through the real adapter; unknown is not visible."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from remediation.domain.reach import MEMBERS_LAST, Reach
from remediation.domain.watch import NO_SUCH_SOURCE, Pace, Watch, members_of
from remediation.services import members
from remediation.store.look_up import SqlLookUp
from sandbox.world import GRAPH_APP_ID
from tests.stories import Story

Tell = Callable[..., Story]


def listing(tell: Tell, *, extra: int = 0) -> tuple[Story, str]:
    """Mia and some others are in the group that `de` stands for."""
    story = tell("blocked_just_registered")
    world = story.sandbox.world
    group = next(group for group in world.groups.values() if group.name == "Mobile users")
    mia = story.remotes.person("Mia").oid
    with world.lock:
        group.members.clear()
        group.members.add(mia)
        for number in range(extra):
            oid = world.new_id()
            world.persons[oid] = replace(world.persons[mia], oid=oid, upn=f"p{number}@contoso.example")
            group.members.add(oid)
    story.with_world(helpdesk_groups=frozenset({group.id}))
    story.store.keep_watches(members.rows_of(story.world), at=story.world.clock())
    return story, group.id


def known(story: Story, group: str) -> set[str]:
    return set(story.store.members(group))


def row(story: Story, group: str) -> Watch:
    found = story.store.watch(members_of(group))
    assert found is not None
    return found


def sees(story: Story, group: str, oid: str) -> bool:
    """Whether a helpdesk that is limited to the group sees this person now."""
    reach = Reach(frozenset({group}), ("de",), story.world.clock() - MEMBERS_LAST)
    return SqlLookUp(story.engine, story.store.tenant_id).within(reach).person(oid) is not None


def test_members_are_listed_page_by_page_and_the_row_says_of_when(tell: Tell) -> None:
    story, group = listing(tell, extra=250)
    story.sandbox.world.page_size = 100
    begun = story.world.clock()
    story.tick()
    assert known(story, group) == set(story.sandbox.world.groups[group].members)
    watch = row(story, group)
    assert (watch.cursor, watch.reason) == (None, None)
    assert watch.checkpoint is not None
    assert begun <= watch.checkpoint <= story.world.clock(), "of when the list was begun"
    asked = [entry for entry in story.ledger() if "transitiveMembers" in entry["path"]]
    assert len(asked) == 3


def test_whoever_joins_is_seen_after_the_next_round_and_whoever_leaves_no_longer(tell: Tell) -> None:
    story, group = listing(tell)
    story.arrives()
    mia = story.oid
    assert sees(story, group, mia)
    story.sandbox.world.groups[group].members.clear()
    story.tick(60)
    assert sees(story, group, mia), "not asked again yet"
    story.tick(3600)
    assert not sees(story, group, mia)
    story.sandbox.world.groups[group].members.add(mia)
    story.tick(3600)
    assert sees(story, group, mia)


def test_a_round_that_breaks_off_takes_nobody_away_and_a_day_without_one_takes_all(tell: Tell) -> None:
    story, group = listing(tell)
    story.arrives()
    mia = story.oid
    story.sandbox.world.apps["service"].permissions[GRAPH_APP_ID].discard("GroupMember.Read.All")
    story.remotes.moment += 7200  # the token in hand still has the role; a new one will not
    for _ in range(4):
        story.tick(5 * 3600)
    assert row(story, group).reason == "directory_refused"
    assert row(story, group).failing_since is not None
    assert sees(story, group, mia)
    story.tick(8 * 3600)
    assert known(story, group) == {mia}
    assert not sees(story, group, mia), "unknown is not visible"


def test_a_group_that_is_gone_is_no_trouble_for_the_others(tell: Tell) -> None:
    story, group = listing(tell)
    missing = "0b9f6d0c-5f43-4f0e-8a36-7f7d4b8f1c11"
    story.with_world(helpdesk_groups=frozenset({group, missing}))
    story.store.keep_watches(members.rows_of(story.world), at=story.world.clock())
    story.tick()
    assert row(story, missing).reason == "directory_not_found"
    assert known(story, group)


def test_a_group_that_the_settings_name_no_more_rests(tell: Tell) -> None:
    story, group = listing(tell)
    story.tick()
    story.with_world(helpdesk_groups=frozenset())
    story.tick(3600)
    assert (row(story, group).reason, row(story, group).next_look_at) == (NO_SUCH_SOURCE, None)


def test_whoever_was_overtaken_writes_nothing(tell: Tell) -> None:
    story, group = listing(tell)
    late = row(story, group)
    story.tick()
    before = known(story, group)
    news: dict[str, Any] = {"watch": replace(late, wake=late.wake + 1, began_at=story.world.clock()), "group_id": group}
    assert not story.store.note_members(**news, oids=["somebody"], whole=True)
    assert known(story, group) == before


def test_it_goes_on_where_the_page_ended(tell: Tell) -> None:
    story, group = listing(tell, extra=9)
    story.sandbox.world.page_size = 2
    story.with_world(pace=Pace(pages=1, sweep=timedelta(hours=1)))
    story.tick()
    assert len(known(story, group)) == 2
    for _ in range(6):
        story.tick(1)
    assert known(story, group) == set(story.sandbox.world.groups[group].members)
