"""Plays Conditional Access for Outlook: opens, or says which block page, and leaves a line in the sign-in log.

The one grant control is *require a device marked as compliant*, for everyone and on every platform; one story adds a
second policy that no device can satisfy, and an administrator may add some that block by a filter for devices. Next door: `world`
is what it judges, `device_filter` the filters, `phone` draws the page it names.
"""

from __future__ import annotations

import uuid
from dataclasses import asdict, dataclass
from typing import Any, Literal

from sandbox.device_filter import blocking, results
from sandbox.sign_in_log import entry
from sandbox.troubles import trouble_of
from sandbox.world import DirectoryDevice, Phone, World

OUTLOOK_APP_ID = "27922004-5251-4030-b22d-91ecd9a37ea4"
Kind = Literal[
    "open",
    "unregistered",
    "unmanaged",
    "not_compliant",
    "disabled",
    "deleted",
    "foreign",
    "account_disabled",
    "other_policy",
    "held_back",
    "trouble",
]


@dataclass(frozen=True)
class Outcome:
    """What the person sees after tapping Outlook; `code` is the AADSTS number, None when it opened."""

    kind: Kind
    opens: bool
    code: int | None
    title: str
    message: str
    button: str | None
    url: str | None
    request_id: str
    correlation_id: str
    at: str
    app: str
    app_id: str
    device_identifier: str
    device_platform: str
    device_state: str

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


# Codes: entra-docs identity-platform/reference-error-codes. Wordings are our own; Microsoft's may change at any time.
_PAGES: dict[Kind, tuple[int | None, str, str]] = {
    "open": (None, "Inbox", "Outlook is open."),
    "unregistered": (530003, "Set up your device to get access", "Your organisation lets only managed devices open its data."),
    "unmanaged": (530003, "Set up your device to get access", "You are signed in, but nobody vouches that this device is managed."),
    "not_compliant": (53000, "You can't get there from here", "This device does not meet your organisation's requirements yet."),
    "disabled": (135011, "This device is disabled", "An administrator switched this device off in the directory."),
    "deleted": (700003, "This device is not known", "Its entry in the directory was removed. Register it again."),
    "foreign": (501312, "This device belongs to someone else", "It is registered for another account."),
    "other_policy": (53003, "You cannot access this right now", "You are signed in, but another policy does not allow this."),
    "held_back": (53003, "You cannot access this right now", "You are signed in, but a policy does not let this device in."),
    "account_disabled": (50057, "Your account is disabled", "Please speak to your helpdesk."),
}


def open_outlook(world: World, phone: Phone) -> Outcome:
    """Tap the icon: decide on the world as it is now, write the sign-in log, remember what was shown."""
    with world.settled():
        outcome = _outcome(world, phone)
        phone.outlook = outcome.as_json()
        world.sign_ins.append(_log_entry(world, phone, outcome))
        return outcome


def _device_of(world: World, phone: Phone) -> DirectoryDevice | None:
    return None if phone.device_id is None or phone.hidden else world.device_by_device_id(phone.device_id)


def _kind(world: World, phone: Phone) -> Kind:
    if not world.persons[phone.person_oid].enabled:
        return "account_disabled"
    if (trouble := trouble_of(phone)) is not None and not trouble.registers:
        return "trouble"
    held_back = bool(blocking(world, _device_of(world, phone), phone.kind.policy_word))
    if world.bypasses(phone.person_oid):  # of the policy about compliant devices alone: the device is what it was
        return "held_back" if held_back else "other_policy" if world.other_policy_blocks else "open"
    if phone.device_id is None:
        return "held_back" if held_back else "unregistered"
    device = _device_of(world, phone)
    if device is None:
        return "deleted"
    if not device.enabled:
        return "disabled"
    if device.owner_oid != phone.person_oid:
        return "foreign"
    if held_back:  # a block ends it: whoever could else register or put it right is not told how
        return "held_back"
    if device.is_compliant is True:
        return "other_policy" if world.other_policy_blocks else "open"
    return "not_compliant" if device.is_managed is True else "unmanaged"


def _state(device: DirectoryDevice | None) -> str:
    if device is None:
        return "Unregistered"
    if not device.enabled:
        return "Disabled"
    if device.is_compliant is True:
        return "Compliant"
    return "Managed" if device.is_managed else "Registered"


def _outcome(world: World, phone: Phone) -> Outcome:
    kind, device = _kind(world, phone), _device_of(world, phone)
    trouble = trouble_of(phone)
    if kind == "trouble" and trouble is not None:
        code, title, message = trouble.code, "You can't get there from here", trouble.says
    else:
        code, title, message = _PAGES[kind]
    button, url = {
        # fleetdm/fleet articles/entra-conditional-access-integration.md: Continue leads to the partner's enrollment
        # address, Check Compliance to its remediation address. Nothing is added to either.
        "unregistered": ("Continue", world.partner.enrollment_url),
        "unmanaged": ("Continue", world.partner.enrollment_url),
        "not_compliant": ("Check Compliance", world.partner.remediation_url),
    }.get(kind, (None, None))
    return Outcome(
        kind=kind,
        opens=kind == "open",
        code=code,
        title=title,
        message=message,
        button=button if url else None,
        url=url,
        request_id=str(uuid.uuid4()),
        correlation_id=str(uuid.uuid4()),
        at=world.now().isoformat(timespec="seconds"),
        app="Outlook",
        app_id=OUTLOOK_APP_ID,
        device_identifier=device.device_id if device else "Not available",
        device_platform=phone.kind.policy_word,
        device_state=_state(device),
    )


def _log_entry(world: World, phone: Phone, outcome: Outcome) -> dict[str, Any]:
    return entry(
        world.persons[phone.person_oid],
        _device_of(world, phone),
        id=outcome.request_id,
        correlation_id=outcome.correlation_id,
        at=outcome.at,
        app_id=outcome.app_id,
        app=outcome.app,
        system=phone.kind.policy_word,
        policy="success" if outcome.opens else "failure",
        code=outcome.code or 0,
        reason=None if outcome.opens else outcome.title,
        policies=results(world, _device_of(world, phone), phone.kind.policy_word),
    )
