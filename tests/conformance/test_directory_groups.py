"""Groups of the directory for whoever chooses the scope: what the wire says, what is refused, and what is no answer at all."""

from __future__ import annotations

from typing import Any

import pytest

from remediation.adapters.directory_groups import GraphGroups
from remediation.errors import Garbled
from sandbox.things import Group
from tests.conformance.five import FIVE, raised
from tests.remotes import Remotes

NOBODY = "3f0c5a6e-8c57-4f0a-9b0b-3d2f5a7a9d11"


def groups(remotes: Remotes) -> GraphGroups:
    return GraphGroups(remotes.graph)


def made(remotes: Remotes, name: str, **more: Any) -> Group:
    world = remotes.sandbox.world
    group = Group(world.new_id(), name, "", set(more.pop("members", ())), **more)
    world.groups[group.id] = group
    return group


def test_a_search_takes_as_few_calls_as_pages_allow(remotes: Remotes) -> None:
    remotes.sandbox.world.page_size = 7
    for number in range(30):
        made(remotes, f"Team {number}")
    before = len(remotes.sandbox.ledger.since())
    assert len(groups(remotes).search("team", limit=20)) == 20
    calls = [call for call in remotes.sandbox.ledger.since()[before:] if call.service == "graph"]
    assert [call.path for call in calls] == ["/graph/v1.0/groups"] * 3
    remotes.sandbox.world.page_size = 100
    groups(remotes).search("team", limit=20)
    assert len([call for call in remotes.sandbox.ledger.since()[before:] if call.service == "graph"]) == 4


@pytest.mark.parametrize("words", ["O'Brien's", 'say "team"', "R&D", "a\\b", "naïve Straße", "%24filter=x"])
def test_what_somebody_types_is_words_and_never_a_query(remotes: Remotes, words: str) -> None:
    made(remotes, "Other team")
    assert [one.name for one in groups(remotes).search(words, limit=5) if one.name != "Other team"] == []


def test_every_group_of_a_name_is_found_over_all_pages(remotes: Remotes) -> None:
    remotes.sandbox.world.page_size = 2
    for _ in range(5):
        made(remotes, "O'Brien's")
    assert len(groups(remotes).named("O'Brien's")) == 5


def test_people_of_groups_within_it_count_once_and_a_circle_ends(remotes: Remotes) -> None:
    mia, noah = (remotes.person(name).oid for name in ("Mia", "Noah"))
    inner = made(remotes, "Inner", members={mia, noah})
    outer = made(remotes, "Outer", members={mia}, groups={inner.id}, dynamic=True, security=False)
    inner.groups.add(outer.id)
    found = groups(remotes).group(outer.id)
    assert (found.people, found.nested, found.dynamic, found.security) == (2, 1, True, False)
    plain = groups(remotes).group(made(remotes, "Plain", members={mia}).id)
    assert (plain.people, plain.nested, plain.dynamic, plain.security) == (1, 0, False, True), "the control"


def test_everybody_are_those_who_may_sign_in_and_are_no_guests(remotes: Remotes) -> None:
    world = remotes.sandbox.world
    ours = [one for one in world.persons.values() if one.tenant_id == world.tenant_id]
    before = groups(remotes).everybody()
    assert before == len([one for one in ours if one.enabled and not one.guest])
    next(one for one in ours if one.enabled and not one.guest).enabled = False
    assert groups(remotes).everybody() == before - 1


def test_the_five_errors(remotes: Remotes) -> None:
    def without_the_right() -> object:
        for roles in remotes.sandbox.world.apps["service"].permissions.values():
            roles.discard("GroupMember.Read.All")
        remotes.sandbox.world.end_tokens()
        return groups(remotes).search("team", limit=5)

    kinds = raised(
        remotes.sandbox,
        "graph",
        lambda: groups(remotes).search("team", limit=5),
        lambda: groups(remotes).group(NOBODY),
        without_the_right,
    )
    assert kinds == set(FIVE)


@pytest.mark.parametrize("count", [b"null", b'"3"', b"-1", b"true"])
def test_a_count_that_is_none_is_no_answer(remotes: Remotes, count: bytes) -> None:
    group = made(remotes, "Team")

    def spoil(request: Any, status: int, body: bytes) -> bytes:
        return body.replace(b'"@odata.count":0', b'"@odata.count":' + count)

    told = Remotes(remotes.sandbox, change=spoil)
    with pytest.raises(Garbled):
        groups(told).group(group.id)


def test_another_group_than_asked_for_is_no_answer(remotes: Remotes) -> None:
    asked, other = made(remotes, "Asked"), made(remotes, "Other")

    def swap(request: Any, status: int, body: bytes) -> bytes:
        return body.replace(asked.id.encode(), other.id.encode())

    with pytest.raises(Garbled):
        groups(Remotes(remotes.sandbox, change=swap)).group(asked.id)
