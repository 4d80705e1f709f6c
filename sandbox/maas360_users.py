"""Users and groups of the pretend MaaS360.

Paths from MichaelAlestock/MaaS360PS and Milhound/MaaS360-R. Next door: `maas360` (devices), `maas360_gate` (manners).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Flask, Response

from sandbox.maas360_gate import Fault, asked, bad_request, number_of_page, some, told
from sandbox.world import Person, World

NO_SUCH_GROUP = 1012
"""The sandbox's own: the vendor's table is not public."""
DEVICE_GROUP = "All iOS devices"
"""Device groups stand among those of users, and nothing in the list tells them apart."""
_WITH, _ALL, _WITHOUT = "0", "1", "2"


def add_users_and_groups(app: Flask, world: World) -> None:
    def users_page(found: Sequence[Person], query: dict[str, str], *, repeats: bool = False) -> Response:
        page, size = number_of_page(query)
        if repeats:
            page = min(page, max(1, -(-len(found) // size)))
        shown = [_user(person) for person in found[(page - 1) * size : page * size]]
        return told({"users": {"count": len(found), "pageNumber": page, "pageSize": size, **some("user", shown)}})

    def everybody() -> list[Person]:
        return [person for person in world.persons.values() if person.mdm_user_id is not None]

    @app.get("/maas360/user-apis/user/1.0/search/<billing_id>")
    def users(billing_id: str) -> Response:
        query = asked("includeAllUsers", "partialEmailAddress", "pageNumber", "pageSize", "match")
        part = query.get("partialEmailAddress", "").lower()
        with world.settled():
            return users_page([person for person in everybody() if person.mail.lower().startswith(part)], query)

    @app.get("/maas360/user-apis/user/1.0/searchByGroup/customer/<billing_id>/groupIdentifier/<group_id>")
    def of_group(billing_id: str, group_id: str) -> Response:
        query = asked("includeAllUsers", "pageNumber", "pageSize")
        which = query.get("includeAllUsers", _WITH)
        if which not in (_WITH, _ALL, _WITHOUT):
            raise bad_request("includeAllUsers is 0, 1 or 2.")
        with world.settled():
            members = _members(world, group_id)
            holders = {record.person_oid for record in world.held_by("maas360")}
            found = [p for p in everybody() if p.oid in members and (which == _ALL or (p.oid in holders) is (which == _WITH))]
            return users_page(found, query, repeats=True)  # as compliance events do; of users it is not public

    @app.get("/maas360/group-apis/group/1.0/groups/customer/<billing_id>")
    def groups(billing_id: str) -> Response:
        asked()
        with world.settled():
            numbered = list(enumerate(world.groups.values(), start=1))
            names = [(number, group.name) for number, group in numbered if group.at_mdm]
            names.append((len(numbered) + 1, DEVICE_GROUP))
            return told({"groups": some("group", [{"groupName": name, "groupIdentifier": number} for number, name in names])})


def _members(world: World, group_id: str) -> set[str]:
    held = list(world.groups.values())
    if not group_id.isdigit() or not 1 <= int(group_id) <= len(held):
        raise Fault(NO_SUCH_GROUP, "No such group of users.")
    return held[int(group_id) - 1].members


def _user(person: Person) -> dict[str, Any]:
    return {
        "userIdentifier": person.mdm_user_id,
        "userName": person.mdm_user_name,
        "fullName": person.name,
        "emailAddress": person.mail,
        "domain": person.upn.partition("@")[2],
        "status": "Active" if person.enabled else "Inactive",
    }
