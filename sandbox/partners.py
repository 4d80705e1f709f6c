"""Who is compliance partner in this tenant: Intune's own list as Graph shows it, whose word counts for a device, and what an Intune
administrator changes there (the control port).

Source: microsoft-graph-docs-contrib api-reference/v1.0 intune-onboarding-compliancemanagementpartner (resource, list). After how
many days without a heartbeat a partner is *unresponsive* is not public; here it is three. Next door: `intune` (the partner's own
service), `verdicts` (which asks whose word counts).
"""

from __future__ import annotations

import random
import uuid
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from flask import Flask

from sandbox.deeds import BadOrder
from sandbox.graph_manners import GraphError, caller_may, context, options
from sandbox.things import DirectoryDevice, OtherPartner, Person

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.server import Sandbox
    from sandbox.world import World

PLATFORMS = {"iOS": "ios", "Android": "android", "macOS": "macOs"}
ALL_USERS = "acacacac-9df4-4c7d-9d50-4ef0226f57a9"
"""Intune's own group with everybody in it; no group of the directory."""
SILENT = timedelta(days=3)
_READ = ("DeviceManagementServiceConfig.Read.All", "DeviceManagementServiceConfig.ReadWrite.All")
_OF_DEVICE = {"iOS": "iOS", "iPhone": "iOS", "iPad": "iOS", "Android": "Android", "AndroidForWork": "Android", "MacMDM": "macOS"}


def settle_in(world: World) -> None:
    """As every story finds it: provisioned, a policy for each platform, assigned to everybody. A generator of its own, so that
    whatever else is drawn stays what it was."""
    drawn = random.Random(f"partner {world.tenant_id}")
    for platform in PLATFORMS:
        key = str(uuid.UUID(int=drawn.getrandbits(128), version=4))
        world.partner.policies[key] = {
            "Id": key,
            "DisplayName": f"Partner policy for {platform}",
            "Description": "",
            "Platform": platform,
            "PartnerManagedCompliance": True,
            "PartnerPolicyId": str(uuid.UUID(int=drawn.getrandbits(128), version=4)),
        }
        world.partner.assignments[key] = [ALL_USERS]


def counts(world: World, device: DirectoryDevice, owner: Person) -> bool:
    """Whether our word about this device counts: the platform is ours, an administrator gave its owner to us, and a policy that
    lets the partner decide is assigned to them. What Intune does to a message about anybody else is not public."""
    platform, ours = _OF_DEVICE.get(device.os), world.partner
    if platform is None or platform not in held_by_us(world) or not _one_of(world, owner, ours.chosen_groups or [ALL_USERS]):
        return False
    assigned = [
        ours.assignments.get(key, [])
        for key, policy in ours.policies.items()
        if policy["Platform"] == platform and policy["PartnerManagedCompliance"]
    ]
    return any(_one_of(world, owner, groups) for groups in assigned)


def _one_of(world: World, owner: Person, groups: list[str]) -> bool:
    return ALL_USERS in groups or any(owner.oid in world.groups[key].members for key in groups if key in world.groups)


def held_by_us(world: World) -> set[str]:
    taken = {platform for other in world.partner.others for platform in other.platforms}
    return set(world.partner.platforms) - taken


def state(world: World) -> str:
    ours = world.partner
    if ours.state is not None:
        return ours.state
    if ours.provisioned != 1:
        return "terminated" if ours.provisioned == 2 else "unavailable"
    silent = ours.last_heartbeat is not None and world.now() - ours.last_heartbeat > SILENT
    return "unresponsive" if silent else "enabled"


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
