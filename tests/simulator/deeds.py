"""What happens to phones, records and directory devices meanwhile. Each deed says what it did, "" where it had no object.

Next door: `people` presses the buttons, `truth` remembers what these deeds made true.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from remediation.domain.device import Platform
from sandbox.enrollment import enroll
from sandbox.faults import Fault, Faults
from sandbox.world import INTUNE_PLAN, DirectoryDevice, Phone, World
from tests.simulator.truth import Truth

PLATFORM = Platform.IOS
UNKIND = ("down", "server_error", "throttle", "html", "garbled", "drop_answer")


class Deeds:
    def __init__(self, world: World, faults: Faults, truth: Truth, chance: random.Random) -> None:
        self.world, self.faults, self.truth, self.chance = world, faults, truth, chance

    def gentle(self) -> str:
        """What an honest day brings: it undoes nobody's link."""
        return self._one_of([self.flips, self.flips, self.flips, self.checks_in])

    def any(self) -> str:
        if self.chance.random() < 0.5:
            return self.gentle()
        rough: list[Callable[[], str]] = [
            *(self.wiped, self.wiped_and_back, self.enrolled_anew, self.record_deleted, self.handed_over_in_mdm),
            *(self.disabled, self.enabled, self.deleted, self.registers_again, self.registers, self.owner_changed),
            *(self.stranger_writes, self.stranger_writes, self.stranger_clears, self.licence_lost, self.licence_back),
        ]
        return self._one_of(rough)

    def unkindness(self) -> str:
        service = self.chance.choice(["graph", "graph", "intune", "intune", "workspace_one", "workspace_one", "workspace_one"])
        kind = self.chance.choice(UNKIND)
        if service == "intune" and self.chance.random() < 0.3:
            kind = self.chance.choice(["ignore_writes", "fail_upload"])
        if service != "intune" and self.chance.random() < 0.1:
            kind = "unlisted"
        fault = Fault(service, kind, times=self.chance.choice([1, 1, 2, 5, None]))
        if fault.times is None:
            fault.for_seconds = self.chance.choice([20.0, 300.0, 4000.0])
        if kind == "throttle":
            fault.retry_after = self.chance.choice([1, 30, 600, None])
        self.faults.add(fault)
        return f"{service} is unkind: {kind} ×{fault.times or fault.for_seconds}"

    def kindness(self) -> str:
        if not self.faults.active:
            return ""
        self.faults.clear()
        return "all remotes are kind again"

    def mends_what_is_broken(self) -> None:
        """What only an administrator can repair, and what the promises therefore do not cover."""
        self.faults.clear()
        for person in self.world.persons.values():
            if person.tenant_id == self.world.tenant_id and INTUNE_PLAN not in person.licences:
                person.licences.append(INTUNE_PLAN)

    # the phone's health, and what its record knows of it

    def flips(self) -> str:
        phone = self._managed()
        if phone is None:
            return ""
        well = phone.health.passcode and phone.health.encrypted and not phone.health.jailbroken
        return self.falls_ill(phone) if well else self.recovers(phone)

    def falls_ill(self, phone: Phone) -> str:
        how = self.chance.choice(["passcode", "encrypted", "jailbroken"])
        setattr(phone.health, how, how == "jailbroken")
        return f"{phone.key} falls ill: {how}, {self._perhaps_reports(phone)}"

    def recovers(self, phone: Phone) -> str:
        phone.health.passcode = phone.health.encrypted = True
        phone.health.jailbroken = False
        return f"{phone.key} is healthy, {self._perhaps_reports(phone)}"

    def checks_in(self) -> str:
        phone = self._managed()
        if phone is None:
            return ""
        self.world.check_in(phone.record_id or 0)
        return f"{phone.key} checks in"

    def _perhaps_reports(self, phone: Phone) -> str:
        if self.chance.random() < 0.25:
            return "untold"
        self.world.check_in(phone.record_id or 0)
        return "reported"

    # the MDM's side

    def wiped(self) -> str:
        phone = self._managed()
        if phone is None:
            return ""
        record = self.world.records[phone.record_id or 0]
        record.enrollment_status = "Unenrolled"
        if self.chance.random() < 0.5:
            phone.record_id = None
        return f"record {record.id} is wiped"

    def wiped_and_back(self) -> str:
        """Under the same record: only the date of the enrollment tells."""
        phone = self._managed()
        if phone is None:
            return ""
        record = self.world.records[phone.record_id or 0]
        record.enrollment_status = "Enrolled"
        record.enrolled_on = record.last_seen = record.last_compliance_check = self.world.now()
        return f"record {record.id} is enrolled anew under its own number"

    def enrolled_anew(self) -> str:
        phone = self._any_phone()
        before, phone.record_id = phone.record_id, None
        if before is not None and before in self.world.records:
            self.world.records[before].enrollment_status = "Unenrolled"
        return f"{phone.key} is enrolled as record {enroll(self.world, phone).id}, was {before}"

    def record_deleted(self) -> str:
        phone = self._managed()
        if phone is None:
            return ""
        number, phone.record_id = phone.record_id, None
        del self.world.records[number or 0]
        return f"record {number} is deleted"

    def handed_over_in_mdm(self) -> str:
        phone = self._managed()
        if phone is None:
            return ""
        record, others = self.world.records[phone.record_id or 0], self._others(phone)
        record.person_oid = others
        return f"record {record.id} is {self.world.persons[others].name}'s now"

    # Entra's side

    def disabled(self) -> str:
        return self._switched(False)

    def enabled(self) -> str:
        return self._switched(True)

    def _switched(self, on: bool) -> str:
        device = self._registered()
        if device is None or device.enabled is on:
            return ""
        device.enabled = on
        return f"directory device {device.device_id} is {'enabled' if on else 'disabled'}"

    def deleted(self) -> str:
        device = self._registered()
        if device is None:
            return ""
        device.deleted = True
        return f"directory device {device.device_id} is deleted"

    def registers(self) -> str:
        phone = self._any_phone()
        if phone.device_id is not None and self.world.device_by_device_id(phone.device_id) is not None:
            return ""
        phone.device_id = None
        return f"{phone.key} registers as {self.world.register(phone).device_id}"

    def registers_again(self) -> str:
        phone = self._any_phone()
        phone.keeps_device_id = self.chance.random() < 0.4
        self.world.unregister(phone)
        return f"{phone.key} registers again as {self.world.register(phone).device_id}"

    def owner_changed(self) -> str:
        device = self._registered()
        if device is None:
            return ""
        phone = next(p for p in self.world.phones.values() if p.device_id == device.device_id)
        device.owner_oid = self._others(phone)
        return f"directory device {device.device_id} is {self.world.persons[device.owner_oid].name}'s now"

    def stranger_writes(self) -> str:
        device = self._registered()
        if device is None:
            return ""
        compliant = self.chance.random() < 0.5
        self.truth.stranger_writes(device, compliant)
        return f"somebody else makes {device.device_id} {'compliant' if compliant else 'not compliant'}"

    def stranger_clears(self) -> str:
        device = self._registered()
        if device is None:
            return ""
        self.truth.stranger_writes(device, None)
        return f"somebody else clears the compliance of {device.device_id}"

    def licence_lost(self) -> str:
        person = self.world.persons[self._any_phone().person_oid]
        if INTUNE_PLAN not in person.licences:
            return ""
        person.licences.remove(INTUNE_PLAN)
        return f"{person.name} loses the licence"

    def licence_back(self) -> str:
        person = self.world.persons[self._any_phone().person_oid]
        if INTUNE_PLAN in person.licences:
            return ""
        person.licences.append(INTUNE_PLAN)
        return f"{person.name} has a licence again"

    # whom it happens to

    def _one_of(self, deeds: list[Callable[[], str]]) -> str:
        return self.chance.choice(deeds)()

    def _any_phone(self) -> Phone:
        return self.world.phones[self.chance.choice(sorted(self.world.phones))]

    def _managed(self) -> Phone | None:
        phone = self._any_phone()
        return phone if phone.record_id in self.world.records else None

    def _registered(self) -> DirectoryDevice | None:
        phone = self._any_phone()
        return None if phone.device_id is None else self.world.device_by_device_id(phone.device_id)

    def _others(self, phone: Phone) -> str:
        """Somebody; at times the holder again."""
        name = self.chance.choice(["Mia", "Noah", "Hanna"])
        return next(p.oid for p in self.world.persons.values() if p.name.startswith(name))
