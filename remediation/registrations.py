"""Both app registrations as Microsoft Graph takes them (`POST /applications`), and a script that makes them with a token of the
Azure command line's. Pure text: nothing is called here.

The body is Graph's `application`: graph-docs resources/application.md. Ids of permissions: graph-docs permissions-reference.md;
those of the Intune API stand in docs/calls.md. App roles: entra-docs howto-add-app-roles-in-apps.md; `auth_time` and `acct`:
entra-docs optional-claims-reference.md.
"""

import json
from collections.abc import Mapping
from typing import Any

from .domain import powers
from .domain.channel import ChannelKind

GRAPH = "https://graph.microsoft.com"
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
    ("Helpdesk.Lead", "6f0d9a34-6b0c-4e0f-9a51-2f8f6b1f0c04", "Tells everybody while something is wrong."),
    ("Admin", "6f0d9a34-6b0c-4e0f-9a51-2f8f6b1f0c03", "Sets the tenant up, and sees figures."),
)


def files(origin: str, *, intune_partner: bool, windows: bool, graph: str = GRAPH) -> Mapping[str, str]:
    """By name of the file; `graph` is where Microsoft Graph lives in the tenant's cloud."""
    apps = {
        "sign-in.json": sign_in_app(origin),
        "service.json": service_app(origin, intune_partner=intune_partner, windows=windows),
    }
    written = {name: json.dumps(app, indent=2) + "\n" for name, app in apps.items()}
    return {**written, "register.sh": SCRIPT.replace("@GRAPH@", graph)}


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
# Needs the Azure command line, curl, and the role Application Administrator (Azure Cloud Shell has both). Gives no consent: that
# is a step of the set-up. Run it once: where apps of these names are there already, it stops.
set -eu
cd "$(dirname "$0")"
graph=${GRAPH:-@GRAPH@}
token=${TOKEN:-$(az account get-access-token --resource "$graph" --query accessToken --output tsv)}
ask() {
    # The token goes by standard input: a list of processes shows arguments.
    method=$1 path=$2
    shift 2
    printf 'Authorization: Bearer %s\\n' "$token" |
        curl --silent --show-error --request "$method" --header @- --header 'Content-Type: application/json' \\
            --write-out '\\n%{http_code}' "$@" "$graph/v1.0/$path"
}
client_id() {
    tr -d '\\n' | sed -n 's/.*"appId" *: *"\\([0-9a-fA-F-]*\\)".*/\\1/p'
}
check() {
    # The last line is the status; what Microsoft says of a refusal is shown.
    case $1 in
    *"
$2") ;;
    *)
        echo "Microsoft refuses: $1" >&2
        exit 1
        ;;
    esac
}
for name in 'Remediation sign-in' 'Remediation service'; do
    filter=$(echo "displayName eq '$name'" | sed "s/ /%20/g; s/'/%27/g")
    known=$(ask GET "applications?\\$filter=$filter&\\$select=appId")
    check "$known" 200
    if [ -n "$(echo "$known" | client_id)" ]; then
        echo "There is an app named $name already: use it, or delete it first." >&2
        exit 1
    fi
done
sign_in=$(ask POST applications --data @sign-in.json)
check "$sign_in" 201
service=$(ask POST applications --data @service.json)
check "$service" 201
sign_in=$(echo "$sign_in" | client_id)
service=$(echo "$service" | client_id)
for app in "$sign_in" "$service"; do
    made=$(ask POST servicePrincipals --data "{\\"appId\\": \\"$app\\"}")
    check "$made" 201
done
echo "Sign-in: client id    $sign_in"
echo "Service: client id    $service"
echo "Tenant id: az account show --query tenantId --output tsv"
echo "Sign-in: make its client secret:"
echo "  az ad app credential reset --id $sign_in --append --query password --output tsv"
echo "Service: upload the certificate that the set-up makes:"
echo "  az ad app credential reset --id $service --append --cert @remediation-service.pem"
"""
