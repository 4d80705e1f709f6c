"""Device messages of Intune's partner compliance service: sending a verdict and asking what became of it; and the heartbeat.

For holders of a compliance-partner app. Permission update_device_attributes. Next door: `intune_partner_service` (how it is found
and asked), `intune_partner_tenant` (setting the tenant up), `graph` (which observes), `entra` (the tokens).
"""

import json
import time
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from uuid import uuid4

from ..domain.channel import ChannelKind
from ..domain.device import DirectoryDevice, Platform
from ..errors import NotFound, Refused
from ..ports import Beat, Carried, Clock, Directory, Report, Sent
from .http import Answer, Remote
from .intune_partner_service import DEVICE_SERVICE, HOSTS, PartnerService, failure, refused_inside, stamp, vendor_code
from .intune_partner_tenant import IntunePartnerTenant

__all__ = ["OS", "IntunePartnerChannel", "vendor_code"]

API_VERSION = "1.2"

# `Os`: the words of Intune's own partner platforms (memdocs third-party-partners.md). The list that is accepted is not public.
OS = {Platform.IOS: "iOS", Platform.ANDROID: "Android", Platform.MACOS: "macOS"}


class IntunePartnerChannel:
    """`ports.Sending` and `ports.Beating`."""

    kind = ChannelKind.INTUNE_PARTNER

    def __init__(
        self,
        *,
        tenant_id: str,
        graph: Remote,
        connect: Callable[[str], Remote],
        directory: Directory,
        now: Clock,
        platforms: Collection[Platform] = frozenset(OS),
        hosts: Sequence[str] = HOSTS,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.platforms = frozenset(platforms)
        self._tenant_id = graph.guid(tenant_id)
        self._graph = graph
        self._directory = directory
        self._now = now
        self._service = PartnerService(graph=graph, connect=connect, now=now, hosts=hosts, sleep=sleep)
        self.tenant = IntunePartnerTenant(self._service, tenant_id=self._tenant_id, now=now)

    def observe(self, device_id: str) -> DirectoryDevice:
        return self._directory.device(device_id, owner=False)

    def beat(self) -> Beat:
        return self.tenant.beat()

    def send(self, report: Report) -> Sent:
        body = {"TenantId": self._tenant_id, "UploadTime": stamp(self._now()), "Content": json.dumps(self._entities(report))}
        answer = self._ask("PUT", report.message_id, body, moves=True)
        if answer.body is not None:
            refused_inside(answer)
        return Sent(client_request_id=answer.client_request_id, request_id=answer.request_id)

    def carried(self, message_id: str) -> Carried:
        found = self._ask("GET", message_id).fields()
        status, failed = found.need_text("Status"), failure(found)
        if status == "Failed" or failed:
            return Carried(accepted=False, failed=failed or "Failed")
        return Carried(accepted=status == "Completed")  # every other word: under way

    def reach(self) -> None:
        """Discover the service anew, and ask it for a message that never was: *not found* is its good answer."""
        self._service.forget()
        with suppress(NotFound):
            self.carried(str(uuid4()))

    def _entities(self, report: Report) -> list[dict[str, object]]:
        """Inventory, then compliance: fleetdm/fleet update-one-devices-compliance-status.js. The one lower-case name is meant."""
        os = OS.get(report.platform)
        if os is None:
            raise Refused("a platform that compliance partners cannot report", remote="channel")
        shared = {
            "TenantId": self._tenant_id,
            "DeviceId": self._graph.guid(report.device_id),
            "UserId": self._graph.guid(report.oid),
            "LastUpdateTime": stamp(report.update_time),
        }
        inventory: dict[str, object] = {
            "EntityType": 1,
            **shared,
            "DeviceManagementState": "managed" if report.managed else "notManaged",
            "DeviceName": report.name,
            # a device that never checked in is never reported compliant, and the field must hold a time
            "LastCheckInTime": stamp(report.last_seen or report.update_time),
            "Os": os,
            "OsVersion": report.os_version or "",
            "EasIds": [],
            "State": 0,
        }
        word = "compliant" if report.compliant else "notCompliant"
        return [inventory, {"EntityType": 4, **shared, "complianceStatus": word}]

    def _ask(self, method: str, message_id: str, body: object = None, *, moves: bool = False) -> Answer:
        target = "DataUploadMessages(guid'{}')"
        # PUT: fleetdm/fleet update-one-devices-compliance-status.js; GET: get-one-compliance-status-result.js
        return self._service.ask(DEVICE_SERVICE, method, target, message_id, version=API_VERSION, body=body, moves=moves)
