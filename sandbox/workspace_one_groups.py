"""The groups of the pretend Workspace ONE, organization, user and smart ones, and the look-up values of its profiles.

Fields as in the clients of a live tenant's API description (mrpaws/awtest `system/v1`: organization_groups_api, user_groups_api,
lookup_fields_v1_api; `mdm/v1`: smart_groups_api). Next door: `workspace_one` (devices), `world` (what is true).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from flask import Flask, Response, jsonify

from sandbox.workspace_one_gate import Fault, allowed, version
from sandbox.world import World

Answer = Response | tuple[Response | str, int]
Page = Callable[[Sequence[Any], dict[str, str], str, Callable[[Any], dict[str, Any]]], Answer]


def _entity(number: int, name: str, uuid: str) -> dict[str, Any]:
    return {"Id": {"Value": number}, "Name": name, "Uuid": uuid}


GLOBAL = _entity(7, "Global", "7c1f52f8-4f2a-4f0e-9d1a-6a1de8a7b007")
"""Above the customer's own group; no customer's account sees it."""
KEYS = ("DeviceUid", "DeviceSerialNumber", "EnrollmentUser", "EnrollmentUserId", "EmailAddress", "EmailUserName", "EmailDomain")
MORE_KEYS = ("FirstName", "LastName", "GroupIdentifier", "ManagementID")
PLATFORMS = {"Apple": "All iOS devices", "Android": "All Android devices", "AppleOsX": "All Macs", "WinRT": "All Windows devices"}


def add_groups(app: Flask, world: World, page: Page) -> None:
    _organization_groups(app, world, page)
    _user_groups(app, world, page)
    _smart_groups(app, world, page)

    @app.get("/ws1/api/system/lookup-value/keys/<uuid:group>")
    def lookup_keys(group: object) -> Answer:
        version((1,), 1)
        allowed("language")
        with world.lock:
            if str(group) != world.mdm.group_uuid:
                raise Fault(404, 404, "Organization group not found.")
            keys = (*KEYS, *MORE_KEYS)
            return jsonify([{"key": key, "description": f"{key} of the device", "id": n + 1} for n, key in enumerate(keys)])


def _organization_groups(app: Flask, world: World, page: Page) -> None:
    def shown(group: dict[str, Any]) -> dict[str, Any]:
        return {"GroupId": group["Name"].lower(), "LocationGroupType": "Container", "Country": "Germany", "Locale": "de-DE"} | group

    @app.get("/ws1/api/system/groups/search")
    def organization_groups() -> Answer:
        version((1,), 1)
        query = allowed("name", "type", "groupid", "orderby", "sortorder", "page", "pagesize")
        with world.lock:
            mdm = world.mdm
            own = _entity(mdm.group_id, mdm.group_name, mdm.group_uuid)
            below = _entity(mdm.group_id + 1, "Sales", "0c5e3f0a-90f4-4d92-8d37-0d8b0a5a1571") | {"ParentLocationGroup": own}
            own = own | {"ParentLocationGroup": GLOBAL}
            found = sorted([below, own], key=lambda g: g["Id"]["Value"] if query.get("orderby") == "Id" else g["Name"])
            return page(found, query, "LocationGroups", shown)


def _user_groups(app: Flask, world: World, page: Page) -> None:
    """Those of the directory, and custom ones, made in the console, which both searches list here."""

    def all_groups() -> list[dict[str, Any]]:
        directory = [(group, "Directory") for group in world.groups.values() if group.at_mdm]
        kinds = directory + [(group, "Custom") for group in world.mdm.custom_groups]
        return [
            {
                "groupName": group.name,
                "type": kind,
                "rootLocationGroupName": world.mdm.group_name,
                "syncStatus": "Synced",
                "mergeStatus": "",
                "users": sum(oid in world.persons and world.persons[oid].mdm_user_id is not None for oid in group.members),
                "id": 300 + number,
                "uuid": group.id,
            }
            for number, (group, kind) in enumerate(kinds)
        ]

    def named(found: list[dict[str, Any]], query: dict[str, str]) -> list[dict[str, Any]]:
        return [group for group in found if query.get("groupname", "").lower() in group["groupName"].lower()]

    @app.get("/ws1/api/system/usergroups/search")
    def user_groups() -> Answer:
        version((1,), 1)
        query = allowed("groupname", "organizationgroupid", "usergrouptype", "syncstatus", "mergestatus", "page", "pagesize")
        with world.settled():
            return page(named(all_groups(), query), query, "ResultSet", dict)

    @app.get("/ws1/api/system/usergroups/custom/search")
    def custom_groups() -> Answer:
        version((1,), 1)
        query = allowed("groupname", "organizationgroupid", "page", "pagesize")
        with world.settled():
            found = [group for group in named(all_groups(), query) if group["type"] == "Custom"]
            return page(
                *(found, query, "UserGroup"),
                lambda g: {
                    "UserGroupId": g["id"],
                    "UserGroupName": g["groupName"],
                    "OrganizationGroup": world.mdm.group_name,
                    "UserCount": str(g["users"]),  # counts of people are texts elsewhere, too: EnrolledDevicesCount
                },
            )


def _smart_groups(app: Flask, world: World, page: Page) -> None:
    @app.get("/ws1/api/mdm/smartgroups/search")
    def smart_groups() -> Answer:
        version((1,), 1)
        filters = ("name", "organizationgroupid", "managedbyorganizationgroupid", "modifiedfrom", "modifiedtill")
        query = allowed(*filters, "orderby", "sortorder", "page", "pagesize")
        with world.settled():
            held = [record for record in world.held_by("workspace_one") if record.enrollment_status == "Enrolled"]
            counts = {"All Devices": len(held)} | {
                name: sum(record.platform == platform for record in held) for platform, name in PLATFORMS.items()
            }
            found = [
                {
                    "Name": name,
                    "SmartGroupID": 300 + number,  # a number of its own series: the same ones as user groups have
                    "SmartGroupUuid": f"5a9e0000-0000-4000-8000-{number:012d}",
                    "ManagedByOrganizationGroupId": str(world.mdm.group_id),
                    "ManagedByOrganizationGroupUuid": world.mdm.group_uuid,
                    "ManagedByOrganizationGroupName": world.mdm.group_name,
                    "Devices": count,
                    "Assignments": 0,
                    "Exclusions": 0,
                }
                for number, (name, count) in enumerate(counts.items())
                if query.get("name", "").lower() in name.lower()
            ]
            return page(found, query, "SmartGroups", dict)
