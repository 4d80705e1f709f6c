"""Putting a device under the pretend MDM: its record, as Hub's *Enroll* makes it.

Next door: `tenant` enrolls at the beginning of a story, `deeds` while it is played; `workspace_one` shows the record.
"""

from __future__ import annotations

from datetime import timedelta

from sandbox.world import ManagedRecord, Phone, Policy, World

_ALPHABET = "ABCDEFGHJKLMNPQRSTVWXYZ0123456789"


def enroll(world: World, phone: Phone, minutes_ago: float = 0, number: int | None = None) -> ManagedRecord:
    """The record that there is, or a new one, by default with the next number; searches find it after the enrollment lag."""
    with world.settled():
        if phone.record_id is not None:
            return world.records[phone.record_id]
        person, at = world.persons[phone.person_oid], world.now() - timedelta(minutes=minutes_ago)
        record = ManagedRecord(
            id=max(world.records, default=world.first_record - 1) + 1 if number is None else number,
            uuid=world.new_id(),
            udid=_udid(world, phone),
            serial="F2L" + "".join(world.random.choices(_ALPHABET, k=9)),
            friendly_name=f"{person.mdm_user_name} {phone.model} {phone.kind.policy_word} {phone.os_version}",
            reported_name=phone.name,
            model=phone.model,
            os_version=phone.os_version,
            person_oid=person.oid,
            enrolled_on=at,
            last_seen=at,
            last_compliance_check=at,
            policies=_policies(world),
            listed_at=at + timedelta(seconds=world.lags.enrollment_lag),
            platform=phone.kind.mdm_platform,
            ownership=phone.kind.ownership,
            reported=phone.health.copy(),
            vendor=phone.vendor,
        )
        world.records[record.id] = record
        phone.record_id = record.id
        return record


def _udid(world: World, phone: Phone) -> str:
    """40 hex digits on an iPhone, a dashed GUID on a Mac, 32 hex digits elsewhere (seen in recordings of the vendor's API)."""
    if phone.kind.mdm_platform == "AppleOsX":
        return world.new_id().upper()
    digits = 40 if phone.kind.key == "iphone" else 32
    return f"{world.random.getrandbits(4 * digits):0{digits}x}"


def _policies(world: World) -> list[Policy]:
    return [
        Policy(31, world.new_id(), "Passcode required", "A passcode of at least six digits is set.", "passcode"),
        Policy(32, world.new_id(), "Encryption on", "Data protection is enabled.", "encrypted"),
        Policy(33, world.new_id(), "Not jailbroken", "The device runs its maker's own system.", "jailbroken"),
    ]
