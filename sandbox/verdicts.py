"""What becomes of a partner's device message: judged when it completes, applied to the directory device later.

Next door: `world` calls both when they are due, `intune` takes messages in and `intune_messages` checks their form.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from sandbox.slots import counts
from sandbox.things import INTUNE_PLAN, DataUpload, DirectoryDevice

if TYPE_CHECKING:
    from sandbox.world import World


def judge(world: World, upload: DataUpload) -> None:
    upload.status = "Failed"
    if upload.error_code:
        return
    for entity in upload.content:
        if (device := world.device_by_device_id(entity["DeviceId"])) is None:
            upload.error_code, upload.error_detail = 2, f"Device {entity['DeviceId']} was not found in the tenant."
            return
        owner = world.person(entity["UserId"])
        if owner is None or owner.oid != device.owner_oid:
            upload.error_code, upload.error_detail = 3, f"User {entity['UserId']} does not own the device."
            return
        if device.os == "Windows":
            # Partners serve Android, iOS, iPadOS and macOS alone (memdocs device-compliance-partners.md); the number of
            # this refusal is not public.
            upload.error_code, upload.error_detail = 4, "Windows devices are not served by a compliance partner."
            return
    upload.status = "Completed"


def apply(world: World, upload: DataUpload) -> None:
    for inventory, compliance in zip(upload.content[::2], upload.content[1::2], strict=True):
        device = world.device_by_device_id(inventory["DeviceId"])
        if device is None or not _served(world, device):
            continue
        stamp = datetime.fromisoformat(inventory["LastUpdateTime"].replace("Z", "+00:00"))
        # LastUpdateTime "orders messages; must grow": a worker that wakes late must not undo newer news.
        if device.last_update_time is not None and stamp <= device.last_update_time:
            continue
        device.last_update_time = stamp
        device.is_managed = inventory["DeviceManagementState"] == "managed"
        device.is_compliant = device.is_managed and compliance["complianceStatus"] == "compliant"


def _served(world: World, device: DirectoryDevice) -> bool:
    """Each user needs an Intune licence and a place in the partner's groups (memdocs device-compliance-partners.md).

    What Intune does to a message about anybody else is not public. Here it says Completed and changes nothing, which is
    what people report: "compliant, yet still blocked".
    """
    owner = world.persons.get(device.owner_oid)
    if owner is None or INTUNE_PLAN not in owner.licences:
        return False
    return counts(world, device, owner)
