"""Which store, which adapters, which engine make the two processes. Only this module, `wire` and its neighbours (the remotes),
`operator_pulses` and `operator_wiring` name concrete classes.

The doors (`commands`, `__main__`, `app.py`) call it; nothing else may.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask
from requests.adapters import BaseAdapter
from sqlalchemy import Engine as SqlEngine
from sqlalchemy import inspect, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError

from . import operator_pulses, set_up_wiring, wire_channels
from .adapters import (
    compliance_partners,
    device_certificates,
    graph,
    graph_roster,
    graph_writing,
    sealing,
    sign_in_log,
    workspace_one_events,
)
from .adapters.access_package import AccessPackage
from .adapters.mail import OwnerMail
from .adapters.metrics_port import PortTaken, WebMetrics, serve_worker
from .adapters.risk_file import RiskFile
from .adapters.temporary_access import PimGroup
from .adapters.tenant_facts import GraphTenantFacts
from .domain.bar import Bar, held_to
from .domain.budget import A_WHOLE_LOOK, Limit, Limits
from .domain.compliance import Lease
from .domain.evidence import Level
from .domain.watch import Pace, watch_names
from .errors import NotReady
from .messages import Messages, own_words
from .ports import Actor, Budgets, Clock, DeviceManager, EventTargets, Store, TemporaryAccess
from .services import device_quota, heartbeat, members
from .services.carry_access import Carrying, carry
from .services.disable_entries import disable_entries
from .services.impact import count_on
from .services.look import look
from .services.push_compliance import bring_to_rest
from .services.reconcile import watch
from .services.start_links import StartWays, send_start_links
from .services.tell_owner import DEVICE, MAIL, Ways, tell_owner
from .services.try_bar import Effect, Trial, try_bar
from .services.waves import Beginning, send_on
from .services.world import World
from .settings import DatabaseSettings, OperatorSettings, Settings, WebSettings, WorkerSettings
from .settings.bar import read_bar
from .settings.typed import NIL
from .store import migrations, moving, pickle_door
from .store.access import SqlAccessRows
from .store.budgets import SqlBudgets
from .store.engine import make_engine
from .store.figures import SqlFigures
from .store.look_up import SqlLookUp
from .store.notices import SqlNotices
from .store.onboarding import SqlChoices
from .store.repairs import SqlRepairWork
from .store.sessions import SqlSessions, SqlSignInStates
from .store.store import SqlStore
from .store.tables import DEPLOYMENT
from .store.wakeups import QUEUES, DbosWakeups
from .web import build_web
from .web.set_up import SetUp
from .web.texts import Texts
from .wire import Wire
from .wire_mdm import Hold
from .worker.engine import Engine, Unsuited, Wakers, refuse_old_sqlite
from .worker.process import Worker
from .worker.pulse import Pulse

OWNERS_EVERY, COUNTED_EVERY, BEGUN_EVERY, ACCESS_EVERY = 5.0, 2.0, 2.0, 2.0
REPAIRS_EVERY = 2.0  # staff wait for it, with somebody on the phone
DUE_EVERY = 0.5  # seconds; the shortest wait that a row asks for is 2
FORGET_EVERY = 3600.0
QUOTA_EVERY = 60.0  # looks whether it is time to ask, which is some times a day
ACCESS_CALLS = "60/60"  # of temporary access alone: a request costs about four, and no published limit is known
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


def build_web_app(
    settings: WebSettings, set_up: SetUp | None = None, *, engine: SqlEngine | None = None, metrics: Path | None = None
) -> Flask:
    """`set_up` where something is missing or was typed; else everything stands in the settings. `metrics` is the folder in which
    the processes of one `serve` count their answers."""
    engine, tenant = engine or make_engine(_url(settings)), settings.tenant_id if settings.tenant_id != NIL else DEPLOYMENT
    store = SqlStore(engine, tenant, DbosWakeups(engine), **_asks_for(settings))
    sessions, states = SqlSessions(engine, tenant), SqlSignInStates(engine, tenant)
    look_up, certificates = SqlLookUp(engine, tenant), build_certificates(settings)
    own_half = sealing.public_half(settings.secret_key.get_secret_value())
    set_up = set_up or SetUp(SqlChoices(engine, tenant), sealing.seal, own_half)
    meter = _web_metrics(settings.web_metrics, metrics) if settings.web_metrics is not None and metrics is not None else None
    more: dict[str, Any] = {"events": workspace_one_events.hint_of, "clock": now, "meter": meter}
    return build_web(settings, store, sessions, states, look_up, certificates, set_up=set_up, **more)


@lru_cache
def _web_metrics(bind: str, folder: Path) -> WebMetrics:
    """One for the process, however often its app is built anew."""
    meter = WebMetrics(folder)
    meter.serve(bind)
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


def build_worker(
    settings: WorkerSettings,
    parts: Parts | None = None,
    more: Sequence[Pulse] = (),
    *,
    first: frozenset[str] = frozenset(),
) -> Worker:
    """`first`: for whom alone it works before *go*."""
    pickle_door.close_pickle_door()
    engine = make_engine(_url(settings))
    parts = parts or Parts()
    store = parts.store(engine, settings.tenant_id, DbosWakeups(engine), **_asks_for(settings))
    budgets = parts.budgets(build_budgets(settings, make_engine(_url(settings), durable=False), clock=parts.clock))
    wire = Wire(settings, budgets, parts.transport, parts.clock)
    world = replace(world_of(settings, store, wire, parts.clock), first=first)
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

    def wake_due() -> None:
        woken = store.wake_due(parts.clock(), room=budgets.room())
        budgets.woken(woken.to_write)

    due = Pulse("due rows", wake_due, every=parts.due_every)
    old = Pulse("old wake-ups", durable.forget, every=FORGET_EVERY)
    ways, notices = owner_ways(settings, world), SqlNotices(engine, settings.tenant_id)
    owners = Pulse("telling owners", lambda: tell_owner(notices, ways, parts.clock()), every=OWNERS_EVERY)
    counts = Pulse("counting impact", lambda: count_on(world), every=COUNTED_EVERY)
    beginning, actor = start_messages(settings, world, ways), Actor("worker", settings.executor_id)
    starts = Pulse("start messages", lambda: send_on(store, beginning, actor=actor, clock=parts.clock), every=BEGUN_EVERY)
    repairs, ways_to_start = SqlRepairWork(engine, settings.tenant_id), start_ways(settings, world)
    links = Pulse(
        "start links",
        lambda: send_start_links(store, repairs, ways_to_start, actor=world.actor, now=parts.clock()),
        every=REPAIRS_EVERY,
    )
    entries = Pulse("leftover entries", lambda: disable_entries(repairs, world), every=REPAIRS_EVERY)
    if settings.worker_metrics is not None:
        try:
            serve_worker(settings.worker_metrics, SqlFigures(engine, settings.tenant_id), parts.clock)
        except PortTaken as taken:
            raise NotReady(str(taken)) from None
    facts, choices = GraphTenantFacts(wire.graph("directory")), SqlChoices(engine)
    quota = Pulse(
        "device quota", lambda: device_quota.keep(facts, choices, store, actor=actor, now=parts.clock()), every=QUOTA_EVERY
    )
    steady = [due, old, owners, counts, starts, links, entries, quota]
    microsoft = temporary_access(settings, wire)
    if microsoft is not None:
        access = Carrying(SqlAccessRows(engine, settings.tenant_id), store, microsoft, parts.clock, settings.executor_id)
        steady.append(Pulse("temporary access", lambda: carry(access), every=ACCESS_EVERY))
    return Worker(durable, [*steady, *operator_pulses.of(settings, engine, store, parts.clock), *more])


def temporary_access(settings: WorkerSettings, wire: Wire) -> TemporaryAccess | None:
    """None where it is off, or given by hand."""
    if settings.temporary_access == "pim" and settings.temporary_access_group is not None:
        return PimGroup(wire.graph("access", gate="access"), settings.temporary_access_group)
    package, policy = settings.temporary_access_package, settings.temporary_access_policy
    if settings.temporary_access == "package" and package is not None and policy is not None:
        return AccessPackage(wire.graph("access", gate="access"), package, policy)
    return None


def build_set_up_worker(settings: WorkerSettings, looks: Sequence[Pulse], engine: SqlEngine) -> Worker:
    """While the tenant is being set up: it looks at what was typed and seals the audit. It links and pushes nothing."""
    return Worker(None, [*looks, *operator_pulses.seals_of_set_up(settings, engine, now)])


def build_messages(settings: WorkerSettings, file: str | None = None) -> Messages:
    """In the organisation's own words, where there are some: `file`, to see them before they are in force, or the settings' own."""
    texts, path = Texts(default=settings.language), file or settings.messages_file
    try:
        return Messages(texts, settings.organisation, own_words(path, texts))
    except ValueError as error:
        raise NotReady(f"{path} {error}.") from None


def start_messages(settings: WorkerSettings, world: World, ways: Ways) -> Beginning:
    """How people are told to begin: in the same ways as the owner of a device."""
    messages = build_messages(settings)
    return Beginning(world.managers, ways.mail, lambda: messages.words("begin", url=f"{settings.public_origin}/start"))


def owner_ways(settings: WorkerSettings, world: World) -> Ways:
    """How the owner of a device is told: on the device, and by mail where a server is set."""
    server, sender = operator_pulses.mail_server(settings), settings.alarm_mail_from
    mail = OwnerMail(server, sender=sender) if server is not None and sender else None
    return Ways(world.managers, mail, build_messages(settings).words)


def start_ways(settings: WorkerSettings, world: World) -> StartWays:
    """How a start link reaches a person: on their device, and by mail where a server is set."""
    messages, mail = build_messages(settings), owner_ways(settings, world).mail
    return StartWays(world.managers, mail, lambda code: messages.words("start", url=f"{settings.public_origin}/s/{code}"))


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
        "access": Limits(limit(ACCESS_CALLS, 3)),
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
    bar, lock = build_bar(settings.bar_file), wire_channels.keep_lock(settings, store, clock())
    check_in = min(timedelta(days=settings.check_in_days), bar.oldest_check_in or timedelta.max)
    directory = graph.GraphDirectory(
        wire.graph("directory"),
        now=clock,
        plans=settings.intune_plans,
        groups=set_up_wiring.chosen_groups(settings, store),
        owner_attribute=settings.owner_directory_attribute,
        mark=(lock.name, lock.value) if lock is not None else None,
    )
    channels = wire_channels.channels(wire, settings, directory)
    return World(
        store=store,
        directory=directory,
        managers=wire.managers(hold or partial(held_to, bar)),
        channels=channels,
        clock=clock,
        minimum=settings.minimum_evidence,
        lease=Lease(timedelta(hours=settings.lease_hours), check_in),
        recheck=timedelta(seconds=settings.recheck_seconds),
        executor=settings.executor_id,
        possession_url=lambda token: f"{settings.public_origin}/possession/{token}",
        message_text=build_messages(settings).possession,
        pace=Pace(
            poll=timedelta(seconds=settings.poll_seconds),
            sweep=timedelta(minutes=settings.sweep_minutes),
            overlap=timedelta(seconds=settings.poll_overlap_seconds),
            heartbeat=timedelta(minutes=settings.heartbeat_minutes),
        ),
        partners=compliance_partners.GraphCompliancePartners(wire.graph("directory")),
        partner_name=settings.partner_name,
        helpdesk_groups=frozenset(group for groups in settings.helpdesk_parts.values() for group in groups),
        roster=graph_roster.GraphRoster(
            wire.graph("directory"),
            now=clock,
            plans=settings.intune_plans,
            groups=set_up_wiring.chosen_groups(settings, store),
            owner_attribute=settings.owner_directory_attribute,
        ),
        sign_in_log=sign_in_log.GraphSignInLog(wire.graph("sign_in_log", gate="sign_in_log")),
        certificates=build_certificates(settings),
        lock=wire_channels.second_lock(wire, settings, lock) if lock is not None else None,
        directory_writing=graph_writing.GraphDirectoryWriting(wire.graph("directory")) if settings.disable_entries else None,
        tell_owner_by=(DEVICE,) if settings.alarm_mail_server is None else (DEVICE, MAIL),
        answer_wishes=set_up_wiring.answers(settings, wire, channels, store),
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


def _url(settings: DatabaseSettings) -> str:
    return settings.database_url.get_secret_value()


def _file(url: str) -> Path:
    return Path(make_url(url).database or "")


def _suits(url: str) -> None:
    try:
        refuse_old_sqlite(url)
    except Unsuited as unsuited:
        raise NotReady(str(unsuited)) from None
