"""Both app registrations as Microsoft Graph takes them (`POST /applications`), and a script that makes them with the Azure command
line. Pure text: nothing is called here.

The body is Graph's `application`: graph-docs resources/application.md. Ids of permissions: graph-docs permissions-reference.md;
those of the Intune API stand in docs/calls.md. App roles: entra-docs howto-add-app-roles-in-apps.md; `auth_time` and `acct`:
entra-docs optional-claims-reference.md.
"""

import json
from collections.abc import Mapping
from typing import Any

from .domain import powers
from .domain.channel import ChannelKind

GRAPH_APP, INTUNE_APP = "00000003-0000-0000-c000-000000000000", "c161e42e-d4df-4a3d-9b42-e7a3c31f59d4"
IDS: Mapping[str, str] = {
    "User.Read.All": "df021288-bdef-4463-88db-98f22de89214",
    "Device.Read.All": "7438b122-aefc-4978-80ed-43db9fcc7715",
    "Device.ReadWrite.All": "1138cb37-bd11-4084-a2b7-9f71582aeddb",
    "Application.Read.All": "9a5d68dd-52b0-4cc2-bd40-abcf44ac3a30",
    "GroupMember.Read.All": "98830695-27a2-44f7-8c18-0c3ebc9698f6",
    "LicenseAssignment.Read.All": "e2f98668-2877-4f38-a2f4-8202e0717aa1",
    "AuditLog.Read.All": "b0afded3-3588-46d8-8b3d-9842eff778da",
    "DeviceManagementServiceConfig.Read.All": "06a5fe6d-c49d-46a7-b082-56b1b14103c7",
    "Policy.Read.All": "246dd0d5-5bd0-4def-940b-0421030a5b68",
    "update_device_attributes": "7b3c62c0-bbe4-4ceb-971b-ecc50a191b3e",
    "manage_partner_compliance_policy": "3857e233-c379-404e-85e9-bdbf3a62b28f",
}
# Ids of our own roles: any will do, and the same ones each time can be told apart from somebody else's.
ROLES = (
    ("Helpdesk.Read", "6f0d9a34-6b0c-4e0f-9a51-2f8f6b1f0c01", "Searches people and devices, and changes nothing."),
    ("Helpdesk.Act", "6f0d9a34-6b0c-4e0f-9a51-2f8f6b1f0c02", "Makes the safe repairs."),
    ("Admin", "6f0d9a34-6b0c-4e0f-9a51-2f8f6b1f0c03", "Sets the tenant up, and sees figures."),
)


def files(origin: str, *, intune_partner: bool, windows: bool) -> Mapping[str, str]:
    """By name of the file."""
    apps = {
        "sign-in.json": sign_in_app(origin),
        "service.json": service_app(origin, intune_partner=intune_partner, windows=windows),
    }
    written = {name: json.dumps(app, indent=2) + "\n" for name, app in apps.items()}
    return {**written, "register.sh": SCRIPT}


def sign_in_app(origin: str) -> Mapping[str, Any]:
    """It asks for nothing of Graph: an app that does can itself be blocked by a policy for all resources."""
    return {
        "displayName": "Remediation sign-in",
        "signInAudience": "AzureADMyOrg",
        "web": {"redirectUris": [f"{origin}/signed-in", f"{origin}/signed-out"]},
        "optionalClaims": {"idToken": [{"name": "auth_time", "essential": False}, {"name": "acct", "essential": False}]},
        "appRoles": [
            {
                "id": key,
                "value": value,
                "displayName": value,
                "description": says,
                "allowedMemberTypes": ["User"],  # which is users and groups
                "isEnabled": True,
            }
            for value, key, says in ROLES
        ],
    }


def service_app(origin: str, *, intune_partner: bool, windows: bool) -> Mapping[str, Any]:
    kinds = [
        *([ChannelKind.INTUNE_PARTNER] if intune_partner else []),
        *([ChannelKind.GRAPH_DEVICE] if windows else []),
    ]
    graph = {*powers.needed("graph", kinds), *powers.OPTIONAL}
    wanted = {GRAPH_APP: graph, INTUNE_APP: powers.needed("intune", kinds)}
    return {
        "displayName": "Remediation service",
        "signInAudience": "AzureADMyOrg",
        "web": {"redirectUris": [f"{origin}/onboarding/consent/back"]},
        "requiredResourceAccess": [
            {"resourceAppId": resource, "resourceAccess": [{"id": IDS[name], "type": "Role"} for name in sorted(names)]}
            for resource, names in wanted.items()
            if names
        ],
    }


SCRIPT = """\
#!/bin/sh
# Registers both apps in the tenant that `az login` signed in to, and prints what the set-up asks for.
# Needs the role Application Administrator. Gives no consent: that is a step of the set-up.
set -eu
graph=https://graph.microsoft.com/v1.0
json=Content-Type=application/json
make() {
    az rest --method POST --uri "$graph/applications" --headers "$json" --body "@$1" --query appId --output tsv
}
sign_in=$(make sign-in.json)
service=$(make service.json)
for app in "$sign_in" "$service"; do
    az rest --method POST --uri "$graph/servicePrincipals" --headers "$json" --body "{\\"appId\\": \\"$app\\"}" --output none
done
echo "Tenant id             $(az account show --query tenantId --output tsv)"
echo "Sign-in: client id    $sign_in"
echo "Service: client id    $service"
echo "Sign-in: make its client secret:"
echo "  az ad app credential reset --id $sign_in --append --query password --output tsv"
echo "Service: upload the certificate that the set-up makes:"
echo "  az ad app credential reset --id $service --append --cert @remediation-service.pem"
"""
