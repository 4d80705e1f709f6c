"""Conditional Access policies that block by a filter for devices, and what such a filter makes of a device: null fails open.

Sources: entra-docs concept-condition-filters-for-devices.md (an unregistered device has no attributes, and a negative operator
matches what is not there; extension attributes are there for devices that are compliant, managed by Intune or hybrid joined) and
concept-conditional-access-policies (a block ends the evaluation). Whether a device managed by way of a partner counts as managed by
Intune is not public: here it does not. Next door: `policy`, which asks for a compliant device and then asks here.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from sandbox.things import DevicePolicy, DirectoryDevice

if TYPE_CHECKING:
    from sandbox.world import World

_TERM = re.compile(r"""^device\.(\w+)\s+-(\w+)\s+(\[.*\]|"[^"]*"|'[^']*'|\S+)$""", re.IGNORECASE)
_STRINGS = {
    "displayname": "name",
    "model": "model",
    "manufacturer": "manufacturer",
    "operatingsystem": "os",
    "operatingsystemversion": "os_version",
    "trusttype": "trust_type",
    "deviceid": "device_id",
}


class BadRule(ValueError):
    """Entra refuses to save such a rule."""


def matches(rule: str, device: DirectoryDevice | None) -> bool:
    """`-and` binds closer than `-or`; brackets around a whole term are taken."""
    return any(
        all(_term(term, device) for term in re.split(r"\s+-and\s+", part, flags=re.IGNORECASE))
        for part in re.split(r"\s+-or\s+", rule.strip(), flags=re.IGNORECASE)
    )


def _term(text: str, device: DirectoryDevice | None) -> bool:
    found = _TERM.match(text.strip().strip("()").strip())
    if found is None:
        raise BadRule(text)
    name, operator, wanted = found[1].lower(), found[2].lower(), _wanted(found[3])
    value = _value(name, device)
    negative = operator in ("ne", "notin") or operator.startswith("not")
    if value is None:
        return negative
    plain = {"ne": "eq", "notin": "in", "notcontains": "contains", "notstartswith": "startswith", "notendswith": "endswith"}
    hit = _hits(plain.get(operator, operator), value.casefold(), [one.casefold() for one in wanted])
    return not hit if negative else hit


def _hits(operator: str, value: str, wanted: list[str]) -> bool:
    if operator == "eq":
        return value == wanted[0]
    if operator == "in":
        return value in wanted
    if operator == "contains":
        return wanted[0] in value
    if operator == "startswith":
        return value.startswith(wanted[0])
    if operator == "endswith":
        return value.endswith(wanted[0])
    raise BadRule(operator)


def _wanted(text: str) -> list[str]:
    if text.startswith("["):
        return re.findall(r"""["']([^"']*)["']""", text)
    return [text.strip("\"'")]


def _value(name: str, device: DirectoryDevice | None) -> str | None:
    if device is None:
        return None
    if name == "iscompliant":
        return None if device.is_compliant is None else str(device.is_compliant)
    if name in _STRINGS:
        return getattr(device, _STRINGS[name]) or None
    if name.startswith("extensionattribute"):
        told = device.is_compliant is True or device.trust_type == "ServerAd"
        return device.extension_attributes.get(f"extensionAttribute{name[18:]}") if told else None
    raise BadRule(name)


def meant(policy: DevicePolicy, system: str) -> bool:
    """Whether Outlook on this platform (the block page's word for it) is what the policy is about."""
    word = "iOS" if system in ("iOS", "iPadOS") else system
    named = {one.casefold() for one in policy.platforms}
    left_out = {one.casefold() for one in policy.not_platforms}
    apps = bool({"All", "Office365"} & set(policy.apps))
    clients = bool({"all", "mobileAppsAndDesktopClients"} & set(policy.clients))
    return apps and clients and (not named or bool({"all", word.casefold()} & named)) and word.casefold() not in left_out


def blocks(policy: DevicePolicy, device: DirectoryDevice | None, system: str) -> bool:
    """As if it were on."""
    if policy.state == "disabled" or not meant(policy, system):
        return False
    return matches(policy.rule, device) is (policy.mode == "include")


def blocking(world: World, device: DirectoryDevice | None, system: str) -> list[DevicePolicy]:
    return [policy for policy in world.device_policies if policy.state == "enabled" and blocks(policy, device, system)]


def results(world: World, device: DirectoryDevice | None, system: str) -> list[dict[str, Any]]:
    """As a line of the sign-in log tells: resources/appliedconditionalaccesspolicy.md."""
    told = []
    for policy in world.device_policies:
        hit = blocks(policy, device, system)
        result = {"enabled": "failure" if hit else "notApplied", "disabled": "notEnabled"}.get(policy.state)
        result = result or ("reportOnlyFailure" if hit else "reportOnlyNotApplied")
        told.append(
            {"displayName": policy.name, "result": result, "enforcedGrantControls": ["Block"], "enforcedSessionControls": []}
        )
    return told
