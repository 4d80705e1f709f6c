"""An access package that holds the one group that the device policy leaves out, assigned with an end: Entra's entitlement
management, through Microsoft Graph v1.0, as `ports.TemporaryAccess`.

Permission: EntitlementManagement.ReadWrite.All, and a tenant with Entra ID P2 or Governance. The package's policy permits direct
assignments and asks nobody. Without an end there is no call, and one that is not shown again with it is taken back by whoever
reads it. Next door: `temporary_access` (the same by Privileged Identity Management for Groups).
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

from ..domain.access import LONGEST, Assignment
from ..domain.powers import ACCESS_PACKAGES
from ..errors import Refused
from . import odata
from .fields import Fields
from .http import Remote

_OF_PACKAGES = "identityGovernance/entitlementManagement"
# graph-docs resources/accesspackageassignment.md; `expired` and `deliveryFailed` are not there, a word we do not know might be
_GONE = {"expired", "deliveryfailed"}
_ON_ITS_WAY = "delivering"


class AccessPackage:
    permission, called = ACCESS_PACKAGES, "access package"

    def __init__(self, remote: Remote, package_id: str, policy_id: str) -> None:
        self._remote, self._package, self._policy = remote, package_id.lower(), policy_id.lower()

    def shown(self, oid: str) -> Sequence[Assignment]:
        return [Assignment(_end(item), delivered=_state(item) != _ON_ITS_WAY) for item in self._theirs(oid)]

    def assign(self, oid: str, *, start: datetime, until: datetime, why: str) -> None:
        # graph-docs api-reference/v1.0/api/entitlementmanagement-post-assignmentrequests.md, example 1; `schedule` is a property of
        # resources/accesspackageassignmentrequest.md, shown there in answers alone
        if not timedelta(0) < until - start <= LONGEST:
            raise Refused("an end that is not within a day", remote=self._remote.name)
        schedule = {"startDateTime": _stamp(start), "expiration": {"type": "afterDateTime", "endDateTime": _stamp(until)}}
        wanted = {"targetId": self._remote.guid(oid), "assignmentPolicyId": self._policy, "accessPackageId": self._package}
        self._ask({"requestType": "adminAdd", "assignment": wanted, "schedule": schedule, "justification": why})

    def remove(self, oid: str, *, until: datetime, why: str) -> None:
        """Each that is there, by its own id; example 2 of the same page."""
        for item in list(self._theirs(oid)):
            self._ask({"requestType": "adminRemove", "assignment": {"id": item.need_text("id")}, "justification": why})

    def ahead(self, now: datetime) -> timedelta | None:
        told = self._remote.clock()
        return None if told is None else told - now

    def _theirs(self, oid: str) -> Iterator[Fields]:
        # graph-docs api-reference/v1.0/api/entitlementmanagement-list-assignments.md has this filter as an example; the list has
        # expired ones as well
        package, person = self._remote.guid(self._package), self._remote.guid(oid)
        query = {
            "$expand": "accessPackage,target",
            "$filter": f"accessPackage/id eq '{package}' and target/objectid eq '{person}'",
        }
        page = self._remote.call("GET", f"{_OF_PACKAGES}/assignments", query=query, may_be_refused=True).fields()
        for item in odata.items(self._remote, page):
            theirs = item.within("accessPackage").guid("id"), item.within("target").guid("objectId")
            if theirs == (package.lower(), person.lower()) and _state(item) not in _GONE:
                yield item

    def _ask(self, body: object) -> None:
        self._remote.call("POST", f"{_OF_PACKAGES}/assignmentRequests", json=body, may_be_refused=True)


def _state(item: Fields) -> str:
    return item.need_text("state").lower()


def _end(item: Fields) -> datetime | None:
    """None for whatever is not plainly an end: a duration is not what was asked for."""
    if not item.has("schedule") or not item.within("schedule").has("expiration"):
        return None
    expiration = item.within("schedule").within("expiration")
    return expiration.moment("endDateTime") if (expiration.text("type") or "").lower() == "afterdatetime" else None


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
