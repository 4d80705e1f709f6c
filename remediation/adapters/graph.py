"""Entra's directory, read through Microsoft Graph v1.0: people, their standing and their devices, as `ports.Directory`.

Permissions: User.Read.All and Device.Read.All; LicenseAssignment.Read.All for licences and GroupMember.Read.All for the chosen
groups, each of which may be missing. Next door: `http` (manners), `entra` (tokens), `intune_partner` (which asks Graph where the
partner service lives).
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Generic, Literal, TypeVar

import structlog

from ..domain.device import DirectoryDevice, Mark, Person, Platform
from ..domain.push import Lane
from ..domain.standing import Standing
from ..errors import Garbled, NotFound, Refused
from ..ports import Clock, Page
from .http import LARGEST_PAGE, Fields, Remote

MOST_PAGES = 100
ADVANCED = {"ConsistencyLevel": "eventual"}
MOST_GROUPS = 20  # of one call: graph-docs api-reference/v1.0/api/directoryobject-checkmembergroups.md
TOP = 999  # the most of a page: graph-docs api-reference/v1.0/api/device-list.md
JUST_READ = timedelta(seconds=10)  # one look asks for the person and then for their standing
NOBODY_KEPT_OUT = timedelta(minutes=10)
MOST_KEPT = 10_000

OwnerAttribute = Literal["mail", "userPrincipalName", "onPremisesSamAccountName", "employeeId", "onPremisesImmutableId"]
T = TypeVar("T")

_USER = "id,displayName,userPrincipalName,mail,accountEnabled,userType"
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

INTUNE_A = "c1ec4a95-1f05-45b3-a911-aa3fa01094f5"  # entra-docs licensing-service-plan-reference.md

# `provisioningStatus`: graph-docs api-reference/v1.0/resources/serviceplaninfo.md. The Pending… words, and any new one, are
# "not yet": they keep nobody out.
PLAN_WORKS = {"Success": True, "Disabled": False, "Error": False}

log = structlog.get_logger("remediation.directory")


def vendor_code(body: Any) -> object:
    """`{"error": {"code": …}}`: graph-docs concepts/errors.md."""
    return body["error"]["code"]


def lane_headers(lane: Lane) -> Mapping[str, str]:
    """Which of our calls Graph is to throttle first: graph-docs concepts/throttling-limits.md."""
    return {"x-ms-throttle-priority": "low" if lane is Lane.SWEEP else "high"}


class _Recent(Generic[T]):
    """What was read of a person, for as long as it may stand. The worker's threads share it: each operation is one of a dict's."""

    def __init__(self, lasts: timedelta, now: Clock) -> None:
        self._lasts = lasts
        self._now = now
        self._kept: dict[str, tuple[datetime, T]] = {}

    def keep(self, oid: str, read: tuple[datetime, T]) -> None:
        """`read` is from when, and what."""
        if len(self._kept) >= MOST_KEPT:
            self._kept.clear()
        self._kept[oid] = read

    def get(self, oid: str) -> tuple[datetime, T] | None:
        kept = self._kept.get(oid)
        return kept if kept is not None and timedelta(0) <= self._now() - kept[0] < self._lasts else None


class GraphDirectory:
    """`plans` are the service plans that count as Intune, `groups` those whom the tenant chose by now (none: all users). `mark` is
    the second lock's extension attribute and our value in it: what else stands there stays here, it may name somebody."""

    def __init__(
        self,
        remote: Remote,
        *,
        now: Clock,
        plans: Collection[str] = (INTUNE_A,),
        groups: Sequence[str] | Callable[[], Sequence[str]] = (),
        owner_attribute: OwnerAttribute | None = None,
        mark: tuple[str, str] | None = None,
    ) -> None:
        self._remote = remote
        self._now = now
        self._plans = frozenset(plans)
        if not callable(groups) and len(groups) > MOST_GROUPS:
            raise ValueError(f"one call asks for {MOST_GROUPS} groups")
        self._groups = groups
        self._owner_attribute = owner_attribute
        self._mark = mark
        self._select = f"{_DEVICE},extensionAttributes" if mark else _DEVICE
        self._lacking: set[str] = set()
        self._lists_owners = True
        self._users = _Recent[Fields](JUST_READ, now)
        self._entitled = _Recent[tuple[tuple[str, ...], tuple[bool | None, bool | None]]](NOBODY_KEPT_OUT, now)

    def person(self, oid: str) -> Person:
        oid = self._remote.guid(oid)
        _, user = self._user(oid)
        upn = user.need_text("userPrincipalName")
        match = user.text(self._owner_attribute) if self._owner_attribute else None
        return Person(
            oid=oid,
            name=user.text("displayName") or upn,
            user_name=upn,
            mail=user.text("mail") or None,
            match=match if match and match.strip() else None,
        )

    def _user(self, oid: str) -> tuple[datetime, Fields]:
        begun = self._now()
        select = ",".join(dict.fromkeys([*_USER.split(","), *([self._owner_attribute] if self._owner_attribute else [])]))
        # graph-docs api-reference/v1.0/api/user-get.md; User.Read.All
        user = self._remote.call("GET", self._remote.path("users/{}", oid), query={"$select": select}).fields()
        if user.guid("id") != oid:
            raise user.garbled("id")
        self._users.keep(oid, (begun, user))
        return begun, user

    def standing(self, oid: str) -> Standing:
        """`read_at` is that of its oldest part: what keeps nobody out is not asked for again at each look."""
        oid = self._remote.guid(oid)
        account_at, user = self._users.get(oid) or self._user(oid)
        groups = tuple(self._groups() if callable(self._groups) else self._groups)
        known = self._entitled.get(oid)
        entitled_at, (_, (licensed, in_scope)) = known if known and known[1][0] == groups else self._entitlements(oid, groups)
        kind = user.text("userType")
        return Standing(
            account_enabled=user.flag("accountEnabled"),
            guest=None if kind is None else kind == "Guest",
            licensed=licensed,
            in_scope=in_scope,
            read_at=min(account_at, entitled_at),
        )

    def _entitlements(
        self, oid: str, groups: tuple[str, ...]
    ) -> tuple[datetime, tuple[tuple[str, ...], tuple[bool | None, bool | None]]]:
        """`groups` are kept beside what was read: another scope is another question."""
        begun = self._now()
        licensed = self._optional("LicenseAssignment.Read.All", lambda: self._licensed(oid))
        in_scope = self._optional("GroupMember.Read.All", lambda: self._in_scope(oid, groups)) if groups else None
        found = groups, (licensed, in_scope)
        if licensed is not False and in_scope is not False:
            self._entitled.keep(oid, (begun, found))
        return begun, found

    def _optional(self, permission: str, ask: Callable[[], bool | None]) -> bool | None:
        """What the tenant may leave unread: without the permission it is None, and the log names it, once until it is granted."""
        try:
            found = ask()
        except Refused as refused:
            if refused.status != 403:
                raise
            if permission not in self._lacking:
                self._lacking.add(permission)
                log.warning("directory.permission_missing", permission=permission, vendor_code=refused.vendor_code)
            return None
        self._lacking.discard(permission)
        return found

    def _licensed(self, oid: str) -> bool | None:
        """By service plan, since plans hide in many SKUs; None where one is on its way."""
        # graph-docs api-reference/v1.0/api/user-list-licensedetails.md; LicenseAssignment.Read.All
        details = list(self._pages(self._remote.path("users/{}/licenseDetails", oid), None, may_be_refused=True))
        plans = [plan for detail in details for plan in detail.items("servicePlans")]
        words = [plan.text("provisioningStatus") or "" for plan in plans if plan.guid("servicePlanId") in self._plans]
        found = {PLAN_WORKS.get(word) for word in words}
        return True if True in found else None if None in found else False

    def _in_scope(self, oid: str, groups: tuple[str, ...]) -> bool | None:
        """Whether they are in one of the chosen groups, be it by way of a group in it."""
        target = self._remote.path("users/{}/checkMemberGroups", oid)
        try:
            # graph-docs api-reference/v1.0/api/directoryobject-checkmembergroups.md; GroupMember.Read.All
            answer = self._remote.call("POST", target, json={"groupIds": list(groups)}, may_be_refused=True).fields()
        except NotFound:
            # the person was just read, so it is a group that is gone: one deleted group must not stop everybody
            log.warning("directory.group_missing", groups=len(groups))
            return None
        found = answer.texts("value")
        if not {group.lower() for group in found} <= set(groups):
            raise answer.garbled("value")
        return bool(found)

    def devices_of(self, oid: str) -> Sequence[DirectoryDevice]:
        # graph-docs api-reference/v1.0/api/user-list-registereddevices.md; the cast gives typed members and allows $select
        target = self._remote.path("users/{}/registeredDevices/microsoft.graph.device", self._remote.guid(oid))
        begun = self._now()
        return [self._device(item, owner_oid=None, read_at=begun) for item in self._pages(target, self._select)]

    def device(self, device_id: str, *, owner: bool = True) -> DirectoryDevice:
        device_id, begun = self._remote.guid(device_id), self._now()
        # graph-docs api-reference/v1.0/api/device-get.md, by the alternate key; Device.Read.All
        answer = self._remote.call("GET", self._remote.path("devices(deviceId='{}')", device_id), query={"$select": self._select})
        found = answer.fields()
        if found.guid("deviceId") != device_id:
            raise found.garbled("deviceId")
        owner_oid, owner_enabled = self._owner(found.guid("id")) if owner else (None, None)
        return replace(self._device(found, owner_oid=owner_oid, read_at=begun), owner_enabled=owner_enabled)

    def page(self, cursor: str | None) -> Page[DirectoryDevice]:
        """A row whose device id is no GUID is no device of anybody's; where that is so of all rows, the answer is Garbled."""
        begun = self._now()
        answer = self._list() if cursor is None else self._remote.call("GET", cursor, largest=LARGEST_PAGE).fields()
        rows, unreadable, nameless = [], [], 0
        for item in answer.items("value"):
            try:
                device_id = item.guid("deviceId")
            except Garbled:
                nameless += 1
                continue
            try:
                rows.append(self._device(item, owner_oid=_listed_owner(item), read_at=begun))
            except Garbled:
                unreadable.append(device_id)
        if nameless and not rows and not unreadable:
            raise answer.garbled("value")
        return Page(tuple(rows), self._next(answer), tuple(unreadable))

    def members(self, group_id: str, cursor: str | None) -> Page[str]:
        """People alone, of groups within the group as well; `GroupMember.Read.All` lets them be read."""
        if cursor is not None:
            answer = self._remote.call("GET", cursor, headers=ADVANCED, largest=LARGEST_PAGE).fields()
        else:
            # graph-docs api-reference/v1.0/api/group-list-transitivemembers.md; the cast is an advanced query, which wants both
            # `$count` and the header: graph-docs concepts/aad-advanced-queries.md
            target = self._remote.path("groups/{}/transitiveMembers/microsoft.graph.user", self._remote.guid(group_id))
            query: dict[str, str | int] = {"$select": "id", "$top": TOP, "$count": "true"}
            answer = self._remote.call("GET", target, query=query, headers=ADVANCED, largest=LARGEST_PAGE).fields()
        return Page(tuple(item.guid("id") for item in answer.items("value")), self._next(answer))

    def _list(self) -> Fields:
        """With the owner of each, at one resource unit more for the page. Whether every tenant takes `$expand` beside `$top` is not
        public, so a refusal is remembered; a change of owner is then noticed by direct looks alone."""
        query: dict[str, str | int] = {"$select": self._select, "$top": TOP}
        # graph-docs api-reference/v1.0 api/device-list.md, resources/device.md (registeredOwners supports $expand)
        if self._lists_owners:
            expanded = {**query, "$expand": "registeredOwners($select=id)"}
            try:
                return self._remote.call("GET", "devices", query=expanded, largest=LARGEST_PAGE).fields()
            except Refused as refused:
                if refused.status != 400:
                    raise
                self._lists_owners = False
                log.warning("directory.owners_not_listed", vendor_code=refused.vendor_code)
        return self._remote.call("GET", "devices", query=query, largest=LARGEST_PAGE).fields()

    def _next(self, page: Fields) -> str | None:
        link = page.text("@odata.nextLink")
        if link is not None and not link.startswith("https://"):
            raise page.garbled("@odata.nextLink")
        return link

    def _owner(self, object_id: str) -> tuple[str | None, bool | None]:
        """Who registered it, and whether that account is enabled; two are no owner to rely on."""
        # graph-docs api-reference/v1.0/api/device-list-registeredowners.md; the cast gives users, whose account may be selected
        target = self._remote.path("devices/{}/registeredOwners/microsoft.graph.user", object_id)
        owners = list(self._pages(target, "id,accountEnabled"))
        return (owners[0].guid("id"), owners[0].flag("accountEnabled")) if len(owners) == 1 else (None, None)

    def _pages(self, target: str, select: str | None, *, may_be_refused: bool = False) -> Iterator[Fields]:
        """Every member of every page: graph-docs concepts/paging.md. A list is whole, or an error."""
        first = {"$select": select} if select else None
        page = self._remote.call("GET", target, query=first, may_be_refused=may_be_refused).fields()
        for _ in range(MOST_PAGES):
            yield from page.items("value")
            link = self._next(page)
            if link is None:
                return
            page = self._remote.call("GET", link).fields()
        raise Garbled("pages without end", remote=self._remote.name)

    def _device(self, item: Fields, *, owner_oid: str | None, read_at: datetime) -> DirectoryDevice:
        """`read_at` is when it was asked for: whoever slept between two calls has read nothing newer than who asked later."""
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
            read_at=read_at,
            mark=self._marked(item),
        )

    def _marked(self, item: Fields) -> Mark | None:
        # graph-docs resources/onpremisesextensionattributes.md; an empty string is stored as it is (Graph's known issues)
        if self._mark is None:
            return None
        name, ours = self._mark
        if item.raw("extensionAttributes") is None:
            raise item.garbled("extensionAttributes")  # not told is not *no mark*
        value = item.within("extensionAttributes").text(name)
        return None if value is None else Mark.OURS if value == ours else Mark.OTHER


def _listed_owner(item: Fields) -> str | None:
    """None where the list does not tell it. Two are no owner to rely on, which is for the direct read to say."""
    if item.raw("registeredOwners") is None:
        return None
    owners = list(item.items("registeredOwners"))
    return owners[0].guid("id") if len(owners) == 1 else None
