"""The product's pages on a socket, as far as an MDM uses them: registered at the stand-in's console, which sends its events there.

Next door: `company` (the stand-in and the database), `crew` (the workers).
"""

from collections.abc import Sequence
from dataclasses import replace
from types import TracebackType
from typing import Any

from bench.stage.company import HINTS, KEY, Company
from remediation.adapters.workspace_one_events import hint_of
from remediation.adapters.workspace_one_targets import WorkspaceOneTargets
from remediation.domain.hints import Hint, Mark, password
from remediation.domain.push import Push
from remediation.services.register_events import register
from remediation.settings import WebSettings
from remediation.store.look_up import SqlLookUp
from remediation.store.sessions import SqlSessions, SqlSignInStates
from remediation.store.store import SqlStore
from remediation.store.wakeups import DbosWakeups
from remediation.web import build_web
from sandbox.sockets import Socket
from tests.remotes import Remotes
from tests.set_ups import set_up
from tests.web.conftest import SETTINGS


class Deaf(SqlStore):
    """The seeded fault `deaf`: an event is taken and forgotten."""

    def note_hint(self, mark: Mark) -> bool:
        return True


class Eager(SqlStore):
    """The seeded fault `eager`: a wake-up for each event, however many are about one device."""

    def hinted(self, connection: str, hint: Hint) -> Sequence[Push]:
        return [replace(push, next_look_at=None, posture_read_at=None) for push in super().hinted(connection, hint)]

    def note_hint(self, mark: Mark) -> bool:
        with self.change(HINTS, "hint.received", about=("link", mark.link_id), at=mark.due) as change:
            change.wake_link(mark.link_id, lane=mark.lane)
        return True


STORES = {"deaf": Deaf, "eager": Eager}


class Listening:
    def __init__(self, company: Company, broken: str | None) -> None:
        tenant = company.world.tenant_id
        self._company = company
        self.auth = ("remediation", password(KEY, "ws1"))
        store = STORES.get(broken or "", SqlStore)(company.engine, tenant, DbosWakeups(company.engine))
        settings = WebSettings.model_validate({**SETTINGS, "tenant_id": tenant, "hook_key": KEY})
        sessions, states = SqlSessions(company.engine, tenant), SqlSignInStates(company.engine, tenant)
        look_up = SqlLookUp(company.engine, tenant)
        given: dict[str, Any] = {"set_up": set_up(company.engine, tenant), "events": hint_of, "clock": company.world.now}
        self._socket = Socket(build_web(settings, store, sessions, states, look_up, **given), 0)
        self.address = f"http://localhost:{self._socket.port}/hooks/mdm/ws1"

    def register(self) -> None:
        targets = WorkspaceOneTargets(Remotes(self._company.sandbox, over_tls=True).mdm._remote)
        register(targets, self.address, self.auth[1], renew=False)

    def __enter__(self) -> "Listening":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._company.sandbox.events.stop()
        self._socket.stop()
