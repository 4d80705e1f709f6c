"""How the MDM's records look on Fleet's wire: hosts with policies where osquery runs, with profiles alone where it does not.

Fields from fleetdm/fleet `docs/REST API/rest-api.md` (Get host, List hosts) and `server/fleet/hosts.go`. Next door: `fleet` serves
these.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sandbox.world import ManagedRecord, World

NEVER = "2000-01-01T00:00:00Z"
"""`server.NeverTimestamp`, which stands where nothing was reported yet."""
HARDWARE = {"MacBook Air": "Mac14,2", "iPhone 15": "iPhone15,4", "iPhone SE": "iPhone14,6", "iPad Air": "iPad14,8"}
RESOLUTIONS = {
    "passcode": "Open System Settings, choose Lock Screen, and require a password as soon as the screen turns off.",
    "encrypted": "Open System Settings, choose Privacy & Security, then FileVault, and turn it on.",
    "jailbroken": "Bring the computer to the service desk. Do not copy anything off it first.",
}
RESPONSES = {"Compliant": "pass", "NonCompliant": "fail"}
DELIVERED = {"Compliant": "verified", "NonCompliant": "failed"}


def platform(record: ManagedRecord) -> str:
    if record.platform == "Apple":
        return "ipados" if record.model.startswith("iPad") else "ios"
    return {"Android": "android", "AppleOsX": "darwin", "WinRT": "windows"}[record.platform]


def runs_policies(record: ManagedRecord) -> bool:
    """Only where osquery runs (fleetdm/fleet#34131, #43582)."""
    return platform(record) in ("darwin", "windows")


def moment(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"


def hostname(record: ManagedRecord) -> str:
    return record.reported_name.replace("’", "").replace(" ", "-").lower()


def os_version(record: ManagedRecord) -> str:
    words = {"darwin": "macOS", "ios": "iOS", "ipados": "iPadOS", "android": "Android", "windows": "Windows 11 Enterprise 24H2"}
    return f"{words[platform(record)]} {record.os_version}"


def mapping(world: World, record: ManagedRecord) -> list[dict[str, str]]:
    """The identity provider's own name of the owner, and what stands there besides, by its source."""
    owner = world.persons.get(record.person_oid)
    signed_in = [{"email": owner.upn, "source": "mdm_idp_accounts"}] if owner is not None and owner.mdm_user_id is not None else []
    return [*signed_in, *({"email": mail, "source": source} for mail, source in record.also_mapped)]


def policies(record: ManagedRecord, never_run: bool) -> list[dict[str, Any]]:
    if not runs_policies(record):
        return []
    found = []
    for number, policy in enumerate(record.policies):
        response = "fail" if policy.fails(record.reported) else "pass"
        override = record.compliance_override
        if override is not None and number == 0:
            response = RESPONSES.get(override, override)
        found.append(
            {
                "id": policy.id,
                "name": policy.name,
                "query": "SELECT 1 FROM sandbox;",
                "description": policy.detail,
                "resolution": RESOLUTIONS[policy.rule],
                "platform": platform(record),
                "response": "" if never_run else response,
                "critical": False,
            }
        )
    return found


def _enrollment(record: ManagedRecord) -> str:
    if record.enrollment_status == "Unenrolled":
        return "Off"
    if record.enrollment_status not in ("Enrolled", "EnterpriseWipePending"):
        return record.enrollment_status
    if record.ownership == "E":
        return "On (manual)" if runs_policies(record) else "On (personal)"
    return "On (automatic)"


def _mdm(record: ManagedRecord) -> dict[str, Any]:
    return {
        "encryption_key_available": runs_policies(record) and record.reported.encrypted,
        "enrollment_status": _enrollment(record),
        "dep_profile_error": False,
        "name": "Fleet",
        "server_url": "https://fleet.contoso.example/mdm/apple/mdm",
    }


def _profiles(record: ManagedRecord) -> list[dict[str, Any]]:
    """Fleet knows that a profile is there, not whether the person heeds it."""
    override = record.compliance_override
    status = "verified" if override is None else DELIVERED.get(override, override)
    detail = "The device refused this profile." if status == "failed" else ""
    first = {
        "profile_uuid": record.uuid,
        "name": "Contoso passcode",
        "status": status,
        "operation_type": "install",
        "detail": detail,
    }
    return [first, {**first, "profile_uuid": f"w{record.uuid}", "name": "Contoso Wi-Fi", "status": "verified", "detail": ""}]


def host(record: ManagedRecord, never_run: bool) -> dict[str, Any]:
    """What every answer has of a host."""
    failing = sum(policy["response"] == "fail" for policy in policies(record, never_run))
    computer = runs_policies(record)
    return {
        "created_at": moment(record.enrolled_on),
        "updated_at": moment(record.last_seen),
        "id": record.id,
        "detail_updated_at": moment(record.last_seen),
        "label_updated_at": moment(record.last_seen) if computer else NEVER,
        "policy_updated_at": moment(record.last_compliance_check) if computer and not never_run else NEVER,
        "last_enrolled_at": moment(record.enrolled_on),
        "seen_time": moment(record.last_seen),
        "refetch_requested": False,
        "hostname": hostname(record),
        "uuid": record.udid,
        "platform": platform(record),
        "osquery_version": "5.13.1" if computer else "",
        "os_version": os_version(record),
        "hardware_vendor": "Apple Inc." if platform(record) in ("darwin", "ios", "ipados") else "",
        "hardware_model": HARDWARE.get(record.model, record.model),
        "hardware_serial": record.serial,
        "computer_name": record.friendly_name,
        "display_name": record.friendly_name,
        "display_text": hostname(record),
        "public_ip": "",
        "primary_ip": "",
        "team_id": None,
        "team_name": None,
        "status": "online",
        "issues": {"failing_policies_count": failing, "total_issues_count": failing},
        "mdm": _mdm(record),
    }


def details(record: ManagedRecord, never_run: bool, refetching: bool) -> dict[str, Any]:
    """One host by itself: what the list leaves out besides."""
    shown = host(record, never_run)
    wiping = record.enrollment_status == "EnterpriseWipePending"
    more = {
        "connected_to_fleet": True,
        "device_status": "unlocked",
        "pending_action": "wipe" if wiping else "",
        "profiles": _profiles(record),
    }
    known = {"disk_encryption_enabled": record.reported.encrypted} if runs_policies(record) else {}
    labels = [{"id": 6, "name": "All Hosts", "label_type": "builtin", "label_membership_type": "dynamic"}]
    told = {"refetch_requested": refetching, "mdm": {**shown["mdm"], **more}, "policies": policies(record, never_run)}
    return {**shown, **told, **known, "labels": labels, "packs": [], "pack_stats": None, "users": []}
