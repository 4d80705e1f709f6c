"""What happens now, in one sentence, derived from the world: so that a visitor sees cause and effect.

Next door: `phone_scene` puts it on the story page with everything else that is shown.
"""

from __future__ import annotations

from dataclasses import dataclass

from sandbox.device_filter import blocking
from sandbox.world import DirectoryDevice, ManagedRecord, Phone, World

AGENTS = {"workspace_one": "Hub", "maas360": "MaaS360", "fleet": "Fleet Desktop"}
"""What each MDM's app on the device is called."""


@dataclass(frozen=True)
class Now:
    title: str
    sentence: str
    tone: str = "go"


def what_happens_now(world: World, phone: Phone, record: ManagedRecord | None, device: DirectoryDevice | None) -> Now:
    """The first true line wins, from the end of the story backwards."""
    name, shown = world.persons[phone.person_oid].name.partition(" ")[0], phone.outlook
    compliant = bool(device and device.is_compliant)
    heard = bool(record and record.failing)
    true = bool(record and any(policy.fails(phone.health) for policy in record.policies))
    if shown and shown["opens"]:
        return _inside(name, compliant, heard, true, AGENTS[phone.vendor])
    if compliant and shown and shown["kind"] == "other_policy":
        return Now(
            "Compliant, and still blocked.", "Another policy says no. Open the product below and say that it did not help.", "warn"
        )
    if compliant and shown and blocking(world, device, phone.kind.policy_word):
        return Now("Compliant, and held back.", "A second policy asks for more. The way on begins in the product.", "warn")
    if compliant and shown:
        return Now("Microsoft says yes.", f"Go home on the {phone.kind.noun} and tap Outlook again.", "ok")
    if compliant and not world.other_policy_blocks:
        return Now("Nothing is wrong here.", "Tap Outlook: it opens.", "ok")
    told = [u for u in world.uploads.values() if any(entity.get("DeviceId") == phone.device_id for entity in u.content)]
    if any(not upload.applied and upload.status != "Failed" for upload in told):
        return Now("On its way to Microsoft.", "The verdict was sent. Entra shows it in a few seconds.")
    if record is not None and (record.custom_attributes or told):
        return _linked(record, heard, true, phone)
    if phone.messages:
        noun = phone.kind.noun
        later = "" if device else f" If the page then asks you to register this {noun}, open {phone.kind.registers_in} here."
        return Now(f"A message reached {name}’s {noun}.", f"Open its link: that shows the {noun} is in your hand." + later)
    if shown and shown["button"]:
        return _blocked(world, phone, shown["button"], device is None)
    if shown:
        return _no_way_on(shown["kind"])
    return Now(f"{name} wants to read her mail.", f"Tap Outlook on the {phone.kind.noun}.")


def _inside(name: str, compliant: bool, heard: bool, true: bool, agent: str) -> Now:
    if not compliant:
        return Now("The access is gone.", "Outlook still shows what it loaded. Go home and tap it again.", "warn")
    if heard:
        return Now("The device management noticed.", "The product tells Microsoft. Soon the access is gone.", "warn")
    if true:
        return Now("Nobody has noticed yet.", f"Open {agent} and press Sync now: the phone reports itself.")
    return Now(f"{name} is in.", "Outlook opened. Now try this: switch the passcode off, and watch the access go again.", "ok")


def _linked(record: ManagedRecord, heard: bool, true: bool, phone: Phone) -> Now:
    noun, agent = phone.kind.noun, AGENTS[phone.vendor]
    if heard and true:
        rules = " and ".join(f"“{policy.name}”" for policy in record.failing)
        how = f"It misses {rules}. Put it right with the switches, then press the button in the product."
        return Now("The device management says no.", how, "warn")
    if heard:
        how = f"Press the button in the product, or Sync now in {agent}, and the device management hears of it."
        return Now(f"The {noun} is in order again.", how)
    return Now(f"{noun.capitalize()} and record are joined.", "The product now tells Microsoft. Nothing to do here.")


def _blocked(world: World, phone: Phone, button: str, unregistered: bool) -> Now:
    person = world.persons[phone.person_oid]
    kind, device = phone.kind, phone.kind.noun
    how = f"In Outlook, press {button}: the product opens in a new tab. Choose {kind.word} there, and sign in as {person.name}."
    later = f" When it asks you to register this {device}, come back and open {kind.registers_in}." if unregistered else ""
    if phone.record_id is None:
        later = f" When it asks you to enroll, come back and open {AGENTS[phone.vendor]}."
    return Now("Outlook is blocked.", how + later, "warn")


def _no_way_on(kind: str) -> Now:
    """A block page without a button: in life people come by a leaflet, a link in the MDM's app, or the helpdesk."""
    sentence = {
        "disabled": "The entry is switched off. Microsoft’s page has no button.",
        "deleted": "The entry is gone. Microsoft’s page has no button.",
        "foreign": "It belongs to another account. Microsoft’s page has no button.",
    }.get(kind, "Microsoft’s page has no button.")
    return Now("Outlook is blocked.", f"{sentence} Open the product below, as from a leaflet.", "warn")
