"""Whose word counts for a device: who holds its platform, whom an Intune administrator gave to us, and what our policies say.

After how many days without a heartbeat a partner is *unresponsive* is not public; here it is three. Next door: `partners` (how
Graph shows it), `intune` (the partner's own service), `verdicts` (which asks).
"""

from __future__ import annotations

import random
import uuid
from datetime import timedelta
from typing import TYPE_CHECKING

from sandbox.things import DirectoryDevice, Person, everyone_in

if TYPE_CHECKING:
    from sandbox.world import World

PLATFORMS = {"iOS": "ios", "Android": "android", "macOS": "macOs"}
ALL_USERS = "acacacac-9df4-4c7d-9d50-4ef0226f57a9"
"""Intune's own group with everybody in it; no group of the directory."""
SILENT = timedelta(days=3)
_OF_DEVICE = {"iOS": "iOS", "iPhone": "iOS", "iPad": "iOS", "Android": "Android", "AndroidForWork": "Android", "MacMDM": "macOS"}


def settle_in(world: World) -> None:
    """As every story finds it: provisioned, a policy for each platform, assigned to everybody. A generator of its own, so that
    whatever else is drawn stays what it was."""
    drawn = random.Random(f"partner {world.tenant_id}")
    for platform in PLATFORMS:
        key = str(uuid.UUID(int=drawn.getrandbits(128), version=4))
        world.partner.policies[key] = {
            "Id": key,
            "DisplayName": f"Partner policy for {platform}",
            "Description": "",
            "Platform": platform,
            "PartnerManagedCompliance": True,
            "PartnerPolicyId": str(uuid.UUID(int=drawn.getrandbits(128), version=4)),
        }
        world.partner.assignments[key] = [ALL_USERS]


def counts(world: World, device: DirectoryDevice, owner: Person) -> bool:
    """Whether our word about this device counts: the platform is ours, an administrator gave its owner to us, and a policy that
    lets the partner decide is assigned to them. What Intune does to a message about anybody else is not public."""
    platform, ours = _OF_DEVICE.get(device.os), world.partner
    if platform is None or platform not in held_by_us(world) or not _one_of(world, owner, ours.chosen_groups or [ALL_USERS]):
        return False
    assigned = [
        ours.assignments.get(key, [])
        for key, policy in ours.policies.items()
        if policy["Platform"] == platform and policy["PartnerManagedCompliance"]
    ]
    return any(_one_of(world, owner, groups) for groups in assigned)


def _one_of(world: World, owner: Person, groups: list[str]) -> bool:
    return ALL_USERS in groups or any(owner.oid in everyone_in(world.groups, key)[0] for key in groups)


def held_by_us(world: World) -> set[str]:
    taken = {platform for other in world.partner.others for platform in other.platforms}
    return set(world.partner.platforms) - taken


def state(world: World) -> str:
    ours = world.partner
    if ours.state is not None:
        return ours.state
    if ours.provisioned != 1:
        return "terminated" if ours.provisioned == 2 else "unavailable"
    silent = ours.last_heartbeat is not None and world.now() - ours.last_heartbeat > SILENT
    return "unresponsive" if silent else "enabled"
