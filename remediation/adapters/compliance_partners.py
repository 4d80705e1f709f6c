"""Intune's list of compliance partners, and the names of groups, read through Microsoft Graph v1.0, as `ports.PartnerList`.

Permissions: DeviceManagementServiceConfig.Read.All, which may be missing, and GroupMember.Read.All for names. Next door:
`intune_partner_tenant`, which sets up what this list then shows.
"""

from collections.abc import Sequence

from ..domain.device import Platform
from ..domain.partner import ALL_USERS, CompliancePartner
from . import odata
from .http import Fields, Remote

# graph-docs resources/intune-onboarding-compliancemanagementpartner.md
_WORDS = {Platform.IOS: "ios", Platform.ANDROID: "android", Platform.MACOS: "macOs"}
# The documentation shows other kinds of targets for this list; these two are Intune's own for all other assignments.
_GROUP, _EVERYBODY = "#microsoft.graph.groupassignmenttarget", "#microsoft.graph.alllicensedusersassignmenttarget"


class GraphCompliancePartners:
    def __init__(self, remote: Remote) -> None:
        self._remote = remote

    def partners(self) -> Sequence[CompliancePartner]:
        # graph-docs api-reference/v1.0/api/intune-onboarding-compliancemanagementpartner-list.md
        page = self._remote.call("GET", "deviceManagement/complianceManagementPartners", may_be_refused=True).fields()
        return [_partner(item) for item in odata.items(self._remote, page)]

    def group_name(self, group_id: str) -> str:
        # graph-docs api-reference/v1.0/api/group-get.md; GroupMember.Read.All
        target, query = self._remote.path("groups/{}", self._remote.guid(group_id)), {"$select": "id,displayName"}
        return self._remote.call("GET", target, query=query, may_be_refused=True).fields().text("displayName") or ""


def _partner(item: Fields) -> CompliancePartner:
    platforms = frozenset(platform for platform, word in _WORDS.items() if item.flag(f"{word}Onboarded"))
    return CompliancePartner(
        id=item.need_text("id"),
        name=item.text("displayName") or "",
        state=item.text("partnerState") or "unknown",
        heartbeat_at=item.moment("lastHeartbeatDateTime"),
        platforms=platforms,
        groups={platform: _groups(item, f"{_WORDS[platform]}EnrollmentAssignments") for platform in platforms},
    )


def _groups(item: Fields, key: str) -> frozenset[str] | None:
    if item.raw(key) is None:
        return None
    found: set[str] = set()
    for assignment in item.items(key):
        target = assignment.within("target")
        kind = (target.text("@odata.type") or "").casefold()
        if kind == _EVERYBODY:
            found.add(ALL_USERS)
        elif kind == _GROUP:
            found.add(target.guid("groupId"))
        else:
            return None
    return frozenset(found)
