"""Which store, which adapters, which engine make the two processes. Only this module, `operator_pulses` and
`operator_wiring` name concrete classes.

The doors (`commands`, `__main__`, `app.py`) call it; nothing else may.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask
from requests.adapters import BaseAdapter
from sqlalchemy import Engine as SqlEngine
from sqlalchemy import inspect, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError

from . import operator_pulses
from .adapters import (
    device_certificates,
    entra,
    graph,
    intune_partner,
    maas360,
    maas360_reading,
    maas360_sign_in,
    sign_in_log,
    workspace_one,
    workspace_one_events,
    workspace_one_sign_in,
    workspace_one_targets,
)
from .adapters.gate import Gate
from .adapters.http import Credential, Remote
from .adapters.mail import OwnerMail
from .adapters.risk_file import RiskFile
from .domain.bar import Bar, Facts, held_to
from .domain.budget import A_WHOLE_LOOK, Limit, Limits
from .domain.compliance import Lease, in_own_words
from .domain.device import ManagedDevice
from .domain.watch import Pace, watch_names
from .ports import Budgets, Clock, DeviceManager, EventTargets, Store, Wakeups
from .secret_files import SecretFile, text_of
from .services.look import look
from .services.push_compliance import bring_to_rest
from .services.reconcile import watch
from .services.tell_owner import DEVICE, MAIL, Ways, Words, tell_owner
from .services.try_bar import Effect, Trial, try_bar
from .services.world import World
from .settings import DatabaseSettings, OperatorSettings, Settings, WebSettings, WorkerSettings
from .settings.bar import read_bar
from .settings.mdm import Connection, Maas360Connection, WorkspaceOneConnection
from .settings.rules import key_with_certificate
from .store import migrations, moving, pickle_door
from .store.budgets import SqlBudgets
from .store.engine import make_engine
from .store.look_up import SqlLookUp
from .store.notices import SqlNotices
from .store.sessions import SqlSessions, SqlSignInStates
from .store.store import SqlStore
from .store.wakeups import QUEUES, DbosWakeups
from .web import build_web
from .web.texts import Texts
from .worker.engine import Engine, Unsuited, Wakers, refuse_old_sqlite
from .worker.process import Worker
from .worker.pulse import Pulse

OWNERS_EVERY = 5.0
DUE_EVERY = 0.5  # seconds; the shortest wait that a row asks for is 2
FORGET_EVERY = 3600.0
VendorCode = Callable[[Any], object]
Hold = Callable[[ManagedDevice, Facts], ManagedDevice]
SIGN_IN_LOG_CALLS = "5/10"  # for an app and tenant: graph-docs concepts/throttling-limits.md


class NotReady(Exception):
    """The product cannot start here; the text says what to do."""


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


def build_web_app(settings: WebSettings) -> Flask:
    engine = make_engine(_url(settings))
    store = SqlStore(engine, settings.tenant_id, DbosWakeups(engine))
    sessions, states = SqlSessions(engine, settings.tenant_id), SqlSignInStates(engine, settings.tenant_id)
    look_up, certificates = SqlLookUp(engine, settings.tenant_id), build_certificates(settings)
    return build_web(settings, store, sessions, states, look_up, certificates, events=workspace_one_events.hint_of, clock=now)


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
    store: Callable[[SqlEngine, str, Wakeups], Store] = SqlStore
    budgets: Callable[[SqlBudgets], Budgets] = lambda budgets: budgets
    transport: BaseAdapter | None = None
    bring_to_rest: Callable[..., None] = bring_to_rest


def build_worker(settings: WorkerSettings, parts: Parts | None = None) -> Worker:
    pickle_door.close_pickle_door()
    engine = make_engine(_url(settings))
    parts = parts or Parts()
    store = parts.store(engine, settings.tenant_id, DbosWakeups(engine))
    budgets = parts.budgets(build_budgets(settings, make_engine(_url(settings), durable=False), clock=parts.clock))
    world = build_world(settings, store, budgets, transport=parts.transport, clock=parts.clock)
    store.keep_watches(watch_names(world.managers), at=parts.clock())
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
    return Worker(durable, [due, old, owners, *operator_pulses.of(settings, engine, store, parts.clock)])


def owner_ways(settings: WorkerSettings, world: World) -> Ways:
    """How the owner of a device is told: on the device, and by mail where a server is set."""
    server, sender, texts = operator_pulses.mail_server(settings), settings.alarm_mail_from, Texts(default=settings.language)

    def words() -> Words:
        whose = {"organisation": settings.organisation}
        return Words(texts.in_default("message.replaced.subject", **whose), texts.in_default("message.replaced", **whose))

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


def world_of(settings: WorkerSettings, store: Store, wire: "Wire", clock: Clock, *, hold: Hold | None = None) -> World:
    bar = build_bar(settings.bar_file)
    check_in = min(timedelta(days=settings.check_in_days), bar.oldest_check_in or timedelta.max)
    directory = graph.GraphDirectory(
        wire.graph("directory"),
        now=clock,
        plans=settings.intune_plans,
        groups=settings.groups,
        owner_attribute=settings.owner_directory_attribute,
    )
    channel = intune_partner.IntunePartnerChannel(
        tenant_id=settings.tenant_id,
        graph=wire.graph("channel"),
        connect=wire.partner,
        directory=directory,
        now=clock,
        hosts=settings.partner_hosts,
    )
    return World(
        store=store,
        directory=directory,
        managers=wire.managers(hold or partial(held_to, bar)),
        channels=[channel],
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
        ),
        sign_in_log=sign_in_log.GraphSignInLog(wire.graph("sign_in_log", gate="sign_in_log")),
        certificates=build_certificates(settings),
        tell_owner_by=(DEVICE,) if settings.alarm_mail_server is None else (DEVICE, MAIL),
    )


def build_event_targets(settings: WorkerSettings, connection: str) -> EventTargets:
    """Where this MDM lists whom it sends its events to; asked by a command, within the budget of all."""
    given = settings.mdm.get(connection)
    if given is None:
        raise NotReady(f"There is no MDM connection {connection}. There is: {', '.join(settings.mdm)}.")
    budgets = build_budgets(settings, make_engine(_url(settings), durable=False))
    return Wire(settings, budgets, None, now).event_targets(connection, given)


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


class Wire:
    """The remotes, each with its address, its credential, its reader of error codes, and the gate that its calls pass."""

    def __init__(self, settings: WorkerSettings, budgets: Budgets, transport: BaseAdapter | None, clock: Clock) -> None:
        self._settings = settings
        self._budgets = budgets
        self._transport = transport
        self._clock = clock
        self._ca = Path(settings.ca_file) if settings.ca_file else None
        self._gates: dict[str, Gate] = {}
        self._remotes: dict[tuple[str, str], Remote] = {}
        self._tokens = entra.EntraTokens(
            self._remote("directory", settings.entra_authority, entra.vendor_code, gate="tokens"),
            tenant_id=settings.tenant_id,
            client_id=settings.service_client_id,
            secret=_service_credential(settings),
            gate_of=lambda scope: self._gate(f"tokens:{urlsplit(scope).hostname}", refused_for=entra.REFUSED_FOR),
        )

    def graph(self, name: str, *, gate: str = "directory") -> Remote:
        """`name` is whose errors these are; the budget is Graph's, whoever asks, but for what Graph itself counts apart."""
        credential = self._tokens.scope(self._settings.graph_scope, remote=name)
        base = f"{self._settings.graph_url}/v1.0"
        return self._remote(*(name, base, graph.vendor_code, credential), gate=gate, lane_headers=graph.lane_headers)

    def tokens(self) -> Mapping[str, entra.ScopeTokens]:
        """The service app's tokens, by resource."""
        scopes = {"graph": (self._settings.graph_scope, "directory"), "intune": (self._settings.intune_scope, "channel")}
        return {name: self._tokens.scope(scope, remote=remote) for name, (scope, remote) in scopes.items()}

    def ahead(self, now: datetime) -> Mapping[str, timedelta]:
        """Implements `ports.Clocks`."""
        told = {remote.host: remote.clock() for remote in self._remotes.values()}
        return {host: at - now for host, at in told.items() if at is not None}

    def partner(self, uri: str) -> Remote:
        credential = self._tokens.scope(self._settings.intune_scope, remote="channel")
        return self._remote("channel", uri, intune_partner.vendor_code, credential, gate="channel")

    def managers(self, hold: Hold) -> dict[str, DeviceManager]:
        """Each with a gate of its own: what one of them takes is never taken from another."""
        return {name: self._manager(name, given, hold) for name, given in self._settings.mdm.items()}

    def _manager(self, name: str, given: Connection, hold: Hold) -> DeviceManager:
        if isinstance(given, WorkspaceOneConnection):
            return self._workspace_one(name, given, hold)
        if isinstance(given, Maas360Connection):
            return self._maas360(name, given, hold)
        raise NotReady(f"No MDM of the kind of {name} is known")

    def _workspace_one(self, name: str, given: WorkspaceOneConnection, hold: Hold) -> workspace_one.WorkspaceOne:
        return workspace_one.WorkspaceOne(
            name,
            self._workspace_one_api(name, given),
            now=self._clock,
            advice=given.catalogued,
            owner_attribute=given.owner_attribute,
            shared_users=given.shared_users,
            hold=_in_own_words(hold, given.own_words),
        )

    def _workspace_one_api(self, name: str, given: WorkspaceOneConnection) -> Remote:
        more: dict[str, Any] = {"gate": f"mdm:{name}", "quota": workspace_one.quota(self._clock)}
        credential = self._workspace_one_credential(name, given)
        return self._remote("mdm", f"{given.url}/API", workspace_one.vendor_code, credential, **more)

    def event_targets(self, name: str, given: Connection) -> EventTargets:
        if isinstance(given, WorkspaceOneConnection):
            return workspace_one_targets.WorkspaceOneTargets(self._workspace_one_api(name, given))
        raise NotReady(f"The MDM {name} sends no events; its lists are read.")

    def _workspace_one_credential(self, name: str, given: WorkspaceOneConnection) -> Credential:
        if given.client_id and given.client_secret and given.token_url:
            # one gate for both addresses: a console that wants no calls is not asked for tokens meanwhile either
            token = self._remote("mdm", given.token_url, workspace_one_sign_in.vendor_code, gate=f"mdm:{name}")
            secret = given.live("client_secret")
            return workspace_one_sign_in.OAuthClient(token, client_id=given.client_id, secret=secret, now=self._clock)
        if given.user and given.password and given.tenant_code:
            password, code = given.live("password"), given.live("tenant_code")
            return workspace_one_sign_in.BasicKey(user=given.user, password=password, tenant_code=code, now=self._clock)
        raise NotReady(f"The credential of the MDM connection {name} is not set")

    def _maas360(self, name: str, given: Maas360Connection, hold: Hold) -> maas360.Maas360:
        base = given.url or maas360_sign_in.HOSTS[given.billing_id[:1]]
        gate = f"mdm:{name}"  # one for sign-in and calls, as for Workspace ONE
        key = maas360_sign_in.AccessKey(
            billing_id=given.billing_id,
            app_id=given.app_id,
            user=given.user,
            access_key=given.live("access_key"),
            password=given.live("password"),
            app_version=given.app_version,
            platform_id=given.platform_id,
        )
        token = maas360_sign_in.MaasToken(self._remote("mdm", base, maas360_reading.vendor_code, gate=gate), key, now=self._clock)
        return maas360.Maas360(
            name,
            self._remote("mdm", base, maas360_reading.vendor_code, token, gate=gate),
            billing_id=given.billing_id,
            now=self._clock,
            title=self._settings.organisation,
            advice=given.catalogued,
            states=given.states,
            owner_attribute=given.owner_attribute,
            shared_users=given.shared_users,
            unconfirmed=maas360.Unconfirmed(
                given.attribute, given.attribute_parameters, given.registered_field, given.event_rule_field
            ),
            hold=_in_own_words(hold, given.own_words),
        )

    def _remote(
        self, name: str, base: str, vendor_code: VendorCode, credential: Credential | None = None, *, gate: str, **more: Any
    ) -> Remote:
        private = (urlsplit(base).hostname or "") in self._settings.private_hosts
        wire: dict[str, Any] = {"ca": self._ca, "private": private, "transport": self._transport, "gate": self._gate(gate)}
        remote = Remote(name, base, vendor_code=vendor_code, credential=credential, **wire, **more)
        self._remotes[name, base] = remote  # by address: a service that is found anew takes its old place
        return remote

    def _gate(self, name: str, **more: Any) -> Gate:
        """One for each name, since it also counts what is in flight."""
        if name not in self._gates:
            self._gates[name] = Gate(name, self._budgets, in_flight=self._settings.calls_in_flight, **more)
        return self._gates[name]


def _in_own_words(hold: Hold, own: Mapping[str, Mapping[str, str]]) -> Hold:
    def held(device: ManagedDevice, facts: Facts) -> ManagedDevice:
        device = hold(device, facts)
        return replace(device, posture=in_own_words(device.posture, own))

    return held if own else hold


def _service_credential(settings: WorkerSettings) -> Callable[[], str | dict[str, str]]:
    """As it is now: both may be rotated while the worker runs. A certificate goes before a secret; MSAL finds its thumbprint."""
    if not settings.service_certificate_file:
        return settings.live("service_client_secret")
    path = Path(settings.service_certificate_file)
    pem = SecretFile(path, text_of(path), key_with_certificate)

    def certificate() -> dict[str, str]:
        return {"private_key": pem(), "public_certificate": pem()}

    return certificate


def _url(settings: DatabaseSettings) -> str:
    return settings.database_url.get_secret_value()


def _file(url: str) -> Path:
    return Path(make_url(url).database or "")


def _suits(url: str) -> None:
    try:
        refuse_old_sqlite(url)
    except Unsuited as unsuited:
        raise NotReady(str(unsuited)) from None
