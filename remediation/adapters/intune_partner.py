"""The Intune partner compliance service, for holders of a compliance-partner app: sending a verdict and asking what became of it.

Public sources: fleetdm/fleet website/api/{helpers,controllers}/microsoft-proxy, and microsoft/Intune-Resource-Access. Permission
update_device_attributes, and Application.Read.All on Graph for discovery. Next door: `graph` observes, `entra` has the tokens.
"""

import json
import threading
import time
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from ..domain.channel import ChannelKind
from ..domain.device import DirectoryDevice, Platform
from ..errors import Busy, Garbled, NotFound, Refused, RemoteError
from ..ports import Carried, Clock, Directory, Report, Sent
from .http import Answer, Fields, Remote

INTUNE = "0000000a-0000-0000-c000-000000000000"  # the service principal whose endpoints Graph lists
DEVICE_SERVICE = "partnerdevicedatasyncservice"
API_VERSION = "1.2"
ENDPOINTS_STAND = timedelta(hours=24)  # as long as Fleet keeps them
FRESH_TOKEN_PAUSE = 1.0  # seconds; Fleet's own
HOSTS = ("manage.microsoft.com",)

# `Os`: the words of Intune's own partner platforms (memdocs third-party-partners.md). The list that is accepted is not public.
OS = {Platform.IOS: "iOS", Platform.ANDROID: "Android", Platform.MACOS: "macOS"}
GOOD_CODES = frozenset({"", "0", "200", "202"})  # jamf's 1.1 answers say 0; fleetdm/fleet sees 202


def vendor_code(body: Any) -> object:
    """OData v3's `odata.error`, or Graph's `error` where Graph's front answers."""
    return (body.get("odata.error") or body["error"])["code"]


@dataclass(frozen=True)
class _Service:
    remote: Remote
    found_at: datetime


class IntunePartnerChannel:
    """`ports.Sending`. `connect` opens the discovered address with the Intune token; `hosts` says where it may live: a host,
    `host:port`, or what a host ends with."""

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
        self._connect = connect
        self._directory = directory
        self._now = now
        self._hosts = tuple(hosts)
        self._sleep = sleep
        self._lock = threading.Lock()
        self._found: _Service | None = None

    def observe(self, device_id: str) -> DirectoryDevice:
        return self._directory.device(device_id, owner=False)

    def send(self, report: Report) -> Sent:
        body = {"TenantId": self._tenant_id, "UploadTime": _stamp(self._now()), "Content": json.dumps(self._entities(report))}
        try:
            answer = self._ask("PUT", report.message_id, body)
        except NotFound as gone:
            self._forget()
            refused = Refused("not served at this address", remote=gone.remote, status=404, vendor_code=gone.vendor_code)
            raise refused.of_call(gone.client_request_id, gone.request_id) from gone
        failed = _failure(answer.fields()) if answer.body is not None else None
        if failed:
            refused = Refused("refused inside a good answer", remote=answer.remote, status=answer.status, vendor_code=failed)
            raise refused.of_call(answer.client_request_id, answer.request_id)
        return Sent(client_request_id=answer.client_request_id, request_id=answer.request_id)

    def carried(self, message_id: str) -> Carried:
        found = self._ask("GET", message_id).fields()
        status, failed = found.need_text("Status"), _failure(found)
        if status == "Failed" or failed:
            return Carried(accepted=False, failed=failed or "Failed")
        return Carried(accepted=status == "Completed")  # every other word: under way

    def reach(self) -> None:
        """Discover the service anew, and ask it for a message that never was: *not found* is its good answer."""
        self._forget()
        self._service()
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
            "LastUpdateTime": _stamp(report.update_time),
        }
        inventory: dict[str, object] = {
            "EntityType": 1,
            **shared,
            "DeviceManagementState": "managed" if report.managed else "notManaged",
            "DeviceName": report.name,
            # a device that never checked in is never reported compliant, and the field must hold a time
            "LastCheckInTime": _stamp(report.last_seen or report.update_time),
            "Os": os,
            "OsVersion": report.os_version or "",
            "EasIds": [],
            "State": 0,
        }
        word = "compliant" if report.compliant else "notCompliant"
        return [inventory, {"EntityType": 4, **shared, "complianceStatus": word}]

    def _ask(self, method: str, message_id: str, body: object = None) -> Answer:
        service = self._service()
        target = service.path("DataUploadMessages(guid'{}')", service.guid(message_id))

        def ask(*, renew: bool) -> Answer:
            # PUT: fleetdm/fleet update-one-devices-compliance-status.js; GET: get-one-compliance-status-result.js
            return service.call(method, target, query={"api-version": API_VERSION}, json=body, renew=renew)

        try:
            try:
                return ask(renew=False)
            except Refused as refused:
                if refused.status != 401:
                    raise
            # a freshly issued token is now and then answered 401: fleetdm/fleet get-access-token-and-api-urls.js
            self._sleep(FRESH_TOKEN_PAUSE)
            return ask(renew=True)
        except (Busy, NotFound):
            raise
        except RemoteError as error:
            if error.called:
                self._forget()  # it may have moved: Intune-Resource-Access IntuneServiceLocationProvider.cs
            raise

    def _forget(self) -> None:
        with self._lock:
            self._found = None

    def _service(self) -> Remote:
        with self._lock:
            if self._found is None or self._now() - self._found.found_at >= ENDPOINTS_STAND:
                self._found = _Service(self._discover(), self._now())
            return self._found.remote

    def _discover(self) -> Remote:
        """Where this tenant's partner service lives: regional, never known beforehand."""
        # fleetdm/fleet get-access-token-and-api-urls.js; graph-docs serviceprincipal-list.md
        known = self._graph.call("GET", "servicePrincipals", query={"$filter": f"appId eq '{INTUNE}'"}).fields()
        principals = [item.guid("id") for item in known.items("value")]
        if len(principals) == 1:
            # graph-docs serviceprincipal-list-endpoints.md; Application.Read.All
            listed = self._graph.call("GET", self._graph.path("servicePrincipals/{}/endpoints", principals[0])).fields()
            for item in listed.items("value"):
                if item.need_text("providerName").casefold() == DEVICE_SERVICE:
                    return self._allowed(item.need_text("uri"))
        raise Refused("Intune's partner service is not set up in this tenant", remote="channel", vendor_code="no_partner_service")

    def _allowed(self, uri: str) -> Remote:
        try:
            remote = self._connect(uri)
        except ValueError as odd:
            raise Garbled("the partner service's address is no https address", remote="channel") from odd
        host, _, port = remote.host.rpartition(":")
        for known in self._hosts:
            if known in (remote.host, host) or (port == "443" and host.endswith(f".{known.lstrip('.')}")):
                return remote
        raise Refused("the partner service's host is not among those allowed", remote="channel", vendor_code="host_not_allowed")


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


def _failure(found: Fields) -> str | None:
    """The code of an error inside a good answer; it comes as a number or as a string."""
    for name in ("ErrorCode", "HttpStatusCode"):
        code = found.raw(name)
        if code is not None and not isinstance(code, str | int):
            raise found.garbled(name)
        text = "" if code is None else str(code).strip()
        if text not in GOOD_CODES:
            return text[:64]
    errors = found.raw("MessageErrors")
    return "MessageErrors" if errors else None
