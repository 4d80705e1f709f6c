"""What was true, and when: the history of each record and each directory device, from the sandbox's world and never from ours.

Next door: `deeds` makes things happen, `laws` judges by this.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sandbox.world import DirectoryDevice, ManagedRecord, World


@dataclass(frozen=True)
class RecordWas:
    """A record of the MDM. `enrollment` differs after each wipe, new enrollment and hand-over; `good_until` is when its last
    check-in is too old, None where the record does not justify *compliant* at all."""

    at: datetime = field(compare=False)
    enrollment: tuple[object, ...] | None
    good_until: datetime | None

    def good(self, now: datetime) -> bool:
        return self.good_until is not None and now < self.good_until


@dataclass(frozen=True)
class DeviceWas:
    """A directory device. `stamp` is that of the newest message applied; `identity` is None where it is deleted or disabled."""

    at: datetime = field(compare=False)
    identity: tuple[str, str] | None
    compliant: bool
    stamp: datetime | None


@dataclass
class Truth:
    world: World
    check_in_lasts: timedelta
    records: dict[str, list[RecordWas]] = field(default_factory=dict)
    devices: dict[str, list[DeviceWas]] = field(default_factory=dict)
    pairs: dict[tuple[str, str], datetime] = field(default_factory=dict)
    """Which record and which device id were ever in one phone, and since when."""
    strangers: dict[str, datetime] = field(default_factory=dict)
    """Devices whose compliance somebody else wrote last, and when."""

    def notice(self) -> None:
        """Call whenever something may have changed."""
        now, world = self.world.now(), self.world
        for number in {*map(str, world.records), *self.records}:
            _append(self.records.setdefault(number, []), self._record(now, world.records.get(int(number))))
        living = {d.device_id: d for d in world.devices.values() if not d.deleted}
        for device_id in {*living, *self.devices}:
            _append(self.devices.setdefault(device_id, []), _device(now, living.get(device_id)))
        for phone in world.phones.values():
            if phone.record_id is not None and phone.device_id is not None:
                self.pairs.setdefault((str(phone.record_id), phone.device_id), now)

    def stranger_writes(self, device: DirectoryDevice, compliant: bool | None) -> None:
        device.is_compliant = compliant
        self.strangers[device.device_id] = self.world.now()

    def record(self, number: str) -> RecordWas | None:
        """As it is now."""
        return self._record(self.world.now(), self.world.records.get(int(number)))

    def _record(self, now: datetime, record: ManagedRecord | None) -> RecordWas:
        if record is None or record.enrollment_status != "Enrolled":
            return RecordWas(now, None, None)
        holder = self.world.persons[record.person_oid].mdm_user_id
        good = record.compliance_status == "Compliant" and not record.reported.jailbroken
        until = record.last_seen + self.check_in_lasts if good else None
        return RecordWas(now, (record.enrolled_on, record.udid, record.uuid, holder), until)

    def shown(self, device_id: str) -> bool:
        history = self.devices.get(device_id, [])
        return bool(history) and history[-1].compliant


def _append(history: list[RecordWas] | list[DeviceWas], now: RecordWas | DeviceWas) -> None:
    last = history[-1] if history else None
    if last != now:
        history.append(now)  # type: ignore[arg-type]


def _device(now: datetime, device: DirectoryDevice | None) -> DeviceWas:
    if device is None:
        return DeviceWas(now, None, False, None)
    identity = (device.object_id, device.owner_oid) if device.enabled else None
    return DeviceWas(now, identity, device.is_compliant is True, device.last_update_time)
