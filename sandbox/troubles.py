"""What goes wrong on the device itself, where no record of anybody's shows it: how it looks there, and what ends it.

Microsoft's part is played by the code it would show; the rest is what a person sees, in our own words. Next door: `scenarios`
begins with one of these, `policy` shows it in Outlook, `phone` and `deeds` when registering, and either ends it by its cure.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sandbox.platforms import IPHONE, KINDS, DeviceKind
from sandbox.tenant import registered
from sandbox.world import GRAPH_APP_ID, DirectoryDevice, Phone, World


@dataclass(frozen=True)
class Trouble:
    """`hides`: Microsoft is not shown which device it is. `registers`: it is in the way of registering, and Outlook says what it
    says without it. `cure` is a button: what the person does, or what somebody does for them."""

    title: str
    line: str
    code: int | None
    says: str
    cure: str
    hides: bool = False
    registers: bool = False
    kind: DeviceKind = IPHONE


_MAC, _WORK, _COMPANY = KINDS["mac"], KINDS["android_work_profile"], KINDS["android_fully_managed"]
# Codes: entra-docs identity-platform/reference-error-codes; a device that is not shown counts as one that is not managed (530003).
TROUBLES: dict[str, Trouble] = {
    "inside_app": Trouble(
        "Inside another app",
        "A link was tapped inside another app, whose window shows Microsoft no device.",
        530003,
        "This window belongs to another app and shows no device.",
        "Open it in Safari",
        hides=True,
    ),
    "private_window": Trouble(
        "Private window",
        "Everything is in order, and a private window hides it.",
        530003,
        "You are browsing in private.",
        "Close the private window",
        hides=True,
    ),
    "other_browser": Trouble(
        "Another browser",
        "A browser that Microsoft does not take for this.",
        530001,
        "Your browser is not supported here.",
        "Open it in Edge",
        hides=True,
    ),
    "certificate_box": Trouble(
        "Certificate refused",
        "The box about a certificate was closed, so the device stays unknown.",
        530003,
        "Select a certificate – or Deny.",
        "Choose the certificate",
        hides=True,
        kind=_COMPANY,
    ),
    "keychain": Trouble(
        "Keychain asks",
        "The Mac asks for the keychain password before the device may be shown.",
        530003,
        "An app wants to use a key in your keychain: Allow – Always Allow.",
        "Choose Always Allow",
        hides=True,
        kind=_MAC,
    ),
    "asked_again": Trouble(
        "Registration required, again",
        "macOS 15.1 asks to register again and again.",
        50129,
        "Registration required. Please sign in to register this Mac.",
        "Update to macOS 15.3 and repair",
        hides=True,
        kind=_MAC,
    ),
    "too_many": Trouble(
        "Too many devices",
        "The account has as many devices as it may have.",
        None,
        "You have reached the maximum number of devices.",
        "The helpdesk removes the oldest entry",
        registers=True,
    ),
    "not_allowed": Trouble(
        "May not register",
        "A setting keeps this person from registering devices.",
        240001,
        "You are not authorised to register devices.",
        "An administrator allows it",
        registers=True,
    ),
    "second_step": Trouble(
        "Second proof first",
        "A second proof has to be set up before anything is registered.",
        50079,
        "More information required: set up how you prove who you are.",
        "Set it up",
        registers=True,
    ),
    "old_app": Trouble(
        "An old app",
        "The app is too old to register a device.",
        501271,
        "Something went wrong. Please update the app.",
        "Update the app",
        registers=True,
    ),
    "clock": Trouble(
        "The clock is wrong",
        "The clock is an hour behind, and sign-ins fail without a reason.",
        None,
        "Something went wrong. Please try again.",
        "Set the clock to automatic",
        hides=True,
    ),
    "two_apps": Trouble(
        "Two apps for one device",
        "Authenticator was registered, and Company Portal speaks for the device.",
        501271,
        "The app that speaks for this device is missing.",
        "Use the one of this company",
        hides=True,
        kind=_COMPANY,
    ),
    "work_side": Trouble(
        "The wrong side",
        "The private copy of Outlook, beside the one with the briefcase.",
        530003,
        "This copy of the app is not managed.",
        "Use the one with the briefcase",
        hides=True,
        kind=_WORK,
    ),
    "old_management": Trouble(
        "Another management",
        "The former company’s device management is still on it.",
        530003,
        "This device is managed by another organisation.",
        "The helpdesk takes the old one off",
        hides=True,
    ),
    "other_company": Trouble(
        "Another company’s pages",
        "Outlook is asked for another company’s mail, which does not take our devices.",
        530004,
        "That organisation does not accept devices of yours.",
        "Go back to our own mail",
        hides=True,
    ),
}


def begins(name: str) -> Callable[[World], object]:
    """Registered, unless the trouble is in the way of just that."""

    def begin(world: World) -> None:
        if not TROUBLES[name].registers:
            registered(world)
        phone = world.phones["mia"]
        phone.trouble, phone.hidden = name, TROUBLES[name].hides
        if name == "too_many":
            world.device_quota = len(_entries(world, phone))
            world.apps["service"].permissions[GRAPH_APP_ID].add("Policy.Read.DeviceConfiguration")

    return begin


def trouble_of(phone: Phone) -> Trouble | None:
    return TROUBLES[phone.trouble] if phone.trouble is not None else None


def refusal(world: World, phone: Phone) -> str | None:
    """Why it cannot be registered now, as the app says it."""
    full = phone.device_id is None and len(_entries(world, phone)) >= world.device_quota
    trouble = TROUBLES["too_many"] if full else trouble_of(phone)
    if trouble is None or not trouble.registers:
        return None
    return trouble.says if trouble.code is None else f"{trouble.says} (AADSTS{trouble.code})"


def cure(world: World, phone: Phone) -> None:
    if phone.trouble == "too_many":
        min(_entries(world, phone), key=lambda device: device.registered_at).deleted = True
    phone.trouble, phone.hidden = None, False


def _entries(world: World, phone: Phone) -> list[DirectoryDevice]:
    return [device for device in world.devices.values() if device.owner_oid == phone.person_oid and not device.deleted]
