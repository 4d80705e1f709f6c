"""Is this a well-formed device message? Field by field, as the public client that works sends it.

Two entities for each device, inventory then compliance, serialized into a string. Next door: `intune` receives it.
Source: fleetdm/fleet website/api/controllers/microsoft-proxy/update-one-devices-compliance-status.js.
"""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime
from typing import Any

_SHARED = frozenset({"EntityType", "TenantId", "DeviceId", "UserId", "LastUpdateTime"})
_INVENTORY = _SHARED | frozenset({"DeviceManagementState", "DeviceName", "LastCheckInTime", "Os", "OsVersion", "EasIds", "State"})
_OPTIONAL = frozenset({"SerialNumber", "Model", "Vendor", "Platform", "UDID", "UPN"})
_COMPLIANCE = _SHARED | frozenset({"complianceStatus"})


class BadMessage(ValueError):
    """The service answers 400 with this text."""


def a_time(name: str, value: Any) -> datetime:
    """ISO 8601 with a zone, or BadMessage."""
    try:
        at = datetime.fromisoformat(str(value).replace("Z", "+00:00"))
    except ValueError as error:
        raise BadMessage(f"{name} is not an ISO 8601 time.") from error
    if at.tzinfo is None:
        raise BadMessage(f"{name} has no time zone.")
    return at.astimezone(UTC)


def checked_content(content: Any, tenant_id: str) -> list[dict[str, Any]]:
    if not isinstance(content, str):
        raise BadMessage("Content must be a string that holds a JSON array.")
    try:
        entities = json.loads(content)
    except ValueError as error:
        raise BadMessage("Content does not hold JSON.") from error
    if not isinstance(entities, list) or not entities or len(entities) % 2:
        raise BadMessage("Content must hold pairs of entities.")
    for inventory, compliance in zip(entities[::2], entities[1::2], strict=True):
        _check_fields(inventory, 1, _INVENTORY, _OPTIONAL, tenant_id)
        _check_fields(compliance, 4, _COMPLIANCE, frozenset(), tenant_id)
        _check_values(inventory, compliance)
    return entities


def _check_fields(entity: Any, number: int, needed: frozenset[str], optional: frozenset[str], tenant_id: str) -> None:
    if not isinstance(entity, dict) or entity.get("EntityType") != number:
        raise BadMessage(f"An entity of EntityType {number} is expected here.")
    if missing := needed - set(entity):
        raise BadMessage(f"Entity {number} lacks {', '.join(sorted(missing))}.")
    if unknown := set(entity) - needed - optional:
        raise BadMessage(f"Entity {number} has unknown fields: {', '.join(sorted(unknown))}.")
    for name in ("TenantId", "DeviceId", "UserId"):
        try:
            uuid.UUID(entity[name])
        except (ValueError, TypeError, AttributeError) as error:
            raise BadMessage(f"{name} is not a guid.") from error
    if entity["TenantId"] != tenant_id:
        raise BadMessage("TenantId is not that of the token.")
    a_time("LastUpdateTime", entity["LastUpdateTime"])


def _check_values(inventory: dict[str, Any], compliance: dict[str, Any]) -> None:
    for name in _SHARED - {"EntityType"}:
        if inventory[name] != compliance[name]:
            raise BadMessage(f"{name} differs between the two entities of a device.")
    if inventory["DeviceManagementState"] not in ("managed", "notManaged"):
        raise BadMessage("DeviceManagementState is managed or notManaged.")
    if compliance["complianceStatus"] not in ("compliant", "notCompliant"):
        raise BadMessage("complianceStatus is compliant or notCompliant.")
    if not isinstance(inventory["EasIds"], list) or inventory["State"] not in (0, 1, 2):
        raise BadMessage("EasIds is a list and State is 0, 1 or 2.")
    a_time("LastCheckInTime", inventory["LastCheckInTime"])
    for name in ("DeviceName", "Os", "OsVersion"):
        if not isinstance(inventory[name], str):
            raise BadMessage(f"{name} is a string.")
    if inventory["Os"].lower().startswith("windows"):
        # Partners serve Android, iOS, iPadOS and macOS alone (memdocs device-compliance-partners.md).
        raise BadMessage("Windows devices are not served by a compliance partner.")
