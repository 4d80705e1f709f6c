"""Microsoft Graph v1.0, the part that this product's trade needs: users, devices, licences, service discovery.

Next door: `graph_groups` has the groups, `graph_sign_ins` the sign-in log, `graph_policies` the policies, `graph_privileged`
memberships with an end, `partners` the compliance partners, `graph_entities` the shapes, `graph_manners` tokens, permissions,
errors, query options and paging, `graph_update` the one write. Sources: microsoft-graph-docs-contrib api-reference/v1.0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Flask, Response, request

from sandbox import graph_entities as entities
from sandbox.graph_applications import add_applications
from sandbox.graph_groups import add_groups
from sandbox.graph_manners import (
    GraphError,
    context,
    filter_value,
    not_found,
    options,
    page,
    person_of,
    require,
    speak_graph,
    whole,
)
from sandbox.graph_packages import add_packages
from sandbox.graph_policies import add_policies
from sandbox.graph_privileged import add_privileged
from sandbox.graph_sign_ins import add_sign_ins
from sandbox.graph_tenant import add_tenant_facts
from sandbox.graph_update import checked_update
from sandbox.intune import ENDPOINT_NAMES, endpoint_url
from sandbox.partners import add_partners
from sandbox.world import INTUNE_DISCOVERY_APP_ID, DirectoryDevice

if TYPE_CHECKING:
    from sandbox.server import Sandbox

_READ_DEVICES = ("Device.Read.All", "Device.ReadWrite.All", "Directory.Read.All")
_READ_USERS = ("User.Read.All", "Directory.Read.All")
MAY_SIGN_IN = "accountEnabled eq true and userType eq 'Member'"
_READ_APPS = ("Application.Read.All", "Directory.Read.All")


def create_graph(sandbox: Sandbox) -> Flask:
    app = Flask("sandbox.graph", static_folder=None)
    speak_graph(app, sandbox)
    _users(app, sandbox)
    _devices(app, sandbox)
    add_groups(app, sandbox)
    add_sign_ins(app, sandbox)
    add_policies(app, sandbox)
    add_privileged(app, sandbox)
    add_packages(app, sandbox)
    add_partners(app, sandbox)
    add_applications(app, sandbox)
    add_tenant_facts(app, sandbox)
    _service_principals(app, sandbox)
    return app


def _users(app: Flask, sandbox: Sandbox) -> None:
    world = sandbox.world

    @app.get("/v1.0/users")
    def users() -> dict[str, Any]:
        """api/user-list.md. `$count`, and the one filter here, which is on two properties, are advanced queries."""
        require(*_READ_USERS)
        asked = options("$filter", "$select", "$top", "$skiptoken", "$count")
        if (asked.count or asked.filter) and request.headers.get("ConsistencyLevel", "").lower() != "eventual":
            raise GraphError(400, "Request_UnsupportedQuery", "Request with $count needs ConsistencyLevel: eventual.")
        if asked.filter not in (None, MAY_SIGN_IN):
            raise GraphError(400, "Request_UnsupportedQuery", f"Unsupported or invalid query filter: {asked.filter!r}.")
        with world.settled():
            here = [one for one in world.persons.values() if one.tenant_id == world.tenant_id]
            found = sorted((one for one in here if asked.filter is None or (one.enabled and not one.guest)), key=lambda p: p.oid)
            answer = page(sandbox, "users", found, asked)  # only what is on the page is drawn
            answer["value"] = [entities.user(person, asked.select) for person in answer["value"]]
        return {**answer, "@odata.count": len(found)} if asked.count else answer

    @app.get("/v1.0/users/<key>")
    @app.get("/v1.0/users('<key>')")
    def user(key: str) -> dict[str, Any]:
        require(*_READ_USERS, "User.ReadBasic.All")
        asked = options("$select")
        with world.settled():
            return context(sandbox, "users/$entity") | entities.user(person_of(sandbox, key), asked.select)

    @app.get("/v1.0/users/<key>/registeredDevices", defaults={"cast": None})
    @app.get("/v1.0/users/<key>/registeredDevices/<cast>")
    def registered_devices(key: str, cast: str | None) -> dict[str, Any]:
        claims = require(*_READ_USERS)
        if cast not in (None, "microsoft.graph.device"):
            raise GraphError(400, "BadRequest", f"Resource not found for the segment '{cast}'.")
        asked = options("$select", "$top", "$skiptoken")
        with world.settled():
            owner = person_of(sandbox, key)
            found = sorted(
                (d for d in world.devices.values() if owner.oid in (d.owner_oid, *d.registered_users) and world.visible(d)),
                key=lambda d: d.object_id,
            )
            if sandbox.faults.take("graph", "unlisted", request.path, request.method):
                found = []
            if not set(claims.get("roles", ())) & set(_READ_DEVICES):
                # graph-docs includes/limited-info.md: without a right on the member's type only type and id are given.
                items = [{"@odata.type": "#microsoft.graph.device", "id": d.object_id} for d in found]
            elif cast is None:
                items = [entities.device_as_directory_object(d, asked.select) for d in found]
            else:
                items = [entities.device(d, asked.select) for d in found]
        return page(sandbox, "directoryObjects" if cast is None else "devices", items, asked)

    @app.get("/v1.0/users/<key>/licenseDetails")
    def licence_details(key: str) -> dict[str, Any]:
        require("LicenseAssignment.Read.All", *_READ_USERS)
        asked = options("$select")
        with world.settled():
            items = entities.licence_details(person_of(sandbox, key), asked.select)
        return whole(sandbox, "licenseDetails", items)


def _devices(app: Flask, sandbox: Sandbox) -> None:
    world = sandbox.world

    @app.get("/v1.0/devices")
    def devices() -> dict[str, Any]:
        require(*_READ_DEVICES)
        asked = options("$filter", "$select", "$expand", "$top", "$skiptoken")
        if asked.expand not in (None, "registeredOwners", "registeredOwners($select=id)"):
            raise GraphError(400, "Request_BadRequest", f"Could not expand '{asked.expand}' here.")
        with world.settled():
            now = world.now()
            found = [d for d in world.devices.values() if not d.deleted and d.listed_at <= now]
            found.sort(key=lambda d: d.object_id)
            if asked.filter is not None:
                wanted = filter_value(asked.filter, "deviceId")
                found = [d for d in found if d.device_id == wanted.lower()]
            if sandbox.faults.take("graph", "unlisted", request.path, request.method):
                found = []
            answer = page(sandbox, "devices", found, asked)  # only what is on the page is drawn: there may be a hundred thousand
            answer["value"] = [entities.device(d, asked.select) | _expanded(sandbox, d, asked.expand) for d in answer["value"]]
        return answer

    @app.get("/v1.0/devices/<object_id>")
    @app.get("/v1.0/devices(deviceId='<device_id>')")
    def device(object_id: str | None = None, device_id: str | None = None) -> dict[str, Any]:
        require(*_READ_DEVICES)
        asked = options("$select")
        with world.settled():
            return context(sandbox, "devices/$entity") | entities.device(_device(sandbox, object_id, device_id), asked.select)

    # The cast: api/device-list-registeredowners.md, "OData cast is also enabled".
    @app.get("/v1.0/devices/<object_id>/registeredOwners")
    @app.get("/v1.0/devices(deviceId='<device_id>')/registeredOwners")
    @app.get("/v1.0/devices/<object_id>/registeredOwners/microsoft.graph.user")
    @app.get("/v1.0/devices(deviceId='<device_id>')/registeredOwners/microsoft.graph.user")
    def owners(object_id: str | None = None, device_id: str | None = None) -> dict[str, Any]:
        claims = require(*_READ_DEVICES)
        asked = options("$select")
        with world.settled():
            owner = world.persons.get(_device(sandbox, object_id, device_id).owner_oid)
            items: list[dict[str, Any]] = []
            if owner is not None:
                items = [{"@odata.type": "#microsoft.graph.user", "id": owner.oid}]
                if set(claims["roles"]) & {*_READ_USERS, "User.ReadBasic.All"}:
                    items[0] |= entities.user(owner, asked.select)
        return page(sandbox, "directoryObjects", items, asked)

    @app.patch("/v1.0/devices/<object_id>")
    @app.patch("/v1.0/devices(deviceId='<device_id>')")
    def update(object_id: str | None = None, device_id: str | None = None) -> Response:
        claims = require("Device.ReadWrite.All")
        options()
        approved = any(app.approved_mdm for app in world.apps.values() if app.client_id == claims.get("appid"))
        ignored = sandbox.faults.take("graph", "ignore_writes", request.path, request.method) is not None
        with world.settled():
            found = _device(sandbox, object_id, device_id)
            values = checked_update(found, request.get_json(silent=True), approved=approved)
            if not ignored:
                world.write_device(found, values)
        return Response(status=204)


def _service_principals(app: Flask, sandbox: Sandbox) -> None:
    world = sandbox.world

    def intune_object_id() -> str:
        return f"{world.tenant_id[:23]}-00000000000a"

    def endpoints_of(known: bool) -> dict[str, Any]:
        if not known:
            raise not_found("servicePrincipal")
        items = [
            {
                "id": f"{intune_object_id()[:-1]}{number}",
                "capability": name,
                "providerName": name,
                "providerId": INTUNE_DISCOVERY_APP_ID,
                "uri": endpoint_url(sandbox, name),
            }
            for number, name in enumerate(ENDPOINT_NAMES)
        ]
        return whole(sandbox, "endpoints", items)

    @app.get("/v1.0/servicePrincipals")
    def service_principals() -> dict[str, Any]:
        require(*_READ_APPS)
        asked = options("$filter", "$select")
        if asked.filter is None:
            raise GraphError(400, "Request_UnsupportedQuery", "The stand-in lists service principals by appId only.")
        wanted = filter_value(asked.filter, "appId").lower()
        known = [(intune_object_id(), INTUNE_DISCOVERY_APP_ID, "Microsoft Intune")] if world.partner.set_up else []
        items = [entities.service_principal(*sp, asked.select) for sp in known if sp[1] == wanted]
        return whole(sandbox, "servicePrincipals", items)

    # Both key forms are in use: microsoft/Intune-Resource-Access has appId=…, Graph's reference (appId='…').
    @app.get("/v1.0/servicePrincipals/<object_id>/endpoints")
    @app.get("/v1.0/servicePrincipals/appId=<app_id>/endpoints")
    @app.get("/v1.0/servicePrincipals(appId='<app_id>')/endpoints")
    def endpoints(object_id: str | None = None, app_id: str | None = None) -> dict[str, Any]:
        require(*_READ_APPS)
        options()
        there = object_id == intune_object_id() or app_id == INTUNE_DISCOVERY_APP_ID
        return endpoints_of(there and world.partner.set_up)


def _expanded(sandbox: Sandbox, device: DirectoryDevice, expand: str | None) -> dict[str, Any]:
    """resources/device.md: registeredOwners supports `$expand`."""
    if expand is None:
        return {}
    owner = sandbox.world.persons.get(device.owner_oid)
    return {"registeredOwners": [{"@odata.type": "#microsoft.graph.user", "id": owner.oid}] if owner else []}


def _device(sandbox: Sandbox, object_id: str | None, device_id: str | None) -> DirectoryDevice:
    world = sandbox.world
    found = world.device_by_device_id(device_id) if device_id else world.devices.get((object_id or "").lower())
    if found is None or not world.visible(found):
        raise not_found(device_id or object_id or "")
    return found
