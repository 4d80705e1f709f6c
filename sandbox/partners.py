"""Intune's own list of compliance partners as Graph shows it, and what an Intune administrator changes there (the control port).

Source: microsoft-graph-docs-contrib api-reference/v1.0 intune-onboarding-compliancemanagementpartner (resource, list). Next door:
`slots` (whose word counts), `intune` (the partner's own service).
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from flask import Flask

from sandbox.deeds import BadOrder
from sandbox.graph_manners import GraphError, caller_may, context, options
from sandbox.slots import PLATFORMS, held_by_us, state
from sandbox.things import OtherPartner

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.server import Sandbox

_READ = ("DeviceManagementServiceConfig.Read.All", "DeviceManagementServiceConfig.ReadWrite.All")


def add_partners(app: Flask, sandbox: Sandbox) -> None:
    world = sandbox.world

    @app.get("/v1.0/deviceManagement/complianceManagementPartners")
    def partners() -> dict[str, Any]:
        if not caller_may(*_READ):
            # memdocs: Intune behind Graph refuses with `Forbidden`, not with the directory's Authorization_RequestDenied
            raise GraphError(403, "Forbidden", "Application is not authorized to perform this operation.")
        options()
        if not world.partner.set_up:
            raise GraphError(400, "BadRequest", "Request not applicable to target tenant.")
        with world.settled():
            mine, heard = sorted(held_by_us(world)), world.partner.last_heartbeat
            items = [_row(world.tenant_id, world.partner.name, state(world), heard, mine, world.partner.chosen_groups)]
            items += [_row(other.id, other.name, "enabled", world.now(), other.platforms, []) for other in world.partner.others]
        return {**context(sandbox, "deviceManagement/complianceManagementPartners"), "value": items}


def _row(key: str, name: str, word: str, heard: Any, platforms: list[str], groups: list[str]) -> dict[str, Any]:
    kind = "#microsoft.graph.groupAssignmentTarget"
    targets = [{"@odata.type": kind, "groupId": group} for group in groups]
    everybody = [{"@odata.type": "#microsoft.graph.allLicensedUsersAssignmentTarget"}]
    row: dict[str, Any] = {
        "id": key,
        "displayName": name,
        "partnerState": word,
        "lastHeartbeatDateTime": heard.isoformat() if heard else "0001-01-01T00:00:00Z",
    }
    for platform, prefix in PLATFORMS.items():
        held = platform in platforms
        row[f"{prefix}Onboarded"] = held
        row[f"{prefix}EnrollmentAssignments"] = [{"target": target} for target in (targets or everybody)] if held else []
    return row


def add_partner_control(app: Flask, sandbox: Sandbox, order_of: Callable[..., dict[str, Any]]) -> None:
    world = sandbox.world

    @app.patch("/partner")
    def partner() -> dict[str, Any]:
        """What an Intune administrator does: platforms given to us, another vendor in the slot, groups, Intune itself, a tenant
        that nobody provisioned yet."""
        order = order_of("platforms", "taken_by", "chosen_groups", "set_up", "state", "fresh")
        with world.lock:
            ours = world.partner
            if order.get("fresh"):
                ours.provisioned = ours.enrollment_url = ours.remediation_url = ours.last_heartbeat = None
                ours.policies.clear()
                ours.assignments.clear()
            taken = order.get("taken_by")
            if taken is not None:
                if not set(taken) <= set(PLATFORMS):
                    raise BadOrder(f"Platforms are {', '.join(PLATFORMS)}.")
                ours.others = [OtherPartner(str(uuid.uuid4()), name, [platform]) for platform, name in taken.items()]
            for name in ("platforms", "chosen_groups", "set_up", "state"):
                if name in order:
                    setattr(ours, name, order[name])
        return {"state": state(world), "ours": sorted(held_by_us(world))}
