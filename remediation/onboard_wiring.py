"""What an administrator typed, as one more source of settings; the processes that take it in.

Next door: `wiring` (the two processes when all is set up), `look_wiring`, `onboard_console`.
"""

import os
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import structlog
from flask import Flask
from sqlalchemy import Engine as SqlEngine
from sqlalchemy.exc import DBAPIError

from . import log as logs
from . import wiring
from .adapters import sealing
from .doctor_wiring import Examination
from .domain.credential_ends import LOOK as CREDENTIALS
from .domain.evidence import Level
from .domain.onboarding import FIRST, GO, WORKER, Looked
from .domain.wishes import Kind
from .errors import NotReady
from .look_wiring import looks
from .ports import Actor, Clock
from .services import look_at_set_up
from .services.credential_ends import LOOKED_EVERY as LOOKED_AGAIN
from .services.credential_ends import keep
from .services.world import World
from .set_up_wiring import answer_now
from .settings import DatabaseSettings, SealSettings, WebKeySettings, WebSettings, WorkerSettings
from .settings.between import Fault
from .settings.names import env_name, secrets_of
from .settings.reading import FaultySettings, elsewhere, read, read_so_far
from .settings.typed import NIL, kinds_in
from .store.engine import make_engine
from .store.onboarding import SqlChoices
from .store.store import SqlStore
from .store.tables import DEPLOYMENT
from .store.wakeups import DbosWakeups
from .web.set_up import SetUp
from .worker.pulse import Pulse

log = structlog.get_logger("remediation.set_up")
S = TypeVar("S", bound=DatabaseSettings)
LOOKED_EVERY = 1.0  # seconds
ENDS_EVERY = 300.0
NOTICED_EVERY = 1.0
WISHES_EVERY = 0.3
MINIMUM = env_name("minimum_evidence")


@dataclass(frozen=True)
class Taken:
    """What was typed, as one process can read it. `seq` counts the changes that are in it."""

    typed: Mapping[str, str]
    seq: int
    gone: bool
    first: frozenset[str] = frozenset()


def take(choices: SqlChoices, process: str, keys: Iterable[str]) -> Taken:
    """Secrets of the other process are left out; one that no key opens is missing, and the log says so."""
    seq, typed, opened = choices.seq(), choices.typed(), {}
    for name, choice in typed.items():
        if choice.sealed_for is None:
            opened[name] = choice.value
        elif choice.sealed_for == process:
            secret = sealing.open_sealed(name, choice.value, tuple(keys))
            if secret is None:
                log.error("a secret that was typed cannot be opened: it was sealed for another key", setting=name)
            else:
                opened[name] = secret
    first = frozenset(part for part in opened.pop(FIRST, "").split(",") if part)
    return Taken(opened, seq, gone=GO in typed, first=first)


def settings(cls: type[S]) -> S:
    """The settings of a process or command, with what was typed; as strict as `read`, once everything is there."""
    return read(cls, taken_for(cls).typed)


def taken_for(cls: type[DatabaseSettings]) -> Taken:
    process = "web" if issubclass(cls, WebSettings) else "worker"
    try:
        database = read(DatabaseSettings)
        wiring.require_migrated(database)
    except (FaultySettings, NotReady):  # whoever goes on says so
        return Taken({}, 0, gone=False)
    engine = make_engine(database.database_url.get_secret_value())
    try:
        return take(SqlChoices(engine), process, keys_of(process))
    finally:
        engine.dispose()  # whoever moves the database needs it for themselves alone


def keys_of(process: str) -> tuple[str, ...]:
    """What opens what was sealed for it; the first is what its public half is made of."""
    try:
        if process == "web":
            web = read(WebKeySettings)
            return (web.secret_key.get_secret_value(), *(key.get_secret_value() for key in web.secret_key_fallbacks))
        worker = read(SealSettings)
    except FaultySettings:  # the whole of them tells it
        return ()
    first = () if worker.seal_key is None else (worker.seal_key.get_secret_value(),)
    return (*first, *(key.get_secret_value() for key in worker.seal_key_fallbacks))


def is_open(missing: Iterable[Fault], taken: Taken) -> bool:
    """No push before the evidence minimum was chosen: in the environment, which is a decision, or on the pages, with *go*. Before
    *go* it is open for those who go first, and for nobody else (`first_of`)."""
    return not list(missing) and (is_gone(taken) or bool(taken.first))


def is_gone(taken: Taken) -> bool:
    return taken.gone or MINIMUM not in taken.typed or MINIMUM in elsewhere()


def first_of(taken: Taken) -> frozenset[str]:
    """For whom alone it is open; empty once it is for everybody."""
    return frozenset() if is_gone(taken) else taken.first


def still_missing(missing: Iterable[Fault]) -> str:
    """For the terminal: nothing is wrong, and nothing works yet but the set-up."""
    names = "\n".join(f"  {fault.name} {fault.words}" for fault in missing)
    return f"Nothing but the set-up is served yet. `remediation onboard` prints the link to it. Still missing:\n{names}"


# the web


def build_web(engine: SqlEngine, *, metrics: Path | None = None) -> tuple[Flask, int]:
    """The pages by what is set and typed now, and the count of the changes in it. However often they are built anew, they stand on
    the one `engine`: one of its own for each left connections open that a PostgreSQL counts."""
    taken = taken_for(WebSettings)
    found, missing = read_so_far(WebSettings, taken.typed)
    logs.set_up("web", secrets_of(found))
    set_up = set_up_of(found, missing, taken, engine)
    return wiring.build_web_app(found, set_up, engine=engine, metrics=metrics), taken.seq


def set_up_of(settings: WebSettings, missing: Iterable[Fault], taken: Taken, engine: SqlEngine) -> SetUp:
    return SetUp(
        choices=SqlChoices(engine, tenant_of(settings.tenant_id)),
        seal=sealing.seal,
        own_half=sealing.public_half(settings.secret_key.get_secret_value()),
        elsewhere=elsewhere(),
        missing=frozenset(fault.name for fault in missing),
        open=is_open(missing, taken),
        first=first_of(taken),
        kinds=kinds_in(taken.typed),
    )


def tenant_of(tenant_id: str) -> str:
    """Before the tenant is known its rows are the deployment's."""
    return DEPLOYMENT if tenant_id == NIL else tenant_id


class Renewing:
    """A WSGI app that is built anew once what was typed has changed. Pages under way are answered by the one before, and so is
    everything where the new settings cannot be used: nothing that was typed takes a running system down."""

    def __init__(self, build: Callable[[], tuple[Flask, int]], seq: Callable[[], int], *, every: float = NOTICED_EVERY) -> None:
        """`every`: seconds between two looks whether something was typed."""
        self._build, self._seq, self._every = build, seq, every
        self.app, self._built = build()
        self._wsgi = self.app.wsgi_app
        self._lock, self._looked = threading.Lock(), 0.0

    def __call__(self, environ: Any, start_response: Any) -> Any:
        self._renew()
        return self._wsgi(environ, start_response)

    def _renew(self) -> None:
        if time.monotonic() - self._looked < self._every or not self._lock.acquire(blocking=False):
            return
        try:
            self._looked = time.monotonic()
            seq = self._seq()
            if seq != self._built:
                self._built = seq
                app, self._built = self._build()
                self._wsgi = app.wsgi_app
                log.info("the settings that were typed are in force", process="web", seq=self._built)
        except (FaultySettings, NotReady) as error:
            log.error("settings that were typed cannot be used; the ones before stay", process="web", why=str(error))
        except DBAPIError:
            log.warning("the database did not say whether settings were typed")
        finally:
            self._lock.release()


def web_app(*, metrics: Path | None = None) -> Flask:
    """For any WSGI server; `metrics` is where the processes of `serve` count their answers. Faults in the settings are told first,
    then a database that is not prepared."""
    read_so_far(WebSettings, taken_for(WebSettings).typed)
    database = read(DatabaseSettings)
    wiring.require_migrated(database)
    engine = make_engine(database.database_url.get_secret_value())
    renewing = Renewing(partial(build_web, engine, metrics=metrics), SqlChoices(engine).seq)
    app = renewing.app
    app.wsgi_app = renewing  # type: ignore[method-assign]
    return app


# the worker


def run_worker() -> None:
    """Until told to end. When what was typed has changed and can be used, what runs is ended in order and the process begins anew,
    under the same id."""
    taken = taken_for(WorkerSettings)
    found, missing = read_so_far(WorkerSettings, taken.typed)
    logs.set_up("worker", secrets_of(found))
    wiring.require_migrated(found)
    engine = make_engine(found.database_url.get_secret_value())
    tell(found, engine, missing)
    names = {fault.name for fault in missing}
    pulses = [looks_pulse(found, engine, names, taken.seq), ends_pulse(found, engine, names)]
    changed = Changed(SqlChoices(engine), taken.seq)
    if is_open(missing, taken):
        worker = wiring.build_worker(found, more=pulses, first=first_of(taken))
    else:
        pulses += wishes_pulses(found, engine, names)
        worker = wiring.build_set_up_worker(found, pulses, engine)
    if worker.run(changed):
        os.execv(sys.executable, [sys.executable, "-m", "remediation", "work"])  # noqa: S606 (ourselves)


class Changed:
    """Whether what was typed has changed since, and the worker can begin anew with it."""

    def __init__(self, choices: SqlChoices, seq: int) -> None:
        self._choices, self._seq = choices, seq

    def __call__(self) -> bool:
        try:
            seq = self._choices.seq()
            if seq == self._seq:
                return False
            self._seq = seq
            read_so_far(WorkerSettings, taken_for(WorkerSettings).typed)
        except FaultySettings as error:
            log.error("settings that were typed cannot be used; the ones before stay", process="worker", why=str(error))
            return False
        except DBAPIError:
            return False
        return True


def tell(settings: WorkerSettings, engine: SqlEngine, missing: Iterable[Fault], clock: Clock = wiring.now) -> None:
    """The web learns with what to seal, and what is fixed here; of secrets that they are."""
    keys, now = keys_of("worker"), clock()
    half = sealing.public_half(keys[0]) if keys else None
    detail = {"half": half, "elsewhere": dict(elsewhere()), "missing": [fault.name for fault in missing]}
    with store_of(settings, engine).change(actor_of(settings), "set_up.worker_started", about=("look", WORKER), at=now) as change:
        change.looked_at(Looked(WORKER, looked_at=now, good_at=now, detail=detail))


def store_of(settings: WorkerSettings, engine: SqlEngine) -> SqlStore:
    return SqlStore(engine, tenant_of(settings.tenant_id), DbosWakeups(engine), fresh=settings.minimum_evidence is Level.FRESH)


def actor_of(settings: WorkerSettings) -> Actor:
    return Actor("worker", settings.executor_id)


def looks_pulse(settings: WorkerSettings, engine: SqlEngine, missing: Iterable[str], seq: int) -> Pulse:
    """Where something was typed since these settings were read, nothing is looked at: whoever begins anew with it does."""
    store, choices, found = (
        store_of(settings, engine),
        SqlChoices(engine),
        looks(settings, set(missing), keys_of("worker"), sign_in_app=sign_in_app(settings, engine)),
    )
    later: dict[str, datetime] = {}

    def beat() -> object:
        if choices.seq() != seq:
            return None
        return look_at_set_up.look_at_all(choices, found, store, actor=actor_of(settings), now=wiring.now, later=later)

    return Pulse("looks of the set-up", beat, every=LOOKED_EVERY)


def sign_in_app(settings: WorkerSettings, engine: SqlEngine) -> str | None:
    """It is the web's setting: from what was typed, from an environment that both share, or as the web told it with a wish."""
    name = env_name("sign_in_client_id")
    typed = SqlChoices(engine).typed().get(name)
    wish = store_of(settings, engine).last_wish(Kind.POLICY)
    told = str(wish.asked.get("app") or "") if wish is not None else ""
    return elsewhere().get(name) or (typed.value if typed is not None else "") or told or None


def ends_pulse(settings: WorkerSettings, engine: SqlEngine, missing: set[str], clock: Clock = wiring.now) -> Pulse:
    """When the credentials end is looked at some times a day, and told before."""
    store, choices = store_of(settings, engine), SqlChoices(engine)

    def beat() -> None:
        looked, now = choices.looks().get(CREDENTIALS), clock()
        if missing & {env_name("tenant_id"), env_name("service_client_id")}:
            return
        if looked is not None and looked.looked_at is not None and now - looked.looked_at < LOOKED_AGAIN:
            return
        with Examination(settings, sign_in_app=sign_in_app(settings, engine), clock=clock) as examination:
            found = examination.ends()
        keep(found, store, actor=actor_of(settings), now=now)

    return Pulse("ends of credentials", beat, every=ENDS_EVERY)


def wishes_pulses(settings: WorkerSettings, engine: SqlEngine, missing: set[str]) -> list[Pulse]:
    """What an administrator asks while nothing is linked yet: answered once there is a tenant and an app to ask with."""
    if {env_name("tenant_id"), env_name("service_client_id")} & missing:
        return []
    world = world_of_set_up(settings, engine, make_engine(settings.database_url.get_secret_value(), durable=False))
    return [Pulse("wishes of the set-up", lambda: answer_now(world), every=WISHES_EVERY)]


def world_of_set_up(settings: WorkerSettings, engine: SqlEngine, quick: SqlEngine) -> World:
    """`quick`: of the same database, for the budgets."""
    return wiring.build_world(settings, store_of(settings, engine), wiring.build_budgets(settings, quick))
