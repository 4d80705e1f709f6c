"""The one world behind every service: people, directory devices, MDM records, phones, uploads, and a clock.

A write through one protocol shows in the others once its lag has passed; `settle()` lets due things happen and every
reader calls it first. Next door: `scenarios` fills a world, `policy` judges it, the service modules put it on the wire.
"""

from __future__ import annotations

import random
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

GRAPH_APP_ID = "00000003-0000-0000-c000-000000000000"
INTUNE_APP_ID = "c161e42e-d4df-4a3d-9b42-e7a3c31f59d4"
INTUNE_DISCOVERY_APP_ID = "0000000a-0000-0000-c000-000000000000"
INTUNE_PLAN = "c1ec4a95-1f05-45b3-a911-aa3fa01094f5"
ENTRA_P1_PLAN = "41781fb2-bc02-4b7c-bd55-b576c07bb09d"


@dataclass
class Health:
    """What is true of a phone, or what its MDM record last heard of it."""

    passcode: bool = True
    encrypted: bool = True
    jailbroken: bool = False

    def copy(self) -> Health:
        return Health(self.passcode, self.encrypted, self.jailbroken)


@dataclass(frozen=True)
class Policy:
    """A compliance policy of the MDM; `rule` names the one thing it looks at."""

    id: int
    uuid: str
    name: str
    detail: str
    rule: Literal["passcode", "encrypted", "jailbroken"]

    def fails(self, health: Health) -> bool:
        return health.jailbroken if self.rule == "jailbroken" else not getattr(health, self.rule)


@dataclass
class Person:
    oid: str
    upn: str
    mail: str
    name: str
    password: str
    enabled: bool = True
    guest: bool = False
    licences: list[str] = field(default_factory=list)
    roles: list[str] = field(default_factory=list)
    mdm_user_id: int | None = None
    mdm_user_uuid: str | None = None
    mdm_user_name: str | None = None
    tenant_id: str = ""


@dataclass
class DirectoryDevice:
    object_id: str
    device_id: str
    name: str
    os: str
    os_version: str
    owner_oid: str
    registered_at: datetime
    listed_at: datetime
    manufacturer: str | None = None
    model: str | None = None
    enabled: bool = True
    trust_type: str = "Workplace"
    profile_type: str = "RegisteredDevice"
    is_compliant: bool | None = None
    is_managed: bool | None = None
    extension_attributes: dict[str, str | None] = field(default_factory=dict)
    deleted: bool = False
    last_update_time: datetime | None = None
    """The stamp of the newest partner message applied to it; an older or equal one is ignored."""


@dataclass
class ManagedRecord:
    id: int
    uuid: str
    udid: str
    serial: str
    friendly_name: str
    reported_name: str
    model: str
    os_version: str
    person_oid: str
    enrolled_on: datetime
    last_seen: datetime
    last_compliance_check: datetime
    policies: list[Policy]
    platform: str = "Apple"
    ownership: Literal["C", "E"] = "C"
    enrollment_status: str = "Enrolled"
    reported: Health = field(default_factory=Health)
    custom_attributes: dict[tuple[str, str], str] = field(default_factory=dict)
    compliance_override: str | None = None

    @property
    def failing(self) -> list[Policy]:
        return [policy for policy in self.policies if policy.fails(self.reported)]

    @property
    def compliance_status(self) -> str:
        if self.compliance_override is not None:
            return self.compliance_override
        return "NonCompliant" if self.failing else "Compliant"


@dataclass(frozen=True)
class PhoneMessage:
    id: str
    at: datetime
    application: str
    body: str


@dataclass
class Phone:
    """The hardware in the hand. `health` is the truth; the record knows what was last reported."""

    key: str
    name: str
    person_oid: str
    model: str
    os_version: str
    record_id: int | None = None
    device_id: str | None = None
    health: Health = field(default_factory=Health)
    messages: list[PhoneMessage] = field(default_factory=list)
    outlook: dict[str, Any] | None = None
    """What Outlook showed last time it was opened (`policy.Outcome.as_json()`)."""


@dataclass
class DataUpload:
    """One device message of the partner service, on its way from received to applied."""

    message_id: str
    received_at: datetime
    completes_at: datetime
    applies_at: datetime
    content: list[dict[str, Any]]
    status: Literal["InProgress", "Completed", "Failed"] = "InProgress"
    error_code: int = 0
    error_detail: str | None = None
    ignored: bool = False
    applied: bool = False


@dataclass
class AppRegistration:
    client_id: str
    name: str
    secret: str
    tenant_id: str
    redirect_uris: tuple[str, ...] = ()
    logout_uris: tuple[str, ...] = ()
    permissions: dict[str, set[str]] = field(default_factory=dict)
    """Granted application permissions by resource app id."""
    certificates: list[str] = field(default_factory=list)
    """PEM certificates that may sign a client assertion."""


@dataclass
class PartnerTenant:
    """What Intune remembers of its compliance partner in this tenant."""

    provisioned: int | None = None
    enrollment_url: str | None = None
    remediation_url: str | None = None
    last_heartbeat: datetime | None = None
    resync_at: datetime | None = None
    policies: dict[str, dict[str, Any]] = field(default_factory=dict)
    assignments: dict[str, list[str]] = field(default_factory=dict)


@dataclass
class Lags:
    """Seconds between a write and its being seen elsewhere."""

    registration_lag: float = 3
    compliance_lag: float = 4
    processing_lag: float = 2
    check_in_lag: float = 2


@dataclass
class MdmConnection:
    """The OAuth client and the console names of the pretend Workspace ONE."""

    client_id: str
    client_secret: str
    group_id: int = 570
    group_uuid: str = ""
    group_name: str = "contoso"


class World:
    """Everything that exists. Hold `lock` over any look or change that spans several objects."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.reset()

    def reset(self, seed: int = 7) -> None:
        """An empty tenant in place, so that services keep their reference; ids follow from the seed alone."""
        with self.lock:
            self.random = random.Random(seed)
            self._offset = timedelta()
            self.scenario = ""
            self.lags = Lags()
            self.page_size = 2
            """Items on a Graph page: small, so that nextLink is met by anyone with more than two devices."""
            self.tenant_id = self.new_id()
            self.tenant_name = "Contoso"
            self.other_tenant_id = self.new_id()
            self.persons: dict[str, Person] = {}
            self.devices: dict[str, DirectoryDevice] = {}
            self.records: dict[int, ManagedRecord] = {}
            self.phones: dict[str, Phone] = {}
            self.uploads: dict[str, DataUpload] = {}
            self.apps: dict[str, AppRegistration] = {}
            self.sign_ins: list[dict[str, Any]] = []
            self.partner = PartnerTenant()
            self.mdm = MdmConnection(self.new_id(), self.new_secret(), group_uuid=self.new_id())
            self._check_ins: list[tuple[datetime, int]] = []

    # the clock

    def now(self) -> datetime:
        return datetime.now(UTC) + self._offset

    def advance(self, seconds: float) -> None:
        with self.lock:
            self._offset += timedelta(seconds=seconds)
            self.settle()

    def new_id(self) -> str:
        return str(uuid.UUID(int=self.random.getrandbits(128), version=4))

    def new_secret(self) -> str:
        return f"sbx~{self.random.getrandbits(160):040x}"

    @contextmanager
    def settled(self) -> Iterator[World]:
        """The lock, with everything that is due already done."""
        with self.lock:
            self.settle()
            yield self

    # looking things up

    def person(self, oid_or_upn: str) -> Person | None:
        wanted = oid_or_upn.lower()
        return next((p for p in self.persons.values() if wanted in (p.oid.lower(), p.upn.lower())), None)

    def device_by_device_id(self, device_id: str) -> DirectoryDevice | None:
        """Whether listed yet or not; services check `visible()`."""
        wanted = device_id.lower()
        return next((d for d in self.devices.values() if d.device_id == wanted and not d.deleted), None)

    def visible(self, device: DirectoryDevice) -> bool:
        return not device.deleted and device.listed_at <= self.now()

    def phone_of_record(self, record_id: int) -> Phone | None:
        return next((p for p in self.phones.values() if p.record_id == record_id), None)

    # what happens in it

    def register(self, phone: Phone) -> DirectoryDevice:
        """Authenticator makes the directory device; listings and look-ups see it after the registration lag."""
        with self.settled():
            if phone.device_id is not None and (known := self.device_by_device_id(phone.device_id)) is not None:
                return known
            now = self.now()
            device = DirectoryDevice(
                object_id=self.new_id(),
                device_id=self.new_id(),
                name=phone.name,
                os="iOS",
                os_version=phone.os_version,
                owner_oid=phone.person_oid,
                registered_at=now,
                listed_at=now + timedelta(seconds=self.lags.registration_lag),
            )
            self.devices[device.object_id] = device
            phone.device_id = device.device_id
            return device

    def message(self, record_id: int, application: str, body: str) -> bool:
        """The MDM delivers a message to the phone that the record manages; False where there is no such phone."""
        with self.lock:
            phone = self.phone_of_record(record_id)
            if phone is None:
                return False
            phone.messages.append(PhoneMessage(self.new_id(), self.now(), application, body))
            return True

    def ask_check_in(self, record_id: int) -> None:
        """A DeviceQuery: the phone reports itself after the check-in lag."""
        with self.lock:
            self._check_ins.append((self.now() + timedelta(seconds=self.lags.check_in_lag), record_id))

    def check_in(self, record_id: int) -> None:
        """The phone reports itself now."""
        with self.lock:
            record, phone = self.records.get(record_id), self.phone_of_record(record_id)
            if record is None or phone is None or record.enrollment_status != "Enrolled":
                return
            record.reported = phone.health.copy()
            record.last_seen = record.last_compliance_check = self.now()

    def settle(self) -> None:
        """Let everything happen that is due by now: check-ins, uploads judged, verdicts applied."""
        with self.lock:
            now = self.now()
            due = [record_id for at, record_id in self._check_ins if at <= now]
            self._check_ins = [(at, record_id) for at, record_id in self._check_ins if at > now]
            for record_id in due:
                self.check_in(record_id)
            for upload in self.uploads.values():
                if upload.status == "InProgress" and upload.completes_at <= now:
                    self._judge(upload)
            for upload in sorted(self.uploads.values(), key=lambda upload: upload.applies_at):
                if upload.status == "Completed" and not upload.applied and upload.applies_at <= now:
                    upload.applied = True
                    if not upload.ignored:
                        self._apply(upload)

    def _judge(self, upload: DataUpload) -> None:
        upload.status = "Failed"
        if upload.error_code:
            return
        for entity in upload.content:
            if (device := self.device_by_device_id(entity["DeviceId"])) is None:
                upload.error_code, upload.error_detail = 2, f"Device {entity['DeviceId']} was not found in the tenant."
                return
            owner = self.person(entity["UserId"])
            if owner is None or owner.oid != device.owner_oid:
                upload.error_code, upload.error_detail = 3, f"User {entity['UserId']} does not own the device."
                return
        upload.status = "Completed"

    def _apply(self, upload: DataUpload) -> None:
        for inventory, compliance in zip(upload.content[::2], upload.content[1::2], strict=True):
            device = self.device_by_device_id(inventory["DeviceId"])
            if device is None:
                continue
            stamp = datetime.fromisoformat(inventory["LastUpdateTime"].replace("Z", "+00:00"))
            # LastUpdateTime "orders messages; must grow": a worker that wakes late must not undo newer news.
            if device.last_update_time is not None and stamp <= device.last_update_time:
                continue
            device.last_update_time = stamp
            device.is_managed = inventory["DeviceManagementState"] == "managed"
            device.is_compliant = device.is_managed and compliance["complianceStatus"] == "compliant"
