"""Conditional Access policies as Graph lists them: the one that asks for a compliant device, for those who may read policies.

And those that block by a filter for devices. Source: microsoft-graph-docs-contrib
api-reference/v1.0/api/conditionalaccessroot-list-policies.md. Next door: `policy`, which plays what they say for Outlook.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Flask

from sandbox.graph_manners import GraphError, caller_may, options, page
from sandbox.things import DevicePolicy

if TYPE_CHECKING:
    from sandbox.server import Sandbox


def add_policies(app: Flask, sandbox: Sandbox) -> None:
    world = sandbox.world

    @app.get("/v1.0/identity/conditionalAccess/policies")
    def policies() -> dict[str, Any]:
        if not caller_may("Policy.Read.All", "Policy.Read.ConditionalAccess"):
            # The code that this API answers with instead of Authorization_RequestDenied; seen in the field, on no stored page.
            message = "You cannot perform the requested operation, required scopes are missing in the token."
            raise GraphError(403, "AccessDenied", message)
        asked = options("$top", "$skiptoken")
        with world.settled():
            left_out = [world.bypass_group] if world.bypass_group is not None else []
            items = [
                _policy("Require a compliant device", ["compliantDevice"], list(world.excluded_apps), left_out),
                _policy("Require two steps", ["mfa"], [], left_out if world.excluded_from_other_policy else []),
                *([_of_actions(world.user_actions)] if world.user_actions else []),
                *(_by_filter(policy, list(world.excluded_apps)) for policy in world.device_policies),
            ]
        return page(sandbox, "conditionalAccess/policies", items, asked)


def _policy(name: str, controls: list[str], excluded: list[str], left_out: list[str]) -> dict[str, Any]:
    return {
        "id": f"{name.lower().replace(' ', '-')}",
        "displayName": name,
        "createdDateTime": None,
        "modifiedDateTime": None,
        "state": "enabled",
        "sessionControls": None,
        "conditions": {
            "signInRiskLevels": [],
            "clientAppTypes": ["all"],
            "platforms": None,
            "locations": None,
            "applications": {
                "includeApplications": ["All"],
                "excludeApplications": excluded,
                "includeUserActions": [],
                "applicationFilter": None,
            },
            "users": {
                "includeUsers": ["All"],
                "excludeUsers": [],
                "includeGroups": [],
                "excludeGroups": left_out,
                "includeRoles": [],
                "excludeRoles": [],
            },
        },
        "grantControls": {
            "operator": "OR",
            "builtInControls": controls,
            "customAuthenticationFactors": [],
            "termsOfUse": [],
        },
    }


def _of_actions(actions: list[str]) -> dict[str, Any]:
    """resources/conditionalaccessapplications.md: user actions stand where apps would."""
    told = _policy("Register on a compliant device", ["compliantDevice"], [], [])
    told["conditions"]["applications"] |= {"includeApplications": [], "includeUserActions": actions}
    return told


def _by_filter(policy: DevicePolicy, excluded: list[str]) -> dict[str, Any]:
    """resources/conditionalaccessdevices.md, conditionalaccessplatforms.md."""
    told = _policy(policy.name, ["block"], excluded, [])
    told["state"] = policy.state
    conditions = told["conditions"]
    conditions["applications"]["includeApplications"] = policy.apps
    conditions["clientAppTypes"] = policy.clients
    conditions["devices"] = {"deviceFilter": {"mode": policy.mode, "rule": policy.rule}}
    if policy.platforms or policy.not_platforms:
        conditions["platforms"] = {"includePlatforms": policy.platforms or ["all"], "excludePlatforms": policy.not_platforms}
    return told
