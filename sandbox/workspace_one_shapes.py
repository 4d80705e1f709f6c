"""How the MDM's records look on Workspace ONE's wire: PascalCase in version 1, camelCase in version 2.

Fields and spellings follow the Python clients generated from a live tenant's API description (mrpaws/awtest, mdm v1 and
v2, system v1 and v2) and the recorded session of JupiterOne/graph-airwatch. Next door: `workspace_one` serves these.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sandbox.world import ManagedRecord, Person, Policy, World

# 2 as recorded; the others as the vendor's console shows them, not confirmed by a public recording.
PLATFORM_NUMBERS = {"Apple": 2, "Android": 5, "AppleOsX": 10, "WinRT": 12}
NEVER = "0001-01-01T00:00:00.000"


def stamp(at: datetime) -> str:
    """Version 1 writes UTC without a zone letter; a client must know that it is UTC."""
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}"


def _user_name(owner: Person | None) -> str:
    return (owner.mdm_user_name or "") if owner else ""


def _group(world: World) -> dict[str, Any]:
    return {"Id": {"Value": world.mdm.group_id}, "Name": world.mdm.group_name, "Uuid": world.mdm.group_uuid}


def device_v1(world: World, record: ManagedRecord) -> dict[str, Any]:
    owner = world.persons.get(record.person_oid)
    name, uuid = _user_name(owner), owner.mdm_user_uuid if owner else None
    return {
        "Udid": record.udid,
        "SerialNumber": record.serial,
        "MacAddress": f"{0xA0B1C2000000 + record.id:012X}",
        "Imei": "",
        "EasId": "",
        "AssetNumber": record.udid,
        "DeviceFriendlyName": record.friendly_name,
        "DeviceReportedName": record.reported_name,
        "LocationGroupId": _group(world),
        "LocationGroupName": world.mdm.group_name,
        "UserId": {"Id": {"Value": owner.mdm_user_id if owner else 0}, "Name": name, "Uuid": uuid},
        "UserName": name,
        "DataProtectionStatus": 0,
        "UserEmailAddress": owner.mail if owner else "",
        "Ownership": record.ownership,
        "PlatformId": {"Id": {"Value": PLATFORM_NUMBERS[record.platform]}, "Name": record.platform},
        "Platform": record.platform,
        "ModelId": {"Id": {"Value": 1}, "Name": record.model.split(" ", 1)[0]},
        "Model": record.model,
        "OperatingSystem": record.os_version,
        "PhoneNumber": "",
        "LastSeen": stamp(record.last_seen),
        "EnrollmentStatus": record.enrollment_status,
        "ComplianceStatus": record.compliance_status,
        "CompromisedStatus": record.reported.jailbroken,
        "LastEnrolledOn": stamp(record.enrolled_on),
        "LastComplianceCheckOn": stamp(record.last_compliance_check),
        "LastCompromisedCheckOn": NEVER,
        "ComplianceSummary": {"DeviceCompliance": []},
        "IsSupervised": record.ownership == "C",
        "DataEncryptionYN": "Y" if record.reported.encrypted else "N",
        "EnrollmentUserUuid": uuid,
        "ManagedBy": 1,
        "Id": {"Value": record.id},
        "Uuid": record.uuid,
    }


def device_search_item(world: World, record: ManagedRecord) -> dict[str, Any]:
    """`DeviceExtended`: the same in versions 1 and 2 of the search."""
    return {"EasIds": {}, "TimeZone": "", **device_v1(world, record)}


def device_v2(world: World, record: ManagedRecord) -> dict[str, Any]:
    """camelCase, stamps with `Z`, and words where the description promises integers (as recorded)."""
    owner = world.persons.get(record.person_oid)
    group = {"organizationGroupId": world.mdm.group_uuid, "organizationGroupName": world.mdm.group_name}
    return {
        "udid": record.udid,
        "serialNumber": record.serial,
        "friendlyName": record.friendly_name,
        "organizationGroupName": world.mdm.group_name,
        "computerName": record.reported_name,
        "supervised": record.ownership == "C",
        "dataEncrypted": record.reported.encrypted,
        "platformInfo": {
            "deviceType": record.platform.upper(),
            "platformName": record.platform,
            "modelName": record.model,
            "osVersion": record.os_version,
        },
        "enrollmentInfo": {
            "enrollmentStatus": record.enrollment_status.upper(),
            "compliant": record.compliance_status == "Compliant",
            "enrollmentTimestamp": stamp(record.enrolled_on) + "Z",
            "lastSeenTimestamp": stamp(record.last_seen) + "Z",
            "ownership": "CORPORATE" if record.ownership == "C" else "EMPLOYEE",
            **group,
            "userName": _user_name(owner),
            "userEmailAddress": owner.mail if owner else "",
            "enrollmentUserUuid": owner.mdm_user_uuid if owner else None,
            "managedBy": "MDM",
        },
        "Links": [],
        "id": record.id,
        "uuid": record.uuid,
    }


def compliance_item(record: ManagedRecord, policy: Policy) -> dict[str, Any]:
    return {
        "CompliantStatus": not policy.fails(record.reported),
        "CompliancePending": False,
        "PolicyName": policy.name,
        "PolicyDetail": policy.detail,
        "LastComplianceCheck": stamp(record.last_compliance_check),
        "NextComplianceCheck": NEVER,
        "ActionTaken": [],
        "Id": {"Value": policy.id},
        "Uuid": policy.uuid,
    }


def security(record: ManagedRecord) -> dict[str, Any]:
    """With the secrets that the real answer carries, so that a client which logs whole bodies is found out."""
    return {
        "DeviceId": {"Id": {"Value": record.id}, "Uuid": record.uuid},
        "IsCompromised": record.reported.jailbroken,
        "DataProtectionEnabled": record.reported.encrypted,
        "BlockLevelEncryption": record.reported.encrypted,
        "FileLevelEncryption": record.reported.encrypted,
        "IsPasscodePresent": record.reported.passcode,
        "IsPasscodeCompliant": record.reported.passcode,
        "EncryptionStatus": "Encrypted" if record.reported.encrypted else "NotEncrypted",
        "IsEncrypted": record.reported.encrypted,
        "PersonalRecoveryKey": f"SECRET-RECOVERY-KEY-{record.id}",
        "UnlockPin": f"SECRET-PIN-{record.id}",
    }


def _attributes(person: Person) -> list[tuple[int, str]]:
    return [(n, person.mdm_attributes[n - 1] if n <= len(person.mdm_attributes) else "") for n in range(1, 6)]


def user_v1(world: World, person: Person, devices: int) -> dict[str, Any]:
    first, _, last = person.name.partition(" ")
    return {
        "UserName": person.mdm_user_name,
        "FirstName": first,
        "LastName": last,
        "Status": person.enabled,
        "Email": person.mail,
        "SecurityType": 1,
        "ContactNumber": "",
        "DisplayName": person.name,
        "MobileNumber": "",
        "EmailUserName": person.mail.split("@", 1)[0],
        "Group": world.mdm.group_name,
        "LocationGroupId": str(world.mdm.group_id),
        "OrganizationGroupUuid": world.mdm.group_uuid,
        "Role": "Full Access",
        "EnrolledDevicesCount": str(devices),
        "ExternalId": person.mdm_external_id or "",
        **{f"CustomAttribute{n}": value for n, value in _attributes(person)},
        "Id": {"Value": person.mdm_user_id},
        "Uuid": person.mdm_user_uuid,
    }


def user_v2(world: World, person: Person, devices: int) -> dict[str, Any]:
    return {
        "uuid": person.mdm_user_uuid,
        "externalId": person.mdm_external_id,
        **{f"customAttribute{n}": value for n, value in _attributes(person)},
        "domain": person.upn.partition("@")[2],
        "userName": person.mdm_user_name,
        "userPrincipalName": person.upn,
        "emailAddress": person.mail,
        "status": person.enabled,
        "securityType": "DIRECTORY",
        "organizationGroupUuid": world.mdm.group_uuid,
        "aadMappingAttribute": "objectGUID",
        "enrolledDeviceCount": devices,
        "userGroupCount": 0,
    }
