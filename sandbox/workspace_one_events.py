"""Workspace ONE's event notifications: the resource that an administrator registers a target at, and the sender.

`EventNotificationModel`, `DeviceEventsModel`, `EventNotificationsPagedSearchResultModel`: mrpaws/awtest system/v1. What is sent,
and how oddly: zentralopensource/zentral `tests/wsone/test_webhook_view.py`. The sender looks at the world's records, so that it
does not matter who changed them; it calls this machine alone. Next door: `workspace_one_gate`, and `control`, which switches the
manners.
"""

from __future__ import annotations

import random
import threading
import uuid
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from xml.sax.saxutils import escape

import requests
from flask import Flask, Response, jsonify, request

from sandbox.workspace_one_gate import Fault, allowed, bad_request, body, number_of_page, version
from sandbox.world import ManagedRecord, World

if TYPE_CHECKING:
    from sandbox.server import Sandbox

Answer = Response | tuple[Response | str, int]

EVERY = 0.05  # seconds between two looks at the world
HERE = {"localhost", "127.0.0.1"}
FIELDS = ("TargetName", "TargetUrl", "Username", "Password", "Format", "IsActive", "DeviceEvents", "organizationGroupId")
EVENTS = ("Enrollment", "UnenrolledEnterpriseWipe", "Wipe", "CompromisedStatusChange", "Delete", "ComplianceStatusChange")
MORE_EVENTS = ("CheckOutCheckIn", "DeviceAttributes")
ENROLLMENT = {
    "Enrolled": ("Enrollment", "MDM Enrollment Complete", 148),
    "EnterpriseWipePending": ("UnenrolledEnterpriseWipe", "Device Enterprise Wipe Requested", 229),
    "Unenrolled": ("UnenrolledEnterpriseWipe", "Break MDM Confirmed", 39),
}


@dataclass
class Manners:
    """How an event is written and sent. As it is, kindly; each can be switched."""

    spaces: bool = True
    digits: int = 7
    """Of the fraction of a second; 0 writes the old `/Date(…)/`."""
    missing: list[str] = field(default_factory=list)
    """Fields that are left out."""
    byte_arrays: bool = False
    """`System.Byte[]` for UDID and MAC address, as older versions wrote."""
    times: int = 1
    """How often each event is sent."""
    shuffled: bool = False
    """Events of one moment are sent in any order."""
    lost: bool = False
    """Nothing is sent: whether the vendor tries again is not public, so one that was lost stays lost."""


@dataclass
class Target:
    number: int
    uuid: str
    told: dict[str, Any]

    def wants(self, event: str) -> bool:
        return bool(self.told.get("IsActive")) and bool((self.told.get("DeviceEvents") or {}).get(event))

    def shown(self) -> dict[str, Any]:
        """Whether the real one shows a password is not public; this one does not."""
        told = {name: value for name, value in self.told.items() if name != "Password"}
        return {**told, "id": self.number, "uuid": self.uuid}


State = tuple[str, str, bool]


class Events:
    """The targets of the present console, and the thread that tells them."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox, self.manners = sandbox, Manners()
        self.sent: deque[tuple[str, int]] = deque(maxlen=1000)
        """Type of each event and the answer's status, 0 for none."""
        self._console: object = None
        self._targets: dict[int, Target] = {}
        self._known: dict[int, State] = {}
        self._thread: threading.Thread | None = None
        self._ending = threading.Event()
        self._chance = random.Random(7)

    @property
    def targets(self) -> dict[int, Target]:
        """Forgotten with each scenario."""
        if self._console is not self._sandbox.world.mdm:
            self._console, self._targets, self.manners = self._sandbox.world.mdm, {}, Manners()
        return self._targets

    def begin(self) -> None:
        """What is so already is no event."""
        with self._sandbox.world.settled() as world:
            self._known = {number: _state(record) for number, record in world.records.items()}
            if self._thread is None:
                self._ending.clear()
                self._thread = threading.Thread(target=self._go_on, name="events", daemon=True)
                self._thread.start()

    def stop(self) -> None:
        self._ending.set()
        if self._thread is not None:
            self._thread.join(5)
            self._thread = None

    def test(self, target: Target) -> int:
        """The console's *Test Connection*."""
        return self._call("GET", target, None)

    def _go_on(self) -> None:
        while not self._ending.wait(EVERY):
            for target, kind, told in self._news():
                for _ in range(self.manners.times):
                    self.sent.append((kind, self._call("POST", target, told)))

    def _news(self) -> list[tuple[Target, str, dict[str, Any]]]:
        with self._sandbox.world.settled() as world:
            found = []
            targets = list(self.targets.values())
            for number, record in world.records.items():
                now, before = _state(record), self._known.get(number)
                if now == before:
                    continue
                self._known[number] = now
                for event, kind, code in _changes(before, now):
                    told = self._told(world, record, kind, code)
                    found += [(target, kind, told) for target in targets if target.wants(event)]
        if self.manners.shuffled:
            self._chance.shuffle(found)
        return [] if self.manners.lost else found

    def _told(self, world: World, record: ManagedRecord, kind: str, code: int) -> dict[str, Any]:
        owner, now, manners = world.persons[record.person_oid], world.now(), self.manners
        told = {
            "EventId": code,
            "EventType": kind if manners.spaces else kind.replace(" ", ""),
            "DeviceId": record.id,
            "DeviceFriendlyName": record.friendly_name,
            "EnrollmentEmailAddress": owner.mail,
            "EnrollmentUserName": owner.mdm_user_name or "",
            "EventTime": _written(now, manners.digits),
            "EnrollmentStatus": record.enrollment_status,
            "CompromisedStatus": str(record.reported.jailbroken) if kind.startswith("Compromised") else "",
            "CompromisedTimeStamp": _written(now, manners.digits),
            "ComplianceStatus": record.compliance_status,
            "PhoneNumber": "",
            "Udid": "System.Byte[]" if manners.byte_arrays else record.udid,
            "SerialNumber": record.serial,
            "MACAddress": "System.Byte[]" if manners.byte_arrays else "A0B1C2D3E4F5",
            "DeviceIMEI": "",
            "EnrollmentUserId": owner.mdm_user_id or 0,
            "Platform": record.platform,
            "OperatingSystem": record.os_version,
            "Ownership": "CorporateDedicated" if record.ownership == "C" else "EmployeeOwned",
            "OrganizationGroupName": world.mdm.group_name,
            "DeviceUUID": record.uuid,
        }
        return {name: value for name, value in told.items() if name not in manners.missing}

    def _call(self, method: str, target: Target, told: dict[str, Any] | None) -> int:
        told_as = target.told
        session = requests.Session()
        session.trust_env = False
        auth = (str(told_as.get("Username") or ""), str(told_as.get("Password") or ""))
        more: dict[str, Any] = {}
        if told is not None and told_as.get("Format") == 1:
            more["json"] = told
        elif told is not None:
            fields = "".join(f"<{name}>{escape(str(value))}</{name}>" for name, value in told.items())
            more = {"data": f"<Eventlog>{fields}</Eventlog>".encode(), "headers": {"Content-Type": "application/xml"}}
        more |= {"auth": auth, "verify": str(self._sandbox.keys.ca_pem), "timeout": 5, "allow_redirects": False}
        try:
            return session.request(method, told_as["TargetUrl"], **more).status_code
        except requests.RequestException:
            return 0
        finally:
            session.close()


def _state(record: ManagedRecord) -> State:
    return record.enrollment_status, record.compliance_status, record.reported.jailbroken


def _changes(before: State | None, now: State) -> Iterator[tuple[str, str, int]]:
    """What is subscribed to, the type of the event, and its number, which says little (one fixture has 178 for every type)."""
    if before is None or before[0] != now[0]:
        yield ENROLLMENT.get(now[0], ("Wipe", "Device Wipe Requested", 178))
    if before is not None and before[2] != now[2]:
        yield "CompromisedStatusChange", "Compromised Status Changed", 178
    if before is not None and before[1] != now[1]:
        yield "ComplianceStatusChange", "Compliance Status Changed", 178


def _written(at: datetime, digits: int) -> str:
    if not digits:
        return f"/Date({int(at.timestamp() * 1000)})/"
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond:06d}0000"[: 20 + digits] + "Z"


def add_event_notifications(app: Flask, events: Events) -> None:
    """`/system/eventnotifications`, version 1, by the number of a target. POST and PUT answer nothing (mrpaws/awtest: void)."""

    @app.post("/ws1/api/system/eventnotifications")
    def create() -> Answer:
        version((1,), 1)
        told = _checked(body(*FIELDS, "organizationGroupUuid"))
        with events._sandbox.world.lock:
            if any(target.told["TargetName"] == told["TargetName"] for target in events.targets.values()):
                raise bad_request("A target of this name exists.")
            number = max(events.targets, default=0) + 1
            events.targets[number] = Target(number, str(uuid.uuid4()), told)
        events.begin()
        return "", 201

    @app.get("/ws1/api/system/eventnotifications/search")
    def search() -> Answer:
        version((1, 2), 1)
        query = allowed("targetname", "organizationgroupid", "status", "orderby", "sortorder", "page", "pagesize")
        page, size = number_of_page(query)
        with events._sandbox.world.lock:
            wanted = query.get("targetname", "").lower()
            found = [target for target in events.targets.values() if wanted in str(target.told["TargetName"]).lower()]
        shown = [target.shown() for target in found[page * size : (page + 1) * size]]
        return jsonify(EventNotifications=shown, AdditionalInfo={"Links": []}, TotalResults=len(found)) if shown else ("", 204)

    @app.route("/ws1/api/system/eventnotifications/<int:number>", methods=["GET", "PUT", "DELETE"])
    def one(number: int) -> Answer:
        version((1,), 1)
        with events._sandbox.world.lock:
            target = events.targets.get(number)
            if target is None:
                raise Fault(404, 404, "Event notification not found.")
            if request.method == "GET":
                return jsonify(target.shown())
            if request.method == "DELETE":
                del events.targets[number]
                return "", 204
            told = _checked(body(*FIELDS, "organizationGroupUuid", "id", "uuid"))
            target.told = {"Password": target.told.get("Password"), **told}
        events.begin()
        return "", 204


def _checked(told: dict[str, Any]) -> dict[str, Any]:
    kinds: tuple[tuple[str, type], ...] = (("TargetName", str), ("TargetUrl", str), ("IsActive", bool), ("DeviceEvents", dict))
    for name, kind in kinds:
        if not isinstance(told.get(name), kind) or told[name] == "":
            raise bad_request(f"{name} is missing or of another type.")
    if told.get("Format") not in (0, 1) or isinstance(told.get("Format"), bool):
        raise bad_request("Format is 0 or 1.")
    if unknown := set(told["DeviceEvents"]) - {*EVENTS, *MORE_EVENTS}:
        raise bad_request(f"Unknown event {sorted(unknown)[0]}.")
    if urlsplit(told["TargetUrl"]).hostname not in HERE:
        raise bad_request("The sandbox sends its events to this machine alone.")
    return told
