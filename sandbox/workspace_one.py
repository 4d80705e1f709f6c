"""Workspace ONE UEM as its REST API has it: users, devices, compliance, custom attributes, commands, messages.

Every resource is written from the clients that a live tenant's API description generated (mrpaws/awtest `mdm/v1`,
`mdm/v2`, `system/v1`, `system/v2`) and from recordings. Next door: `workspace_one_gate` (token, errors, versions),
`workspace_one_shapes` (what a record looks like), `world` (what is true).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from flask import Flask, Response, jsonify, request

from sandbox import workspace_one_shapes as shapes
from sandbox.workspace_one_events import add_event_notifications
from sandbox.workspace_one_gate import Fault, Gate, allowed, bad_request, body, guard, no_device, number_of_page, version, whole
from sandbox.workspace_one_groups import add_groups
from sandbox.world import ManagedRecord, Person, World

if TYPE_CHECKING:
    from sandbox.faults import Faults
    from sandbox.server import Sandbox

Answer = Response | tuple[Response | str, int]

COMMANDS = ("DeviceQuery", "SyncDevice")
"""What our service account's role may send; the vendor's list is far longer and holds DeviceWipe."""
MESSAGE_TYPES = ("Apns", "Awcm", "Gcm", "Wns")
PLATFORMS = ("Apple", "Android", "AppleOsX", "WinRT", "ChromeOS")
SEARCH_BY: dict[str, Callable[[ManagedRecord], str]] = {
    "serialnumber": lambda record: record.serial,
    "udid": lambda record: record.udid,
    "deviceid": lambda record: str(record.id),
    "macaddress": lambda record: f"{0xA0B1C2000000 + record.id:012X}",
}


def create_workspace_one(sandbox: Sandbox) -> Flask:
    """Everything under `/ws1/API` and the token endpoint `/ws1auth/connect/token`."""
    app = Flask("sandbox.workspace_one", static_folder=None)
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.config["MAX_CONTENT_LENGTH"] = 1_000_000
    world, gate = sandbox.world, Gate(sandbox.world)
    guard(app, gate)
    app.post("/ws1auth/connect/token", endpoint="token")(gate.token)
    _users(app, world)
    _devices(app, world, sandbox.faults)
    _posture(app, world)
    _attributes(app, world, gate, sandbox.faults)
    _actions(app, world)
    add_groups(app, world, _page)
    add_event_notifications(app, sandbox.events)
    return app


def _page(items: Sequence[Any], query: dict[str, str], name: str, show: Callable[[Any], dict[str, Any]]) -> Answer:
    page, size = number_of_page(query)
    chosen = items[page * size : (page + 1) * size]
    if not chosen:
        return "", 204  # nothing is answered by nothing: no envelope, no body (graph-airwatch recording.har)
    return jsonify({name: [show(item) for item in chosen], "Page": page, "PageSize": size, "Total": len(items)})


def _record(world: World, number: int) -> ManagedRecord:
    if (record := world.records.get(number)) is None or record.vendor != "workspace_one":
        raise no_device(number)
    return record


def _found(world: World, kind: str, value: str) -> ManagedRecord:
    read = SEARCH_BY.get(kind.lower())
    if read is None:
        raise bad_request(f"searchby {kind} is not known.")
    for record in world.held_by("workspace_one"):
        if read(record).lower() == value.lower():
            return record
    raise no_device(value)


def _time(text: str) -> datetime:
    """`yyyy/MM/dd`, `yyyy-MM-dd` or `MM/dd/yyyy`, then perhaps ` HH:mm:ss.fff` or `THH:mm:ss.fff`; taken as UTC."""
    day, _, time = text.replace("T", " ", 1).partition(" ")
    if american := re.fullmatch(r"(\d{2})/(\d{2})/(\d{4})", day):
        day = f"{american[3]}-{american[1]}-{american[2]}"
    try:
        return datetime.fromisoformat(f"{day.replace('/', '-')} {time or '00:00:00'}").replace(tzinfo=UTC)
    except ValueError:
        raise bad_request(f"{text!r} is not a date.") from None


def _users(app: Flask, world: World) -> None:
    def devices(person: Person) -> int:
        return sum(record.person_oid == person.oid for record in world.held_by("workspace_one"))

    @app.get("/ws1/api/system/users/search")
    def search_users() -> Answer:
        version((1,), 1)
        query = allowed("email", "username", "firstname", "lastname", "status", "page", "pagesize")
        wanted: dict[str, Callable[[Person], str]] = {
            "email": lambda p: p.mail,
            "username": lambda p: p.mdm_user_name or "",
            "firstname": lambda p: p.name.partition(" ")[0],
            "lastname": lambda p: p.name.partition(" ")[2],
            "status": lambda p: "active" if p.enabled else "inactive",
        }
        with world.settled():
            people = [p for p in world.persons.values() if p.mdm_user_id is not None]
            for key, read in wanted.items():
                # A substring filter: whoever asks for ann@x also gets joann@x, and must compare exactly.
                people = [p for p in people if query.get(key, "").lower() in read(p).lower()]
            people.sort(key=lambda p: p.mdm_user_id or 0)
            return _page(people, query, "Users", lambda p: shapes.user_v1(world, p, devices(p)))

    @app.get("/ws1/api/system/users/<uuid:user>")
    def one_user(user: object) -> Answer:
        version((2,), 2)
        allowed()
        with world.settled():
            for person in world.persons.values():
                if person.mdm_user_uuid == str(user):
                    return jsonify(shapes.user_v2(world, person, devices(person)))
        raise Fault(404, 404, "Enrollment user not found.")


def _devices(app: Flask, world: World, faults: Faults) -> None:
    names = {1: ("seensince", "compliantstatus"), 2: ("seen_since", "compliance_status")}

    @app.get("/ws1/api/mdm/devices/search")
    def search_devices() -> Answer:
        # Advertised 1, 2, 3 and unpinned answered as 2 in the recording; version 3 is not played here.
        since, compliant = names[version((1, 2), 2)]
        query = allowed("user", "platform", since, compliant, "ownership", "lgid", "page", "pagesize", "orderby", "sortorder")
        if query.get("orderby", "deviceid").lower() != "deviceid":
            raise bad_request("Only orderby=deviceid is played here.")
        if (platform := query.get("platform")) and platform.lower() not in map(str.lower, PLATFORMS):
            raise bad_request(f"platform {platform} is not known.")
        with world.settled():
            now = world.now()
            listed = [record for record in world.held_by("workspace_one") if record.listed_at <= now]
            if faults.take("workspace_one", "unlisted", request.path, request.method):
                listed = []
            hits = sorted(listed, key=lambda r: r.id, reverse=query.get("sortorder", "").upper() == "DESC")
            if "user" in query:
                # The enrollment user's NAME, neither mail nor UPN.
                owners = {p.oid for p in world.persons.values() if (p.mdm_user_name or "").lower() == query["user"].lower()}
                hits = [r for r in hits if r.person_oid in owners]
            if platform:
                hits = [r for r in hits if r.platform.lower() == platform.lower()]
            if "ownership" in query:
                hits = [r for r in hits if r.ownership.lower() == query["ownership"].lower()]
            if compliant in query:
                hits = [r for r in hits if (r.compliance_status == "Compliant") == (query[compliant].lower() == "true")]
            if since in query:
                earliest = _time(query[since])
                hits = [r for r in hits if r.last_seen >= earliest]
            if query.get("lgid", str(world.mdm.group_id)) != str(world.mdm.group_id):
                hits = []
            page, size = number_of_page(query)
            if page and faults.take("workspace_one", "shifted", request.path, request.method):
                del hits[(page - 1) * size]  # deleted meanwhile: what was at the top of this page was never on any
            return _page(hits, query, "Devices", lambda r: shapes.device_search_item(world, r))

    @app.get("/ws1/api/mdm/devices")
    def device_by() -> Answer:
        version((1,), 1)
        query = allowed("searchby", "id")
        with world.settled():
            return jsonify(shapes.device_v1(world, _found(world, query.get("searchby", ""), query.get("id", ""))))

    @app.post("/ws1/api/mdm/devices")
    def devices_by() -> Answer:
        """Every record that bears one of the values, as it is stored: whether the real one looks past case is not public."""
        version((1,), 1)
        kind = allowed("searchby").get("searchby", "")
        sent = body("BulkValues").get("BulkValues")
        values = sent.get("Value") if isinstance(sent, dict) else None
        if (read := SEARCH_BY.get(kind.lower())) is None or not isinstance(values, list) or not values:
            raise bad_request("searchby and BulkValues are required.")
        with world.settled():
            hits = sorted((r for r in world.held_by("workspace_one") if read(r) in values), key=lambda r: r.id)
            return _page(hits, {}, "Devices", lambda r: shapes.device_search_item(world, r))

    @app.get("/ws1/api/mdm/devices/<int:number>")
    def device_by_number(number: int) -> Answer:
        version((1,), 1)
        allowed()
        with world.settled():
            return jsonify(shapes.device_v1(world, _record(world, number)))

    @app.get("/ws1/api/mdm/devices/<uuid:device>")
    def device_by_uuid(device: object) -> Answer:
        version((2,), 2)
        allowed()
        with world.settled():
            for record in world.held_by("workspace_one"):
                if record.uuid == str(device):
                    return jsonify(shapes.device_v2(world, record))
        raise no_device(device)


def _posture(app: Flask, world: World) -> None:
    @app.get("/ws1/api/mdm/devices/<int:number>/compliance")
    def compliance(number: int) -> Answer:
        version((1,), 1)
        page, size = number_of_page(allowed("page", "pagesize"))
        with world.settled():
            record = _record(world, number)
            shown = record.policies[page * size : (page + 1) * size]
            return jsonify(
                DeviceCompliance=[shapes.compliance_item(record, policy) for policy in shown],
                OverallCompliantStatus=record.compliance_status,
                Page=page,
                PageSize=size,
                Total=len(record.policies),
            )

    @app.get("/ws1/api/mdm/devices/<int:number>/security")
    def security(number: int) -> Answer:
        version((1,), 1)
        allowed()
        with world.settled():
            return jsonify(shapes.security(_record(world, number)))


def _attributes(app: Flask, world: World, gate: Gate, faults: Faults) -> None:
    known = ("Name", "ApplicationGroup", "Description", "ManagedByOrganizationGroupID", "Persist", "ShowInRuleCreator")
    more = ("CollectValuesForRuleCreator", "UseAsLookupValue", "Values")

    @app.post("/ws1/api/system/customattributes/create")
    def define() -> Answer:
        version((1,), 1)
        sent = body(*known, *more)
        name, group = sent.get("Name"), sent.get("ApplicationGroup")
        if not isinstance(name, str) or not isinstance(group, str) or not name or not group:
            raise bad_request("Name and ApplicationGroup are required.")
        with world.lock:
            if (group, name) in gate.defined:
                raise bad_request(f"The attribute {name} is defined already.")
            gate.defined[group, name] = {"Id": {"Value": len(gate.defined) + 1}, **sent}
            return jsonify(Value=len(gate.defined))

    @app.get("/ws1/api/system/customattributes/search")
    def definitions() -> Answer:
        version((1,), 1)
        query = allowed("organizationgroupid", "name", "page", "pagesize")
        with world.lock:
            found = [d for d in gate.defined.values() if query.get("name", "").lower() in d["Name"].lower()]
            return _page(found, query, "CustomAttributes", dict)

    @app.route("/ws1/api/mdm/devices/<int:number>/customattributes", methods=["PUT", "DELETE"])
    def values(number: int) -> Answer:
        version((1,), 1)
        items = body("CustomAttributes").get("CustomAttributes")
        if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
            raise bad_request("CustomAttributes is not a list.")
        with world.settled():
            record, failed = _record(world, number), []
            for item in items:
                key = (str(item.get("ApplicationGroup")), str(item.get("Name")))
                if key not in gate.defined:
                    # Not public whether an undefined name is taken; the sandbox takes the stricter view.
                    failed.append({"ErrorCode": 1, "ItemValue": key[1], "Message": "The attribute is not defined."})
                elif request.method == "DELETE":
                    record.custom_attributes.pop(key, None)
                elif not faults.take("workspace_one", "ignore_writes", request.path, request.method):
                    record.custom_attributes[key] = str(item.get("Value"))
            accepted = len(items) - len(failed)
            return jsonify(TotalItems=len(items), AcceptedItems=accepted, FailedItems=len(failed), Faults={"Fault": failed})

    @app.get("/ws1/api/mdm/devices/customattribute/search")
    def read_values() -> Answer:
        version((1,), 1)
        filters = ("organizationgroupid", "deviceid", "serialnumber", "modifiedfrom", "modifiedtill", "source")
        query = allowed(*filters, "applicationgroup", "customattributename", "page", "pagesize")
        with world.settled():
            own, wanted = str(world.mdm.group_id), {k: query.get(k) for k in ("applicationgroup", "customattributename")}
            hits = [r for r in sorted(world.held_by("workspace_one"), key=lambda r: r.id) if _bears(r, *wanted.values())]
            hits = hits if query.get("organizationgroupid", own) == own else []
            if "deviceid" in query:
                hits = [r for r in hits if r.id == whole(query["deviceid"], "deviceid")]
            if "serialnumber" in query:
                hits = [r for r in hits if r.serial.lower() == query["serialnumber"].lower()]
            return _page(hits, query, "Devices", _with_values)


def _bears(record: ManagedRecord, group: str | None, name: str | None) -> bool:
    return any(group in (None, g) and name in (None, n) for g, n in record.custom_attributes)


def _with_values(record: ManagedRecord) -> dict[str, Any]:
    values = [
        {"Name": name, "Value": value, "Source": "API", "Application": group}
        for (group, name), value in record.custom_attributes.items()
    ]
    return {"DeviceId": record.id, "Udid": record.udid, "SerialNumber": record.serial, "CustomAttributes": values}


def _actions(app: Flask, world: World) -> None:
    def command(record: ManagedRecord, name: str) -> Answer:
        if name.lower() not in map(str.lower, COMMANDS):
            # The code of a missing right is not public.
            raise Fault(403, 403, f"The role of this account does not allow the command {name}.")
        world.ask_check_in(record.id)
        return "", 202

    @app.post("/ws1/api/mdm/devices/<int:number>/commands")
    def command_one(number: int) -> Answer:
        version((1,), 1)  # DeviceQuery and SyncDevice exist in version 1 alone
        query = allowed("command")
        with world.settled():
            return command(_record(world, number), query.get("command", ""))

    @app.post("/ws1/api/mdm/devices/commands")
    def command_by() -> Answer:
        version((1,), 1)
        query = allowed("searchby", "id", "command")
        with world.settled():
            record = _found(world, query.get("searchby", ""), query.get("id", ""))
            return command(record, query.get("command", ""))

    @app.post("/ws1/api/mdm/devices/<int:number>/messages/push")
    def push(number: int) -> Answer:
        version((1,), 1)
        allowed()
        sent = body("MessageBody", "Application", "MessageType")
        text, application = sent.get("MessageBody"), sent.get("Application")
        if not isinstance(text, str) or not text or not isinstance(application, str) or not application:
            # Whether Application has a default is not public: the sandbox wants it.
            raise bad_request("MessageBody and Application are required.")
        if sent.get("MessageType", "Apns") not in MESSAGE_TYPES:
            raise bad_request("MessageType is not known.")
        with world.settled():
            record = _record(world, number)
            if record.enrollment_status == "Enrolled":
                world.message(record.id, application, text)
            return jsonify({})
