"""The stories, by name: how each begins, in which group the story page shows it, and in which words.

Next door: `tenant` is the company before a story changes it, `control` and the story page choose a story by its name.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

from sandbox.platforms import IPHONE, KINDS, DeviceKind
from sandbox.relay import switch_on
from sandbox.tenant import Addresses, equip, found, managed, named, other_device, registered
from sandbox.troubles import TROUBLES, begins
from sandbox.world import ENTRA_P1_PLAN, Health, Person, World

__all__ = ["SCENARIOS", "Addresses", "Scenario", "seed"]


@dataclass(frozen=True)
class Scenario:
    group: str
    title: str
    line: str
    begin: Callable[[World], object]
    kind: DeviceKind = IPHONE


def seed(world: World, name: str, addresses: Addresses, devices_seed: int | None = None) -> None:
    """Begin anew, in place. An unknown name is a KeyError and leaves the world as it was."""
    scenario = SCENARIOS[name]
    with world.lock:
        world.reset()
        world.scenario = name
        found(world, addresses)
        equip(world, scenario.kind, devices_seed)
        scenario.begin(world)


# the usual way


def _nothing_more(world: World) -> None:
    """Everything is in the seed already: enrolled and compliant, and Microsoft has never met the device."""


def _not_compliant(world: World) -> None:
    registered(world)
    phone = world.phones["mia"]
    phone.health = Health(passcode=False)
    world.records[phone.record_id or 0].reported = phone.health.copy()


def _already_fine(world: World) -> None:
    device = registered(world, minutes_ago=60 * 24 * 30)
    device.is_compliant = device.is_managed = True


# which phone is it


def _two_phones(world: World) -> None:
    registered(world)
    managed(world, "mia2", "Mia", replace(IPHONE, model="iPhone SE", os_version="17.7"), "Mia’s second iPhone", 60 * 24 * 40)


def _registered_last_year(world: World) -> None:
    registered(world)
    other_device(world, "Mia’s iPhone", "iOS", "16.2", 395)


def _three_entries(world: World) -> None:
    """One for each time that she set this iPhone up anew; only today's is in use."""
    registered(world)
    for days in (200, 480):
        other_device(world, "Mia’s iPhone", "iOS", "17.1", days)


def _new_phone(world: World) -> None:
    """Restored from a backup: the entry of the phone before is there, and the registration did not come along."""
    other_device(world, "Mia’s iPhone", "iOS", "16.2", 395)


def _half_registered(world: World) -> None:
    """She registered, was called away, and never opened the page that she was told to."""
    registered(world, minutes_ago=40)


def _reregistered_same_id(world: World) -> None:
    registered(world, minutes_ago=60 * 24 * 9)
    world.phones["mia"].keeps_device_id = True


def _duplicate_records(world: World) -> None:
    """Enrolled anew without being removed first: serial and hardware are one, the numbers of the records are two."""
    registered(world)
    record = world.records[world.phones["mia"].record_id or 0]
    long_ago = world.now() - timedelta(days=214)
    older = replace(
        record,
        id=record.id - 1730,
        uuid=world.new_id(),
        os_version="16.6",
        enrolled_on=long_ago - timedelta(days=300),
        last_seen=long_ago,
        last_compliance_check=long_ago,
        listed_at=long_ago,
        reported=Health(),
        custom_attributes={},
    )
    world.records[older.id] = older


def _owned_by_another(world: World) -> None:
    device = registered(world, minutes_ago=60 * 24 * 80)
    device.owner_oid, device.registered_users = named(world, "Noah").oid, [named(world, "Mia").oid]


def _signs_in_elsewhere(world: World) -> None:
    """Asked to sign in once more, she does it where she always does: at her laptop."""
    registered(world)
    world.signs_in_from = next(d.device_id for d in world.devices.values() if d.name == "CONTOSO-MB-07")


def _on_maas360(world: World) -> None:
    """Her phone lives in the company's other MDM: the same hardware, and Workspace ONE has never heard of it."""
    registered(world)
    phone = world.phones["mia"]
    phone.vendor = world.records[phone.record_id or 0].vendor = "maas360"


def _two_mdms(world: World) -> None:
    """The registered one is in MaaS360, the other one in Workspace ONE."""
    _two_phones(world)
    phone = world.phones["mia"]
    phone.vendor = world.records[phone.record_id or 0].vendor = "maas360"


def _mac_on_fleet(world: World) -> None:
    phone = world.phones["mia"]
    phone.vendor = world.records[phone.record_id or 0].vendor = "fleet"


# something is in the way


def _removed_entry(world: World) -> None:
    """Cleaned up in Entra. The phone does not know, and goes on showing an id that nobody has any more."""
    registered(world, minutes_ago=60 * 24 * 200).deleted = True


def _registered_outside_the_app(world: World) -> None:
    """In Authenticator by itself, so the MDM's maker, which carries here, never hears of it."""
    registered(world)
    switch_on(world, "workspace_one")


def _compliant_without_a_reason(world: World) -> None:
    """The device management says no and lists no rule that fails."""
    registered(world)
    record = world.records[world.phones["mia"].record_id or 0]
    record.compliance_override = "NonCompliant"


def _not_enrolled(world: World) -> None:
    registered(world)
    _not_enrolled_at_all(world)


def _not_enrolled_at_all(world: World) -> None:
    phone = world.phones["mia"]
    del world.records[phone.record_id or 0]
    phone.record_id = None


def _disabled_device(world: World) -> None:
    registered(world, minutes_ago=60 * 24 * 120).enabled = False


def _loop(world: World) -> None:
    _already_fine(world)
    world.other_policy_blocks = True


def _new_phone_no_second_factor(world: World) -> None:
    other_device(world, "Mia’s old iPhone", "iOS", "16.7.10", 900)
    named(world, "Mia").second_factor_gone = True


# not for everybody


def _no_licence(world: World) -> None:
    registered(world)
    named(world, "Mia").licences = [ENTRA_P1_PLAN]


def _guest(world: World) -> None:
    registered(world)
    named(world, "Mia").guest = True


def _not_in_group(world: World) -> None:
    registered(world)
    group = next(g for g in world.groups.values() if g.name == "Mobile users")
    group.members.discard(named(world, "Mia").oid)
    world.partner.chosen_groups = [group.id]


def _shared_user(world: World) -> None:
    """Staged by an enrollment account: the MDM's user with Mia's mail is called `staging`."""
    registered(world)
    mia = named(world, "Mia")
    mia.mdm_user_name, mia.mdm_external_id, mia.mdm_attributes = "staging", None, []


def _ambiguous_owner(world: World) -> None:
    """A second user in the MDM alone, left from an import, with the same mail."""
    registered(world)
    mia, oid = named(world, "Mia"), world.new_id()
    twin = Person(oid, f"mberger-{oid[:4]}", mia.mail, "M. Berger (import)", "", mdm_user_id=1309)
    twin.mdm_user_uuid, twin.mdm_user_name = world.new_id(), "mberger"
    world.persons[oid] = twin


_USUAL, _WHICH, _IN_THE_WAY = "The usual way", "Which phone is it?", "Something is in the way"
_ON_THE_DEVICE, _NOT_ALL, _OTHERS = "Only the person can tell", "Not for everybody", "Other devices"

SCENARIOS: dict[str, Scenario] = {
    "blocked_just_registered": Scenario(
        _USUAL,
        "Blocked, just registered",
        "The usual arrival: registered, but nobody tells Microsoft that it is compliant.",
        registered,
    ),
    "blocked_unregistered": Scenario(_USUAL, "Blocked, never registered", "Microsoft has not met this phone yet.", _nothing_more),
    "on_maas360": Scenario(_USUAL, "In the other MDM", "The usual arrival, and the phone is managed by IBM MaaS360.", _on_maas360),
    "not_compliant": Scenario(
        _USUAL, "Not compliant", "The passcode is missing, and the device management noticed.", _not_compliant
    ),
    "already_fine": Scenario(_USUAL, "Already fine", "Everything is in order. Outlook opens at once.", _already_fine),
    "two_phones": Scenario(
        _WHICH, "Two phones", "Mia has two managed iPhones, one of them registered. Take either in your hand.", _two_phones
    ),
    "two_mdms": Scenario(
        _WHICH,
        "One phone in each MDM",
        "Mia’s registered iPhone is in MaaS360, her second one in Workspace ONE. Either may be down.",
        _two_mdms,
    ),
    "three_entries": Scenario(
        _WHICH, "Three entries, one phone", "Each time this iPhone was set up anew an entry stayed behind.", _three_entries
    ),
    "new_phone": Scenario(
        _WHICH, "A new phone", "Restored from a backup: the entry of the phone before is there, its own is not.", _new_phone
    ),
    "registered_last_year": Scenario(
        _WHICH,
        "Registered last year, too",
        "Another iPhone of hers still has its entry, beside today’s.",
        _registered_last_year,
    ),
    "reregistered_same_id": Scenario(
        _WHICH,
        "Registered again",
        "Unregister it in Authenticator and register again: the same device id, another entry.",
        _reregistered_same_id,
    ),
    "duplicate_records": Scenario(
        _WHICH, "Two records of one phone", "The device management kept an old record with the same serial.", _duplicate_records
    ),
    "owned_by_another": Scenario(_WHICH, "Handed on", "The phone was Noah’s. For Microsoft he still owns it.", _owned_by_another),
    "signs_in_elsewhere": Scenario(
        _WHICH,
        "Signs in elsewhere",
        "Asked to sign in once more, Mia does it on her laptop. Is for the evidence level “bound”.",
        _signs_in_elsewhere,
    ),
    "not_enrolled": Scenario(
        _IN_THE_WAY, "Not managed", "The phone is registered, but in no device management. Hub can enroll it.", _not_enrolled
    ),
    "half_registered": Scenario(
        _IN_THE_WAY, "Stopped half way", "Registered forty minutes ago; the last step was never taken.", _half_registered
    ),
    "registered_outside_the_app": Scenario(
        _IN_THE_WAY,
        "Registered by itself",
        "Not in the MDM’s app, whose maker carries here and never hears of it.",
        _registered_outside_the_app,
    ),
    "removed_entry": Scenario(
        _IN_THE_WAY, "Entry removed", "Cleaned up in Entra; the phone still believes that it is registered.", _removed_entry
    ),
    "no_reason_given": Scenario(
        _IN_THE_WAY,
        "No, without a reason",
        "The device management says not compliant and names no rule.",
        _compliant_without_a_reason,
    ),
    "disabled_device": Scenario(
        _IN_THE_WAY, "Switched off", "An administrator disabled this phone’s entry in Entra.", _disabled_device
    ),
    "loop": Scenario(
        _IN_THE_WAY, "Compliant, still blocked", "Entra says compliant, and another policy keeps Outlook shut.", _loop
    ),
    "new_phone_no_second_factor": Scenario(
        _IN_THE_WAY,
        "New phone, old approval",
        "Signing in asks for a tap on the old phone, and that one is gone.",
        _new_phone_no_second_factor,
    ),
    "no_licence": Scenario(_NOT_ALL, "No licence", "Mia’s account has no Intune plan.", _no_licence),
    "guest": Scenario(_NOT_ALL, "A guest", "Mia is a guest of this company.", _guest),
    "not_in_group": Scenario(
        _NOT_ALL, "Not in the group", "Only “Mobile users” were chosen, and Mia is not among them.", _not_in_group
    ),
    "shared_user": Scenario(
        _NOT_ALL, "A staging user", "The device management knows the phone under “staging”, a shared account.", _shared_user
    ),
    "ambiguous_owner": Scenario(
        _NOT_ALL, "Two users, one mail", "The device management has two users with Mia’s mail.", _ambiguous_owner
    ),
    "android_work_profile": Scenario(
        _OTHERS,
        "Android, work profile",
        "Mia’s own phone, with a separate side for work. Just registered.",
        registered,
        KINDS["android_work_profile"],
    ),
    "android_fully_managed": Scenario(
        _OTHERS, "Android, fully managed", "The company’s phone. Never registered.", _nothing_more, KINDS["android_fully_managed"]
    ),
    "ipad": Scenario(_OTHERS, "iPad", "Its browser says that it is a Mac. Just registered.", registered, KINDS["ipad"]),
    "mac": Scenario(_OTHERS, "Mac", "Never registered.", _nothing_more, KINDS["mac"]),
    "mac_on_fleet": Scenario(
        _OTHERS,
        "Mac, in Fleet",
        "Never registered, and managed by Fleet, which sends no messages: the helpdesk’s, unless the evidence level is “fresh”.",
        _mac_on_fleet,
        KINDS["mac"],
    ),
    "windows": Scenario(
        _OTHERS,
        "Windows laptop",
        "Just registered. The partner service does not serve Windows.",
        registered,
        KINDS["windows"],
    ),
    "linux": Scenario(_OTHERS, "Linux laptop", "No device management of ours serves it.", _not_enrolled_at_all, KINDS["linux"]),
    **{
        name: Scenario(_ON_THE_DEVICE, trouble.title, trouble.line, begins(name), trouble.kind)
        for name, trouble in TROUBLES.items()
    },
}
