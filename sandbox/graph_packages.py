"""Access packages of Entra's entitlement management, as far as a direct assignment with an end goes.

Sources: microsoft-graph-docs-contrib api-reference/v1.0/api/entitlementmanagement-{post-assignmentrequests,list-assignments}.md,
resources/{accesspackageassignment,accesspackageassignmentrequest,entitlementmanagementschedule,expirationpattern}.md. The codes
of refusals are made up: no stored page lists them. Next door: `graph_privileged` (memberships with an end), `policy`.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from flask import Flask, request

from sandbox.graph_manners import GraphError, context, not_found, options, page, require
from sandbox.things import Packaged

if TYPE_CHECKING:
    from sandbox.server import Sandbox

_OF_PACKAGES = "identityGovernance/entitlementManagement"
_WRITE, _READ = "EntitlementManagement.ReadWrite.All", "EntitlementManagement.Read.All"
_FILTER = re.compile(r"accessPackage/id eq '([0-9a-f-]{36})' and target/objectid eq '([0-9a-f-]{36})'", re.IGNORECASE)


def add_packages(app: Flask, sandbox: Sandbox) -> None:
    world = sandbox.world

    @app.get(f"/v1.0/{_OF_PACKAGES}/assignments")
    def packages_assigned() -> dict[str, Any]:
        require(_READ, _WRITE)
        asked = options("$filter", "$select", "$expand", "$top", "$skiptoken")
        _licensed(sandbox)
        which = _FILTER.fullmatch(asked.filter or "")
        if which is None:
            raise GraphError(400, "InvalidFilter", "The stand-in lists by package and target.")
        with world.settled():
            found = [one for one in world.packaged if (one.package_id, one.oid) == (which[1].lower(), which[2].lower())]
            shown = [_shown(sandbox, one, (asked.expand or "").split(",")) for one in found]
        return page(sandbox, f"{_OF_PACKAGES}/assignments", shown, asked)

    @app.post(f"/v1.0/{_OF_PACKAGES}/assignmentRequests")
    def ask_for_package() -> tuple[dict[str, Any], int]:
        require(_WRITE)
        options()
        _licensed(sandbox)
        body = request.get_json(silent=True)
        wanted = body.get("assignment") if isinstance(body, dict) else None
        if not isinstance(body, dict) or not isinstance(wanted, dict):
            raise GraphError(400, "InvalidModel", "The request needs an assignment.")
        with world.settled():
            if body.get("requestType") == "adminAdd":
                _add(sandbox, wanted, body.get("schedule"))
            elif body.get("requestType") == "adminRemove":
                standing = next((one for one in world.packaged_now() if one.id == wanted.get("id")), None)
                if standing is None:
                    raise not_found(str(wanted.get("id")))
                standing.end = world.now()
            else:
                raise GraphError(400, "InvalidModel", f"The stand-in does not play {body.get('requestType')!r}.")
            told = {"requestType": body["requestType"], "state": "submitted", "status": "Accepted"}
            answer = {**context(sandbox, f"{_OF_PACKAGES}/assignmentRequests/$entity"), "id": world.new_id(), **told}
        return answer, 201


def _add(sandbox: Sandbox, wanted: dict[str, Any], schedule: Any) -> None:
    world = sandbox.world
    package = world.packages.get(str(wanted.get("accessPackageId")))
    if package is None or package.policy_id != wanted.get("assignmentPolicyId"):
        raise GraphError(400, "AccessPackageNotFound", "There is no such access package with that policy.")
    person = world.persons.get(str(wanted.get("targetId")))
    if person is None:
        raise GraphError(404, "SubjectNotFound", "The subject is not found.")
    if any((one.oid, one.package_id) == (person.oid, package.id) for one in world.packaged_now()):
        raise GraphError(400, "ExistingAssignment", "The target already has an assignment of this access package.")
    end = _end(sandbox, schedule)
    world.packaged.append(Packaged(world.new_id(), person.oid, package.id, world.now(), end))


def _end(sandbox: Sandbox, schedule: Any) -> datetime | None:
    """Without an expiration the policy's own counts, and the stand-in's has none."""
    expiration = schedule.get("expiration") if isinstance(schedule, dict) else None
    if not isinstance(expiration, dict) or expiration.get("type") in (None, "notSpecified", "noExpiration"):
        return None
    if expiration.get("type") != "afterDateTime":
        raise GraphError(400, "InvalidModel", "The stand-in knows ends by their moment alone.")
    end = datetime.strptime(str(expiration.get("endDateTime")), "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    if end <= sandbox.world.now() + timedelta(minutes=5):
        raise GraphError(400, "InvalidSchedule", "The end is too near.")
    return None if sandbox.faults.take("graph", "no_end", request.path, request.method) else end


def _licensed(sandbox: Sandbox) -> None:
    if not sandbox.world.governed:
        message = "The tenant needs to have Microsoft Entra ID P2 or Microsoft Entra ID Governance license."
        raise GraphError(400, "AadPremiumLicenseRequired", message)


def _shown(sandbox: Sandbox, one: Packaged, expanded: list[str]) -> dict[str, Any]:
    world = sandbox.world
    over = one.end is not None and one.end <= world.now()
    delivered = world.now() >= one.start + world.delivered_after
    state = "expired" if over else "delivered" if delivered else "delivering"
    end = None if one.end is None else f"{one.end:%Y-%m-%dT%H:%M:%SZ}"
    expiration = {"endDateTime": end, "duration": None, "type": "noExpiration" if end is None else "afterDateTime"}
    told: dict[str, Any] = {
        "id": one.id,
        "state": state,
        "status": state.title(),
        "expiredDateTime": end if over else None,
        "schedule": {"startDateTime": f"{one.start:%Y-%m-%dT%H:%M:%SZ}", "recurrence": None, "expiration": expiration},
    }
    if "accessPackage" in expanded:
        told["accessPackage"] = {"id": one.package_id, "displayName": "Temporary access"}
    if "target" in expanded:
        told["target"] = {"id": one.id, "objectId": one.oid, "subjectType": "user"}
    return told
