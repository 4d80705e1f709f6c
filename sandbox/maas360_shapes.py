"""How the MDM's records look on MaaS360's wire: numbers that are strings now and then, versions that are floats, states in words.

Fields from Milhound/maas360api `devices/search.go` and `deviceDetails.go`, Stjubit/TA-MaaS360 `maas360_utils.py`. Next door:
`maas360` serves these.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sandbox.world import ManagedRecord, World

PLATFORMS = {"Apple": "iOS", "Android": "Android", "AppleOsX": "Mac", "WinRT": "Windows"}
MANAGED = {"Enrolled": "Enrolled", "Unenrolled": "Control Removed", "EnterpriseWipePending": "Pending Control Removed"}
OWNERSHIP = {"C": "Corporate Owned", "E": "Employee Owned", "S": "Corporate Shared"}
AGENTS = {"Android": "com.fiberlink.maas360.android.control"}
IN, OUT = "In Compliance", "Out of Compliance"


def csn(record: ManagedRecord) -> str:
    """`maas360DeviceID`: iOS `Appl<serial>`, Android `android<hex>`; the others' form is not public."""
    if record.platform == "Apple":
        return f"Appl{record.serial}"
    if record.platform == "Android":
        return f"android{record.uuid.replace('-', '')[:16]}"
    return f"csn{record.uuid.replace('-', '')[:16]}"


def epoch(at: datetime) -> int:
    return int(at.timestamp() * 1000)


def local(at: datetime) -> str:
    """Without a zone, as seen."""
    return f"{at:%Y-%m-%dT%H:%M:%S}"


def _state(fails: bool) -> str:
    return OUT if fails else IN


def _policy_state(record: ManagedRecord) -> str:
    override = record.compliance_override
    if override is not None:
        return {"Compliant": IN, "NonCompliant": OUT}.get(override, override)
    return _state(any(p.rule == "encrypted" for p in record.failing))


def states(record: ManagedRecord) -> dict[str, str]:
    failing = {policy.rule for policy in record.failing}
    return {
        "appComplianceState": IN,
        "passcodeCompliance": "Out of Compliance" if "passcode" in failing else "Compliant",
        "policyComplianceState": _policy_state(record),
        "ruleComplianceState": _state("jailbroken" in failing),
    }


def _version(text: str, mixed: bool) -> object:
    """`17` and `13.1` as numbers: a float forgets the last zero of 13.10."""
    if not mixed:
        return text
    try:
        return float(text) if "." in text else int(text)
    except ValueError:
        return text


def device(world: World, record: ManagedRecord, mixed: bool = True) -> dict[str, Any]:
    """`mixed`: numbers and their text change places from record to record, as they do in life."""
    owner = world.persons.get(record.person_oid)
    mail = owner.mail if owner else ""
    as_text = mixed and record.id % 2 == 1

    def number(value: int) -> object:
        return str(value) if as_text else value

    return {
        "maas360DeviceID": csn(record),
        "deviceName": record.friendly_name,
        "customAssetNumber": "",
        "ownership": OWNERSHIP[record.ownership],
        "deviceOwner": "",
        "username": (owner.mdm_user_name or "") if owner else "",
        "emailAddress": mail,
        "userDomain": owner.upn.partition("@")[2] if owner else "",
        "platformName": PLATFORMS[record.platform],
        "sourceID": number(6),
        "deviceType": "Smartphone",
        "manufacturer": record.model.split(" ", 1)[0],
        "model": record.model,
        "modelId": "",
        "osName": PLATFORMS[record.platform],
        "osVersion": _version(record.os_version, mixed),
        "osServicePack": "",
        "imeiEsn": "",
        "phoneNumber": "",
        "udid": record.udid,
        "wifiMacAddress": f"{0xA0B1C2000000 + record.id:012x}",
        "platformSerialNumber": record.serial,
        "mailboxDeviceId": "",
        "mdmMailboxDeviceId": "",
        "mailboxManaged": "",
        "installedDate": local(record.enrolled_on),
        "installedDateInEpochms": number(epoch(record.enrolled_on)),
        "lastReported": local(record.last_seen),
        "lastReportedInEpochms": number(epoch(record.last_seen)),
        "firstRegisteredInEpochms": number(epoch(record.enrolled_on)),
        "lastRegisteredInEpochms": number(epoch(record.enrolled_on)),
        "lastMdmRegisteredInEpochms": number(epoch(record.enrolled_on)),
        "deviceStatus": "Active" if active(record) else "Inactive",
        "maas360ManagedStatus": MANAGED.get(record.enrollment_status, record.enrollment_status),
        "enrollmentMode": "",
        "isSupervisedDevice": record.ownership == "C",
        "testDevice": False,
        **states(record),
        "jailbreakStatus": "Yes" if record.reported.jailbroken else "No",
        "encryptionStatus": "Encrypted" if record.reported.encrypted else "Not Encrypted",
        "selectiveWipeStatus": "Not Applied",
        "mdmPolicy": "Contoso phones",
    }


def active(record: ManagedRecord) -> bool:
    return record.enrollment_status != "Unenrolled"


def attributes(record: ManagedRecord) -> list[dict[str, Any]]:
    """The real keys are not public: the policies' own names stand here, each with what became of it."""
    shown = [{"key": p.name, "type": "String", "value": OUT if p.fails(record.reported) else IN} for p in record.policies]
    return [*shown, {"key": "Failed Attempts Before Wipe", "type": "Integer", "value": 10}]


def event(record: ManagedRecord, name: str) -> dict[str, Any]:
    """Two fields are public (TA-MaaS360 `input_compliance_events.py`); `ruleName` is the sandbox's own."""
    at = f"{record.last_compliance_check:%Y-%m-%dT%H:%M:%SZ}"
    return {"maas360DeviceID": csn(record), "actionExecutionTime": at, "ruleName": name}


def identity(record: ManagedRecord, values: list[dict[str, Any]]) -> dict[str, Any]:
    known = {"maas360DeviceID": csn(record), "customAssetNumber": "", "ownership": OWNERSHIP[record.ownership], "office": ""}
    if not values:
        return known
    return {**known, "customAttributes": {"customAttribute": values[0] if len(values) == 1 else values}}
