"""Membership with an end, of the one group that the device policy leaves out: Privileged Identity Management for Groups, through
Microsoft Graph v1.0, as `ports.TemporaryAccess`.

Permission: PrivilegedAssignmentSchedule.ReadWrite.AzureADGroup, and a tenant with Entra ID P2 or Governance. Nothing is written
into a group by itself: without an end there is no call. Next door: `access_package` (the same by entitlement management), `graph`,
whose budget this does not share.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from ..domain.access import LONGEST, Assignment
from ..domain.powers import TEMPORARY_ACCESS
from ..errors import Refused
from . import odata
from .http import Remote

_OF_GROUPS = "identityGovernance/privilegedAccess/group"


class PimGroup:
    permission, called = TEMPORARY_ACCESS, "PIM"

    def __init__(self, remote: Remote, group_id: str) -> None:
        self._remote, self._group = remote, group_id.lower()

    def shown(self, oid: str) -> Sequence[Assignment]:
        # graph-docs api-reference/v1.0/api/privilegedaccessgroup-list-assignmentscheduleinstances.md: by person or by group alone
        query = {"$filter": f"principalId eq '{self._remote.guid(oid)}'"}
        page = self._remote.call("GET", f"{_OF_GROUPS}/assignmentScheduleInstances", query=query, may_be_refused=True).fields()
        # resources/privilegedaccessgroupassignmentscheduleinstance.md; endDateTime is null for one without end
        return [
            Assignment(item.moment("endDateTime"))
            for item in odata.items(self._remote, page)
            if item.guid("groupId") == self._group
            and item.guid("principalId") == oid.lower()
            and item.need_text("accessId").lower() == "member"
        ]

    def assign(self, oid: str, *, start: datetime, until: datetime, why: str) -> None:
        # graph-docs api-reference/v1.0/api/privilegedaccessgroup-post-assignmentschedulerequests.md; resources/expirationpattern.md
        if not timedelta(0) < until - start <= LONGEST:
            raise Refused("an end that is not within a day", remote=self._remote.name)
        schedule = {"startDateTime": _stamp(start), "expiration": {"type": "afterDateTime", "endDateTime": _stamp(until)}}
        self._ask("adminAssign", oid, why, schedule)

    def remove(self, oid: str, *, until: datetime, why: str) -> None:
        """The page calls `scheduleInfo` required and shows no removal: it is told the one that was asked for."""
        self._ask("adminRemove", oid, why, {"expiration": {"type": "afterDateTime", "endDateTime": _stamp(until)}})

    def ahead(self, now: datetime) -> timedelta | None:
        told = self._remote.clock()
        return None if told is None else told - now

    def _ask(self, action: str, oid: str, why: str, schedule: object) -> None:
        body = {
            "accessId": "member",
            "principalId": self._remote.guid(oid),
            "groupId": self._remote.guid(self._group),
            "action": action,
            "scheduleInfo": schedule,
            "justification": why,
        }
        self._remote.call("POST", f"{_OF_GROUPS}/assignmentScheduleRequests", json=body, may_be_refused=True)


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
