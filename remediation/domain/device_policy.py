"""Would a Conditional Access policy that asks for a compliant device keep people from signing in here?

Our sign-in app must be excluded from it: whoever is blocked could else never reach the page that helps them.
"""

from dataclasses import dataclass

# https://learn.microsoft.com/graph/api/resources/conditionalaccessgrantcontrols: the words for what only a device can meet
DEVICE_CONTROLS = frozenset({"compliantDevice", "domainJoinedDevice"})
EVERY_APP = "All"


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
    mode: str | None = None
    rule: str | None = None
    platforms: frozenset[str] = frozenset()
    not_platforms: frozenset[str] = frozenset()
    clients: frozenset[str] = frozenset()

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
