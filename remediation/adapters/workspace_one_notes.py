"""The note of a link on a record of Workspace ONE: a custom attribute, defined on first use, written, and read back.

Next door: `workspace_one` (which record), `workspace_one_users` (how lists are read whole).
"""

from collections.abc import Callable, Mapping

from ..errors import Refused
from .fields import same
from .http import Fields, Remote
from .workspace_one_users import Reading, accept

ATTRIBUTE = {"Name": "EntraDeviceId", "ApplicationGroup": "EntraLink"}


class LinkNotes:
    def __init__(self, remote: Remote, reading: Reading, *, group_id: int | None) -> None:
        self._remote = remote
        self._reading = reading
        self._group_id = group_id

    def note(self, number: int, value: str, group_of: Callable[[int], int]) -> None:
        """`group_of` tells a record's organization group, asked for only where the account's own shows no such note."""
        if (refused := self._tried(number, value, group_of)) is not None:
            self._define(refused)
            if (again := self._tried(number, value, group_of)) is not None:
                raise again

    def _tried(self, number: int, value: str, group_of: Callable[[int], int]) -> Refused | None:
        """None where it was taken and is seen there. Whether an undefined name is taken is not public, so *accepted* alone proves
        nothing."""
        try:
            self._put(number, value)
        except Refused as refused:
            if refused.status not in (200, 400):
                raise
            return refused
        # without a group the search looks into the account's own; whether also below it, is not public
        if self._seen(number, value, {}) or self._seen(number, value, {"organizationgroupid": str(group_of(number))}):
            return None
        return Refused("the custom attribute was not kept", remote=self._remote.name, status=200)

    def _put(self, number: int, value: str) -> None:
        # mrpaws/awtest device_custom_attributes_api: PUT /mdm/devices/{id}/customattributes
        answer = self._remote.call(
            "PUT",
            self._remote.path("mdm/devices/{}/customattributes", number),
            json={"CustomAttributes": [{**ATTRIBUTE, "Value": value}]},
            headers=accept(1),
        )
        found = answer.fields()
        if found.need_number("FailedItems") or found.need_number("AcceptedItems") != 1:
            # failure inside a good answer
            raise Refused("the custom attribute was not taken", remote=self._remote.name, status=200)

    def _seen(self, number: int, value: str, group: Mapping[str, str]) -> bool:
        asked = {"deviceid": str(number), "customattributename": ATTRIBUTE["Name"], **group}
        # mrpaws/awtest device_custom_attributes_api: GET /mdm/devices/customattribute/search
        for page in self._reading.pages("mdm/devices/customattribute/search", asked, "Devices"):
            for row in page.items("Devices"):
                if row.need_number("DeviceId") == number and any(_is_ours(one, value) for one in row.items("CustomAttributes")):
                    return True
        return False

    def _define(self, why: Refused) -> None:
        group = {"ManagedByOrganizationGroupID": self._group_id} if self._group_id is not None else {}
        body = {**ATTRIBUTE, "Description": "Entra device id, for look-up", "Persist": False, "UseAsLookupValue": False, **group}
        try:
            # mrpaws/awtest system/v1 custom_attributes_api: POST /system/customattributes/create
            self._remote.call("POST", "system/customattributes/create", json=body, headers=accept(1))
        except Refused as defined:
            if defined.status != 400:
                raise
            raise why from defined  # it was defined already, so that was not the reason


def _is_ours(attribute: Fields, value: str) -> bool:
    """`Application` is what the other calls name ApplicationGroup."""
    group = attribute.text("Application") or ATTRIBUTE["ApplicationGroup"]
    ours = (attribute.text("Name"), group) == (ATTRIBUTE["Name"], ATTRIBUTE["ApplicationGroup"])
    return ours and same(attribute.text("Value"), value)
