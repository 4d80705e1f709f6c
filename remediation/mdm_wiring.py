"""What the commands about an MDM act on: one connection of the worker's settings, asked within the budget of all.

Next door: `wiring` (the two processes), `operator_wiring` (the commands that call no remote).
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from urllib.parse import quote

from .domain.compliance import MdmWord
from .domain.device import ManagedDevice
from .domain.hints import USER, password
from .errors import NotReady
from .ports import Actor, Grouping, LookupValue, MdmGroup, Personalising, Searching
from .services import find_record, register_events
from .services.find_record import Found
from .services.register_events import Did, Registered
from .settings import WorkerSettings
from .store.engine import make_engine
from .store.store import SqlStore
from .store.wakeups import DbosWakeups
from .web.names import shown
from .wiring import build_event_targets, build_manager, now, require_migrated

__all__ = ["Did", "Found", "ManagedDevice", "Mdm", "MdmEvents", "MdmGroup", "MdmWord", "Registered", "shown"]


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
            about = ("mdm", self._connection)
            with (
                _store(self._settings) as store,
                store.change(Actor("operator", operator), "events.registered", about=about, at=now()) as change,
            ):
                change.audit(did=found.did.value, differed=list(found.differed))
        return found


class Mdm:
    """What staff may look at there. Each method raises NotReady where this kind of MDM has not that ability, and the remotes'
    errors."""

    def __init__(self, settings: WorkerSettings, connection: str) -> None:
        require_migrated(settings)
        self._manager = build_manager(settings, connection)
        self._settings, self._connection = settings, connection

    def find(self, identifier: str, operator: str) -> Found:
        if not isinstance(self._manager, Searching):
            raise NotReady(f"The MDM {self._connection} finds no records by an identifier.")
        actor = Actor("operator", operator)
        with _store(self._settings) as store:
            return find_record.find(store, self._manager, self._connection, identifier, actor=actor, clock=now)

    def groups(self) -> Iterator[MdmGroup]:
        if not isinstance(self._manager, Grouping):
            raise NotReady(f"The MDM {self._connection} lists no groups.")
        return self._manager.groups()

    def lookup_values(self) -> Sequence[LookupValue]:
        if not isinstance(self._manager, Personalising):
            raise NotReady(f"The MDM {self._connection} replaces nothing in the address of a web clip.")
        return self._manager.lookup_values()

    def address(self, value: LookupValue | None) -> str:
        """Of a managed web clip; the pages read nothing of what stands behind the question mark."""
        start = f"{self._settings.public_origin}/start"
        return start if value is None else f"{start}?mdm={quote(self._connection)}&device={value.key}"


@contextmanager
def _store(settings: WorkerSettings) -> Iterator[SqlStore]:
    engine = make_engine(settings.database_url.get_secret_value())
    try:
        yield SqlStore(engine, settings.tenant_id, DbosWakeups(engine))
    finally:
        engine.dispose()
