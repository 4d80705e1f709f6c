"""Entra's directory, read through Microsoft Graph v1.0: people and their devices, as `ports.Directory`.

Permissions: User.Read.All and Device.Read.All. Next door: `http` (manners), `entra` (tokens), `intune_partner` (which asks Graph
where the partner service lives).
"""

from collections.abc import Iterator, Sequence
from typing import Any

from ..domain.device import DirectoryDevice, Person, Platform
from ..domain.standing import Standing
from ..errors import Garbled, Refused
from ..ports import Clock
from .http import Fields, Remote

MOST_PAGES = 100

_DEVICE = (
    "id,deviceId,displayName,operatingSystem,operatingSystemVersion,model,accountEnabled,registrationDateTime,isCompliant,isManaged"
)

# `operatingSystem`, case-folded. graph-docs api-reference/v1.0/resources/device.md names no complete list; these were seen in
# entra-docs manage-stale-devices.md (Windows, MacMDM, Android, iOS) and in public device exports (iPhone, iPad, AndroidForWork,
# macOS). A word that is missing here is UNKNOWN.
PLATFORMS = {
    "ios": Platform.IOS,
    "iphone": Platform.IOS,
    "ipad": Platform.IOS,
    "ipados": Platform.IOS,
    "android": Platform.ANDROID,
    "androidforwork": Platform.ANDROID,
    "androidenterprise": Platform.ANDROID,
    "macos": Platform.MACOS,
    "macmdm": Platform.MACOS,
    "mac os x": Platform.MACOS,
    "windows": Platform.WINDOWS,
}


INTUNE_PLANS = frozenset({"c1ec4a95-1f05-45b3-a911-aa3fa01094f5"})  # INTUNE_A: entra-docs licensing-service-plan-reference.md


def vendor_code(body: Any) -> object:
    """`{"error": {"code": …}}`: graph-docs concepts/errors.md."""
    return body["error"]["code"]


class GraphDirectory:
    def __init__(self, remote: Remote, *, now: Clock) -> None:
        self._remote = remote
        self._now = now

    def person(self, oid: str) -> Person:
        oid = self._remote.guid(oid)
        # graph-docs api-reference/v1.0/api/user-get.md; User.Read.All
        answer = self._remote.call(
            "GET", self._remote.path("users/{}", oid), query={"$select": "id,displayName,userPrincipalName,mail"}
        )
        user = answer.fields()
        if user.guid("id") != oid:
            raise user.garbled("id")
        upn = user.need_text("userPrincipalName")
        return Person(oid=oid, name=user.text("displayName") or upn, user_name=upn, mail=user.text("mail") or None)

    def standing(self, oid: str) -> Standing:
        target = self._remote.path("users/{}", self._remote.guid(oid))
        # graph-docs api-reference/v1.0/api/user-get.md; User.Read.All
        user = self._remote.call("GET", target, query={"$select": "id,accountEnabled,userType"}).fields()
        kind = user.text("userType")
        return Standing(
            account_enabled=user.flag("accountEnabled"),
            guest=None if kind is None else kind == "Guest",
            licensed=self._licensed(oid),
            in_scope=None,
            read_at=self._now(),
        )

    def _licensed(self, oid: str) -> bool | None:
        """By service plan, since plans hide in many SKUs; one that is not ready yet keeps nobody out."""
        try:
            # graph-docs api-reference/v1.0/api/user-list-licensedetails.md; LicenseAssignment.Read.All
            details = list(self._pages(self._remote.path("users/{}/licenseDetails", self._remote.guid(oid)), None))
        except Refused as refused:
            if refused.status == 403:
                return None
            raise
        plans = [plan for detail in details for plan in detail.items("servicePlans")]
        return any(plan.guid("servicePlanId") in INTUNE_PLANS and plan.text("provisioningStatus") != "Disabled" for plan in plans)

    def devices_of(self, oid: str) -> Sequence[DirectoryDevice]:
        # graph-docs api-reference/v1.0/api/user-list-registereddevices.md; the cast gives typed members and allows $select
        target = self._remote.path("users/{}/registeredDevices/microsoft.graph.device", self._remote.guid(oid))
        return [self._device(item, owner_oid=None) for item in self._pages(target, _DEVICE)]

    def device(self, device_id: str) -> DirectoryDevice:
        device_id = self._remote.guid(device_id)
        # graph-docs api-reference/v1.0/api/device-get.md, by the alternate key; Device.Read.All
        answer = self._remote.call("GET", self._remote.path("devices(deviceId='{}')", device_id), query={"$select": _DEVICE})
        found = answer.fields()
        if found.guid("deviceId") != device_id:
            raise found.garbled("deviceId")
        return self._device(found, owner_oid=self._owner(found.guid("id")))

    def _owner(self, object_id: str) -> str | None:
        # graph-docs api-reference/v1.0/api/device-list-registeredowners.md: who registered it; two are no owner to rely on
        owners = list(self._pages(self._remote.path("devices/{}/registeredOwners", object_id), "id"))
        return owners[0].guid("id") if len(owners) == 1 else None

    def _pages(self, target: str, select: str | None) -> Iterator[Fields]:
        """Every member of every page: graph-docs concepts/paging.md. A list is whole, or an error."""
        page = self._remote.call("GET", target, query={"$select": select} if select else None).fields()
        for _ in range(MOST_PAGES):
            yield from page.items("value")
            link = page.text("@odata.nextLink")
            if link is None:
                return
            if not link.startswith("https://"):
                raise page.garbled("@odata.nextLink")
            page = self._remote.call("GET", link).fields()
        raise Garbled("pages without end", remote=self._remote.name)

    def _device(self, item: Fields, *, owner_oid: str | None) -> DirectoryDevice:
        if all(item.raw(name) is None for name in _DEVICE.split(",")[1:]):
            # graph-docs includes/limited-info.md: without the permission members come with their type and id alone
            raise Refused("the service app lacks Device.Read.All", remote=self._remote.name, vendor_code="Device.Read.All")
        return DirectoryDevice(
            device_id=item.guid("deviceId"),
            object_id=item.guid("id"),
            name=item.text("displayName") or "",
            platform=PLATFORMS.get((item.text("operatingSystem") or "").strip().casefold(), Platform.UNKNOWN),
            os_version=item.text("operatingSystemVersion"),
            model=item.text("model"),
            enabled=item.need_flag("accountEnabled"),
            owner_oid=owner_oid,
            registered_at=item.moment("registrationDateTime"),
            compliant=item.flag("isCompliant"),
            managed=item.flag("isManaged"),
            read_at=self._now(),
        )
