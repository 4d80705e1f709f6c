"""The sandbox as one thing: its world, its services behind their gates, its two sockets.

`create_sandbox()` serves in-process callers through `.api` and `.pages` (WSGI); `start()` puts both on real sockets.
Next door: `sockets` is the transport, each service module makes one Flask application.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from werkzeug.middleware.dispatcher import DispatcherMiddleware

from sandbox.control import create_control
from sandbox.device_ca import DeviceCA
from sandbox.entra import create_entra
from sandbox.entra_pages import create_entra_pages
from sandbox.faults import Faults, Gate
from sandbox.fleet import create_fleet
from sandbox.graph import create_graph
from sandbox.intune import create_intune
from sandbox.keys import Keys
from sandbox.ledger import Ledger
from sandbox.limits import Limits
from sandbox.maas360 import create_maas360
from sandbox.phone import create_phone
from sandbox.scenarios import Addresses, seed
from sandbox.sockets import Socket
from sandbox.workspace_one import create_workspace_one
from sandbox.workspace_one_events import Events
from sandbox.world import World

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_ENTRA_PAGE = re.compile(r"^/(?:entra/|[^/]+/(?:oauth2|login|adminconsent)(?:/|$))")


@dataclass(frozen=True)
class SandboxConfig:
    api_port: int = 8143
    pages_port: int = 8100
    ca_folder: Path = field(default_factory=lambda: Path(tempfile.gettempdir()) / "remediation-sandbox")
    product_origin: str = "http://localhost:8000"
    redirect_uri: str = ""
    logout_uri: str = ""
    enrollment_url: str = ""
    remediation_url: str = ""
    scenario: str = "blocked_just_registered"
    partner_groups: tuple[str, ...] = ()
    """Names of the groups that an administrator gave to the partner in Intune, in stories that say nothing else; or all users."""
    ledger_length: int = 20_000

    def addresses(self) -> Addresses:
        return Addresses(
            redirect_uri=self.redirect_uri or f"{self.product_origin}/signed-in",
            logout_uri=self.logout_uri or f"{self.product_origin}/signed-out",
            enrollment_url=self.enrollment_url or f"{self.product_origin}/enrollment",
            remediation_url=self.remediation_url or f"{self.product_origin}/remediation",
        )


class Sandbox:
    def __init__(self, config: SandboxConfig) -> None:
        self.config = config
        self.world = World()
        self.ledger = Ledger(config.ledger_length)
        self.faults = Faults(self.world.now)
        self.limits = Limits(self.world.now)
        self.keys = Keys(config.ca_folder)
        self.events = Events(self)
        self.device_ca = DeviceCA(config.ca_folder)
        self.id_token_faults: list[str] = []
        """Spoils the next ID tokens, one each (`control`)."""
        self.access_token_faults: list[str] = []
        """The same for access tokens of an app's own API."""
        self.api_url = f"https://127.0.0.1:{config.api_port}"
        self.pages_url = f"http://127.0.0.1:{config.pages_port}"
        self._redeemed: set[str] = set()
        self._sockets: list[Socket] = []
        self.begin(config.scenario)
        self._workspace_one = self._gate(create_workspace_one(self), "workspace_one")
        self._maas360 = self._gate(create_maas360(self), "maas360")
        self._fleet = self._gate(create_fleet(self), "fleet")
        self._microsoft = DispatcherMiddleware(
            self._gate(create_entra(self), "entra"),
            {
                "/graph": self._gate(create_graph(self), "graph"),
                "/intune": self._gate(create_intune(self), "intune"),
            },
        )
        self._phone = self._gate(create_phone(self), "phone")
        self._entra_pages = self._gate(create_entra_pages(self), "entra")
        self._control = DispatcherMiddleware(self._phone, {"/control": create_control(self)})

    def _gate(self, app: WSGIApplication, service: str) -> WSGIApplication:
        return Gate(app, service, self.world, self.ledger, self.faults, self.limits)

    def begin(self, scenario: str, devices_seed: int | None = None) -> None:
        """A fresh world, no faults, an empty ledger; the devices are the same ones unless another seed is given."""
        seed(self.world, scenario, self.config.addresses(), devices_seed)
        with self.world.lock:
            given = [group.id for group in self.world.groups.values() if group.name in self.config.partner_groups]
            self.world.partner.chosen_groups = self.world.partner.chosen_groups or given
        self.faults.clear()
        self.limits.clear()
        self.ledger.clear()
        self.id_token_faults.clear()
        self.access_token_faults.clear()

    def redeem_once(self, token_id: str) -> bool:
        """True the first time this code or assertion is presented, never again."""
        with self.world.lock:
            fresh = token_id not in self._redeemed
            self._redeemed.add(token_id)
            return fresh

    def api(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Workspace ONE has two hosts in life and two prefixes here, one application for both."""
        path = environ.get("PATH_INFO", "")
        if path.startswith("/maas360/"):
            return self._maas360(environ, start_response)
        if path.startswith("/fleet/"):
            return self._fleet(environ, start_response)
        mdm = path.startswith(("/ws1/", "/ws1auth/"))
        return (self._workspace_one if mdm else self._microsoft)(environ, start_response)

    def pages(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Entra's browser pages share the second socket with the phone, as `/{tenant}/oauth2/…`."""
        app = self._entra_pages if _ENTRA_PAGE.match(environ.get("PATH_INFO", "")) else self._control
        return app(environ, start_response)

    def start(self, api_port: int | None = None, pages_port: int | None = None) -> None:
        """Serve on both sockets in threads; port 0 takes a free one, and the addresses then tell which."""
        api = Socket(self.api, self.config.api_port if api_port is None else api_port, self.keys.tls())
        self._sockets.append(api)
        pages = Socket(self.pages, self.config.pages_port if pages_port is None else pages_port)
        self._sockets.append(pages)
        self.api_url = f"https://127.0.0.1:{api.port}"
        self.pages_url = f"http://127.0.0.1:{pages.port}"

    def stop(self) -> None:
        self.events.stop()
        while self._sockets:
            self._sockets.pop().stop()


def create_sandbox(config: SandboxConfig | None = None) -> Sandbox:
    return Sandbox(config or SandboxConfig())
