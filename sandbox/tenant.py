"""The company as every story finds it: apps, people, groups, and what Mia and Noah hold in their hands.

Next door: `scenarios` changes it into one story, `world` holds it.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import timedelta

from sandbox.enrollment import enroll
from sandbox.platforms import IPHONE, DeviceKind
from sandbox.slots import settle_in
from sandbox.things import Vendor
from sandbox.world import (
    ENTRA_P1_PLAN,
    GRAPH_APP_ID,
    INTUNE_APP_ID,
    INTUNE_PLAN,
    AppRegistration,
    DirectoryDevice,
    Group,
    Person,
    Phone,
    World,
)

SERVICE_PERMISSIONS = {
    GRAPH_APP_ID: {
        "Device.Read.All",
        "User.Read.All",
        "Application.Read.All",
        "LicenseAssignment.Read.All",
        "GroupMember.Read.All",
        "AuditLog.Read.All",
        "Policy.Read.All",
        "DeviceManagementServiceConfig.Read.All",
    },
    INTUNE_APP_ID: {"update_device_attributes", "manage_partner_compliance_policy"},
}
OUTSIDER = "Adam Kowal"
"""The one whom `Mobile users` leaves out, unless the story names another."""


@dataclass(frozen=True)
class Addresses:
    """Where the product lives, as an administrator registered it with Microsoft."""

    redirect_uri: str
    logout_uri: str
    enrollment_url: str
    remediation_url: str


def found(world: World, addresses: Addresses) -> None:
    """Apps, people and groups: the same ids each time, since a running product was given them."""
    _register_apps(world, addresses)
    _invite_people(world)
    everybody = {p.oid for p in world.persons.values() if p.tenant_id == world.tenant_id and p.name != OUTSIDER}
    for name, description, members in (
        ("Mobile users", "Everybody with a managed phone", everybody),
        ("Pilots", "Those who try new things first", {named(world, "Hanna").oid}),
    ):
        group = Group(world.new_id(), name, description, members)
        world.groups[group.id] = group


def equip(world: World, kind: DeviceKind, devices_seed: int | None = None) -> None:
    """The devices. Another seed gives other numbers, so that a product which played before does not take them for the last ones."""
    if devices_seed is not None:
        world.random = random.Random(devices_seed)
        world.first_record = 4100 + world.random.randrange(900_000)
    managed(world, "mia", "Mia", kind)
    noahs = managed(world, "noah", "Noah", IPHONE)
    noahs.model, noahs.os_version = "iPhone 14", "17.6.1"
    registered(world, "noah", minutes_ago=2880)
    _other_devices_of_mia(world, kind)


def named(world: World, first: str) -> Person:
    return next(person for person in world.persons.values() if person.name.startswith(first))


def managed(
    world: World, key: str, first: str, kind: DeviceKind, name: str = "", minutes_ago: float = 25, vendor: Vendor = "workspace_one"
) -> Phone:
    """A device under an MDM, heard of four minutes ago."""
    phone = Phone(key, name or f"{first}’s {kind.word}", named(world, first).oid, kind.model, kind.os_version, kind, vendor)
    world.phones[key] = phone
    record = enroll(world, phone, minutes_ago)
    record.last_seen = record.last_compliance_check = world.now() - timedelta(minutes=min(4, minutes_ago))
    return phone


def registered(world: World, key: str = "mia", minutes_ago: float = 3) -> DirectoryDevice:
    """As companies do: enrolled first, registered then, so that an old registration has an older enrollment."""
    phone = world.phones[key]
    device = world.register(phone)
    device.registered_at = world.now() - timedelta(minutes=minutes_ago)
    if phone.record_id is not None:
        record = world.records[phone.record_id]
        record.enrolled_on = min(record.enrolled_on, device.registered_at - timedelta(minutes=20))
    device.listed_at = device.registered_at + timedelta(seconds=world.lags.registration_lag)
    return device


def other_device(
    world: World, name: str, os: str, version: str, days: int, trust: str = "Workplace", enabled: bool = True
) -> DirectoryDevice:
    """A directory device of Mia's that is not in her hand."""
    at = world.now() - timedelta(days=days)
    owner = named(world, "Mia").oid
    device = DirectoryDevice(world.new_id(), world.new_id(), name, os, version, owner, at, at, enabled=enabled, trust_type=trust)
    world.devices[device.object_id] = device
    return device


def _other_devices_of_mia(world: World, kind: DeviceKind) -> None:
    """A laptop and a disabled old phone, so that nobody gets away with taking the first device of the first page."""
    other_device(world, "Mia old phone", "Android", "12", 700, enabled=False)
    if kind.os != "Windows":
        laptop = other_device(world, "CONTOSO-MB-07", "Windows", "10.0.26100.2033", 410, trust="AzureAd")
        laptop.is_compliant = laptop.is_managed = True


def _register_apps(world: World, addresses: Addresses) -> None:
    for kind, title in (("sign-in", "Remediation sign-in"), ("service", "Remediation service")):
        app = AppRegistration(world.new_id(), title, world.new_secret(), world.tenant_id)
        if kind == "sign-in":
            app.redirect_uris, app.logout_uris = (addresses.redirect_uri,), (addresses.logout_uri,)
            app.exposes, app.token_version = ("sign_in_proof",), 2
            app.optional_claims = ("auth_time", "acct")
        else:
            app.redirect_uris = (addresses.redirect_uri.removesuffix("/signed-in") + "/onboarding/consent/back",)
            app.requested = {resource: set(roles) for resource, roles in SERVICE_PERMISSIONS.items()}
            app.permissions = {resource: set(roles) for resource, roles in SERVICE_PERMISSIONS.items()}
        app.secret_ends = world.now() + timedelta(days=365)
        world.apps[kind] = app
    world.excluded_apps = [world.apps["sign-in"].client_id]
    world.partner.provisioned = 1
    world.partner.enrollment_url = addresses.enrollment_url
    world.partner.remediation_url = addresses.remediation_url
    settle_in(world)


def _invite_people(world: World) -> None:
    plans = [INTUNE_PLAN, ENTRA_P1_PLAN]
    for number, (first, last, roles) in enumerate(
        [
            ("Mia", "Berger", []),
            ("Noah", "Lind", []),
            ("Hanna", "Roth", ["Helpdesk.Read", "Helpdesk.Act", "Helpdesk.Lead"]),
            ("Adam", "Kowal", ["Admin"]),
        ]
    ):
        upn = f"{first}.{last}@contoso.example".lower()
        person = Person(world.new_id(), upn, upn, f"{first} {last}", f"{first}-Pass-1", licences=list(plans), roles=list(roles))
        person.tenant_id, person.may_consent = world.tenant_id, first == "Adam"
        person.mdm_user_id, person.mdm_user_uuid, person.mdm_user_name = 1201 + number, world.new_id(), first.lower()
        person.sam_account_name, person.employee_id = f"{first[0]}{last}".lower(), f"E{10_017 + number * 9}"
        person.mdm_external_id, person.mdm_attributes = person.oid, [person.employee_id, person.sam_account_name]
        world.persons[person.oid] = person
    sam = "sam.stone@fabrikam.example"
    stranger = Person(world.new_id(), sam, sam, "Sam Stone", "Sam-Pass-1", tenant_id=world.other_tenant_id)
    world.persons[stranger.oid] = stranger
