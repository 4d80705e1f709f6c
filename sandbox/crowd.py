"""A large company at once: people by number, each with one phone that is enrolled, registered and, where asked for, compliant.

For benches. Next door: `tenant` makes the few people of a story, `enrollment` one record at a time.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from sandbox.enrollment import enroll
from sandbox.platforms import IPHONE
from sandbox.world import ENTRA_P1_PLAN, INTUNE_PLAN, DirectoryDevice, ManagedRecord, Person, Phone, World

FIRST_USER = 100_000
ENROLLED_AGO, REGISTERED_AGO, SEEN_AGO = timedelta(days=40), timedelta(days=39), timedelta(minutes=30)


@dataclass(frozen=True)
class Member:
    """One of the crowd: what each system holds of them."""

    person: Person
    phone: Phone
    record: ManagedRecord
    device: DirectoryDevice


def gather(world: World, count: int, *, compliant: bool = True) -> list[Member]:
    """So many more people. They are in every group that the partner serves, their MDM heard of each phone half an hour ago, and
    Microsoft was told of it (`compliant`) or never was."""
    with world.lock:
        first = max(world.records, default=world.first_record - 1) + 1
        return [_member(world, first + number, compliant=compliant) for number in range(count)]


def _member(world: World, number: int, *, compliant: bool) -> Member:
    now = world.now()
    person = _person(world, number)
    phone = Phone(f"crowd-{number}", f"{person.name}’s iPhone", person.oid, IPHONE.model, IPHONE.os_version)
    world.phones[phone.key] = phone
    record = enroll(world, phone, ENROLLED_AGO.total_seconds() / 60, number=number)
    record.last_seen = record.last_compliance_check = now - SEEN_AGO
    device = DirectoryDevice(
        object_id=world.new_id(),
        device_id=world.new_id(),
        name=phone.name,
        os=IPHONE.os,
        os_version=phone.os_version,
        owner_oid=person.oid,
        registered_at=now - REGISTERED_AGO,
        listed_at=now - REGISTERED_AGO,
    )
    if compliant:
        device.is_compliant = device.is_managed = True
    world.devices[device.object_id] = device
    phone.device_id = device.device_id
    return Member(person, phone, record, device)


def _person(world: World, number: int) -> Person:
    upn = f"person.{number}@contoso.example"
    person = Person(world.new_id(), upn, upn, f"Person {number}", f"Pass-{number}", licences=[INTUNE_PLAN, ENTRA_P1_PLAN])
    person.tenant_id = world.tenant_id
    person.mdm_user_id, person.mdm_user_uuid, person.mdm_user_name = FIRST_USER + number, world.new_id(), f"person.{number}"
    person.mdm_external_id = person.oid
    world.persons[person.oid] = person
    for group in world.groups.values():
        if group.name == "Mobile users" or group.id in world.partner.chosen_groups:
            group.members.add(person.oid)
    return person


def report(world: World, members: Iterable[Member], *, passcode: bool) -> None:
    """Their phones have a passcode, or none any more, and each has told its MDM just now."""
    with world.settled():
        for member in members:
            member.phone.health.passcode = passcode
            member.record.reported = member.phone.health.copy()
            member.record.last_seen = member.record.last_compliance_check = world.now()
