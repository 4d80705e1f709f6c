"""How things of the world look as Graph v1.0 entities: properties, what is given unasked, and `$select`.

Next door: `graph` routes and checks. Sources: microsoft-graph-docs-contrib api-reference/v1.0/resources/
{device,user,group,licensedetails,serviceprincipal,endpoint}.md.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sandbox.world import DirectoryDevice, Group, Person

# Documented for beta and only selectable in v1.0: whoever needs them must ask.
_DEVICE_ON_REQUEST = frozenset({"registrationDateTime"})
_USER_DEFAULT = frozenset(
    {
        "id",
        "businessPhones",
        "displayName",
        "givenName",
        "jobTitle",
        "mail",
        "mobilePhone",
        "officeLocation",
        "preferredLanguage",
        "surname",
        "userPrincipalName",
    }
)
PLAN_NAMES = {
    "c1ec4a95-1f05-45b3-a911-aa3fa01094f5": "INTUNE_A",
    "41781fb2-bc02-4b7c-bd55-b576c07bb09d": "AAD_PREMIUM",
    "eec0eb4f-6444-4f95-aba0-50c24d67f998": "AAD_PREMIUM_P2",
}


SERVICES = {plan: "SCO" if name == "INTUNE_A" else "AADPremiumService" for plan, name in PLAN_NAMES.items()}


class UnknownProperty(Exception):
    """Somebody selected a property that the type does not have."""


def _time(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def device(entity: DirectoryDevice, select: list[str] | None) -> dict[str, Any]:
    whole: dict[str, Any] = {
        "id": entity.object_id,
        "deletedDateTime": None,
        "accountEnabled": entity.enabled,
        # Refreshed only when older than about 14 days, so it says nothing of "just now".
        "approximateLastSignInDateTime": _time(entity.registered_at),
        "complianceExpirationDateTime": None,
        "deviceId": entity.device_id,
        "displayName": entity.name,
        "extensionAttributes": {
            f"extensionAttribute{n}": entity.extension_attributes.get(f"extensionAttribute{n}") for n in range(1, 16)
        },
        "isCompliant": entity.is_compliant,
        "isManaged": entity.is_managed,
        "manufacturer": entity.manufacturer,
        # Under partner compliance Entra shows Intune itself as the MDM; so this proves nothing about the partner.
        "mdmAppId": "0000000a-0000-0000-c000-000000000000" if entity.is_managed else None,
        "model": entity.model,
        "operatingSystem": entity.os,
        "operatingSystemVersion": entity.os_version,
        "physicalIds": [],
        "profileType": entity.profile_type,
        "registrationDateTime": _time(entity.registered_at),
        "systemLabels": [],
        "trustType": entity.trust_type,
    }
    return _selected(whole, select, whole.keys() - _DEVICE_ON_REQUEST, "microsoft.graph.device")


def device_as_directory_object(entity: DirectoryDevice, select: list[str] | None) -> dict[str, Any]:
    """In an uncast collection only directoryObject's own properties can be selected."""
    if select is not None:
        _selected({"id": None, "deletedDateTime": None}, select, frozenset(), "microsoft.graph.directoryObject")
    return {"@odata.type": "#microsoft.graph.device", **device(entity, select)}


def user(entity: Person, select: list[str] | None) -> dict[str, Any]:
    first, _, last = entity.name.partition(" ")
    whole: dict[str, Any] = {
        "id": entity.oid,
        "businessPhones": [],
        "displayName": entity.name,
        "givenName": first,
        "jobTitle": None,
        "mail": entity.mail,
        "mobilePhone": None,
        "officeLocation": None,
        "preferredLanguage": None,
        "surname": last,
        "userPrincipalName": entity.upn,
        "accountEnabled": entity.enabled,
        "userType": "Guest" if entity.guest else "Member",
        "onPremisesSamAccountName": entity.sam_account_name,
        "employeeId": entity.employee_id,
        "assignedPlans": [
            {
                "assignedDateTime": "2026-01-12T08:00:00Z",
                "capabilityStatus": "Enabled",
                "service": SERVICES.get(plan, "exchange"),
                "servicePlanId": plan,
            }
            for plan in entity.licences
        ],
    }
    return _selected(whole, select, _USER_DEFAULT, "microsoft.graph.user")


def licence_details(entity: Person, select: list[str] | None) -> list[dict[str, Any]]:
    if not entity.licences:
        return []
    plans = [
        {
            "servicePlanId": plan,
            "servicePlanName": PLAN_NAMES.get(plan, "UNNAMED"),
            "provisioningStatus": "Success",
            "appliesTo": "User",
        }
        for plan in entity.licences
    ]
    whole: dict[str, Any] = {
        "id": f"{entity.oid[:8]}-spe-e3",
        "skuId": "05e9a617-0261-4cee-bb44-138d3ef5d965",
        "skuPartNumber": "SPE_E3",
        "servicePlans": plans,
    }
    return [_selected(whole, select, whole.keys(), "microsoft.graph.licenseDetails")]


def group(entity: Group, select: list[str] | None) -> dict[str, Any]:
    whole: dict[str, Any] = {
        "id": entity.id,
        "deletedDateTime": None,
        "description": entity.description,
        "displayName": entity.name,
        "groupTypes": ["DynamicMembership"] if entity.dynamic else [],
        "mail": None,
        "mailEnabled": not entity.security,
        "securityEnabled": entity.security,
    }
    return _selected(whole, select, whole.keys(), "microsoft.graph.group")


def service_principal(object_id: str, app_id: str, name: str, select: list[str] | None) -> dict[str, Any]:
    whole = {"id": object_id, "appId": app_id, "displayName": name, "accountEnabled": True}
    return _selected(whole, select, whole.keys(), "microsoft.graph.servicePrincipal")


def _selected(whole: dict[str, Any], select: list[str] | None, default: Any, type_name: str) -> dict[str, Any]:
    if select is None:
        return {name: value for name, value in whole.items() if name in default}
    for name in select:
        if name not in whole:
            raise UnknownProperty(f"Could not find a property named '{name}' on type '{type_name}'.")
    return {name: whole[name] for name in whole if name in select}
