"""What the commands about an MDM act on: one connection of the worker's settings, asked within the budget of all.

Next door: `wiring` (the two processes), `operator_wiring` (the commands that call no remote).
"""

from urllib.parse import quote

from .domain.hints import USER, password
from .errors import NotReady
from .ports import Actor
from .services import register_events
from .services.register_events import Did, Registered
from .settings import WorkerSettings
from .store.engine import make_engine
from .store.store import SqlStore
from .store.wakeups import DbosWakeups
from .wiring import build_event_targets, now, require_migrated

__all__ = ["Did", "MdmEvents", "Registered"]


class MdmEvents:
    """Where one MDM sends its events, and where it should: to us."""

    def __init__(self, settings: WorkerSettings, connection: str) -> None:
        require_migrated(settings)
        if settings.hook_key is None:
            raise NotReady("REMEDIATION_HOOK_KEY is not set: the same for `serve` and for `work`. See docs/settings.md.")
        self._targets = build_event_targets(settings, connection)
        self._settings, self._connection = settings, connection
        self.url = f"{settings.public_origin}/hooks/mdm/{quote(connection)}"
        self.user, self.password = USER, password(settings.hook_key.get_secret_value(), connection)

    def see(self) -> Registered:
        return register_events.see(self._targets, self.url)

    def register(self, operator: str, *, renew: bool) -> Registered:
        """What was changed there leaves one audit row here."""
        found = register_events.register(self._targets, self.url, self.password, renew=renew)
        if found.did is not Did.NOTHING:
            engine = make_engine(self._settings.database_url.get_secret_value())
            store = SqlStore(engine, self._settings.tenant_id, DbosWakeups(engine))
            about = ("mdm", self._connection)
            with store.change(Actor("operator", operator), "events.registered", about=about, at=now()) as change:
                change.audit(did=found.did.value, differed=list(found.differed))
            engine.dispose()
        return found
