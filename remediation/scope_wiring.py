"""What the commands about scope and pilot devices act on: the worker's own way to the remotes, within the budget of all.

Next door: `partner_wiring`, `set_up_wiring` (the same for the worker).
"""

from collections.abc import Sequence
from uuid import uuid4

from requests.adapters import BaseAdapter

from .domain.device import ManagedKey, Platform
from .domain.finding import Finding
from .domain.pilot import Pilot, PilotState
from .domain.scope import Change, ChosenGroup, Faced, FoundGroup, Scope
from .domain.wishes import Kind, Wish
from .errors import NotReady, StepRefused
from .ports import Actor, Clock
from .services import pilot, scope
from .services.answer_wishes import face, listed_by_mdms, plain
from .services.scope import what_changes
from .set_up_wiring import asking
from .settings import WorkerSettings
from .store.engine import make_engine
from .store.store import SqlStore
from .store.wakeups import DbosWakeups
from .web.names import shown
from .wire import Wire
from .wiring import build_budgets, now, require_migrated, world_of

__all__ = ["Faced", "Finding", "Pilot", "PilotState", "Platform", "SetUpDesk", "StepRefused", "shown"]


class SetUpDesk:
    """One tenant, in the name of one operator. Tests give a `transport` that leads into the sandbox, and its `clock`."""

    def __init__(
        self, settings: WorkerSettings, operator: str, *, transport: BaseAdapter | None = None, clock: Clock = now
    ) -> None:
        require_migrated(settings)
        url = settings.database_url.get_secret_value()
        self._engine, self._settings, self._clock = make_engine(url), settings, clock
        self.store = SqlStore(self._engine, settings.tenant_id, DbosWakeups(self._engine))
        self._quick = make_engine(url, durable=False)
        wire = Wire(settings, build_budgets(settings, self._quick, clock=clock), transport, clock)
        self._world = world_of(settings, self.store, wire, clock)
        self._asking = asking(settings, wire, self._world.channels, self.store)
        self._actor = Actor("operator", operator)

    def close(self) -> None:
        self._engine.dispose()
        self._quick.dispose()

    # for whom

    def scope(self) -> Scope:
        return scope.standing(self.store, self._settings.groups)

    def faced(self, groups: Sequence[ChosenGroup], *, only_managed: bool = False) -> list[Faced]:
        listed = listed_by_mdms(self._world) if groups else {}
        return [face(group, self._asking.groups, listed, only_managed=only_managed) for group in groups]

    def search(self, words: str) -> Sequence[FoundGroup]:
        return self._asking.groups.search(words, limit=20)

    def count(self, ids: Sequence[str], *, only_managed: bool) -> tuple[Wish, list[Faced], Change]:
        """What choosing these groups, or nobody's but all users, would mean."""
        if self._settings.groups:
            raise StepRefused("by_setting")
        faced = self.faced([ChosenGroup(one, "") for one in ids], only_managed=only_managed)
        groups = [{"id": one.group.id, "name": one.group.name} for one in faced]
        everybody = self._asking.groups.everybody() if not ids else None
        answer = {"groups": [plain(one) for one in faced], "everybody": everybody, "links": self.store.living_links_count()}
        at, asked = self._clock(), {"groups": groups, "only_managed": only_managed, "seq": self.store.scope().seq}
        wish = Wish(str(uuid4()), Kind.COUNT, asked, self._actor.id, at, at, answer)
        return wish, faced, what_changes(self.store, wish)

    def choose(self, counted: Wish) -> Scope:
        with self.store.change(self._actor, "set_up.count_asked", about=("set_up", counted.id), at=self._clock()) as change:
            change.make_wish(counted)
        return scope.choose(self.store, counted.id, by_setting=self._settings.groups, actor=self._actor, now=self._clock())

    # pilot devices

    def account(self, name: str) -> tuple[str, str]:
        """Object id and name of whoever signs in with it."""
        return self._asking.groups.account(name)

    def start_pilot(self, connection: str, record_id: str, *, by_mdm: bool) -> Pilot:
        if connection not in self._world.managers:
            raise NotReady(f"There is no MDM connection {connection}. There is: {', '.join(self._world.managers)}.")
        link_id = pilot.device_of(self.store, connection, record_id)
        return pilot.start(self._world, link_id, by_mdm=by_mdm, actor=self._actor)

    def without_pilot(self) -> None:
        scope.wish(self.store, Kind.PILOT_SAID, {}, actor=self._actor, now=self._clock())

    def stop_pilot(self, platform: Platform) -> None:
        pilot.stop(self.store, platform, actor=self._actor, now=self._clock())

    def pilots(self) -> list[Finding]:
        return list(pilot.proven_of(self._world))

    def pilot(self, pilot_id: str) -> Pilot:
        found = self.store.pilot(pilot_id)
        if found is None:
            raise NotReady("That pilot is no more.")
        return found

    def device(self, connection: str, record_id: str) -> str:
        """What the record was last seen to be."""
        known = self.store.managed_device(ManagedKey(connection, record_id))
        parts = (known.name, known.model, known.platform.value) if known is not None else ()
        return ", ".join(shown(part) for part in parts if part)
