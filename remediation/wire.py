"""How each remote is reached: its address, its credential, its reader of error codes, and the gate that its calls pass.

Next door: `wire_mdm` (each kind of MDM), `wiring` (what is made of all this).
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from requests.adapters import BaseAdapter

from . import wire_mdm
from .adapters import entra, graph, intune_partner
from .adapters.gate import Gate
from .adapters.http import Credential, Remote
from .domain import powers
from .ports import Budgets, Clock, DeviceManager, EventTargets
from .settings import WorkerSettings
from .settings.file_rules import key_with_certificate
from .wire_mdm import Hold

VendorCode = Callable[[Any], object]


class Wire:
    """The remotes, each with its address, its credential, its reader of error codes, and the gate that its calls pass."""

    def __init__(self, settings: WorkerSettings, budgets: Budgets, transport: BaseAdapter | None, clock: Clock) -> None:
        self._settings = settings
        self._budgets = budgets
        self._transport = transport
        self.clock, self.organisation = clock, settings.organisation
        self._ca = Path(settings.ca_file) if settings.ca_file else None
        self._gates: dict[str, Gate] = {}
        self._remotes: dict[tuple[str, str], Remote] = {}
        self._tokens = entra.EntraTokens(
            self.remote("directory", settings.entra_authority, entra.vendor_code, gate="tokens", causes=entra.CAUSES),
            tenant_id=settings.tenant_id,
            client_id=settings.service_client_id,
            secret=_service_credential(settings),
            gate_of=lambda scope: self._gate(f"tokens:{urlsplit(scope).hostname}", refused_for=entra.refused_for),
        )

    def graph(self, name: str, *, gate: str = "directory") -> Remote:
        """`name` is whose errors these are; the budget is Graph's, whoever asks, but for what Graph itself counts apart."""
        credential = self._tokens.scope(self._settings.graph_scope, remote=name)
        base = f"{self._settings.graph_url}/v1.0"
        manners: dict[str, Any] = {
            "lane_headers": graph.lane_headers,
            "no_consent": partial(credential.no_consent, (*powers.GRAPH, *powers.ALLOWED)),
        }
        return self.remote(*(name, base, graph.vendor_code, credential), gate=gate, **manners)

    def tokens(self) -> Mapping[str, entra.ScopeTokens]:
        """The service app's tokens, by resource."""
        scopes = {"graph": (self._settings.graph_scope, "directory"), "intune": (self._settings.intune_scope, "channel")}
        return {name: self._tokens.scope(scope, remote=remote) for name, (scope, remote) in scopes.items()}

    def ahead(self, now: datetime) -> Mapping[str, timedelta]:
        """Implements `ports.Clocks`."""
        told = [(remote.host, remote.clock()) for remote in self._remotes.values()]
        return {host: at - now for host, at in told if at is not None}  # one that was not asked says nothing for its host

    def partner(self, uri: str) -> Remote:
        credential = self._tokens.scope(self._settings.intune_scope, remote="channel")
        no_consent = partial(credential.no_consent, powers.INTUNE)
        return self.remote("channel", uri, intune_partner.vendor_code, credential, gate="channel", no_consent=no_consent)

    def managers(self, hold: Hold) -> dict[str, DeviceManager]:
        """Each with a gate of its own: what one of them takes is never taken from another."""
        return {name: self.manager(name, hold) for name in self._settings.mdm}

    def manager(self, name: str, hold: Hold) -> DeviceManager:
        return wire_mdm.manager(self, name, self._settings.mdm[name], hold)

    def event_targets(self, name: str) -> EventTargets:
        return wire_mdm.event_targets(self, name, self._settings.mdm[name])

    def remote(
        self, name: str, base: str, vendor_code: VendorCode, credential: Credential | None = None, *, gate: str, **more: Any
    ) -> Remote:
        private = (urlsplit(base).hostname or "") in self._settings.private_hosts
        wire: dict[str, Any] = {"ca": self._ca, "private": private, "transport": self._transport, "gate": self._gate(gate)}
        remote = Remote(name, base, vendor_code=vendor_code, credential=credential, **wire, **more)
        self._remotes[name, base] = remote  # by address: a service that is found anew takes its old place
        return remote

    def _gate(self, name: str, **more: Any) -> Gate:
        """One for each name, since it also counts what is in flight."""
        if name not in self._gates:
            self._gates[name] = Gate(name, self._budgets, in_flight=self._settings.calls_in_flight, **more)
        return self._gates[name]


def _service_credential(settings: WorkerSettings) -> Callable[[], str | dict[str, str]]:
    """As it is now: both may be rotated while the worker runs. A certificate goes before a secret; MSAL finds its thumbprint."""
    if settings.service_certificate is None:
        return settings.live("service_client_secret")
    pem = settings.live("service_certificate", key_with_certificate)

    def certificate() -> dict[str, str]:
        return {"private_key": pem(), "public_certificate": pem()}

    return certificate
