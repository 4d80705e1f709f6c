"""All users, or up to ten groups: searched, counted, chosen; what is wrong with a group is said, and who is in scope by then."""

from collections.abc import Callable
from typing import Any

import pytest

from remediation.domain.scope import ChosenGroup
from remediation.domain.steps import Step
from remediation.domain.wishes import Kind, Wish
from remediation.errors import Stale, StepRefused
from remediation.services import scope
from tests.services.set_up import ADMIN, answered, group, of_name, with_set_up
from tests.stories import Story

Tell = Callable[..., Story]
ON_POSTGRESQL = True


@pytest.fixture
def story(tell: Tell) -> Story:
    return with_set_up(tell("blocked_just_registered"))


def searched(story: Story, words: str, *, only_managed: bool = False) -> Wish:
    wish_id = scope.search(story.store, words, only_managed=only_managed, actor=ADMIN, now=story.world.clock())
    return answered(story, wish_id)


def found(story: Story, words: str, **more: Any) -> dict[str, list[str]]:
    return {one["name"]: one["notes"] for one in searched(story, words, **more).answer["groups"]}


def adds(story: Story, words: str, name: str, **more: Any) -> None:
    wish = searched(story, words, **more)
    place = next(n for n, one in enumerate(wish.answer["groups"]) if one["name"] == name)
    scope.add(story.store, wish.id, place, by_setting=(), actor=ADMIN, now=story.world.clock())


def counted(story: Story, *, everybody: bool = False, only_managed: bool = False) -> Wish:
    more = {"everybody": everybody, "only_managed": only_managed, "by_setting": (), "actor": ADMIN}
    return answered(story, scope.ask_for_count(story.store, now=story.world.clock(), **more))  # type: ignore[arg-type]


def chooses(story: Story, wish: Wish) -> None:
    scope.choose(story.store, wish.id, by_setting=(), actor=ADMIN, now=story.world.clock())


def in_scope(story: Story, name: str = "Mia") -> bool | None:
    return story.world.directory.standing(story.remotes.person(name).oid).in_scope


def test_a_search_finds_words_by_their_beginnings_and_asks_for_nothing_else(story: Story) -> None:
    assert set(found(story, "mob us")) == {"Mobile users"}
    assert found(story, "obile") == {}, "the directory has no substrings"
    assert found(story, '"& \\ ') == {}
    assert {c["path"] for c in story.ledger() if c["service"] == "graph"} == {"/graph/v1.0/groups"}


def test_two_groups_are_chosen_counted_first_and_hold_from_the_next_check_on(story: Story) -> None:
    assert in_scope(story) is None, "all users"
    adds(story, "pilots", "Pilots")
    assert story.store.scope().groups == (), "what is being chosen counts for nobody"
    wish = counted(story)
    (pilots,) = wish.answer["groups"]
    assert (pilots["people"], wish.answer["everybody"], wish.answer["links"]) == (1, None, 0)
    assert (scope.what_changes(story.store, wish).widens, scope.what_changes(story.store, wish).narrows) == (False, True)
    chooses(story, wish)
    assert (in_scope(story), in_scope(story, "Hanna")) == (False, True)
    story.arrives()
    assert story.step is Step.NOT_FOR_YOU
    adds(story, "mobile", "Mobile users")
    wish = counted(story)
    changes = scope.what_changes(story.store, wish)
    assert (changes.widens, changes.narrows, changes.most) == (True, False, len(of_name(story, "Mobile users").members))
    chooses(story, wish)
    assert in_scope(story) is True
    story.checks_again()
    assert story.step is not Step.NOT_FOR_YOU
    assert [group.name for group in story.store.scope().groups] == ["Pilots", "Mobile users"]
    assert story.audit().count("scope.chosen") == 2


def test_all_users_again_is_the_widest_and_everybody_is_counted(story: Story) -> None:
    adds(story, "pilots", "Pilots")
    chooses(story, counted(story))
    wish = counted(story, everybody=True)
    people = [p for p in story.sandbox.world.persons.values() if p.tenant_id == story.store.tenant_id and p.enabled and not p.guest]
    changes = scope.what_changes(story.store, wish)
    assert (changes.widens, changes.most) == (True, len(people))
    chooses(story, wish)
    assert (in_scope(story), story.store.scope().ids) == (None, ())


def test_people_in_groups_within_a_group_count_and_are_in_scope(story: Story) -> None:
    inner = group(story, "Inner team", "Mia")
    group(story, "Outer team", "Hanna", groups={inner.id})
    adds(story, "outer", "Outer team")
    wish = counted(story)
    (outer,) = wish.answer["groups"]
    assert (outer["people"], outer["nested"], outer["notes"]) == (2, 1, ["nested"])
    chooses(story, wish)
    assert in_scope(story) is True


def test_what_is_odd_about_a_group_is_said(story: Story) -> None:
    group(story, "Twice", "Mia")
    group(story, "Twice", "Noah")
    group(story, "By rule", "Mia", dynamic=True)
    group(story, "Mail list", "Mia", security=False)
    assert found(story, "twice") == {"Twice": ["same_name"]}
    assert found(story, "rule") == {"By rule": ["dynamic"]}
    assert found(story, "mail") == {"Mail list": ["mail_only"]}
    assert found(story, "pilots") == {"Pilots": []}, "the control"


def test_a_group_that_was_deleted_or_emptied_meanwhile_cannot_be_chosen(story: Story) -> None:
    adds(story, "pilots", "Pilots")
    pilots = of_name(story, "Pilots")
    members, pilots.members = pilots.members, set()
    wish = counted(story)
    assert (scope.refusal(wish), wish.answer["groups"][0]["notes"]) == ("no_people", ["no_people"])
    with pytest.raises(StepRefused, match="no_people"):
        chooses(story, wish)
    del story.sandbox.world.groups[pilots.id]
    wish = counted(story)
    assert scope.refusal(wish) == "gone"
    with pytest.raises(StepRefused, match="gone"):
        chooses(story, wish)
    story.sandbox.world.groups[pilots.id], pilots.members = pilots, members
    chooses(story, counted(story))
    assert story.store.scope().ids == (pilots.id,), "the control"


def test_one_that_was_renamed_is_the_same_group_and_said_to_be(story: Story) -> None:
    adds(story, "pilots", "Pilots")
    of_name(story, "Pilots").name = "Explorers"
    wish = counted(story)
    assert (scope.refusal(wish), wish.answer["groups"][0]["notes"], wish.answer["groups"][0]["name"]) == (
        None,
        ["renamed"],
        "Explorers",
    )


def test_eleven_are_too_many(story: Story) -> None:
    for number in range(11):
        group(story, f"Team number{number}", "Mia")
    wish = searched(story, "team")
    for place in range(10):
        scope.add(story.store, wish.id, place, by_setting=(), actor=ADMIN, now=story.world.clock())
    with pytest.raises(StepRefused, match="too_many"):
        scope.add(story.store, wish.id, 10, by_setting=(), actor=ADMIN, now=story.world.clock())
    assert len(story.store.draft() or ()) == 10


@pytest.mark.parametrize("vendor", ["workspace_one", "maas360"])
def test_only_groups_that_the_mdm_manages_too_with_its_own_count(tell: Tell, vendor: str) -> None:
    story = with_set_up(tell("on_maas360" if vendor == "maas360" else "blocked_just_registered"))
    group(story, "Mobile guests", "Mia", at_mdm=False)
    wish = searched(story, "mobile", only_managed=True)
    notes = {one["name"]: (one["notes"], one["at"]) for one in wish.answer["groups"]}
    assert notes["Mobile guests"] == (["not_managed"], [])
    (there,) = notes["Mobile users"][1]
    assert (there["connection"], there["same"], there["members"] > 0) == (story.remotes.mdm.connection, 1, True)
    place = next(n for n, one in enumerate(wish.answer["groups"]) if one["name"] == "Mobile guests")
    with pytest.raises(StepRefused, match="not_managed"):
        scope.add(story.store, wish.id, place, by_setting=(), actor=ADMIN, now=story.world.clock())
    adds(story, "mobile", "Mobile guests")
    assert scope.refusal(counted(story, only_managed=True)) == "not_managed"
    assert scope.refusal(counted(story)) is None, "the control"


def test_an_mdm_that_is_away_keeps_nobody_from_choosing_and_is_named(story: Story) -> None:
    adds(story, "pilots", "Pilots")
    story.fault("workspace_one", "down")
    wish = counted(story, only_managed=True)
    assert (wish.answer["away"], wish.answer["groups"][0]["notes"]) == (["ws1"], ["mdm_away"])
    chooses(story, wish)


def test_without_the_right_to_read_groups_it_says_so_and_waits_for_nobody(story: Story) -> None:
    for roles in story.sandbox.world.apps["service"].permissions.values():
        roles.discard("GroupMember.Read.All")
    wish = searched(story, "pilots")
    assert (wish.failed, wish.code) == ("directory_refused", "Authorization_RequestDenied")
    with pytest.raises(StepRefused, match="gone"):
        scope.add(story.store, wish.id, 0, by_setting=(), actor=ADMIN, now=story.world.clock())


def test_a_directory_that_is_away_is_asked_again_and_given_up_in_the_end(story: Story) -> None:
    story.fault("graph", "down")
    wish_id = scope.search(story.store, "pilots", only_managed=False, actor=ADMIN, now=story.world.clock())
    story.passes(60)
    assert story.store.wish(wish_id).done_at is None  # type: ignore[union-attr]
    story.sandbox.faults.clear()
    story.passes(15)
    assert story.store.wish(wish_id).answer["groups"], "the control"  # type: ignore[union-attr]
    story.fault("graph", "down")
    wish_id = scope.search(story.store, "pilots", only_managed=False, actor=ADMIN, now=story.world.clock())
    story.passes(1200, every=20)
    assert story.store.wish(wish_id).failed == "directory_unreachable"  # type: ignore[union-attr]


def test_where_a_setting_says_it_nothing_here_may_and_it_alone_is_the_truth(tell: Tell) -> None:
    story = with_set_up(tell("blocked_just_registered"))
    setting = (of_name(story, "Pilots").id,)
    with_set_up(story, by_setting=setting)
    with pytest.raises(StepRefused, match="by_setting"):
        scope.ask_for_count(
            story.store, everybody=True, only_managed=False, by_setting=setting, actor=ADMIN, now=story.world.clock()
        )
    assert (in_scope(story), in_scope(story, "Hanna")) == (False, True)
    assert scope.standing(story.store, setting).by_setting


def test_of_two_who_choose_at_once_one_is_told_to_look_again(story: Story) -> None:
    adds(story, "pilots", "Pilots")
    first, second = counted(story), counted(story, everybody=True)
    chooses(story, first)
    with pytest.raises(Stale):
        chooses(story, second)


def test_T9_nothing_counts_that_was_not_counted(story: Story) -> None:
    """A wish of another kind, one without an answer, none at all."""
    search = searched(story, "pilots")
    open_wish = scope.ask_for_count(
        story.store, everybody=True, only_managed=False, by_setting=(), actor=ADMIN, now=story.world.clock()
    )
    for wish_id in (search.id, open_wish, "made-up"):
        with pytest.raises(StepRefused, match="not_counted"):
            scope.choose(story.store, wish_id, by_setting=(), actor=ADMIN, now=story.world.clock())
    assert story.store.scope().seq == 0
    story.tick()
    scope.choose(story.store, open_wish, by_setting=(), actor=ADMIN, now=story.world.clock())
    assert story.store.scope().seq == 1, "the control"


def test_a_wish_that_comes_while_others_are_answered_is_not_forgotten(story: Story) -> None:
    """It counts the wake-up: the pass that is under way cannot put the row to rest."""
    first = scope.search(story.store, "pilots", only_managed=False, actor=ADMIN, now=story.world.clock())
    watch = story.store.watch("set_up/wishes")
    assert watch is not None
    second = scope.search(story.store, "mobile", only_managed=False, actor=ADMIN, now=story.world.clock())
    assert not story.store.save_watch(watch)
    story.tick()
    assert all(story.store.wish(one).done_at for one in (first, second))  # type: ignore[union-attr]


def test_the_partner_and_the_policies_are_looked_at_and_provisioned_by_wish(story: Story) -> None:
    story.sandbox.world.partner.policies.clear()
    story.sandbox.world.partner.provisioned = None
    app = story.sandbox.world.apps["sign-in"].client_id
    now = story.world.clock()
    looked = answered(story, scope.wish(story.store, Kind.PARTNER, {}, actor=ADMIN, now=now))
    assert {(one["about"], one["why"]) for one in looked.answer["findings"] if one["check"] == "partner_slot"} >= {
        ("ios", "not_enabled")
    }
    assert "not_told" in looked.answer["differs"]
    done = answered(story, scope.wish(story.store, Kind.PROVISION, {}, actor=ADMIN, now=now))
    assert (done.answer["done"], sorted(done.answer["assigned"])) == (True, ["android", "ios", "macos"])
    assert answered(story, scope.wish(story.store, Kind.PARTNER, {}, actor=ADMIN, now=now)).answer["differs"] == []
    policy = answered(story, scope.wish(story.store, Kind.POLICY, {"app": app.upper()}, actor=ADMIN, now=now))
    assert [(one["check"], one["state"]) for one in policy.answer["findings"]] == [("policy", "good")]
    story.sandbox.world.excluded_apps.clear()
    policy = answered(story, scope.wish(story.store, Kind.POLICY, {"app": app}, actor=ADMIN, now=now))
    assert [(one["why"], one["state"]) for one in policy.answer["findings"]] == [("caught", "bad")]


def test_a_chosen_group_that_is_gone_stops_the_provisioning(story: Story) -> None:
    with story.store.change(ADMIN, "scope.chosen", about=("scope", "-"), at=story.world.clock()) as change:
        change.choose_scope([ChosenGroup("3f0c5a6e-8c57-4f0a-9b0b-3d2f5a7a9d11", "Gone")], seq=0, by="adam")
    done = answered(story, scope.wish(story.store, Kind.PROVISION, {}, actor=ADMIN, now=story.world.clock()))
    assert (done.answer["done"], done.answer["why"]) == (False, "no_group")
