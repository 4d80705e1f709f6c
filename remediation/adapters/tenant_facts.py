"""Licences and the rules of device registration, read through Microsoft Graph v1.0, as `ports.TenantFacts`.

Permissions: LicenseAssignment.Read.All and Policy.Read.DeviceConfiguration, which may both be missing.
"""

from collections.abc import Sequence

from ..domain.tenant_facts import MayRegister, Registration, Subscription
from . import odata
from .http import Remote

# graph-docs resources/deviceregistrationmembership.md and those that are derived from it
_WHO = {
    "#microsoft.graph.alldeviceregistrationmembership": MayRegister.EVERYBODY,
    "#microsoft.graph.enumerateddeviceregistrationmembership": MayRegister.SOME,
    "#microsoft.graph.nodeviceregistrationmembership": MayRegister.NOBODY,
}


class GraphTenantFacts:
    def __init__(self, remote: Remote) -> None:
        self._remote = remote

    def subscriptions(self) -> Sequence[Subscription]:
        # graph-docs api-reference/v1.0/api/subscribedsku-list.md
        page = self._remote.call("GET", "subscribedSkus", may_be_refused=True).fields()
        found = []
        for item in odata.items(self._remote, page):
            plans = item.items("servicePlans")
            works = frozenset(plan.guid("servicePlanId") for plan in plans if plan.text("provisioningStatus") == "Success")
            seats = item.within("prepaidUnits").number("enabled") or 0
            found.append(Subscription(works, seats, item.number("consumedUnits") or 0))
        return found

    def registration(self) -> Registration:
        # graph-docs api-reference/v1.0/api/deviceregistrationpolicy-get.md
        policy = self._remote.call("GET", "policies/deviceRegistrationPolicy", may_be_refused=True).fields()
        allowed = policy.within("azureADRegistration").within("allowedToRegister")
        who = _WHO.get((allowed.text("@odata.type") or "").casefold(), MayRegister.UNKNOWN)
        return Registration(who, policy.number("userDeviceQuota"))
