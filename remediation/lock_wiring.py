"""What the commands about the second lock act on: the worker's own way to Microsoft, within the budget of all.

Next door: `wiring` (the two processes), `partner_wiring`.
"""

import time
from collections.abc import Callable, Sequence

from requests.adapters import BaseAdapter

from .adapters import access_policies, sign_in_log
from .domain.second_lock import SecondLock, SeenBlocked, missing_before_go
from .errors import NotReady
from .ports import Actor, Clock
from .services import set_up_lock
from .services.patience import Patient
from .services.set_up_lock import GaveUp, Read
from .settings import WorkerSettings
from .settings.clouds import portal
from .store.engine import make_engine
from .store.store import SqlStore
from .store.wakeups import DbosWakeups
from .web.names import shown
from .wire import Wire
from .wiring import build_budgets, now, require_migrated, world_of

__all__ = ["Lock", "Read", "SeenBlocked", "shown"]


class Lock:
    """One tenant's. Tests give a `transport` that leads into the sandbox without a socket."""

    def __init__(
        self,
        settings: WorkerSettings,
        *,
        transport: BaseAdapter | None = None,
        clock: Clock = now,
        sleep: Callable[[float], None] = time.sleep,
        waiting: Callable[[], None] = lambda: None,
    ) -> None:
        require_migrated(settings)
        if settings.second_lock_attribute is None:
            raise NotReady(
                "There is no second lock: REMEDIATION_SECOND_LOCK_ATTRIBUTE is not set. docs/channels.md says what it is for."
            )
        url, self._clock = settings.database_url.get_secret_value(), clock
        self._patiently = Patient(sleep, waiting)
        self._engine = make_engine(url)
        self._store = SqlStore(self._engine, settings.tenant_id, DbosWakeups(self._engine))
        self._quick = make_engine(url, durable=False)
        budgets = build_budgets(settings, self._quick, clock=clock)
        budgets.ask_refused_again()
        wire = Wire(settings, budgets, transport, clock)
        self._world = world_of(settings, self._store, wire, clock)
        self._policies = access_policies.GraphPolicies(wire.graph("directory"))
        self._records = sign_in_log.GraphSignInLog(wire.graph("sign_in_log", gate="sign_in_log"))
        self._marking = self._world.lock
        self.platforms, self.portal = tuple(sorted(settings.locked())), portal(settings.cloud)

    @property
    def held(self) -> SecondLock:
        found = self._store.second_lock()
        if found is None:
            raise LookupError("second_lock")
        return found

    def read_all(self) -> Read:
        return set_up_lock.read_all(self._world.directory, self._patiently)

    def prepare(self, operator: str, read: Read, *, why: str, kind: str = "operator") -> None:
        actor = Actor(kind, operator)
        set_up_lock.prepare(self._store, actor=actor, why=why, clock=self._clock, devices=read.devices)

    def policies_on(self) -> Sequence[str]:
        return self._patiently(lambda: set_up_lock.policies_on(self._store, self._policies))

    def give_up(self, operator: str, *, why: str, kind: str = "operator") -> GaveUp:
        if self._marking is None:
            raise NotReady("There is no second lock.")
        who = {"actor": Actor(kind, operator), "why": why, "clock": self._clock}
        return set_up_lock.give_up(self._store, self._marking, self._world.directory, self._patiently, **who)  # type: ignore[arg-type]

    def seen(self) -> Sequence[SeenBlocked]:
        return self._store.seen_blocked()

    def missing(self) -> tuple[str, ...]:
        return missing_before_go(self.held, self.seen())

    def confirm_blocked(self, operator: str, kind: str, what: str) -> SeenBlocked:
        return set_up_lock.confirm_blocked(self._store, kind, what, actor=Actor("operator", operator), clock=self._clock)

    def check_sign_in(self, operator: str, record_id: str) -> SeenBlocked | str:
        who = {"actor": Actor("operator", operator), "clock": self._clock}
        return self._patiently(
            lambda: set_up_lock.check_sign_in(
                self._store,
                self._records,
                self._policies,
                self._world.directory,
                record_id,
                **who,  # type: ignore[arg-type]
            )
        )

    def close(self) -> None:
        self._engine.dispose()
        self._quick.dispose()
