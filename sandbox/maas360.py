"""IBM MaaS360 as its web services have it: device search and details, compliance, custom attributes, messages.

Paths from UrbanCode/IBM-MaaS360-UCD `WebServices.java`, Milhound/maas360api and IBM's documentation. Next door: `maas360_gate`
(token, XML, errors), `maas360_shapes` (what a record looks like), `world` (what is true).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from flask import Flask, Response, request

from sandbox import maas360_shapes as shapes
from sandbox.maas360_gate import Fault, Gate, asked, bad_request, guard, no_device, number_of_page, some, told
from sandbox.maas360_users import add_users_and_groups
from sandbox.world import ManagedRecord, World

if TYPE_CHECKING:
    from sandbox.faults import Faults
    from sandbox.server import Sandbox

DEVICES = "/maas360/device-apis/devices"
GROUP = "MaaS360"
_FORBIDDEN = re.compile(r"[.<>\\\"']")
_IGNORED = ("excludeCloudExtenders", "operator", "sortAttribute", "sortOrder", "pageNumber", "pageSize", "match")
_STATES = {
    "plcCompliance": "policyComplianceState",
    "ruleCompliance": "ruleComplianceState",
    "appCompliance": "appComplianceState",
    "pswdCompliance": "passcodeCompliance",
}
_WHOLE = {
    "email": "emailAddress",
    "udid": "udid",
    "wifiMacAddress": "wifiMacAddress",
    "maas360DeviceId": "maas360DeviceID",
    "userDomain": "userDomain",
    "platformName": "platformName",
    "maas360ManagedStatus": "maas360ManagedStatus",
}
_PARTIAL = {"partialDeviceName": "deviceName", "partialUsername": "username", "partialPhoneNumber": "phoneNumber"}
_REFUSED = [
    "lockDevice",
    "locateDevice",
    "wipeDevice",
    "selectiveWipeDevice",
    "revokeSelectiveWipe",
    "cancelPendingWipe",
    "changeDevicePolicy",
    "removeDevice",
    "hideDevice",
    "blockDeviceMessagingSystem",
    "resetDevicePasscode",
]


def create_maas360(sandbox: Sandbox) -> Flask:
    """Everything under `/maas360`, which in life is the root of the instance's host."""
    app = Flask("sandbox.maas360", static_folder=None)
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.config["MAX_CONTENT_LENGTH"] = 1_000_000
    gate = Gate(sandbox.world, sandbox.faults)
    guard(app, gate)
    _sign_in(app, gate)
    _search(app, sandbox.world, sandbox.faults)
    _details(app, sandbox.world)
    _events(app, sandbox.world)
    _attributes(app, sandbox.world, sandbox.faults)
    _actions(app, sandbox.world)
    add_users_and_groups(app, sandbox.world)
    return app


def _sign_in(app: Flask, gate: Gate) -> None:
    @app.post("/maas360/auth-apis/auth/1.0/authenticate/<billing_id>", endpoint="auth_first")
    def first(billing_id: str) -> Response:
        return gate.authenticate(billing_id, refreshing=False, with_refresh=False)

    @app.post("/maas360/auth-apis/auth/2.0/authenticate/customer/<billing_id>", endpoint="auth_second")
    def second(billing_id: str) -> Response:
        return gate.authenticate(billing_id, refreshing=False, with_refresh=True)

    @app.post("/maas360/auth-apis/auth/2.0/refreshToken/customer/<billing_id>", endpoint="auth_refresh")
    def refresh(billing_id: str) -> Response:
        return gate.authenticate(billing_id, refreshing=True, with_refresh=True)


def _record(world: World, csn: str) -> ManagedRecord:
    for record in world.held_by("maas360"):
        if shapes.csn(record) == csn:
            return record
    raise no_device()


def _search(app: Flask, world: World, faults: Faults) -> None:
    names = ("deviceStatus", "lastReportedAfterInEpochms", "imeiMeid", "mailboxDeviceId", "mdmMailboxDeviceId", "mailBoxManaged")
    known = (*names, *_WHOLE, *_PARTIAL, *_STATES, *_IGNORED)

    def mixed() -> bool:
        return faults.take("maas360", "plain_types", request.path, request.method) is None

    @app.get(f"{DEVICES}/2.0/search/customer/<billing_id>", endpoint="search")
    @app.get(f"{DEVICES}/1.0/search/<billing_id>", endpoint="search_1")
    def search(billing_id: str) -> Response:
        query = asked(*known)
        page, size = number_of_page(query)
        with world.settled():
            now = world.now()
            hits = [r for r in world.held_by("maas360") if r.listed_at <= now and _fits(world, r, query)]
            if faults.take("maas360", "unlisted", request.path, request.method):
                hits = []
            hits.sort(key=_order(query), reverse=query.get("sortOrder") == "dsc")
            if page > 1 and faults.take("maas360", "shifted", request.path, request.method):
                del hits[(page - 2) * size]  # removed meanwhile: what was at the top of this page was never on any
            shown, as_is = hits[(page - 1) * size : page * size], mixed()
            devices = [shapes.device(world, record, as_is) for record in shown]
            return told({"devices": {"count": len(hits), "pageNumber": page, "pageSize": size, **some("device", devices)}})


def _order(query: dict[str, str]) -> Callable[[ManagedRecord], Any]:
    if query.get("sortAttribute", "lastReported") not in ("lastReported", "installedDate"):
        raise bad_request("sortAttribute is not known.")
    if query.get("sortOrder", "asc") not in ("asc", "dsc"):
        raise bad_request("sortOrder is not known.")
    if query.get("sortAttribute") == "installedDate":
        return lambda record: (record.enrolled_on, record.id)
    return lambda record: (record.last_seen, record.id)


def _fits(world: World, record: ManagedRecord, query: dict[str, str]) -> bool:
    status = query.get("deviceStatus", "Active")
    if status not in ("Active", "InActive", "Inactive"):
        raise bad_request("deviceStatus is not known.")
    if shapes.active(record) is not (status == "Active"):
        return False
    shown = {name: str(value) for name, value in shapes.device(world, record, mixed=False).items()}
    after = query.get("lastReportedAfterInEpochms")
    if after is not None and (not after.isdigit() or shapes.epoch(record.last_seen) <= int(after)):
        return False
    if any(name in query and shown[field].lower() != query[name].lower() for name, field in _WHOLE.items()):
        return False
    if any(query.get(name) == "OOC" and shown[field] in (shapes.IN, "Compliant") for name, field in _STATES.items()):
        return False
    whole = query.get("match") == "1"
    for name, field in _PARTIAL.items():
        if name in query:
            value, wanted = shown[field].lower(), query[name].lower()
            if value != wanted if whole else not value.startswith(wanted):
                return False
    return True


def _details(app: Flask, world: World) -> None:
    def device(read: Callable[[ManagedRecord], dict[str, Any]]) -> Response:
        query = asked("deviceId")
        with world.settled():
            return told(read(_record(world, query.get("deviceId", ""))))

    @app.get(f"{DEVICES}/1.0/core/<billing_id>")
    def core(billing_id: str) -> Response:
        return device(lambda record: {"device": shapes.device(world, record)})

    @app.get(f"{DEVICES}/1.0/summary/<billing_id>")
    def summary(billing_id: str) -> Response:
        def of(record: ManagedRecord) -> dict[str, Any]:
            keys = [{"key": "Apple Serial Number", "type": "String", "value": record.serial}]
            return {"deviceAttributes": {"maas360DeviceID": shapes.csn(record), **some("deviceAttribute", keys)}}

        return device(of)

    @app.get(f"{DEVICES}/1.0/mdSecurityCompliance/<billing_id>")
    def security(billing_id: str) -> Response:
        def of(record: ManagedRecord) -> dict[str, Any]:
            shown = some("complianceAttribute", shapes.attributes(record))
            return {"securityCompliance": {"maas360DeviceID": shapes.csn(record), "complianceAttributes": shown}}

        return device(of)

    @app.get(f"{DEVICES}/1.0/deviceActions/<billing_id>")
    def actions(billing_id: str) -> Response:
        offered = ("Send Message", "Request Data Refresh")
        listed = [{"actionId": str(n), "actionName": a, "actionOrder": n, "actionType": "MDM"} for n, a in enumerate(offered)]
        return device(lambda record: {"deviceActions": some("deviceAction", listed)})

    @app.get(f"{DEVICES}/1.0/identity/<billing_id>")
    def identity(billing_id: str) -> Response:
        def of(record: ManagedRecord) -> dict[str, Any]:
            items = record.custom_attributes.items()
            values = [{"customAttributeName": n, "customAttributeValue": v} for (group, n), v in items if group == GROUP]
            return {"deviceIdentity": shapes.identity(record, values)}

        return device(of)


def _events(app: Flask, world: World) -> None:
    @app.get(f"{DEVICES}/1.0/searchComplianceEvents/<billing_id>")
    def events(billing_id: str) -> Response:
        page, size = number_of_page(asked("pageNumber", "pageSize"))
        with world.settled():
            records = sorted(world.held_by("maas360"), key=lambda r: (r.last_compliance_check, r.id), reverse=True)
            every = [shapes.event(record, policy.name) for record in records for policy in record.failing]
            page = min(page, max(1, -(-len(every) // size)))  # beyond the last page the last one is told again, by its own number
            shown = every[(page - 1) * size : page * size]
            body = {"count": len(every), "pageNumber": page, "pageSize": len(shown), **some("complianceEvent", shown)}
            return told({"complianceEvents": body})


def _attributes(app: Flask, world: World, faults: Faults) -> None:
    @app.post(f"{DEVICES}/2.0/customAttributes/customer/<billing_id>")
    def define(billing_id: str) -> Response:
        sent = request.get_json(silent=True)
        name = sent.get("name") if isinstance(sent, dict) else None
        if not isinstance(name, str) or not name or _FORBIDDEN.search(name):
            raise bad_request("The name of the attribute is not allowed.")
        with world.lock:
            exists = name in world.maas360.attributes
            world.maas360.attributes.add(name)
            return told({"name": name, "responseCode": 7 if exists else 0})

    @app.post(f"{DEVICES}/1.0/setCustomAttributeValue/<billing_id>")
    def write(billing_id: str) -> Response:
        query = asked("deviceId", "customAttributeName", "customAttributeValue")
        name, value = query.get("customAttributeName", ""), query.get("customAttributeValue", "")
        with world.settled():
            record = _record(world, query.get("deviceId", ""))
            if _FORBIDDEN.search(name) or _FORBIDDEN.search(value):
                return _done(record, 1, "Characters that are not allowed.")
            if name not in world.maas360.attributes:
                return _done(record, 1, "The custom attribute is not defined.")
            if not faults.take("maas360", "ignore_writes", request.path, request.method):
                record.custom_attributes[GROUP, name] = value
            return _done(record)


def _done(record: ManagedRecord, status: int = 0, description: str = "Success") -> Response:
    return told({"actionResponse": {"maas360DeviceID": shapes.csn(record), "actionStatus": status, "description": description}})


def _actions(app: Flask, world: World) -> None:
    @app.post(f"{DEVICES}/1.0/sendMessage/<billing_id>")
    def message(billing_id: str) -> Response:
        query = asked("deviceId", "messageTitle", "message")
        if not request.content_type or not request.content_type.startswith("application/x-www-form-urlencoded"):
            raise Fault(415, "The media type of the request is not supported.", 415)
        if not query.get("messageTitle") or not query.get("message"):
            raise bad_request("messageTitle and message are required.")
        with world.settled():
            record = _record(world, query.get("deviceId", ""))
            if record.enrollment_status != "Enrolled":
                return _done(record, 1, "The device is not managed.")
            agent = shapes.AGENTS.get(record.platform, "com.fiberlink.maas360forios")
            world.message(record.id, agent, query["message"])
            return _done(record)

    @app.post(f"{DEVICES}/1.0/refreshDeviceInformation/<billing_id>")
    def refresh(billing_id: str) -> Response:
        query = asked("deviceId")
        with world.settled():
            record = _record(world, query.get("deviceId", ""))
            world.ask_check_in(record.id)
            return _done(record)

    @app.post(f"{DEVICES}/1.0/<any({','.join(_REFUSED)}):name>/<billing_id>")
    def never(name: str, billing_id: str) -> Response:
        # What our account's role may not do; the code of a missing right is not public.
        raise Fault(403, f"The role of this account does not allow {name}.", 403)
