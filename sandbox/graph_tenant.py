"""What was bought, and who may register devices, as Graph tells it.

Sources: microsoft-graph-docs-contrib api-reference/v1.0/api/{subscribedsku-list,deviceregistrationpolicy-get}.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Flask

from sandbox.graph_manners import context, options, require, whole
from sandbox.things import ENTRA_P1_PLAN, INTUNE_PLAN

if TYPE_CHECKING:
    from sandbox.server import Sandbox

_PLANS = {INTUNE_PLAN: "INTUNE_A", ENTRA_P1_PLAN: "AAD_PREMIUM"}


def add_tenant_facts(app: Flask, sandbox: Sandbox) -> None:
    world = sandbox.world

    @app.get("/v1.0/subscribedSkus")
    def skus() -> dict[str, Any]:
        require("LicenseAssignment.Read.All", "Organization.Read.All", "Directory.Read.All")
        options("$select")
        with world.settled():
            used = {plan: sum(plan in one.licences for one in world.persons.values()) for plan in _PLANS}
            items = [_sku(plan, world.seats.get(plan, 25), used[plan]) for plan in _PLANS if world.seats.get(plan, 25)]
        return whole(sandbox, "subscribedSkus", items)

    @app.get("/v1.0/policies/deviceRegistrationPolicy")
    def registration() -> dict[str, Any]:
        require("Policy.Read.DeviceConfiguration", "Policy.ReadWrite.DeviceConfiguration")
        options()
        kind = f"#microsoft.graph.{world.may_register}DeviceRegistrationMembership"
        return context(sandbox, "deviceRegistrationPolicy") | {
            "id": "deviceRegistrationPolicy",
            "displayName": "Device Registration Policy",
            "userDeviceQuota": world.device_quota,
            "multiFactorAuthConfiguration": "notRequired",
            "azureADRegistration": {"isAdminConfigurable": False, "allowedToRegister": {"@odata.type": kind}},
            "localAdminPassword": {"isEnabled": False},
        }


def _sku(plan: str, seats: int, used: int) -> dict[str, Any]:
    of_plan = {"servicePlanId": plan, "servicePlanName": _PLANS[plan], "provisioningStatus": "Success", "appliesTo": "User"}
    return {
        "id": f"sku_{plan}",
        "skuId": plan,
        "skuPartNumber": _PLANS[plan],
        "appliesTo": "User",
        "capabilityStatus": "Enabled",
        "consumedUnits": used,
        "prepaidUnits": {"enabled": seats, "lockedOut": 0, "suspended": 0, "warning": 0},
        "servicePlans": [of_plan],
    }
