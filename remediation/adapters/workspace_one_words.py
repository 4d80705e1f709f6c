"""Workspace ONE's words, each table with its source, and what a record says by them. A word that a table lacks is unknown, never
good.

Next door: `workspace_one` (what is asked), `workspace_one_users` (whose a record is).
"""

import hashlib
from collections.abc import Iterator
from datetime import datetime

from ..domain.bar import Facts, Ownership
from ..domain.compliance import MdmWord
from ..domain.device import Platform
from .http import Fields

# `ComplianceStatus`, `OverallCompliantStatus`: demisto/content fixtures, zentralopensource/zentral tests/wsone/test_webhook_view.py
COMPLIANCE = {
    "Compliant": MdmWord.COMPLIANT,
    "NonCompliant": MdmWord.NOT_COMPLIANT,
    "PendingComplianceCheck": MdmWord.PENDING,
    "NotAvailable": MdmWord.UNKNOWN,
}
_FROM_BEST = (MdmWord.COMPLIANT, MdmWord.PENDING, MdmWord.UNKNOWN, MdmWord.NOT_COMPLIANT)

# `EnrollmentStatus`: demisto/content fixtures. A wipe that is pending (EnterpriseWipePending, DeviceWipePending) is neither: the
# device may still hold its profile, so nothing is known of it.
ENROLLED = {"Enrolled": True, "Unenrolled": False}

# `Platform`: demisto/content devices_search_resp.json, and the enumeration of litesearch in mrpaws/awtest mdm/v1
PLATFORMS = {
    "Apple": Platform.IOS,
    "Android": Platform.ANDROID,
    "AppleOsX": Platform.MACOS,
    "WinRT": Platform.WINDOWS,
    "WindowsPc": Platform.WINDOWS,
}

# `DataEncryptionYN`, and `Ownership` as records have it: mrpaws/awtest `Device`
ENCRYPTED = {"Y": True, "N": False}
OWNERSHIP = {"C": Ownership.CORPORATE, "E": Ownership.EMPLOYEE, "S": Ownership.SHARED}

# `Ownership`: `S` as the search filter of mrpaws/awtest mdm/v1 names it, the word as event notifications spell it
SHARED = frozenset({"s", "corporateshared"})

# `CompromisedStatus` is a boolean in mrpaws/awtest `Device`; some tenants send it as text
_COMPROMISED = {"true": True, "false": False, "compromised": True}


def compliance(of: Fields, key: str) -> MdmWord:
    return COMPLIANCE.get(of.text(key) or "", MdmWord.UNKNOWN)


def enrolled(record: Fields) -> bool | None:
    return ENROLLED.get(record.text("EnrollmentStatus") or "")


def facts(record: Fields) -> Facts:
    """What the record says beside its posture."""
    return Facts(ENCRYPTED.get(record.text("DataEncryptionYN") or ""), OWNERSHIP.get(record.text("Ownership") or ""))


def platform(record: Fields) -> Platform:
    return PLATFORMS.get(record.text("Platform") or "", Platform.UNKNOWN)


def number(of: Fields) -> int:
    return of.within("Id").need_number("Value")


def failing(of: Fields) -> Iterator[Fields]:
    """The rules that fail; one whose result is pending does not fail yet."""
    for rule in of.items("DeviceCompliance"):
        if not rule.need_flag("CompliantStatus") and rule.flag("CompliancePending") is not True:
            yield rule


def group(record: Fields) -> int:
    """Its organization group."""
    return record.within("LocationGroupId").within("Id").need_number("Value")


def owner(record: Fields) -> int:
    return record.within("UserId").within("Id").need_number("Value")


def is_shared(record: Fields) -> bool:
    return (record.text("Ownership") or "").casefold() in SHARED


def generation(record: Fields) -> str:
    """Changes when the device is wiped, enrolled anew, handed to another user or made a shared one. What it is made of must be
    there: half of it would look like a new one."""
    since: datetime | None = record.moment("LastEnrolledOn")
    hardware = record.need_text("Udid").replace("-", "").lower() or record.need_text("SerialNumber")
    if since is None:
        raise record.garbled("LastEnrolledOn")
    holder = "shared" if is_shared(record) else str(owner(record))
    made_of = "\n".join((since.isoformat(), hardware, record.need_text("Uuid").lower(), holder))
    return hashlib.sha256(made_of.encode()).hexdigest()[:32]


def worse(one: MdmWord, other: MdmWord) -> MdmWord:
    """Two statements about one device: the worse one counts."""
    return max(one, other, key=_FROM_BEST.index)


def compromised(record: Fields) -> bool | None:
    value = record.raw("CompromisedStatus")
    if isinstance(value, str):
        return _COMPROMISED.get(value.strip().casefold())
    return record.flag("CompromisedStatus")
