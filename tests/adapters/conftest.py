"""A sandbox on TLS sockets, begun anew for each test, and small servers of one answer that do what the sandbox would never do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
from werkzeug.wrappers import Request, Response

from remediation.adapters import graph
from remediation.adapters.http import Remote, Timeouts
from sandbox.server import Sandbox, SandboxConfig, create_sandbox
from sandbox.sockets import Socket
from tests.remotes import Remotes

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

Answering = Callable[[Request], Response]


@pytest.fixture(scope="session")
def _running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    sandbox = create_sandbox(SandboxConfig(ca_folder=tmp_path_factory.mktemp("ca")))
    sandbox.start(api_port=0, pages_port=0)
    yield sandbox
    sandbox.stop()


@pytest.fixture
def sandbox(_running: Sandbox) -> Sandbox:
    _running.begin("blocked_just_registered")
    return _running


@pytest.fixture
def remotes(sandbox: Sandbox) -> Remotes:
    return Remotes(sandbox, over_tls=True, timeouts=Timeouts(connect=2, read=0.5, total=2))


class Server:
    """One https server that answers as the test says, and remembers who asked."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.asked: list[Request] = []
        self.answer: Answering = lambda request: Response("{}", content_type="application/json")
        self.ca = sandbox.keys.ca_pem
        self._socket = Socket(self._app, 0, sandbox.keys.tls())
        self.origin = f"https://127.0.0.1:{self._socket.port}"

    def _app(self, environ: WSGIEnvironment, start_response: StartResponse) -> Any:
        request = Request(environ)
        request.get_data()
        self.asked.append(request)
        return self.answer(request)(environ, start_response)

    def remote(self, **changed: Any) -> Remote:
        settings: dict[str, Any] = {"ca": self.ca, "timeouts": Timeouts(2, 0.5, 2), "vendor_code": graph.vendor_code, **changed}
        return Remote("directory", self.origin, **settings)

    def stop(self) -> None:
        self._socket.stop()


@pytest.fixture
def server(sandbox: Sandbox) -> Iterator[Server]:
    server = Server(sandbox)
    yield server
    server.stop()


@pytest.fixture
def elsewhere(sandbox: Sandbox) -> Iterator[Server]:
    """The host that no request of ours may ever reach."""
    server = Server(sandbox)
    yield server
    assert not server.asked
    server.stop()
