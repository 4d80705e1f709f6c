"""The one world behind every service: people, directory devices, MDM records, phones, uploads, and a clock.

A write through one protocol shows in the others once its lag has passed; `settle()` lets due things happen and every
reader calls it first. Next door: `things` (the shapes, handed on from here), `verdicts` (what becomes of an upload),
`tenant` and `scenarios` fill a world, `policy` judges it, the service modules put it on the wire.
"""

from __future__ import annotations

import heapq
import random
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from sandbox.clock import Clock
from sandbox.finder import Finder
from sandbox.relay import take_turns
from sandbox.things import (
    ENTRA_P1_PLAN,
    GRAPH_APP_ID,
    INTUNE_APP_ID,
    INTUNE_DISCOVERY_APP_ID,
    INTUNE_PLAN,
    AppRegistration,
    DataUpload,
    DevicePolicy,
    DirectoryDevice,
    FleetServer,
    Group,
    Health,
    Lags,
    Maas360Console,
    ManagedRecord,
    MdmConnection,
    Package,
    Packaged,
    PartnerTenant,
    Person,
    Phone,
    PhoneMessage,
    Policy,
    Privileged,
    Vendor,
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
    "DevicePolicy",
    "DirectoryDevice",
    "FleetServer",
    "Group",
    "Health",
    "Lags",
    "Maas360Console",
    "ManagedRecord",
    "MdmConnection",
    "PartnerTenant",
    "Person",
    "Phone",
    "PhoneMessage",
    "Policy",
    "World",
]

_SHOWN_LATER = ("is_compliant", "is_managed", "extension_attributes")


class World:
    """Everything that exists. Hold `lock` over any look or change that spans several objects."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.stands_at: datetime | None = None
        """Where the clock stands still until it is advanced, so that a story told twice is the same; None while it runs."""
        self._people = Finder(lambda: self.persons, lambda person: person.upn.lower())
        self._devices = Finder(lambda: self.devices, lambda device: None if device.deleted else device.device_id)
        self._holders = Finder(lambda: self.phones, lambda phone: phone.record_id)
        self.reset()

    def reset(self, seed: int = 7) -> None:
        """An empty tenant in place, so that services keep their reference; ids follow from the seed alone."""
        with self.lock:
            self.random = random.Random(seed)
            self.clock = Clock()
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
            self.bypass_group: str | None = None
            """The group whose members the policy about compliant devices leaves alone, and no other policy does."""
            self.excluded_from_other_policy = False
            """A mistake of the administrator's: the other policy leaves them alone as well."""
            self.privileged: list[Privileged] = []
            self.packages: dict[str, Package] = {}
            self.packaged: list[Packaged] = []
            self.delivered_after = timedelta(seconds=3)
            """How long after its assignment a package's group has the person in it."""
            self.governed = True
            """Whether the tenant has the licence for Privileged Identity Management and entitlement management."""
            self.longest_privilege = timedelta(days=1)
            self.device_policies: list[DevicePolicy] = []
            """Further policies, which block by a filter for devices."""
            self.excluded_apps: list[str] = []
            self.seats: dict[str, int] = {}
            """Bought, by service plan; 25 of each where nothing is said."""
            self.may_register, self.device_quota = "all", 50
            self.user_actions: list[str] = []
            """Of a policy that asks for a compliant device for these; none where there is none."""
            """Client ids that the policy about compliant devices leaves alone."""
            self.uploads: dict[str, DataUpload] = {}
            self.apps: dict[str, AppRegistration] = {}
            self.sign_ins: list[dict[str, Any]] = []
            self.signs_in_from = "hand"
            """What the browser proves of its device: the one in the `hand`, `nothing`, or another (its device id), as if the person
            had taken that one for signing in."""
            self.partner = PartnerTenant()
            self.mdm = MdmConnection(self.new_id(), self.new_secret(), group_uuid=self.new_id())
            own = random.Random(f"maas360 {seed}")  # so that whatever else is drawn stays what it was
            self.maas360 = Maas360Console(f"sbx~{own.getrandbits(160):040x}", f"sbx~{own.getrandbits(160):040x}")
            self.relays: dict[Vendor, float] = {}
            """Makers that tell Microsoft by themselves, and every how many seconds."""
            self.turns: dict[Vendor, datetime] = {}
            self.fleet = FleetServer(f"sbx~{random.Random(f'fleet {seed}').getrandbits(160):040x}")
            self._check_ins: list[tuple[datetime, int]] = []
            self._to_judge: list[tuple[datetime, int, DataUpload]] = []
            self._to_apply: list[tuple[datetime, int, DataUpload]] = []
            self._to_write: list[tuple[datetime, int, str, dict[str, Any]]] = []
            self._received = 0

    def privileged_now(self) -> list[Privileged]:
        return [one for one in self.privileged if one.end is None or one.end > self.now()]

    def packaged_now(self) -> list[Packaged]:
        return [one for one in self.packaged if one.end is None or one.end > self.now()]

    def _in_by_package(self, oid: str, group_id: str) -> bool:
        mine = (one for one in self.packaged_now() if one.oid == oid and self.now() >= one.start + self.delivered_after)
        return any(self.packages[one.package_id].group_id == group_id for one in mine)

    def bypasses(self, oid: str) -> bool:
        """In the group that the policy about devices leaves out, by an assignment that lasts or as a member for good."""
        group = self.groups.get(self.bypass_group or "")
        return group is not None and (
            oid in group.members
            or any(one.oid == oid and one.group_id == group.id for one in self.privileged_now())
            or self._in_by_package(oid, group.id)
        )

    # the clock

    def now(self) -> datetime:
        return self.clock() if self.stands_at is None else self.stands_at + self.clock.ahead

    def stand_still(self) -> None:
        """From now on time passes by `advance` alone, however slow the machine is."""
        with self.lock:
            self.stands_at = self.now() - self.clock.ahead

    def go_at(self, pace: float) -> Clock:
        """From now on the world's clock goes so many times as fast as the machine's. Whoever holds what this returns agrees."""
        with self.lock:
            self.clock = self.clock.going(pace)
            return self.clock

    def remote_now(self) -> datetime:
        """What the clocks of the remote services show."""
        return self.now() + self.skew

    def advance(self, seconds: float) -> None:
        with self.lock:
            self.clock = self.clock.put_ahead(seconds)
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
        return self.persons.get(wanted) or self._people.find(wanted)

    def device_by_device_id(self, device_id: str) -> DirectoryDevice | None:
        """Whether listed yet or not; services check `visible()`."""
        return self._devices.find(device_id.lower())

    def visible(self, device: DirectoryDevice) -> bool:
        return not device.deleted and device.listed_at <= self.now()

    def held_by(self, vendor: str) -> list[ManagedRecord]:
        """The records of one MDM, in no order that means anything."""
        return [record for record in self.records.values() if record.vendor == vendor]

    def phone_of_record(self, record_id: int) -> Phone | None:
        return self._holders.find(record_id)

    def proven_by_browser(self) -> DirectoryDevice | None:
        """The directory device that the platform's broker vouches for in the browser of the device in hand."""
        phone = self.in_hand
        shown = None if phone.hidden else phone.device_id
        device_id = shown if self.signs_in_from == "hand" else self.signs_in_from
        device = self.device_by_device_id(device_id) if device_id else None
        return device if device is not None and device.enabled else None

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

    def receive(self, upload: DataUpload) -> None:
        """A message of the partner's, to be judged and applied when its times come."""
        with self.lock:
            self.uploads[upload.message_id] = upload
            self._received += 1
            heapq.heappush(self._to_judge, (upload.completes_at, self._received, upload))

    def settle(self) -> None:
        """Let everything happen that is due by now: check-ins, uploads judged, verdicts applied."""
        with self.lock:
            now = self.now()
            if self._check_ins:
                due = [record_id for at, record_id in self._check_ins if at <= now]
                self._check_ins = [(at, record_id) for at, record_id in self._check_ins if at > now]
                for record_id in due:
                    self.check_in(record_id)
            for number, upload in self._due(self._to_judge, now):
                judge(self, upload)
                if upload.status == "Completed":
                    heapq.heappush(self._to_apply, (upload.applies_at, number, upload))
            for _, upload in self._due(self._to_apply, now):
                upload.applied = True
                if not upload.ignored:
                    apply(self, upload)
            self._write_what_is_due(now)
            take_turns(self, now)

    def write_device(self, device: DirectoryDevice, values: dict[str, Any]) -> None:
        """Taken at once; what policies go by shows in reads after the compliance lag, in the order of the writes."""
        with self.lock:
            later: dict[str, Any] = {name: values.pop(name) for name in _SHOWN_LATER if name in values}
            for name, value in values.items():
                setattr(device, name, value)
            if later:
                self._received += 1
                at = self.now() + timedelta(seconds=self.lags.compliance_lag)
                heapq.heappush(self._to_write, (at, self._received, device.object_id, later))

    def _write_what_is_due(self, now: datetime) -> None:
        while self._to_write and self._to_write[0][0] <= now:
            _, _, object_id, values = heapq.heappop(self._to_write)
            device = self.devices.get(object_id)
            for name, value in values.items() if device is not None else ():
                setattr(device, name, value)

    def _due(self, waiting: list[tuple[datetime, int, DataUpload]], now: datetime) -> Iterator[tuple[int, DataUpload]]:
        """By their times, and of two at the same time the one that came first; what was thrown away meanwhile is left out."""
        while waiting and waiting[0][0] <= now:
            _, number, upload = heapq.heappop(waiting)
            if self.uploads.get(upload.message_id) is upload:
                yield number, upload
