"""What happens now, in one sentence, derived from the world: so that a visitor sees cause and effect.

Next door: `phone_scene` puts it on the story page with everything else that is shown.
"""

from __future__ import annotations

from dataclasses import dataclass

from sandbox.world import DirectoryDevice, ManagedRecord, Phone, World


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
        return _inside(name, compliant, heard, true)
    if compliant and shown:
        return Now("Microsoft says yes.", "Go home on the phone and tap Outlook again.", "ok")
    if compliant:
        return Now("Nothing is wrong here.", "Tap Outlook: it opens.", "ok")
    told = [u for u in world.uploads.values() if any(entity.get("DeviceId") == phone.device_id for entity in u.content)]
    if any(not upload.applied and upload.status != "Failed" for upload in told):
        return Now("On its way to Microsoft.", "The verdict was sent. Entra shows it in a few seconds.")
    if record is not None and (record.custom_attributes or told):
        return _linked(record, heard, true)
    if phone.messages:
        later = "" if device else " If the page then asks you to register this phone, open Authenticator here."
        return Now(f"A message reached {name}’s phone.", "Open its link: that shows the phone is in your hand." + later)
    if shown:
        return _blocked(world, phone, shown["button"] or "More details", device is None)
    return Now(f"{name} wants to read her mail.", "Tap Outlook on the phone.")


def _inside(name: str, compliant: bool, heard: bool, true: bool) -> Now:
    if not compliant:
        return Now("The access is gone.", "Outlook still shows what it loaded. Go home and tap it again.", "warn")
    if heard:
        return Now("The device management noticed.", "The product tells Microsoft. Soon the access is gone.", "warn")
    if true:
        return Now("Nobody has noticed yet.", "Open Hub and press Sync now: the phone reports itself.")
    return Now(f"{name} is in.", "Outlook opened. Now try this: switch the passcode off, and watch the access go again.", "ok")


def _linked(record: ManagedRecord, heard: bool, true: bool) -> Now:
    if heard and true:
        rules = " and ".join(f"“{policy.name}”" for policy in record.failing)
        how = f"It misses {rules}. Put it right with the switches, then press the button in the product."
        return Now("The device management says no.", how, "warn")
    if heard:
        how = "Press the button in the product, or Sync now in Hub, and the device management hears of it."
        return Now("The phone is in order again.", how)
    return Now("Phone and record are joined.", "The product now tells Microsoft. Nothing to do here.")


def _blocked(world: World, phone: Phone, button: str, unregistered: bool) -> Now:
    person = world.persons[phone.person_oid]
    how = f"In Outlook, press {button}: the product opens in a new tab. Choose iPhone there, and sign in as {person.name}."
    later = " When it asks you to register this phone, come back and open Authenticator." if unregistered else ""
    return Now("Outlook is blocked.", how + later, "warn")
