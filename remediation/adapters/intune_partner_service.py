"""How Intune's two partner services are reached: discovered through Graph, asked with the Intune token, their errors read.

Public sources: fleetdm/fleet website/api/{helpers,controllers}/microsoft-proxy, and microsoft/Intune-Resource-Access. Permission
Application.Read.All on Graph for discovery. Next door: `intune_partner` (device messages), `intune_partner_tenant` (the tenant,
its policies, the heartbeat).
"""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from ..errors import Busy, Garbled, NotFound, Refused, RemoteError
from ..ports import Clock
from .http import Answer, Fields, Remote

INTUNE = "0000000a-0000-0000-c000-000000000000"  # the service principal whose endpoints Graph lists
DEVICE_SERVICE, TENANT_SERVICE = "partnerdevicedatasyncservice", "partnertenantdatasyncservice"
ENDPOINTS_STAND = timedelta(hours=24)  # as long as Fleet keeps them
NOTHING_STANDS = timedelta(minutes=15)  # that there is no such service: an administrator mends it, and nobody asks again sooner
FRESH_TOKEN_PAUSE = 1.0  # seconds; Fleet's own
HOSTS = ("manage.microsoft.com",)
GOOD_CODES = frozenset({"", "0", "200", "202"})  # jamf's 1.1 answers say 0; fleetdm/fleet sees 202
EXISTS = 409


def vendor_code(body: Any) -> object:
    """OData v3's `odata.error`, or Graph's `error` where Graph's front answers."""
    return (body.get("odata.error") or body["error"])["code"]


@dataclass(frozen=True)
class _Services:
    by_name: Mapping[str, Remote]
    found_at: datetime


class PartnerService:
    """`connect` opens a discovered address with the Intune token; `hosts` says where it may live: a host, `host:port`, or what a
    host ends with."""

    def __init__(
        self,
        *,
        graph: Remote,
        connect: Callable[[str], Remote],
        now: Clock,
        hosts: Sequence[str] = HOSTS,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._graph = graph
        self._connect = connect
        self._now = now
        self._hosts = tuple(hosts)
        self._sleep = sleep
        self._lock = threading.Lock()
        self._found: _Services | None = None

    def ask(
        self,
        service: str,
        method: str,
        template: str,
        *guids: str,
        version: str,
        body: object = None,
        headers: Mapping[str, str] | None = None,
        moves: bool = False,
    ) -> Answer:
        """One answer of `service`; each `{}` of the template is a GUID. Every call names its `api-version`. `moves`: what is asked
        for cannot be missing, so that *not found* says that the service lives elsewhere by now."""
        remote = self._remote(service)
        target = remote.path(template, *(remote.guid(guid) for guid in guids))

        def ask(*, renew: bool) -> Answer:
            return remote.call(method, target, query={"api-version": version}, json=body, headers=headers, renew=renew)

        try:
            try:
                return ask(renew=False)
            except Refused as refused:
                if refused.status != 401:
                    raise
            # a freshly issued token is now and then answered 401: fleetdm/fleet get-access-token-and-api-urls.js
            self._sleep(FRESH_TOKEN_PAUSE)
            return ask(renew=True)
        except NotFound as gone:
            if not moves:
                raise
            self.forget()
            elsewhere = Refused("not served at this address", remote=gone.remote, status=404, vendor_code=gone.vendor_code)
            raise elsewhere.of_call(gone.client_request_id, gone.request_id) from gone
        except Busy:
            raise
        except RemoteError as error:
            if error.called and error.status != EXISTS:
                self.forget()  # it may have moved: Intune-Resource-Access IntuneServiceLocationProvider.cs
            raise

    def forget(self) -> None:
        with self._lock:
            self._found = None

    def _remote(self, service: str) -> Remote:
        with self._lock:
            asked = self._found is None or self._now() - self._found.found_at >= self._stands(service)
            if self._found is None or asked:
                self._found = _Services(self._discover(), self._now())
            found, at = self._found.by_name.get(service), self._found.found_at
        if found is None:
            wait = max((at + NOTHING_STANDS - self._now()).total_seconds(), 0.0)
            told = "Intune's partner service is not set up in this tenant"
            raise Refused(told, remote="channel", vendor_code="no_partner_service", retry_after=wait, called=asked)
        return found

    def _stands(self, service: str) -> timedelta:
        return ENDPOINTS_STAND if self._found is not None and service in self._found.by_name else NOTHING_STANDS

    def _discover(self) -> Mapping[str, Remote]:
        """Where this tenant's partner services live: regional, never known beforehand. None at all where Intune is not set up."""
        # fleetdm/fleet get-access-token-and-api-urls.js; graph-docs serviceprincipal-list.md
        known = self._graph.call("GET", "servicePrincipals", query={"$filter": f"appId eq '{INTUNE}'"}).fields()
        principals = [item.guid("id") for item in known.items("value")]
        if len(principals) != 1:
            return {}
        # graph-docs serviceprincipal-list-endpoints.md; Application.Read.All
        listed = self._graph.call("GET", self._graph.path("servicePrincipals/{}/endpoints", principals[0])).fields()
        named = {item.need_text("providerName").casefold(): item for item in listed.items("value")}
        return {name: self._allowed(named[name].need_text("uri")) for name in (DEVICE_SERVICE, TENANT_SERVICE) if name in named}

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


def stamp(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


def failure(found: Fields) -> str | None:
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


def refused_inside(answer: Answer) -> Fields:
    """The answer, unless an error stands inside of it: then it is Refused by that error's code."""
    found = answer.fields()
    failed = failure(found)
    if failed:
        refused = Refused("refused inside a good answer", remote=answer.remote, status=answer.status, vendor_code=failed)
        raise refused.of_call(answer.client_request_id, answer.request_id)
    return found
