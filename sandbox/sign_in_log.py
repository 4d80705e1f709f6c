"""The lines of Entra's sign-in log: one for each attempt, at Outlook (`policy`) or at an app's own sign-in (`entra_pages`).

Next door: `graph_sign_ins` shows them, once their lag has passed. Shape: microsoft-graph-docs-contrib resources/signin.md and
resources/devicedetail.md, where a device that was not proven has an empty id.
"""

from __future__ import annotations

from typing import Any

from sandbox.world import DirectoryDevice, Person


def entry(
    person: Person,
    device: DirectoryDevice | None,
    *,
    id: str,
    correlation_id: str,
    at: str,
    app_id: str,
    app: str,
    system: str,
    policy: str = "notApplied",
    code: int = 0,
    reason: str | None = None,
    policies: list[dict[str, Any]] | None = None,
) -> dict[str, Any]:
    return {
        "id": id,
        "createdDateTime": at,
        "userId": person.oid,
        "userDisplayName": person.name,
        "userPrincipalName": person.upn,
        "appId": app_id,
        "appDisplayName": app,
        "clientAppUsed": "Browser",
        "correlationId": correlation_id,
        "conditionalAccessStatus": policy,
        "appliedConditionalAccessPolicies": policies or [],
        "isInteractive": True,
        "status": {"errorCode": code, "failureReason": reason, "additionalDetails": None},
        "deviceDetail": {
            "deviceId": device.device_id if device else "",
            "displayName": device.name if device else "",
            "operatingSystem": system,
            "isCompliant": bool(device and device.is_compliant),
            "isManaged": bool(device and device.is_managed),
            "trustType": {"Workplace": "Azure AD registered", "AzureAd": "Azure AD joined"}.get(device.trust_type)
            if device
            else "",
        },
    }
