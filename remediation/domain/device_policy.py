"""Would a Conditional Access policy that asks for a compliant device keep people from signing in here?

Our sign-in app must be excluded from it: whoever is blocked could else never reach the page that helps them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

# https://learn.microsoft.com/graph/api/resources/conditionalaccessgrantcontrols: the words for what only a device can meet
DEVICE_CONTROLS = frozenset({"compliantDevice", "domainJoinedDevice"})
EVERY_APP = "All"
# https://learn.microsoft.com/graph/api/resources/conditionalaccessapplications: includeUserActions
REGISTERING = frozenset({"urn:user:registersecurityinfo", "urn:user:registerdevice"})


@dataclass(frozen=True)
class AccessPolicy:
    """`any_of`: one of the controls is enough. `filtered`: which apps are meant is told by a rule that we cannot work out. `mode`
    (`include` or `exclude`) and `rule` are of its device filter; `platforms`, `not_platforms` and `clients` are Microsoft's words,
    and none stand for all of them."""

    name: str
    enforced: bool
    controls: frozenset[str]
    any_of: bool
    included: frozenset[str]
    excluded: frozenset[str]
    filtered: bool = False
    left_out: frozenset[str] = frozenset()
    """Ids of groups whose members it leaves alone."""
    mode: str | None = None
    rule: str | None = None
    platforms: frozenset[str] = frozenset()
    not_platforms: frozenset[str] = frozenset()
    clients: frozenset[str] = frozenset()
    actions: frozenset[str] = frozenset()
    """User actions instead of apps."""

    @property
    def asks_for_device(self) -> bool:
        """Only a device can meet it: a control of that kind, or a block that leaves out devices alone."""
        return bool(self.controls & DEVICE_CONTROLS) or ("block" in self.controls and self.rule is not None)


def catches(policy: AccessPolicy, app_id: str) -> bool | None:
    """None where it cannot be told. A control that people without the device can meet instead keeps nobody out."""
    if not policy.enforced or not policy.asks_for_device:
        return False
    if "block" not in policy.controls and policy.any_of and policy.controls - DEVICE_CONTROLS:
        return False
    if app_id in policy.excluded:
        return False
    if policy.included & {EVERY_APP, app_id}:
        return None if policy.filtered else True
    return None if policy.filtered else False


def locks_out(policy: AccessPolicy) -> bool:
    """Whether it asks whoever registers a device, or security information for it, for a device that is well already."""
    met_otherwise = "block" not in policy.controls and policy.any_of and policy.controls - DEVICE_CONTROLS
    return policy.enforced and policy.asks_for_device and not met_otherwise and bool(policy.actions & REGISTERING)


def leaves_out(policies: Sequence[AccessPolicy], group_id: str) -> tuple[list[str], list[str]]:
    """Names of the policies that ask for a device and do not leave this group out, and of those that do and ask for something
    else: temporary access is to open the first kind, and nothing more."""
    enforced = [one for one in policies if one.enforced]
    asks = [one.name for one in enforced if one.asks_for_device and group_id not in one.left_out]
    others = [one.name for one in enforced if not one.asks_for_device and group_id in one.left_out]
    return asks, others
