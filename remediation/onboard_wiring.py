"""What an administrator typed, as one more source of settings; the processes that take it in; and what the worker looks at for it.

Next door: `wiring` (the two processes when all is set up), `onboard_commands`.
"""

import os
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import structlog
from flask import Flask
from requests.adapters import BaseAdapter
from sqlalchemy import Engine as SqlEngine
from sqlalchemy.exc import DBAPIError

from . import log as logs
from . import wiring
from .adapters import certificate_maker, sealing
from .doctor_wiring import Examination
from .domain import onboarding_lock
from .domain.evidence import Level
from .domain.onboarding import GO, WORKER, Facts, Looked, Standing, checklist, touched
from .errors import NotReady, RemoteError
from .lock_wiring import Lock
from .ports import Actor, Clock
from .services import doctor_lock, doctor_remotes, look_at_set_up, onboard, set_up_facts
from .services.look_at_set_up import Found, Look
from .set_up_wiring import answer_now
from .settings import DatabaseSettings, OperatorSettings, SealSettings, WebKeySettings, WebSettings, WorkerSettings
from .settings.between import Fault
from .settings.names import env_name, secrets_of
from .settings.proposal import Wrong, wrong_with
from .settings.reading import FaultySettings, elsewhere, read, read_so_far
from .settings.typed import NIL, kinds_in, of_connection, whose_secret
from .store.engine import make_engine
from .store.onboarding import SqlChoices
from .store.store import SqlStore
from .store.tables import DEPLOYMENT
from .store.wakeups import DbosWakeups
from .web.onboarding_pages import STEPS
from .web.set_up import SetUp
from .web.texts import Texts
from .worker.pulse import Pulse

log = structlog.get_logger("remediation.set_up")
S = TypeVar("S", bound=DatabaseSettings)
LOOKED_EVERY = 1.0  # seconds
NOTICED_EVERY = 1.0
WISHES_EVERY = 0.3
MINIMUM = env_name("minimum_evidence")


@dataclass(frozen=True)
class Taken:
    """What was typed, as one process can read it. `seq` counts the changes that are in it."""

    typed: Mapping[str, str]
    seq: int
    gone: bool


def choices_of(settings: DatabaseSettings) -> SqlChoices:
    return SqlChoices(make_engine(settings.database_url.get_secret_value()))


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
    return Taken(opened, seq, gone=GO in typed)


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
    """No push before the evidence minimum was chosen: in the environment, which is a decision, or on the pages, with *go*."""
    return not list(missing) and (taken.gone or MINIMUM not in taken.typed or MINIMUM in elsewhere())


def still_missing(missing: Iterable[Fault]) -> str:
    """For the terminal: nothing is wrong, and nothing works yet but the set-up."""
    names = "\n".join(f"  {fault.name} {fault.words}" for fault in missing)
    return f"Nothing but the set-up is served yet. `remediation onboard` prints the link to it. Still missing:\n{names}"


# the web


def build_web(cls: type[WebSettings] = WebSettings, *, metrics: Path | None = None) -> tuple[Flask, int]:
    """The pages by what is set and typed now, and the count of the changes in it."""
    taken = taken_for(cls)
    found, missing = read_so_far(cls, taken.typed)
    logs.set_up("web", secrets_of(found))
    set_up = set_up_of(found, missing, taken)
    return wiring.build_web_app(found, set_up, metrics=metrics), taken.seq


def set_up_of(settings: WebSettings, missing: Iterable[Fault], taken: Taken) -> SetUp:
    url, tenant = settings.database_url.get_secret_value(), tenant_of(settings.tenant_id)
    return SetUp(
        choices=SqlChoices(make_engine(url), tenant),
        seal=sealing.seal,
        own_half=sealing.public_half(settings.secret_key.get_secret_value()),
        elsewhere=elsewhere(),
        missing=frozenset(fault.name for fault in missing),
        open=is_open(missing, taken),
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
    wiring.require_migrated(read(DatabaseSettings))
    renewing = Renewing(partial(build_web, metrics=metrics), choices_of(read(DatabaseSettings)).seq)
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
    pulses = [looks_pulse(found, engine, {fault.name for fault in missing}, taken.seq)]
    changed = Changed(SqlChoices(engine), taken.seq)
    if is_open(missing, taken):
        worker = wiring.build_worker(found, more=pulses)
    else:
        pulses += wishes_pulses(found, engine, {fault.name for fault in missing})
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
    store, choices, found = store_of(settings, engine), SqlChoices(engine), looks(settings, set(missing))

    def beat() -> object:
        if choices.seq() != seq:
            return None
        return look_at_set_up.look_at_all(choices, found, store, actor=actor_of(settings), now=wiring.now)

    return Pulse("looks of the set-up", beat, every=LOOKED_EVERY)


def wishes_pulses(settings: WorkerSettings, engine: SqlEngine, missing: set[str]) -> list[Pulse]:
    """What an administrator asks while nothing is linked yet: answered once there is a tenant and an app to ask with."""
    if {env_name("tenant_id"), env_name("service_client_id")} & missing:
        return []
    budgets = wiring.build_budgets(settings, make_engine(settings.database_url.get_secret_value(), durable=False))
    world = wiring.build_world(settings, store_of(settings, engine), budgets)
    return [Pulse("wishes of the set-up", lambda: answer_now(world), every=WISHES_EVERY)]


def looks(
    settings: WorkerSettings, missing: set[str], *, transport: BaseAdapter | None = None, clock: Clock = wiring.now
) -> Mapping[str, Look]:
    """By the word before the colon. Each makes the calls that the step is about, anew and with nothing that was kept."""

    def consent(_: str) -> Found:
        if {env_name("tenant_id"), env_name("service_client_id"), "REMEDIATION_…"} & missing:
            return Found("too_early")
        examination = Examination(settings, transport=transport, clock=clock)
        found = look_at_set_up.of_findings(list(examination.findings_of(doctor_remotes.tokens, doctor_remotes.directory)))
        roles = examination.roles()
        too_many = [one["permissions"] for one in found.detail["found"] if one["why"] == "too_many"]
        cause = None if found.cause == "too_many" else found.cause
        return Found(cause, {**found.detail, "roles": roles, "too_many": too_many})

    def mdm(name: str) -> Found:
        if name not in settings.mdm:
            return Found("not_started")
        only = settings.model_copy(update={"mdm": {name: settings.mdm[name]}})
        return look_at_set_up.of_findings(list(Examination(only, transport=transport, clock=clock).findings_of(doctor_remotes.mdm)))

    def certificate(_: str) -> Found:
        keys = keys_of("worker")
        if not keys:
            return Found("no_key")
        made = certificate_maker.make(f"remediation {settings.public_origin.partition('//')[2]}", clock())
        sealed = sealing.seal(env_name("service_certificate"), made.pem, sealing.public_half(keys[0]))
        told = {"certificate": made.certificate, "ends": made.ends.isoformat(), "thumbprint": made.thumbprint}
        return Found(None, {"sealed": sealed, **told})

    def lock(_: str) -> Found:
        if settings.second_lock_attribute is None:
            return Found("lock_not_started")
        found = look_at_set_up.of_findings(
            list(Examination(settings, transport=transport, clock=clock).findings_of(doctor_lock.lock))
        )
        return Found(LOCK_CAUSES.get(found.cause or "", found.cause and "lock_policy"), found.detail)

    def lock_prepare(_: str) -> Found:
        if settings.second_lock_attribute is None:
            return Found("lock_not_started")
        prepared = Lock(settings, transport=transport, clock=clock)
        try:
            read = prepared.read_all()
            if read.others:
                return Found("lock_taken", {"others": read.others, "devices": read.devices})
            prepared.prepare(settings.executor_id, read, why="set-up", kind="worker")
        except RemoteError as error:
            return Found("refused" if error.why == "refused" else error.code)
        finally:
            prepared.close()
        return Found(None, {"devices": read.devices})

    found: dict[str, Look] = {"consent": consent, "mdm": mdm, onboard.NEW_CERTIFICATE: certificate}
    return found | {onboarding_lock.LOOK: lock, onboarding_lock.PREPARE: lock_prepare}


# What the doctor's findings of the second lock are called on the page; any other that is bad is about its policy.
LOCK_CAUSES = {
    "not_prepared": "lock_not_prepared",
    "unregistered_not_seen_blocked": "lock_not_seen",
    "unmarked_not_seen_blocked": "lock_not_seen",
    "no_token": "no_token",
    **{why: why for why in ("busy", "unreachable", "garbled")},
}


# the command line


class Console:
    """What the pages do, for whoever is at the terminal: it may open nothing that it could not open anyway."""

    def __init__(self, settings: DatabaseSettings, *, operator: str) -> None:
        engine = make_engine(settings.database_url.get_secret_value())
        taken = taken_for(OperatorSettings)
        tenant = taken.typed.get(env_name("tenant_id")) or elsewhere().get(env_name("tenant_id")) or DEPLOYMENT
        self._choices = SqlChoices(engine, tenant)
        self._store, self._actor = SqlStore(engine, tenant, DbosWakeups(engine)), Actor("operator", operator)
        self._gone = taken.gone or MINIMUM in elsewhere()

    def link(self, origin: str) -> str:
        """Its token, in an address of the pages."""
        return f"{origin}/set-up/{onboard.make_set_up_link(self._store, operator=self._actor.id, now=wiring.now())}"

    def standings(self) -> Sequence[Standing]:
        return checklist(STEPS, self._facts())

    def wrong_with(self, chosen: Mapping[str, str | None]) -> Sequence[Wrong]:
        fixed = {**onboard.elsewhere_of_worker(self._choices.looks()), **elsewhere()}
        return wrong_with(chosen, onboard.plain(self._choices.typed()), fixed)

    def choose(self, chosen: Mapping[str, str | None]) -> None:
        """Raises `CannotSeal`. Whoever calls it asked `wrong_with` before."""
        half_of = self._half_of
        kept = {name: onboard.choice_of(name, value, whose_secret(name), half_of, sealing.seal) for name, value in chosen.items()}
        looks = touched(STEPS, chosen)
        mdm = {f"mdm:{part[0]}" for name in chosen if (part := of_connection(name)) is not None}
        onboard.choose(self._store, kept, actor=self._actor, now=wiring.now(), looks=[*looks, *sorted(mdm)])

    def want_look(self, name: str) -> None:
        onboard.want_look(self._store, name, actor=self._actor, now=wiring.now())

    def go(self) -> None:
        onboard.go(self._store, actor=self._actor, now=wiring.now(), seen=self._choices.seq())

    def words(self, key: str) -> str:
        return Texts().in_default(key)

    def _facts(self) -> Facts:
        found = onboard.facts(self._choices, elsewhere(), kinds_in, gone=self._gone)
        return set_up_facts.with_rows(found, self._store, wiring.now())

    def _half_of(self, process: str) -> str | None:
        if process == "worker":
            return onboard.half_of_worker(self._choices.looks())
        keys = keys_of(process)
        return sealing.public_half(keys[0]) if keys else None
