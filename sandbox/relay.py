"""The MDM's maker as Microsoft's compliance partner: it tells Microsoft what its own record says, when it is its turn.

Only about devices whose registration began in the MDM's own app, since only then its agent learned the Azure device id; a custom
attribute of the same name is nothing to it. Next door: `world` gives it its turn, `verdicts` serves partners that are not makers.
Sources: docs.vmware.com "Use Compliance Data in Azure AD Conditional Access"; IBM's manual of the integration (every four hours).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sandbox.things import Phone, Vendor

if TYPE_CHECKING:
    from sandbox.world import World

EVERY: dict[Vendor, float] = {"workspace_one": 600, "maas360": 4 * 3600}
"""Seconds. Workspace ONE's is not public; people report minutes."""


def switch_on(world: World, vendor: Vendor, seconds: float | None = None) -> None:
    """Its integration with Microsoft is set up. The first turn comes after one period."""
    with world.lock:
        world.relays[vendor] = seconds or EVERY[vendor]
        world.turns[vendor] = world.now() + timedelta(seconds=world.relays[vendor])


def register_in_app(world: World, phone: Phone) -> None:
    """Hub or the MaaS360 app opens Authenticator, which registers the device or says that it is registered, and hands the Azure
    device id back to the app."""
    with world.settled():
        device = world.register(phone)
        if phone.record_id is not None:
            world.records[phone.record_id].agent_device_id = device.device_id


def take_turns(world: World, now: datetime) -> None:
    for vendor, due in list(world.turns.items()):
        if due > now:
            continue
        _tell(world, vendor)
        period = timedelta(seconds=world.relays[vendor])
        world.turns[vendor] = due + period * ((now - due) // period + 1)


def _tell(world: World, vendor: Vendor) -> None:
    for record in world.held_by(vendor):
        device = world.device_by_device_id(record.agent_device_id) if record.agent_device_id else None
        if device is not None:
            device.is_managed = record.enrollment_status == "Enrolled"
            device.is_compliant = device.is_managed and record.compliance_status == "Compliant"
