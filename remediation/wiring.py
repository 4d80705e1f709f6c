"""Which store, which adapters, which engine make the two processes. Only this module, `wire` and its neighbours (the remotes),
`operator_pulses` and `operator_wiring` name concrete classes.

The doors (`commands`, `__main__`, `app.py`) call it; nothing else may.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask
from requests.adapters import BaseAdapter
from sqlalchemy import Engine as SqlEngine
from sqlalchemy import inspect, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError

from . import operator_pulses, wire_channels
from .adapters import compliance_partners, device_certificates, graph, intune_partner, sign_in_log, workspace_one_events
from .adapters.mail import OwnerMail
from .adapters.metrics_port import PortTaken, WebMetrics, serve_worker
from .adapters.risk_file import RiskFile
from .domain.bar import Bar, held_to
from .domain.budget import A_WHOLE_LOOK, Limit, Limits
from .domain.compliance import Lease
from .domain.device import Platform
from .domain.evidence import Level
from .domain.watch import Pace, watch_names
from .errors import NotReady
from .ports import Budgets, Clock, DeviceManager, EventTargets, Store
from .services import heartbeat, members
from .services.look import look
from .services.provision_partner import Wanted
from .services.push_compliance import bring_to_rest
from .services.reconcile import watch
from .services.tell_owner import DEVICE, MAIL, Ways, Words, tell_owner
from .services.try_bar import Effect, Trial, try_bar
from .services.world import World
from .settings import DatabaseSettings, OperatorSettings, Settings, WebSettings, WorkerSettings
from .settings.bar import read_bar
from .store import migrations, moving, pickle_door
from .store.budgets import SqlBudgets
from .store.engine import make_engine
from .store.figures import SqlFigures
from .store.look_up import SqlLookUp
from .store.notices import SqlNotices
from .store.sessions import SqlSessions, SqlSignInStates
from .store.store import SqlStore
from .store.wakeups import QUEUES, DbosWakeups
from .web import build_web
from .web.texts import Texts
from .wire import Wire
from .wire_mdm import Hold
from .worker.engine import Engine, Unsuited, Wakers, refuse_old_sqlite
from .worker.process import Worker
from .worker.pulse import Pulse

OWNERS_EVERY = 5.0
DUE_EVERY = 0.5  # seconds; the shortest wait that a row asks for is 2
FORGET_EVERY = 3600.0
SIGN_IN_LOG_CALLS = "5/10"  # for an app and tenant: graph-docs concepts/throttling-limits.md


def now() -> datetime:
    return datetime.now(UTC)


def migrate(settings: DatabaseSettings) -> None:
    """Our tables, then the engine's; safe to repeat."""
    url = _url(settings)
    _suits(url)
    if url.startswith("sqlite:///"):
        _file(url).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    migrations.migrate(url)


def move(settings: OperatorSettings, target: str, *, operator: str, progress: moving.Progress) -> Mapping[str, int]:
    """From the SQLite file of the settings to an empty PostgreSQL; returns how many rows of which table."""
    try:
        who = {"tenant_id": settings.tenant_id, "operator": operator}
        return moving.move(_url(settings), target, at=now(), progress=progress, **who)
    except moving.CannotMove as error:
        raise NotReady(str(error)) from None
    except (DBAPIError, ArgumentError) as error:
        raise NotReady(f"The database to move to cannot be used ({type(error).__name__}). Nothing was moved.") from None


def require_migrated(settings: DatabaseSettings) -> None:
    """A sentence at the start instead of a missing table at the first visitor."""
    url = _url(settings)
    _suits(url)
    try:
        ready = (not url.startswith("sqlite") or _file(url).exists()) and _is_migrated(url)  # a look must not make the file
    except DBAPIError:
        raise NotReady("The database does not answer. Is REMEDIATION_DATABASE_URL right, and does it run?") from None
    if not ready:
        raise NotReady("The database is not prepared for this version. Run once, before `serve` and `work`: remediation migrate")


def _is_migrated(url: str) -> bool:
    """Our newest revision, or one that this version does not know yet: a newer version migrated while we still run."""
    script = ScriptDirectory(str(Path(migrations.__file__).parent))
    known = {revision.revision for revision in script.walk_revisions()}
    engine = make_engine(url)
    try:
        with engine.connect().execution_options(reads=True) as connection:
            current = MigrationContext.configure(connection).get_current_revision()
            schema = "dbos" if engine.dialect.name == "postgresql" else None
            engines = inspect(connection).has_table("workflow_status", schema=schema)
    finally:
        engine.dispose()
    return engines and current is not None and (current == script.get_current_head() or current not in known)


def build_web_app(settings: WebSettings, *, metrics: Path | None = None) -> Flask:
    """`metrics` is the folder in which the processes of one `serve` count their answers."""
    engine = make_engine(_url(settings))
    store = SqlStore(engine, settings.tenant_id, DbosWakeups(engine), **_asks_for(settings))
    sessions, states = SqlSessions(engine, settings.tenant_id), SqlSignInStates(engine, settings.tenant_id)
    look_up, certificates = SqlLookUp(engine, settings.tenant_id), build_certificates(settings)
    meter = _web_metrics(settings, metrics)
    more: dict[str, Any] = {"events": workspace_one_events.hint_of, "clock": now, "meter": meter}
    return build_web(settings, store, sessions, states, look_up, certificates, **more)


def _web_metrics(settings: WebSettings, folder: Path | None) -> WebMetrics | None:
    if settings.web_metrics is None or folder is None:
        return None
    meter = WebMetrics(folder)
    meter.serve(settings.web_metrics)
    return meter


def _asks_for(settings: Settings) -> dict[str, bool]:
    """What the store has to know of the evidence that the tenant asks for."""
    return {"fresh": True} if settings.minimum_evidence is Level.FRESH else {}


def build_certificates(settings: Settings) -> device_certificates.PemDeviceCertificates | None:
    """What checks the certificates of managed devices, the same in both processes; None where that is not set up."""
    if settings.certificate_ca_file is None or settings.certificate_names is None:
        return None
    return device_certificates.PemDeviceCertificates(
        ca_file=settings.certificate_ca_file, naming=settings.certificate_names, crl_file=settings.certificate_crl_file
    )


@dataclass(frozen=True)
class Parts:
    """What a worker is made of beside its settings. A bench puts another clock, another way to the remotes or a part with a seeded
    fault in its place; there is no setting for that."""

    clock: Clock = now
    due_every: float = DUE_EVERY
    store: Callable[..., Store] = SqlStore
    budgets: Callable[[SqlBudgets], Budgets] = lambda budgets: budgets
    transport: BaseAdapter | None = None
    bring_to_rest: Callable[..., None] = bring_to_rest


def build_worker(settings: WorkerSettings, parts: Parts | None = None) -> Worker:
    pickle_door.close_pickle_door()
    engine = make_engine(_url(settings))
    parts = parts or Parts()
    store = parts.store(engine, settings.tenant_id, DbosWakeups(engine), **_asks_for(settings))
    budgets = parts.budgets(build_budgets(settings, make_engine(_url(settings), durable=False), clock=parts.clock))
    world = build_world(settings, store, budgets, transport=parts.transport, clock=parts.clock)
    store.keep_watches((*watch_names(world.managers), *heartbeat.rows_of(world), *members.rows_of(world)), at=parts.clock())
    wakers = Wakers(
        look=partial(look, world=world),
        bring_to_rest=partial(parts.bring_to_rest, world=world),
        watch=partial(watch, world=world),
        failed=lambda workflow, row_id, wake: store.note_fault(workflow, row_id, wake=wake, at=parts.clock()),
    )
    durable = Engine(
        url=_url(settings),
        executor_id=settings.executor_id,
        queues=QUEUES,
        concurrency=settings.queue_concurrency,
        wakers=wakers,
    )
    due = Pulse("due rows", lambda: store.wake_due(parts.clock(), room=budgets.room()), every=parts.due_every)
    old = Pulse("old wake-ups", durable.forget, every=FORGET_EVERY)
    ways, notices = owner_ways(settings, world), SqlNotices(engine, settings.tenant_id)
    owners = Pulse("telling owners", lambda: tell_owner(notices, ways, parts.clock()), every=OWNERS_EVERY)
    if settings.worker_metrics is not None:
        try:
            serve_worker(settings.worker_metrics, SqlFigures(engine, settings.tenant_id), parts.clock)
        except PortTaken as taken:
            raise NotReady(str(taken)) from None
    return Worker(durable, [due, old, owners, *operator_pulses.of(settings, engine, store, parts.clock)])


def owner_ways(settings: WorkerSettings, world: World) -> Ways:
    """How the owner of a device is told: on the device, and by mail where a server is set."""
    server, sender, texts = operator_pulses.mail_server(settings), settings.alarm_mail_from, Texts(default=settings.language)

    def words(what: str) -> Words:
        whose = {"organisation": settings.organisation}
        return Words(texts.in_default(f"message.{what}.subject", **whose), texts.in_default(f"message.{what}", **whose))

    return Ways(world.managers, OwnerMail(server, sender=sender) if server is not None and sender else None, words)


def build_budgets(settings: WorkerSettings, engine: SqlEngine, *, clock: Clock = now) -> SqlBudgets:
    """What all workers together may ask of each remote. The engine may be one that does not wait for the disk: each call pays for
    it, and a power cut costs a second's tokens."""

    def limit(calls: str, at_once: int = 1) -> Limit:
        most, _, seconds = calls.partition("/")
        return Limit.of(int(most), float(seconds), at_once=at_once)

    limits = {
        "directory": Limits(limit(settings.directory_calls, A_WHOLE_LOOK)),
        "channel": Limits(limit(settings.channel_calls, A_WHOLE_LOOK), writes=limit(settings.channel_writes)),
        **{f"mdm:{name}": Limits(limit(given.calls, A_WHOLE_LOOK)) for name, given in settings.mdm.items()},
        "tokens": Limits(limit(settings.entra_calls)),
        "sign_in_log": Limits(limit(SIGN_IN_LOG_CALLS, 3)),
    }
    return SqlBudgets(engine, settings.tenant_id, clock=clock, limits=limits)


def build_world(
    settings: WorkerSettings,
    store: Store,
    budgets: Budgets,
    *,
    transport: BaseAdapter | None = None,
    clock: Clock = now,
    hold: Hold | None = None,
) -> World:
    """What the worker's services act on. Tests give a `transport` that leads into the sandbox without a socket, and its `clock`;
    `hold` stands where records are held to the organisation's bar."""
    return world_of(settings, store, Wire(settings, budgets, transport, clock), clock, hold=hold)


def world_of(settings: WorkerSettings, store: Store, wire: Wire, clock: Clock, *, hold: Hold | None = None) -> World:
    bar = build_bar(settings.bar_file)
    check_in = min(timedelta(days=settings.check_in_days), bar.oldest_check_in or timedelta.max)
    directory = graph.GraphDirectory(
        wire.graph("directory"),
        now=clock,
        plans=settings.intune_plans,
        groups=settings.groups,
        owner_attribute=settings.owner_directory_attribute,
    )
    return World(
        store=store,
        directory=directory,
        managers=wire.managers(hold or partial(held_to, bar)),
        channels=wire_channels.channels(wire, settings, directory),
        clock=clock,
        minimum=settings.minimum_evidence,
        lease=Lease(timedelta(hours=settings.lease_hours), check_in),
        recheck=timedelta(seconds=settings.recheck_seconds),
        executor=settings.executor_id,
        possession_url=lambda token: f"{settings.public_origin}/possession/{token}",
        message_text=partial(possession_message, Texts(default=settings.language), settings.organisation),
        pace=Pace(
            poll=timedelta(seconds=settings.poll_seconds),
            sweep=timedelta(minutes=settings.sweep_minutes),
            overlap=timedelta(seconds=settings.poll_overlap_seconds),
            heartbeat=timedelta(minutes=settings.heartbeat_minutes),
        ),
        partners=compliance_partners.GraphCompliancePartners(wire.graph("directory")),
        partner_name=settings.partner_name,
        helpdesk_groups=frozenset(group for groups in settings.helpdesk_parts.values() for group in groups),
        sign_in_log=sign_in_log.GraphSignInLog(wire.graph("sign_in_log", gate="sign_in_log")),
        certificates=build_certificates(settings),
        tell_owner_by=(DEVICE,) if settings.alarm_mail_server is None else (DEVICE, MAIL),
    )


def build_event_targets(settings: WorkerSettings, connection: str) -> EventTargets:
    """Where this MDM lists whom it sends its events to; asked by a command, within the budget of all."""
    return _wire_for(settings, connection).event_targets(connection)


def build_manager(settings: WorkerSettings, connection: str) -> DeviceManager:
    """One MDM, for a command; its records are held to the organisation's bar as the worker holds them."""
    return _wire_for(settings, connection).manager(connection, partial(held_to, build_bar(settings.bar_file)))


def _wire_for(settings: WorkerSettings, connection: str) -> Wire:
    if connection not in settings.mdm:
        raise NotReady(f"There is no MDM connection {connection}. There is: {', '.join(settings.mdm)}.")
    return Wire(settings, build_budgets(settings, make_engine(_url(settings), durable=False)), None, now)


def partner_wanted(settings: WorkerSettings, platforms: Sequence[str] = ()) -> Wanted:
    """What Microsoft should be told of us as the tenant's compliance partner."""
    return Wanted(
        enrollment_url=f"{settings.public_origin}/enrollment",
        remediation_url=f"{settings.public_origin}/remediation",
        platforms=tuple(Platform(word) for word in platforms) or tuple(sorted(intune_partner.OS)),
        groups=settings.groups,
        everybody=settings.partner_all_users,
    )


def build_bar(path: str | None) -> Bar:
    """The organisation's own bar, by the rule file of this path; none is one that everything passes."""
    if path is None:
        return Bar()
    bar, risk = read_bar(path)
    if risk is None:
        return bar
    return replace(bar, risk_of=RiskFile(risk.file, unlisted=float("-inf") if risk.unlisted == "none" else None).score_of)


def try_bar_file(settings: WorkerSettings, path: str, progress: Callable[[Effect], None]) -> list[Effect]:
    """What the rule file of this path would do instead of the one of the settings; reads every MDM's whole list."""
    try:
        trial = Trial(build_bar(settings.bar_file), build_bar(path))
    except ValueError as error:
        raise NotReady(f"{path} {error}") from None
    budgets = build_budgets(settings, make_engine(_url(settings), durable=False))
    return try_bar(Wire(settings, budgets, None, now).managers(trial), trial, progress=progress)


def possession_message(texts: Texts, organisation: str, url: str, case_code: str) -> str:
    """What the MDM's app shows on the device. It says who asks and why, since a link alone would teach people to tap anything."""
    return texts.in_default("message.possession", organisation=organisation, url=url, code=case_code)


def message_for_test(texts: Texts, organisation: str, url: str) -> str:
    """What the MDM's app shows of a test: whoever reads it may know nothing of this product."""
    return texts.in_default("message.test", organisation=organisation, url=url)


def _url(settings: DatabaseSettings) -> str:
    return settings.database_url.get_secret_value()


def _file(url: str) -> Path:
    return Path(make_url(url).database or "")


def _suits(url: str) -> None:
    try:
        refuse_old_sqlite(url)
    except Unsuited as unsuited:
        raise NotReady(str(unsuited)) from None
