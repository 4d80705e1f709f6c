"""What is set up for a tenant at Intune's partner service: provisioning with our two addresses, a policy for each platform and whom
it is assigned to, and the heartbeat.

Public sources: fleetdm/fleet website/api/controllers/microsoft-proxy and website/scripts. Permission
manage_partner_compliance_policy; whether the first and the last of these calls need it is not public. Next door:
`intune_partner_service` (how it is asked), `compliance_partners` (how Intune's own list shows us).
"""

import json
from collections.abc import Collection, Iterator
from typing import Any

from ..domain.device import Platform
from ..errors import Garbled, Refused
from ..ports import Beat, Clock, PartnerPolicy
from .fields import GUID
from .http import Answer, Fields
from .intune_partner_service import EXISTS, TENANT_SERVICE, PartnerService, refused_inside, stamp

API_VERSION = "1.6"
PROVISIONED, DEPROVISIONED = 1, 2

# `Platform`: fleetdm/fleet sends macOS and quotes an answer of Microsoft's with iOS; nobody public was seen to send Android.
PLATFORMS = {Platform.IOS: "iOS", Platform.ANDROID: "Android", Platform.MACOS: "macOS"}
_BY_WORD = {word.casefold(): platform for platform, word in PLATFORMS.items()}


class IntunePartnerTenant:
    """`ports.PartnerTenant`."""

    def __init__(self, service: PartnerService, *, tenant_id: str, now: Clock) -> None:
        self._service = service
        self._tenant_id = tenant_id
        self._now = now

    def provision(self, *, enrollment_url: str, remediation_url: str) -> None:
        self._tell(PROVISIONED, enrollment_url, remediation_url)

    def deprovision(self, *, enrollment_url: str, remediation_url: str) -> None:
        self._tell(DEPROVISIONED, enrollment_url, remediation_url)  # both addresses again, as Fleet does

    def _tell(self, provisioned: int, enrollment_url: str, remediation_url: str) -> None:
        body = {
            "Provisioned": provisioned,
            "PartnerEnrollmentUrl": enrollment_url,
            "PartnerRemediationUrl": remediation_url,
        }
        # fleetdm/fleet receive-redirect-from-microsoft.js, remove-one-compliance-partner-tenant.js
        found = refused_inside(self._ask("PUT", "PartnerTenants(guid'{}')", self._tenant_id, body=body))
        if found.guid("ContextId") != self._tenant_id:
            raise found.garbled("ContextId")
        if found.need_number("Provisioned") != provisioned:
            raise found.garbled("Provisioned")

    def policies(self) -> tuple[PartnerPolicy, ...]:
        return tuple(filter(None, (_policy(item) for item in self._all_policies())))

    def _all_policies(self) -> Iterator[Fields]:
        # fleetdm/fleet receive-redirect-from-microsoft.js, what it does after a 409; pages as OData v3 has them
        page = self._ask("GET", "PartnerCompliancePolicies").fields()
        yield from page.items("value")
        if page.raw("odata.nextLink") is not None:
            raise Garbled("more policies than one page has", remote="channel")

    def make_policy(self, platform: Platform) -> PartnerPolicy | None:
        word = PLATFORMS[platform]
        body = {
            "DisplayName": f"Remediation: {word}",
            "Description": "The verdict of the device management, carried by the remediation service.",
            "Platform": word,
            "PartnerManagedCompliance": True,
        }
        try:
            # fleetdm/fleet receive-redirect-from-microsoft.js
            made = self._ask("POST", "PartnerCompliancePolicies", body=body).fields()
        except Refused as refused:
            if refused.status == EXISTS:
                return None
            raise
        # its quoted sample has the policy at the top, its own code reads it inside `value`
        for item in [made] if made.raw("Id") is not None else made.items("value"):
            policy = _policy(item)
            if policy is not None and policy.platform is platform:
                return policy
        raise made.garbled("Platform")

    def assign(self, policy_id: str, groups: Collection[str]) -> frozenset[str]:
        body = {"assignments": sorted(groups)}
        # fleetdm/fleet receive-redirect-from-microsoft.js
        found = self._ask("POST", "PartnerCompliancePolicies(guid'{}')/Assign", policy_id, body=body, moves=False).fields()
        return _assigned(found)

    def beat(self) -> Beat:
        body, headers = {"Timestamp": stamp(self._now())}, {"Prefer": "return-content"}
        # fleetdm/fleet website/scripts/send-entra-heartbeat-requests.js
        target = "PartnerTenantHeartbeat(guid'{}')"
        found = refused_inside(self._ask("PUT", target, self._tenant_id, body=body, headers=headers))
        return Beat(resync=found.moment("ResyncTimestamp"))

    def _ask(self, method: str, target: str, *guids: str, body: object = None, headers: Any = None, moves: bool = True) -> Answer:
        how: dict[str, Any] = {"version": API_VERSION, "body": body, "headers": headers, "moves": moves}
        return self._service.ask(TENANT_SERVICE, method, target, *guids, **how)


def _policy(item: Fields) -> PartnerPolicy | None:
    """None where it is of a platform that we have no word for."""
    platform = _BY_WORD.get(item.need_text("Platform").casefold())
    if platform is None:
        return None
    name, decides = item.text("DisplayName") or "", item.need_flag("PartnerManagedCompliance")
    return PartnerPolicy(item.guid("Id"), platform, name, partner_decides=decides)


def _assigned(found: Fields) -> frozenset[str]:
    """The groups, out of JSON inside a string."""
    try:
        inside = json.loads(found.need_text("value"))["assignments"]
        groups = frozenset(str(group).lower() for group in inside)
    except (ValueError, LookupError, TypeError, RecursionError):
        raise found.garbled("value") from None
    if not all(GUID.fullmatch(group) for group in groups):
        raise found.garbled("value")
    return groups
