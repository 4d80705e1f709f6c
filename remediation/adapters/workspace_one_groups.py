"""The groups of Workspace ONE, with how many are in each: user groups, and smart groups, which hold devices.

Next door: `workspace_one_users` (how lists are read whole).
"""

import re
from collections.abc import Iterator

from ..ports import MdmGroup
from .http import Fields
from .workspace_one_users import Reading


def groups(reading: Reading) -> Iterator[MdmGroup]:
    """Custom groups have a search of their own; whether the other one has them too is not public, and one id is one group."""
    users = _once(reading, _user_groups(reading))
    users |= _once(reading, _custom_groups(reading))
    yield from (*users.values(), *_once(reading, _smart_groups(reading)).values())


def _once(reading: Reading, listed: Iterator[MdmGroup]) -> dict[str, MdmGroup]:
    """A group that comes twice in one list is a page told again, and then the list is not whole."""
    found: dict[str, MdmGroup] = {}
    for group in listed:
        if group.id in found:
            raise reading.garbled("one group twice")
        found[group.id] = group
    return found


def _user_groups(reading: Reading) -> Iterator[MdmGroup]:
    # mrpaws/awtest system/v1 user_groups_api: GET /system/usergroups/search
    for page in reading.pages("system/usergroups/search", {}, "ResultSet"):
        for row in page.items("ResultSet"):
            yield MdmGroup(_id(row, "id"), row.need_text("groupName"), "users", _whole(row, "users"))


def _custom_groups(reading: Reading) -> Iterator[MdmGroup]:
    # mrpaws/awtest system/v1 user_groups_api: GET /system/usergroups/custom/search
    for page in reading.pages("system/usergroups/custom/search", {}, "UserGroup"):
        for row in page.items("UserGroup"):
            yield MdmGroup(_id(row, "UserGroupId"), row.need_text("UserGroupName"), "users", _whole(row, "UserCount"))


def _smart_groups(reading: Reading) -> Iterator[MdmGroup]:
    # mrpaws/awtest mdm/v1 smart_groups_api, SmartGroupSearchModel: GET /mdm/smartgroups/search
    for page in reading.pages("mdm/smartgroups/search", {}, "SmartGroups"):
        for row in page.items("SmartGroups"):
            yield MdmGroup(_id(row, "SmartGroupID"), row.need_text("Name"), "devices", _whole(row, "Devices"))


def _id(row: Fields, key: str) -> str:
    found = _whole(row, key)
    if found is None:
        raise row.garbled(key)
    return str(found)


def _whole(row: Fields, key: str) -> int | None:
    """A number, or its digits as text: counts of users come as text elsewhere (mrpaws/awtest `EnrolledDevicesCount`)."""
    value = row.raw(key)
    return int(value) if isinstance(value, str) and re.fullmatch(r"[0-9]{1,18}", value) else row.number(key)
