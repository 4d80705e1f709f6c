"""App registrations in Graph: read by their client id, and made by an administrator who is signed in (never by an app of ours).

Sources: microsoft-graph-docs-contrib api-reference/v1.0/api/{application-get,application-list,application-post-applications,
serviceprincipal-post-serviceprincipals}.md, resources/{application,passwordcredential,requiredresourceaccess,approle}.md. Ids of
permissions: concepts/permissions-reference.md, and for Intune a public dump of its service principal.
"""

from __future__ import annotations

import re
import uuid
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

from flask import Flask, g, request

from sandbox.graph_manners import AUDIENCE, GraphError, context, filter_value, not_found, options, require, whole
from sandbox.things import AppRegistration
from sandbox.world import GRAPH_APP_ID, INTUNE_APP_ID

if TYPE_CHECKING:
    from sandbox.server import Sandbox

_READ = ("Application.Read.All", "Directory.Read.All")
AZURE_CLI = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"
"""The public client as which `az` signs its people in."""
PERMISSIONS = {
    GRAPH_APP_ID: {
        "df021288-bdef-4463-88db-98f22de89214": "User.Read.All",
        "7438b122-aefc-4978-80ed-43db9fcc7715": "Device.Read.All",
        "1138cb37-bd11-4084-a2b7-9f71582aeddb": "Device.ReadWrite.All",
        "9a5d68dd-52b0-4cc2-bd40-abcf44ac3a30": "Application.Read.All",
        "98830695-27a2-44f7-8c18-0c3ebc9698f6": "GroupMember.Read.All",
        "e2f98668-2877-4f38-a2f4-8202e0717aa1": "LicenseAssignment.Read.All",
        "b0afded3-3588-46d8-8b3d-9842eff778da": "AuditLog.Read.All",
        "06a5fe6d-c49d-46a7-b082-56b1b14103c7": "DeviceManagementServiceConfig.Read.All",
        "246dd0d5-5bd0-4def-940b-0421030a5b68": "Policy.Read.All",
    },
    INTUNE_APP_ID: {
        "7b3c62c0-bbe4-4ceb-971b-ecc50a191b3e": "update_device_attributes",
        "3857e233-c379-404e-85e9-bdbf3a62b28f": "manage_partner_compliance_policy",
    },
}
_KNOWN = {"displayName", "signInAudience", "web", "optionalClaims", "appRoles", "requiredResourceAccess"}
_ROLE = {"id", "value", "displayName", "description", "allowedMemberTypes", "isEnabled"}
_VALUE = re.compile(r"[!-~]{1,120}")  # no spaces: entra-docs howto-add-app-roles-in-apps.md


def token_of_administrator(sandbox: Sandbox, *scopes: str) -> str:
    """What `az account get-access-token` gives an Application Administrator: delegated, so with scopes and no roles."""
    now = sandbox.world.now().timestamp()
    claims = {"aud": AUDIENCE, "appid": AZURE_CLI, "tid": sandbox.world.tenant_id, "issued": now, "exp": now + 3600}
    return sandbox.keys.seal("access", {**claims, "scp": " ".join(scopes or ("Application.ReadWrite.All",))})


def add_applications(app: Flask, sandbox: Sandbox) -> None:
    world = sandbox.world

    @app.get("/v1.0/applications(appId='<client_id>')")
    def application(client_id: str) -> dict[str, Any]:
        require(*_READ)
        asked = options("$select")
        with world.settled():
            shown = _shown(sandbox, _of(sandbox, client_id))
        return context(sandbox, "applications/$entity") | _some(shown, asked.select)

    @app.get("/v1.0/applications")
    def applications() -> dict[str, Any]:
        _may_write()
        asked = options("$filter", "$select")
        if asked.filter is None:
            raise GraphError(400, "Request_UnsupportedQuery", "The stand-in lists applications by displayName only.")
        name = filter_value(asked.filter, "displayName")
        with world.settled():
            found = [_some(_shown(sandbox, one), asked.select) for one in world.apps.values() if one.name == name]
        return whole(
            sandbox, "applications", [{k: v for k, v in one.items() if not asked.select or k in asked.select} for one in found]
        )

    @app.post("/v1.0/applications")
    def register() -> tuple[dict[str, Any], int]:
        _may_write()
        options()
        made = _registered(sandbox, _body())
        with world.lock:
            world.apps[made.client_id] = made
        return context(sandbox, "applications/$entity") | _shown(sandbox, made), 201

    @app.post("/v1.0/servicePrincipals")
    def service_principal() -> tuple[dict[str, Any], int]:
        _may_write()
        options()
        body = _body()
        if set(body) != {"appId"}:
            raise _bad(f"A service principal is made of its appId alone, not of {sorted(body)}.")
        with world.lock:
            made = next((one for one in world.apps.values() if one.client_id == str(body["appId"]).lower()), None)
            if made is None:
                text = f"The appId '{body['appId']}' does not reference a valid application."
                raise GraphError(400, "NoBackingApplicationObject", text)
            if made.consented:
                text = f"The service principal of {made.client_id} exists."
                raise GraphError(409, "Request_MultipleObjectsWithSameKeyValue", text)
            made.consented = True  # it is in the tenant; nothing was granted to it
        return context(sandbox, "servicePrincipals/$entity") | {"id": str(uuid.uuid4()), "appId": made.client_id}, 201


def _some(shown: dict[str, Any], select: list[str] | None) -> dict[str, Any]:
    if select is not None and (unknown := set(select) - set(shown)):
        raise _bad(f"Could not find a property named '{sorted(unknown)[0]}'.")
    return {name: value for name, value in shown.items() if select is None or name in select}


def _may_write() -> None:
    if "Application.ReadWrite.All" not in str(g.claims.get("scp", "")).split():
        raise GraphError(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")


def _bad(message: str) -> GraphError:
    return GraphError(400, "Request_BadRequest", message)


def _body() -> dict[str, Any]:
    if request.mimetype != "application/json":
        raise _bad("Content-Type must be application/json.")
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        raise _bad("Unable to read JSON request payload.")
    return cast("dict[str, Any]", body)


def _of(sandbox: Sandbox, client_id: str) -> AppRegistration:
    found = next((one for one in sandbox.world.apps.values() if one.client_id == client_id.lower()), None)
    if found is None:
        raise not_found(client_id)
    return found


def _shown(sandbox: Sandbox, one: AppRegistration) -> dict[str, Any]:
    """Never the text of a secret: that is shown once, to whoever makes it."""
    world = sandbox.world
    ends = one.secret_ends or world.now() + timedelta(days=365)
    secret = {
        "customKeyIdentifier": None,
        "displayName": "Secret",
        "startDateTime": f"{ends - timedelta(days=730):%Y-%m-%dT%H:%M:%SZ}",
        "endDateTime": f"{ends:%Y-%m-%dT%H:%M:%S.%f}0Z",  # seven digits, as elsewhere in Graph
        "hint": one.secret[:3],
        "keyId": str(uuid.uuid5(uuid.NAMESPACE_OID, one.secret or one.client_id)),
        "secretText": None,
    }
    return {
        "id": str(uuid.uuid5(uuid.NAMESPACE_OID, one.client_id)),
        "appId": one.client_id,
        "displayName": one.name,
        "passwordCredentials": [secret] if one.secret else [],
    }


def _registered(sandbox: Sandbox, body: dict[str, Any]) -> AppRegistration:
    if unknown := set(body) - _KNOWN:
        raise _bad(f"Invalid property '{sorted(unknown)[0]}'.")
    if not body.get("displayName") or body.get("signInAudience") != "AzureADMyOrg":
        raise _bad("displayName and signInAudience (here: AzureADMyOrg) are asked for.")
    addresses = body.get("web", {}).get("redirectUris", [])
    for address in addresses:
        parts = urlsplit(address)
        if parts.scheme != "https" and parts.hostname not in ("localhost", "127.0.0.1"):
            raise _bad(f"The redirect URI '{address}' must start with https.")
    for role in body.get("appRoles", []):
        if set(role) != _ROLE or not _VALUE.fullmatch(role["value"]) or set(role["allowedMemberTypes"]) - {"User", "Application"}:
            raise _bad(f"The app role {role.get('value')!r} is not as it must be.")
        uuid.UUID(role["id"])
    if len({role["id"] for role in body.get("appRoles", [])}) != len(body.get("appRoles", [])):
        raise _bad("Ids of app roles are used once.")
    requested: dict[str, set[str]] = {}
    for resource in body.get("requiredResourceAccess", []):
        known = PERMISSIONS.get(resource["resourceAppId"], {})
        for access in resource["resourceAccess"]:
            if access["type"] != "Role" or access["id"] not in known:
                raise _bad(f"Nothing of {resource['resourceAppId']} has the id {access['id']}.")
        requested[resource["resourceAppId"]] = {known[access["id"]] for access in resource["resourceAccess"]}
    made = AppRegistration(str(uuid.uuid4()), body["displayName"], "", sandbox.world.tenant_id, tuple(addresses))
    made.consented, made.requested = False, requested
    made.optional_claims = tuple(one["name"] for one in body.get("optionalClaims", {}).get("idToken", []))
    made.app_roles = tuple(role["value"] for role in body.get("appRoles", []))
    return made
