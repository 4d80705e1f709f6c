"""Which permissions the service app needs, which it may have, and what is lost without one.

Sources stand beside the calls in `adapters/`; docs/operating.md has the table for people.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from .channel import ChannelKind

GRAPH = frozenset({"User.Read.All", "Device.Read.All"})
INTUNE = frozenset({"update_device_attributes", "manage_partner_compliance_policy"})
LOCK = frozenset({"Device.ReadWrite.All"})
"""For the second lock's mark, on Graph."""
DISABLING = frozenset({"Device.ReadWrite.All"})
"""For switching leftover entries off, where the tenant permits it."""
# What a channel needs besides, by resource.
OF_CHANNEL: Mapping[ChannelKind, Mapping[str, frozenset[str]]] = {
    ChannelKind.INTUNE_PARTNER: {
        "graph": frozenset({"Application.Read.All"}),  # for finding the service
        "intune": INTUNE,
    },
    ChannelKind.GRAPH_DEVICE: {"graph": frozenset({"Device.ReadWrite.All"})},
    ChannelKind.MDM_RELAY: {},
}
OPTIONAL = (
    "LicenseAssignment.Read.All",
    "GroupMember.Read.All",
    "AuditLog.Read.All",
    "DeviceManagementServiceConfig.Read.All",
    "Application.Read.All",
    "Policy.Read.All",
)
"""What is lost without each is said where it is missing (`onboarding.doctor.lost.…`)."""
# Only where temporary access is given by the worker: docs/helpdesk.md.
TEMPORARY_ACCESS = "PrivilegedAssignmentSchedule.ReadWrite.AzureADGroup"
ACCESS_PACKAGES = "EntitlementManagement.ReadWrite.All"
# Asked for by a page of Microsoft's; and read by the doctor alone, where it was granted.
ALLOWED = frozenset({"Directory.Read.All", "Policy.Read.DeviceConfiguration"})
# graph-docs permissions-reference: these include the others' reads.
INCLUDES: Mapping[str, frozenset[str]] = {
    "Directory.Read.All": frozenset({"User.Read.All", "Device.Read.All", "Application.Read.All", "GroupMember.Read.All"}),
    "Device.ReadWrite.All": frozenset({"Device.Read.All"}),
}


@dataclass(frozen=True)
class Powers:
    missing: tuple[str, ...]
    too_many: tuple[str, ...]
    lacking: tuple[str, ...]
    """Optional ones that are not there."""


def needed(resource: str, channels: Collection[ChannelKind], *, lock: bool = False, disables: bool = False) -> frozenset[str]:
    """`lock`: the tenant has the second lock; `disables`: it permits us to switch entries of the directory off."""
    of_channels = (OF_CHANNEL[kind].get(resource, frozenset()) for kind in channels)
    on_graph = GRAPH | (LOCK if lock else frozenset()) | (DISABLING if disables else frozenset())
    return (on_graph if resource == "graph" else frozenset()).union(*of_channels)


def judge(roles: Collection[str], needed: Collection[str], optional: Collection[str] = ()) -> Powers:
    has = {*roles, *(read for role in roles for read in INCLUDES.get(role, ()))}
    return Powers(
        missing=tuple(sorted(set(needed) - has)),
        too_many=tuple(sorted(set(roles) - {*needed, *optional, *ALLOWED})),
        lacking=tuple(sorted(set(optional) - set(needed) - has)),
    )
