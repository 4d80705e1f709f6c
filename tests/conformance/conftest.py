"""A sandbox in process, begun anew for each test, and the book of which protocol raised which of the five errors."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest

from remediation.errors import RemoteError
from sandbox.server import Sandbox, SandboxConfig, create_sandbox
from tests.conformance.five import FIVE
from tests.remotes import SCENARIO, Remotes

Raises = Callable[[type[RemoteError]], AbstractContextManager[pytest.ExceptionInfo[RemoteError]]]

_book: dict[str, set[type[RemoteError]]] = {}


@pytest.fixture(scope="session")
def _sandbox(tmp_path_factory: pytest.TempPathFactory) -> Sandbox:
    return create_sandbox(SandboxConfig(ca_folder=tmp_path_factory.mktemp("ca")))


@pytest.fixture
def vendor() -> str:
    """The MDM that holds every device; a module whose protocol several MDMs speak asks all of them."""
    return "workspace_one"


@pytest.fixture
def remotes(_sandbox: Sandbox, vendor: str) -> Remotes:
    _sandbox.begin(SCENARIO.get(vendor, "blocked_just_registered"))
    Remotes(_sandbox).live_in(vendor)
    return Remotes(_sandbox)


@pytest.fixture
def raises(request: pytest.FixtureRequest) -> Raises:
    """As `pytest.raises`, of this very class, and written into the book under the module's protocol."""
    protocol: str = request.module.PROTOCOL
    if hasattr(request.module, "VENDORS"):
        protocol += f" of {request.getfixturevalue('vendor')}"

    @contextmanager
    def expect(kind: type[RemoteError]) -> Iterator[pytest.ExceptionInfo[RemoteError]]:
        with pytest.raises(kind) as raised:
            yield raised
        assert raised.type is kind
        _book.setdefault(protocol, set()).add(kind)

    return expect


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for protocol, kinds in sorted(_book.items()):
        names = ", ".join(kind.__name__ for kind in FIVE if kind in kinds)
        terminalreporter.write_line(f"conformance: {protocol} raised {names}")
