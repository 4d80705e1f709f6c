"""Groups in Graph: reading, the rules of `$filter` and `$search`, membership of at most twenty at once."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from sandbox.world import GRAPH_APP_ID
from tests.sandbox.conftest import Hands

EVENTUAL = {"ConsistencyLevel": "eventual"}


def names(hands: Hands, query: str, **headers: str) -> list[str]:
    answer = hands.graph("GET", f"groups?{query}", **headers)
    assert answer.status_code == 200, answer.text
    return sorted(group["displayName"] for group in answer.json()["value"])


def group_id(hands: Hands, name: str) -> str:
    return next(str(group["id"]) for group in hands.facts["groups"] if group["name"] == name)


def check(hands: Hands, person: str, ids: Any) -> Any:
    return hands.graph("POST", f"users/{hands.person(person)['oid']}/checkMemberGroups", {"groupIds": ids})


def test_there_are_two_and_each_has_an_address(hands: Hands) -> None:
    assert names(hands, "$select=id,displayName") == ["Mobile users", "Pilots"]
    one = hands.graph("GET", f"groups/{group_id(hands, 'Pilots')}?$select=displayName,securityEnabled").json()
    assert {name: one[name] for name in ("displayName", "securityEnabled")} == {"displayName": "Pilots", "securityEnabled": True}
    missing = hands.graph("GET", f"groups/{uuid.uuid4()}")
    assert (missing.status_code, missing.json()["error"]["code"]) == (404, "Request_ResourceNotFound")


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("$filter=displayName eq 'pilots'", ["Pilots"]),
        ("$filter=displayName eq 'pilot'", []),
        ("$filter=startsWith(displayName,'mob')", ["Mobile users"]),
        ("$filter=startsWith(displayName,'users')", []),
    ],
)
def test_filters_need_no_consistency_level(hands: Hands, query: str, found: list[str]) -> None:
    assert names(hands, query) == found


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("displayName:users", ["Mobile users"]),
        ("displayName:use", ["Mobile users"]),
        ("displayName:sers", []),
        ("displayName:users mob", ["Mobile users"]),
        ("displayName:mob pilots", []),
        ("description:managed", ["Mobile users"]),
        ("displayName:PILOTS", ["Pilots"]),
    ],
)
def test_search_goes_by_tokens_not_by_substrings(hands: Hands, search: str, found: list[str]) -> None:
    assert names(hands, f'$search="{search}"', **EVENTUAL) == found


@pytest.mark.parametrize(
    ("query", "headers", "code"),
    [
        ('$search="displayName:users"', {}, "Request_UnsupportedQuery"),
        ("$count=true", {}, "Request_UnsupportedQuery"),
        ('$search="mail:users"', EVENTUAL, "Request_BadRequest"),
        ("$search=displayName:users", EVENTUAL, "Request_BadRequest"),
        ("$filter=contains(displayName,'user')", EVENTUAL, "Request_UnsupportedQuery"),
        ("$orderby=displayName", EVENTUAL, "Request_BadRequest"),
        ("$select=members", EVENTUAL, "Request_BadRequest"),
    ],
)
def test_other_queries_are_refused(hands: Hands, query: str, headers: dict[str, str], code: str) -> None:
    answer = hands.graph("GET", f"groups?{query}", **headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, code)


def test_a_count_comes_with_the_page(hands: Hands) -> None:
    assert hands.graph("GET", "groups?$count=true&$top=1", **EVENTUAL).json()["@odata.count"] == 2


def test_everybody_but_one_is_a_mobile_user(hands: Hands) -> None:
    mobile, pilots = group_id(hands, "Mobile users"), group_id(hands, "Pilots")
    found = {
        name: check(hands, name, [pilots.upper(), mobile, str(uuid.uuid4())]).json()["value"] for name in ("Mia", "Hanna", "Adam")
    }
    assert found == {"Mia": [mobile], "Hanna": [pilots, mobile], "Adam": []}


@pytest.mark.parametrize("ids", [[str(uuid.uuid4())] * 21, ["not-an-id"], "one", None, [1]])
def test_at_most_twenty_ids_and_nothing_else(hands: Hands, ids: object) -> None:
    answer = check(hands, "Mia", ids)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "Request_BadRequest")


def test_twenty_are_taken(hands: Hands) -> None:
    assert check(hands, "Mia", [str(uuid.uuid4()) for _ in range(20)]).json()["value"] == []


@pytest.mark.parametrize(
    ("granted", "status"),
    [(["GroupMember.Read.All", "User.Read.All"], 200), (["User.Read.All"], 403), (["GroupMember.Read.All"], 403)],
)
def test_membership_needs_a_right_on_groups_and_one_on_people(hands: Hands, granted: list[str], status: int) -> None:
    hands.control("PATCH", "app/service", {"permissions": {GRAPH_APP_ID: granted}})
    assert check(hands, "Mia", [group_id(hands, "Pilots")]).status_code == status


def test_people_of_other_tenants_are_unknown(hands: Hands) -> None:
    assert check(hands, "Sam", [group_id(hands, "Pilots")]).status_code == 404


def test_members_need_the_header_and_the_count_of_an_advanced_query(hands: Hands) -> None:
    path = f"groups/{group_id(hands, 'Mobile users')}/transitiveMembers/microsoft.graph.user"
    for query, headers in (("?$select=id", EVENTUAL), ("?$select=id&$count=true", {})):
        refused = hands.graph("GET", path + query, **headers)
        assert (refused.status_code, refused.json()["error"]["code"]) == (400, "Request_UnsupportedQuery")
    answer = hands.graph("GET", f"{path}?$select=id&$count=true&$top=1", **EVENTUAL).json()
    assert answer["@odata.count"] > 1
    assert [list(person) for person in answer["value"]] == [["id"]]
    assert "$count=true" in answer["@odata.nextLink"]


def test_everybody_in_a_group_comes_in_pages_by_way_of_groups_within_too(hands: Hands) -> None:
    world = hands.sandbox.world
    by_name = {group.name: group for group in world.groups.values()}
    pilots, users = by_name["Pilots"], by_name["Mobile users"]
    pilots.groups, users.groups = {users.id}, {pilots.id}
    target = f"groups/{pilots.id}/transitiveMembers/microsoft.graph.user?$select=id&$count=true"
    for asked, headers in ((target.replace("&$count=true", ""), EVENTUAL), (target, {})):
        refused = hands.graph("GET", asked, **headers)
        assert (refused.status_code, refused.json()["error"]["code"]) == (400, "Request_UnsupportedQuery")
    page = hands.graph("GET", target, **EVENTUAL).json()
    found, count = [person["id"] for person in page["value"]], page["@odata.count"]
    while "@odata.nextLink" in page:
        page = hands.graph("GET", page["@odata.nextLink"].partition("/v1.0/")[2], **EVENTUAL).json()
        found += [person["id"] for person in page["value"]]
    assert sorted(found) == sorted(pilots.members | users.members)
    assert count == len(found) == len(set(found))
    assert check(hands, "Mia", [pilots.id]).json()["value"] == [pilots.id], "a member of it by way of the other"
    assert (
        hands.graph("GET", f"groups/{uuid.uuid4()}/transitiveMembers/microsoft.graph.user?$count=true", **EVENTUAL).status_code
        == 404
    )


def test_all_users_come_in_pages_with_their_plans(hands: Hands) -> None:
    page = hands.graph("GET", "users?$select=id,assignedPlans&$top=999").json()
    found = list(page["value"])
    while "@odata.nextLink" in page:
        page = hands.graph("GET", page["@odata.nextLink"].partition("/v1.0/")[2]).json()
        found += page["value"]
    world = hands.sandbox.world
    theirs = {p.oid: p.licences for p in world.persons.values() if p.tenant_id == world.tenant_id}
    assert {one["id"]: [plan["servicePlanId"] for plan in one["assignedPlans"]] for one in found} == theirs
    assert "assignedPlans" not in hands.graph("GET", "users").json()["value"][0], "only where it is selected"


def test_all_users_need_a_right_on_people(hands: Hands) -> None:
    hands.sandbox.world.apps["service"].permissions[GRAPH_APP_ID] -= {"User.Read.All"}
    assert hands.graph("GET", "users").status_code == 403
