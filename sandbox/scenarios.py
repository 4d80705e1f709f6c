"""How a world begins: the people, and one named state of Mia's iPhone for each story.

Next door: `world` holds the shapes, `control` and the command line choose a scenario by name.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from sandbox.world import (
    ENTRA_P1_PLAN,
    GRAPH_APP_ID,
    INTUNE_APP_ID,
    INTUNE_PLAN,
    AppRegistration,
    DirectoryDevice,
    Health,
    ManagedRecord,
    Person,
    Phone,
    Policy,
    World,
)

SERVICE_PERMISSIONS = {
    GRAPH_APP_ID: {"Device.Read.All", "User.Read.All", "Application.Read.All", "LicenseAssignment.Read.All"},
    INTUNE_APP_ID: {"update_device_attributes", "manage_partner_compliance_policy"},
}


@dataclass(frozen=True)
class Addresses:
    """Where the product lives, as an administrator registered it with Microsoft."""

    redirect_uri: str
    logout_uri: str
    enrollment_url: str
    remediation_url: str


def seed(world: World, name: str, addresses: Addresses) -> None:
    """Begin anew, in place. An unknown name is a KeyError and leaves the world as it was."""
    begin = SCENARIOS[name]
    with world.lock:
        world.reset()
        world.scenario = name
        _register_apps(world, addresses)
        _invite_people(world)
        begin(world)


def _register_apps(world: World, addresses: Addresses) -> None:
    for kind, title in (("sign-in", "Remediation sign-in"), ("service", "Remediation service")):
        app = AppRegistration(world.new_id(), title, world.new_secret(), world.tenant_id)
        if kind == "sign-in":
            app.redirect_uris, app.logout_uris = (addresses.redirect_uri,), (addresses.logout_uri,)
        else:
            app.permissions = {resource: set(roles) for resource, roles in SERVICE_PERMISSIONS.items()}
        world.apps[kind] = app
    world.partner.provisioned = 1
    world.partner.enrollment_url = addresses.enrollment_url
    world.partner.remediation_url = addresses.remediation_url


def _invite_people(world: World) -> None:
    plans = [INTUNE_PLAN, ENTRA_P1_PLAN]
    for number, (first, last, roles) in enumerate(
        [("Mia", "Berger", []), ("Noah", "Lind", []), ("Hanna", "Roth", ["Helpdesk.Read"]), ("Adam", "Kowal", ["Admin"])]
    ):
        upn = f"{first}.{last}@contoso.example".lower()
        person = Person(world.new_id(), upn, upn, f"{first} {last}", f"{first}-Pass-1", licences=list(plans), roles=list(roles))
        person.tenant_id = world.tenant_id
        person.mdm_user_id, person.mdm_user_uuid, person.mdm_user_name = 1201 + number, world.new_id(), first.lower()
        world.persons[person.oid] = person
    stranger = Person(
        world.new_id(),
        "sam.stone@fabrikam.example",
        "sam.stone@fabrikam.example",
        "Sam Stone",
        "Sam-Pass-1",
        tenant_id=world.other_tenant_id,
    )
    world.persons[stranger.oid] = stranger
    _enrolled_iphone(world, "mia", "Mia’s iPhone", "iPhone 15", "18.1")
    _enrolled_iphone(world, "noah", "Noah’s iPhone", "iPhone 14", "17.6.1")
    _registered(world, "noah", minutes_ago=2880)
    _other_devices_of_mia(world)


def _policies(world: World) -> list[Policy]:
    return [
        Policy(31, world.new_id(), "Passcode required", "A passcode of at least six digits is set.", "passcode"),
        Policy(32, world.new_id(), "Encryption on", "Data protection is enabled.", "encrypted"),
        Policy(33, world.new_id(), "Not jailbroken", "The device runs Apple's own system.", "jailbroken"),
    ]


def _enrolled_iphone(world: World, key: str, name: str, model: str, os_version: str) -> None:
    person = next(p for p in world.persons.values() if p.mdm_user_name == key)
    now = world.now()
    record = ManagedRecord(
        id=4100 + len(world.records),
        uuid=world.new_id(),
        udid=f"{world.random.getrandbits(160):040x}",
        serial="F2L" + "".join(world.random.choices("ABCDEFGHJKLMNPQRSTVWXYZ0123456789", k=9)),
        friendly_name=f"{key} {model} iOS {os_version}",
        reported_name=name,
        model=model,
        os_version=os_version,
        person_oid=person.oid,
        enrolled_on=now - timedelta(minutes=25),
        last_seen=now - timedelta(minutes=4),
        last_compliance_check=now - timedelta(minutes=4),
        policies=_policies(world),
    )
    world.records[record.id] = record
    world.phones[key] = Phone(key, name, person.oid, model, os_version, record_id=record.id)


def _registered(world: World, key: str, minutes_ago: float) -> DirectoryDevice:
    phone = world.phones[key]
    device = world.register(phone)
    device.registered_at = world.now() - timedelta(minutes=minutes_ago)
    device.listed_at = device.registered_at + timedelta(seconds=world.lags.registration_lag)
    return device


def _other_devices_of_mia(world: World) -> None:
    """A laptop and a disabled old phone, so that nobody gets away with taking the first device of the first page."""
    owner = world.phones["mia"].person_oid
    for name, os, version, days, enabled, compliant, trust in (
        ("CONTOSO-MB-07", "Windows", "10.0.26100.2033", 410, True, True, "AzureAd"),
        ("Mia old phone", "Android", "12", 700, False, None, "Workplace"),
    ):
        at = world.now() - timedelta(days=days)
        device = DirectoryDevice(world.new_id(), world.new_id(), name, os, version, owner, at, at)
        device.enabled, device.trust_type = enabled, trust
        device.is_compliant = device.is_managed = compliant
        world.devices[device.object_id] = device


def _blocked_just_registered(world: World) -> None:
    _registered(world, "mia", minutes_ago=3)


def _blocked_unregistered(world: World) -> None:
    """Everything is in the seed already: enrolled and compliant, and Microsoft has never met the phone."""


def _not_compliant(world: World) -> None:
    _registered(world, "mia", minutes_ago=3)
    phone = world.phones["mia"]
    phone.health = Health(passcode=False)
    world.records[phone.record_id or 0].reported = phone.health.copy()


def _already_fine(world: World) -> None:
    device = _registered(world, "mia", minutes_ago=60 * 24 * 30)
    device.is_compliant = device.is_managed = True


SCENARIOS: dict[str, Callable[[World], None]] = {
    "blocked_just_registered": _blocked_just_registered,
    "blocked_unregistered": _blocked_unregistered,
    "not_compliant": _not_compliant,
    "already_fine": _already_fine,
}
