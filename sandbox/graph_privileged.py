"""Privileged Identity Management for Groups, as far as a membership with an end goes.

Sources: microsoft-graph-docs-contrib api-reference/v1.0/api/privilegedaccessgroup-{post-assignmentschedulerequests,
list-assignmentscheduleinstances}.md, resources/{requestschedule,expirationpattern}.md. The codes of refusals are of the role
management API's kin (concepts/privileged-identity-management); no stored page lists them for groups.
Next door: `policy`, which leaves the group's members out of the policy about devices until their end.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from flask import Flask, request

from sandbox.graph_manners import GraphError, context, not_found, options, page, require
from sandbox.things import Privileged

if TYPE_CHECKING:
    from sandbox.server import Sandbox

_OF_GROUPS = "identityGovernance/privilegedAccess/group"
_RULES = 'The following policy rules failed: ["ExpirationRule"]'
_WRITE = "PrivilegedAssignmentSchedule.ReadWrite.AzureADGroup"
_READ = "PrivilegedAssignmentSchedule.Read.AzureADGroup"
_NEEDED = ("accessId", "action", "groupId", "principalId", "scheduleInfo")


def add_privileged(app: Flask, sandbox: Sandbox) -> None:
    world = sandbox.world

    @app.get("/v1.0/identityGovernance/privilegedAccess/group/assignmentScheduleInstances")
    def instances() -> dict[str, Any]:
        require(_READ, _WRITE)
        asked = options("$filter", "$select", "$expand", "$top", "$skiptoken")
        name, _, value = (asked.filter or "").partition(" eq ")
        if name not in ("principalId", "groupId"):
            raise GraphError(400, "InvalidFilter", "The request must be scoped to a principalId or a groupId.")
        _licensed(sandbox)
        with world.settled():
            found = [one for one in world.privileged_now() if _key(one, name) == value.strip("'").lower()]
        return page(sandbox, f"{_OF_GROUPS}/assignmentScheduleInstances", list(map(_shown, found)), asked)

    @app.post("/v1.0/identityGovernance/privilegedAccess/group/assignmentScheduleRequests")
    def ask() -> tuple[dict[str, Any], int]:
        require(_WRITE)
        options()
        _licensed(sandbox)
        body = request.get_json(silent=True)
        if not isinstance(body, dict) or any(body.get(name) in (None, "") for name in _NEEDED):
            raise GraphError(400, "BadRequest", "A required property is missing.")
        if body["accessId"] not in ("member", "owner"):
            raise GraphError(400, "BadRequest", "Invalid value for accessId.")
        with world.settled():
            person, group = world.persons.get(body["principalId"]), world.groups.get(body["groupId"])
            if person is None:
                raise GraphError(404, "SubjectNotFound", "The subject is not found.")
            if group is None:
                raise not_found(body["groupId"])
            standing = next((one for one in world.privileged_now() if (one.oid, one.group_id) == (person.oid, group.id)), None)
            if body["action"] == "adminAssign":
                if standing is not None or person.oid in group.members:
                    raise GraphError(400, "RoleAssignmentExists", "The Role assignment already exists.")
                made = Privileged(world.new_id(), person.oid, group.id, world.now(), _end(sandbox, body["scheduleInfo"]))
                world.privileged.append(made)
            elif body["action"] == "adminRemove":
                if standing is None:
                    raise GraphError(400, "RoleAssignmentDoesNotExist", "The Role assignment does not exist.")
                world.privileged.remove(standing)
            else:
                raise GraphError(400, "BadRequest", f"The stand-in does not play {body['action']!r}.")
            what = f"{_OF_GROUPS}/assignmentScheduleRequests/$entity"
            answer = {**context(sandbox, what), **body, "id": world.new_id(), "status": "Provisioned"}
        return answer, 201


def _licensed(sandbox: Sandbox) -> None:
    if not sandbox.world.governed:
        message = "The tenant needs to have Microsoft Entra ID P2 or Microsoft Entra ID Governance license."
        raise GraphError(400, "AadPremiumLicenseRequired", message)


def _end(sandbox: Sandbox, schedule: Any) -> datetime | None:
    """expirationpattern.md: afterDateTime with endDateTime, afterDuration with duration, noExpiration. The group's own rules say
    how long an active assignment may be, and whether it must end at all."""
    world = sandbox.world
    expiration = schedule.get("expiration") if isinstance(schedule, dict) else None
    if not isinstance(expiration, dict):
        raise GraphError(400, "BadRequest", "scheduleInfo needs an expiration.")
    if expiration.get("type") != "afterDateTime":
        raise GraphError(
            400, "RoleAssignmentRequestPolicyValidationFailed", 'The following policy rules failed: ["ExpirationRule"]'
        )
    end = datetime.strptime(str(expiration.get("endDateTime")), "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    if not timedelta(minutes=5) <= end - world.now() <= world.longest_privilege:
        raise GraphError(
            400, "RoleAssignmentRequestPolicyValidationFailed", 'The following policy rules failed: ["ExpirationRule"]'
        )
    if sandbox.faults.take("graph", "no_end", request.path, request.method):
        return None
    return end


def _key(one: Privileged, name: str) -> str:
    return one.oid if name == "principalId" else one.group_id


def _shown(one: Privileged) -> dict[str, Any]:
    return {
        "id": f"{one.group_id}_member_{one.id}",
        "principalId": one.oid,
        "groupId": one.group_id,
        "accessId": "member",
        "assignmentType": "Assigned",
        "memberType": "Direct",
        "startDateTime": f"{one.start:%Y-%m-%dT%H:%M:%SZ}",
        "endDateTime": None if one.end is None else f"{one.end:%Y-%m-%dT%H:%M:%SZ}",
        "assignmentScheduleId": f"{one.group_id}_member_{one.id}",
    }
