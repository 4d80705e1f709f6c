"""Two managed devices and three directory devices of two people, as histories begin with them."""

from datetime import UTC, datetime

from remediation.domain.compliance import Lease, MdmWord, Posture
from remediation.domain.device import DirectoryDevice, ManagedDevice, ManagedKey, Platform

NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)
PEOPLE, RECORDS, DEVICES = ("mia", "noah"), ("m1", "m2"), ("d1", "d2", "d3")
LEASE = Lease()


def record_named(name: str) -> ManagedDevice:
    good = Posture(MdmWord.COMPLIANT, True, False, (), NOON, NOON)
    return ManagedDevice(
        key=ManagedKey("ws1", name), generation="1", name=name, platform=Platform.IOS, model="iPhone", os_version="19.1",
        serial=name, owner_user_name="mia", owner_mail=None, posture=good, enrolled_at=NOON,
    )  # fmt: skip


def device_named(name: str) -> DirectoryDevice:
    return DirectoryDevice(
        device_id=name, object_id=f"o-{name}", name=name, platform=Platform.IOS, os_version="19.1", model="iPhone", enabled=True,
        owner_oid="mia", registered_at=NOON, compliant=None, managed=None, read_at=NOON,
    )  # fmt: skip
