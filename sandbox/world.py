"""The one world behind every service: people, directory devices, MDM records, phones, uploads, and a clock.

A write through one protocol shows in the others once its lag has passed; `settle()` lets due things happen and every
reader calls it first. Next door: `things` (the shapes, handed on from here), `verdicts` (what becomes of an upload),
`tenant` and `scenarios` fill a world, `policy` judges it, the service modules put it on the wire.
"""

from __future__ import annotations

import random
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from sandbox.things import (
    ENTRA_P1_PLAN,
    GRAPH_APP_ID,
    INTUNE_APP_ID,
    INTUNE_DISCOVERY_APP_ID,
    INTUNE_PLAN,
    AppRegistration,
    DataUpload,
    DirectoryDevice,
    Group,
    Health,
    Lags,
    ManagedRecord,
    MdmConnection,
    PartnerTenant,
    Person,
    Phone,
    PhoneMessage,
    Policy,
)
from sandbox.verdicts import apply, judge

__all__ = [
    "ENTRA_P1_PLAN",
    "GRAPH_APP_ID",
    "INTUNE_APP_ID",
    "INTUNE_DISCOVERY_APP_ID",
    "INTUNE_PLAN",
    "AppRegistration",
    "DataUpload",
    "DirectoryDevice",
    "Group",
    "Health",
    "Lags",
    "ManagedRecord",
    "MdmConnection",
    "PartnerTenant",
    "Person",
    "Phone",
    "PhoneMessage",
    "Policy",
    "World",
]


class World:
    """Everything that exists. Hold `lock` over any look or change that spans several objects."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.stands_at: datetime | None = None
        """Where the clock stands still until it is advanced, so that a story told twice is the same; None while it runs."""
        self.reset()

    def reset(self, seed: int = 7) -> None:
        """An empty tenant in place, so that services keep their reference; ids follow from the seed alone."""
        with self.lock:
            self.random = random.Random(seed)
            self._offset = timedelta()
            self.skew = timedelta()
            """How wrong the remote clocks are: in their `Date` headers and tokens, nowhere else."""
            self.tokens_end: datetime | None = None
            """App tokens issued until then are void."""
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
            self.first_record = 4100
            self.groups: dict[str, Group] = {}
            self.phones: dict[str, Phone] = {}
            self.hand = "mia"
            """The key of the device that the story page shows."""
            self.other_policy_blocks = False
            """A second Conditional Access policy, which no device can satisfy."""
            self.uploads: dict[str, DataUpload] = {}
            self.apps: dict[str, AppRegistration] = {}
            self.sign_ins: list[dict[str, Any]] = []
            self.partner = PartnerTenant()
            self.mdm = MdmConnection(self.new_id(), self.new_secret(), group_uuid=self.new_id())
            self._check_ins: list[tuple[datetime, int]] = []

    # the clock

    def now(self) -> datetime:
        return (self.stands_at or datetime.now(UTC)) + self._offset

    def remote_now(self) -> datetime:
        """What the clocks of the remote services show."""
        return self.now() + self.skew

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

    def end_tokens(self) -> None:
        with self.lock:
            self.tokens_end = self.now()

    def token_stands(self, issued_at: float) -> bool:
        return self.tokens_end is None or issued_at > self.tokens_end.timestamp()

    # looking things up

    @property
    def in_hand(self) -> Phone:
        return self.phones[self.hand]

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
            now, fresh = self.now(), self.new_id()
            device = DirectoryDevice(
                object_id=self.new_id(),
                device_id=phone.former_device_id if phone.keeps_device_id and phone.former_device_id else fresh,
                name=phone.name,
                os=phone.kind.os,
                os_version=phone.os_version,
                owner_oid=phone.person_oid,
                registered_at=now,
                listed_at=now + timedelta(seconds=self.lags.registration_lag),
            )
            self.devices[device.object_id] = device
            phone.device_id = device.device_id
            return device

    def unregister(self, phone: Phone) -> None:
        """The person takes the registration back on the device itself; its directory device goes with it."""
        with self.settled():
            if phone.device_id is not None and (known := self.device_by_device_id(phone.device_id)) is not None:
                known.deleted = True
            phone.former_device_id, phone.device_id = phone.device_id or phone.former_device_id, None

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
                    judge(self, upload)
            for upload in sorted(self.uploads.values(), key=lambda upload: upload.applies_at):
                if upload.status == "Completed" and not upload.applied and upload.applies_at <= now:
                    upload.applied = True
                    if not upload.ignored:
                        apply(self, upload)
