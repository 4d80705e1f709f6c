"""The product's real adapters around a sandbox: in process through its WSGI application, or over TLS where it has sockets.

Next door: `wsgi_adapter` (the transport), `wiring` in the product, which does the same from settings.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from remediation.adapters import (
    entra,
    fleet,
    fleet_posture,
    fleet_sign_in,
    graph,
    graph_device,
    graph_roster,
    intune_partner,
    maas360,
    maas360_reading,
    maas360_search,
    maas360_sign_in,
    sign_in_log,
    workspace_one,
    workspace_one_sign_in,
)
from remediation.adapters.http import Remote, Timeouts
from remediation.domain.device import Person
from sandbox.control import facts_of
from sandbox.maas360_shapes import csn
from sandbox.server import Sandbox
from sandbox.world import GRAPH_APP_ID
from tests.wsgi_adapter import Change, WSGIAdapter

ADVICE = {"Passcode required": "passcode"}
INTEGRITY = "not jailbroken"
SCENARIO = {"fleet": "mac"}
"""On which device the vendor can say anything: Fleet runs no policies on a phone."""


@dataclass
class Remotes:
    """Every adapter, connected. `sleeps` is what the channel would have slept; `groups` are by default those that the sandbox's
    administrator chose; `owner` is the pair of attributes, Entra's and the MDM's; `page_size` of the MDM's
    whole list."""

    sandbox: Sandbox
    over_tls: bool = False
    timeouts: Timeouts = field(default_factory=Timeouts)
    change: Change | None = None
    secret: Any = None
    sleeps: list[float] = field(default_factory=list)
    groups: tuple[str, ...] | None = None
    owner: tuple[Any, Any] = (None, None)
    page_size: int = 500

    def __post_init__(self) -> None:
        self.facts: dict[str, Any] = facts_of(self.sandbox)
        self.transport = None if self.over_tls else WSGIAdapter(self.sandbox.api, change=self.change)
        service, ws1 = self.facts["service"], self.facts["workspace_one"]
        self.moment = 0.0
        self.tokens = entra.EntraTokens(
            self.remote("directory", self.facts["api_url"], entra.vendor_code),
            tenant_id=self.facts["tenant_id"],
            client_id=service["client_id"],
            secret=self.secret or service["client_secret"],
            clock=lambda: self.moment,
        )
        to_graph = self.tokens.scope(self.facts["graph_scope"], remote="directory")
        self.graph = self.remote("directory", self.facts["graph_url"], graph.vendor_code, credential=to_graph)
        chosen = tuple(self.sandbox.world.partner.chosen_groups) if self.groups is None else self.groups
        self.directory = graph.GraphDirectory(self.graph, now=self.sandbox.world.now, groups=chosen, owner_attribute=self.owner[0])
        self.roster = graph_roster.GraphRoster(self.graph, now=self.sandbox.world.now, groups=chosen, owner_attribute=self.owner[0])
        log = self.remote("sign_in_log", self.facts["graph_url"], graph.vendor_code, credential=to_graph)
        self.sign_in_log = sign_in_log.GraphSignInLog(log)
        self.channel = self.make_channel()
        self.ws1 = self.make_mdm(
            workspace_one_sign_in.OAuthClient(
                self.remote("mdm", ws1["token_url"], workspace_one_sign_in.vendor_code),
                client_id=ws1["client_id"],
                secret=ws1["client_secret"],
                now=self.sandbox.world.now,
            )
        )
        self.maas = self.make_maas()
        self.fleet = self.make_fleet()
        self.mdm: Any = {"workspace_one": self.ws1, "maas360": self.maas, "fleet": self.fleet}[self.vendor]

    def remote(self, name: str, base: str, vendor_code: Any, **kw: Any) -> Remote:
        ca = self.sandbox.keys.ca_pem
        return Remote(name, base, vendor_code=vendor_code, ca=ca, timeouts=self.timeouts, transport=self.transport, **kw)

    def make_channel(self, *hosts: str) -> intune_partner.IntunePartnerChannel:
        to_intune = self.tokens.scope(self.facts["intune_scope"], remote="channel")
        return intune_partner.IntunePartnerChannel(
            tenant_id=self.facts["tenant_id"],
            graph=self.graph,
            connect=lambda base: self.remote("channel", base, intune_partner.vendor_code, credential=to_intune),
            directory=self.directory,
            now=self.sandbox.world.now,
            hosts=hosts or ("127.0.0.1",),
            sleep=self.sleeps.append,
        )

    def make_graph_channel(self) -> graph_device.GraphDeviceChannel:
        return graph_device.GraphDeviceChannel(self.graph_as("channel"), directory=self.directory)

    def graph_as(self, name: str) -> Remote:
        to_graph = self.tokens.scope(self.facts["graph_scope"], remote=name)
        return self.remote(name, self.facts["graph_url"], graph.vendor_code, credential=to_graph)

    def approve_for_windows(self, *, permission: bool = True, approved: bool = True) -> None:
        """What an administrator does before Graph takes compliance of Windows devices from the service app."""
        app = self.sandbox.world.apps["service"]
        app.approved_mdm = approved
        (set.add if permission else set.discard)(app.permissions[GRAPH_APP_ID], "Device.ReadWrite.All")

    def make_mdm(self, credential: Any) -> workspace_one.WorkspaceOne:
        ws1 = self.facts["workspace_one"]
        remote = self.remote("mdm", ws1["api_url"], workspace_one.vendor_code, credential=credential)
        return workspace_one.WorkspaceOne(
            "ws1",
            remote,
            now=self.sandbox.world.now,
            advice=ADVICE,
            group_id=ws1["group_id"],
            hubs=workspace_one.hubs("com.airwatch.windows.hub"),
            owner_attribute=self.owner[1],
            page_size=self.page_size,
        )

    def make_maas(self, credential: Any = None, **more: Any) -> maas360.Maas360:
        facts = self.facts["maas360"]
        credential = credential or self.maas_token()
        remote = self.remote("mdm", facts["api_url"], maas360_reading.vendor_code, credential=credential)
        size = self.page_size if self.page_size in maas360_search.LEGAL_PAGES else 250
        own = {"owner_attribute": self.owner[1], "advice": ADVICE, "title": "Contoso", "page_size": size, **more}
        return maas360.Maas360("maas", remote, billing_id=facts["billing_id"], now=self.sandbox.world.now, **own)

    def maas_token(self, **changed: Any) -> maas360_sign_in.MaasToken:
        facts = self.facts["maas360"]
        secrets = {name: (lambda value=facts[name]: value) for name in ("access_key", "password")}
        names = {name: facts[name] for name in ("billing_id", "app_id", "user")}
        key = maas360_sign_in.AccessKey(**{**names, **secrets, **changed})
        remote = self.remote("mdm", facts["api_url"], maas360_reading.vendor_code)
        return maas360_sign_in.MaasToken(remote, key, now=self.sandbox.world.now)

    def make_fleet(self, token: Callable[[], str] | None = None, **more: Any) -> fleet.Fleet:
        facts = self.facts["fleet"]
        credential = fleet_sign_in.ApiToken(token or (lambda: str(facts["token"])))
        remote = self.remote("mdm", f"{facts['url']}/api/v1/fleet", fleet_sign_in.vendor_code, credential=credential)
        meaning = fleet_posture.Meaning(integrity=frozenset({INTEGRITY}))
        own = {"advice": ADVICE, "meaning": meaning, "chosen": self.owner[1] is not None, "page_size": min(self.page_size, 100)}
        return fleet.Fleet("fleet", remote, now=self.sandbox.world.now, **{**own, **more})

    @property
    def vendor(self) -> str:
        """Which MDM Mia's phone lives in."""
        return str(self.sandbox.world.phones["mia"].vendor)

    @property
    def record_id(self) -> str:
        return self.id_of(self.record)

    def id_of(self, record: Any) -> str:
        """As the MDM that holds the record calls it."""
        return csn(record) if record.vendor == "maas360" else str(record.id)

    def live_in(self, vendor: Any) -> None:
        """All devices of the world, in this MDM."""
        world = self.sandbox.world
        things: list[Any] = [*world.phones.values(), *world.records.values()]
        for thing in things:
            thing.vendor = vendor

    def person(self, name: str = "Mia") -> Person:
        """As the directory would give them, without asking it."""
        found = next(p for p in self.sandbox.world.persons.values() if p.name.startswith(name))
        return Person(oid=found.oid, name=found.name, user_name=found.upn, mail=found.mail)

    @property
    def phone(self) -> Any:
        """Mia's phone."""
        oid = self.person().oid
        return next(p for p in self.sandbox.world.phones.values() if p.person_oid == oid)

    @property
    def record(self) -> Any:
        return self.sandbox.world.records[self.phone.record_id]

    @property
    def device_id(self) -> str:
        """Mia's registered iPhone."""
        oid = self.person().oid
        return str(
            next(
                d.device_id
                for d in self.sandbox.world.devices.values()
                if d.owner_oid == oid and d.os.startswith(("iOS", "iPhone"))
            )
        )

    def later(self, seconds: float) -> None:
        self.sandbox.world.advance(seconds)
