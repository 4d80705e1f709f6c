"""PATCH of a directory device: what an app may change, on Windows and elsewhere.

Sources: microsoft-graph-docs-contrib api-reference/v1.0/api/device-update.md and Graph's known issues.
"""

from __future__ import annotations

from typing import Any

from sandbox.graph_manners import GraphError
from sandbox.world import DirectoryDevice

_ATTRIBUTES = frozenset(f"extensionAttribute{n}" for n in range(1, 16))
_WRITABLE: dict[str, tuple[str, type | tuple[type, ...]]] = {
    "accountEnabled": ("enabled", bool),
    "operatingSystem": ("os", str),
    "operatingSystemVersion": ("os_version", str),
    "displayName": ("name", str),
    "isCompliant": ("is_compliant", bool),
    "isManaged": ("is_managed", bool),
}


_OF_APPROVED_MDMS = frozenset({"isCompliant", "isManaged"})


def checked_update(device: DirectoryDevice, body: Any, *, approved: bool) -> dict[str, Any]:
    """What is to be written, by our own names; all or nothing. Compliance is taken from approved MDM apps alone: the permissions
    note of device-update.md. The form of that refusal is what AADInternals' users were shown (its issues 8 and 95)."""
    if not isinstance(body, dict) or not body:
        raise GraphError(400, "Request_BadRequest", "A JSON object with at least one property is expected.")
    for name, value in body.items():
        if name == "extensionAttributes":
            _check_attributes(value)
        elif name not in _WRITABLE or not isinstance(value, _WRITABLE[name][1]):
            raise GraphError(400, "Request_BadRequest", f"Property '{name}' is invalid or read-only.")
        elif device.os != "Windows":
            raise GraphError(400, "Request_BadRequest", "Properties other than ExtendedAttribute1..15 can not be modified.")
    if not approved and body.keys() & _OF_APPROVED_MDMS:
        raise GraphError(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")
    own = {_WRITABLE[name][0]: value for name, value in body.items() if name != "extensionAttributes"}
    if "extensionAttributes" in body:  # null clears; an empty string is stored as it is
        own["extension_attributes"] = {**device.extension_attributes, **body["extensionAttributes"]}
    return own


def _check_attributes(value: Any) -> None:
    if not isinstance(value, dict) or not value.keys() <= _ATTRIBUTES:
        raise GraphError(400, "Request_BadRequest", "extensionAttributes takes extensionAttribute1 to 15.")
    if not all(item is None or isinstance(item, str) for item in value.values()):
        raise GraphError(400, "Request_BadRequest", "An extension attribute is a string or null.")
