"""The only module that names every concrete class: which store, which adapters, which engine make the two processes.

The doors (`commands`, `__main__`, `app.py`) call it; nothing else may.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, cast

from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask
from pydantic import SecretStr
from requests.adapters import BaseAdapter
from sqlalchemy import inspect, make_url
from sqlalchemy.exc import DBAPIError

from .adapters import entra, graph, intune_partner, workspace_one, workspace_one_sign_in
from .adapters.http import Credential, Remote
from .domain.compliance import Lease
from .domain.watch import Pace, watch_names
from .ports import Store
from .services.look import look
from .services.push_compliance import bring_to_rest
from .services.reconcile import watch
from .services.world import World
from .settings import DatabaseSettings, WebSettings, WorkerSettings
from .store import migrations, pickle_door
from .store.engine import make_engine
from .store.look_up import SqlLookUp
from .store.sessions import SqlSessions, SqlSignInStates
from .store.store import SqlStore
from .store.wakeups import QUEUES, DbosWakeups
from .web import build_web
from .web.texts import Texts
from .worker.engine import Engine, Unsuited, Wakers, refuse_old_sqlite
from .worker.process import Worker
from .worker.pulse import Pulse

DUE_EVERY = 0.5  # seconds; the shortest wait that a row asks for is 2
FORGET_EVERY = 3600.0
VendorCode = Callable[[Any], object]
WORKSPACE_ONE = "ws1"  # the connection's name in every key of a managed device: never renamed


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
    return build_web(settings, store, sessions, states, SqlLookUp(engine, settings.tenant_id), clock=now)


def build_worker(settings: WorkerSettings) -> Worker:
    pickle_door.close_pickle_door()
    engine = make_engine(_url(settings))
    store = SqlStore(engine, settings.tenant_id, DbosWakeups(engine))
    world = build_world(settings, store)
    store.keep_watches(watch_names(world.managers), at=now())
    wakers = Wakers(
        look=partial(look, world=world), bring_to_rest=partial(bring_to_rest, world=world), watch=partial(watch, world=world)
    )
    durable = Engine(
        url=_url(settings),
        executor_id=settings.executor_id,
        queues=QUEUES,
        concurrency=settings.queue_concurrency,
        wakers=wakers,
    )
    due = Pulse("due rows", lambda: store.wake_due(now()), every=DUE_EVERY)
    return Worker(durable, [due, Pulse("old wake-ups", durable.forget, every=FORGET_EVERY)])


def build_world(settings: WorkerSettings, store: Store, *, transport: BaseAdapter | None = None) -> World:
    """What the worker's services act on. Tests give a `transport` that leads into the sandbox without a socket."""
    wire = _Wire(settings, transport)
    directory = graph.GraphDirectory(
        wire.graph("directory"),
        now=now,
        plans=settings.intune_plans,
        groups=settings.groups,
        owner_attribute=settings.owner_directory_attribute,
    )
    channel = intune_partner.IntunePartnerChannel(
        tenant_id=settings.tenant_id,
        graph=wire.graph("channel"),
        connect=wire.partner,
        directory=directory,
        now=now,
        hosts=settings.partner_hosts,
    )
    manager = workspace_one.WorkspaceOne(
        WORKSPACE_ONE,
        wire.workspace_one(),
        now=now,
        advice=settings.advice,
        owner_attribute=settings.owner_mdm_attribute,
        shared_users=settings.shared_users,
    )
    return World(
        store=store,
        directory=directory,
        managers={WORKSPACE_ONE: manager},
        channels=[channel],
        clock=now,
        minimum=settings.minimum_evidence,
        lease=Lease(timedelta(hours=settings.lease_hours), timedelta(days=settings.check_in_days)),
        recheck=timedelta(seconds=settings.recheck_seconds),
        executor=settings.executor_id,
        possession_url=lambda token: f"{settings.public_origin}/possession/{token}",
        message_text=partial(possession_message, Texts(default=settings.language), settings.organisation),
        pace=Pace(
            poll=timedelta(seconds=settings.poll_seconds),
            sweep=timedelta(minutes=settings.sweep_minutes),
            overlap=timedelta(seconds=settings.poll_overlap_seconds),
        ),
    )


def possession_message(texts: Texts, organisation: str, url: str, case_code: str) -> str:
    """What the MDM's app shows on the device. It says who asks and why, since a link alone would teach people to tap anything."""
    return texts.in_default("message.possession", organisation=organisation, url=url, code=case_code)


class _Wire:
    """The remotes, each with its address, its credential and its reader of error codes."""

    def __init__(self, settings: WorkerSettings, transport: BaseAdapter | None) -> None:
        self._settings = settings
        self._transport = transport
        self._ca = Path(settings.ca_file) if settings.ca_file else None
        self._tokens = entra.EntraTokens(
            self._remote("directory", settings.entra_authority, entra.vendor_code),
            tenant_id=settings.tenant_id,
            client_id=settings.service_client_id,
            secret=_service_credential(settings),
        )

    def graph(self, name: str) -> Remote:
        credential = self._tokens.scope(self._settings.graph_scope, remote=name)
        return self._remote(name, f"{self._settings.graph_url}/v1.0", graph.vendor_code, credential)

    def partner(self, uri: str) -> Remote:
        credential = self._tokens.scope(self._settings.intune_scope, remote="channel")
        return self._remote("channel", uri, intune_partner.vendor_code, credential)

    def workspace_one(self) -> Remote:
        return self._remote(
            "mdm", f"{self._settings.workspace_one_url}/API", workspace_one.vendor_code, self._workspace_one_credential()
        )

    def _workspace_one_credential(self) -> Credential:
        given = self._settings
        if given.workspace_one_client_id and given.workspace_one_client_secret and given.workspace_one_token_url:
            token = self._remote("mdm", given.workspace_one_token_url, workspace_one_sign_in.vendor_code)
            secret = given.workspace_one_client_secret.get_secret_value()
            return workspace_one_sign_in.OAuthClient(token, client_id=given.workspace_one_client_id, secret=secret, now=now)
        if given.workspace_one_user and given.workspace_one_password and given.workspace_one_tenant_code:
            return workspace_one_sign_in.BasicKey(
                user=given.workspace_one_user,
                password=given.workspace_one_password.get_secret_value(),
                tenant_code=given.workspace_one_tenant_code.get_secret_value(),
            )
        raise NotReady("Workspace ONE's credential is not set")

    def _remote(self, name: str, base: str, vendor_code: VendorCode, credential: Credential | None = None) -> Remote:
        return Remote(name, base, vendor_code=vendor_code, credential=credential, ca=self._ca, transport=self._transport)


def _service_credential(settings: WorkerSettings) -> str | dict[str, str]:
    """A certificate goes before a secret. MSAL finds its thumbprint itself."""
    if settings.service_certificate_file:
        pem = Path(settings.service_certificate_file).read_text(encoding="utf-8")
        return {"private_key": pem, "public_certificate": pem}
    return cast("SecretStr", settings.service_client_secret).get_secret_value()


def _url(settings: DatabaseSettings) -> str:
    return settings.database_url.get_secret_value()


def _file(url: str) -> Path:
    return Path(make_url(url).database or "")


def _suits(url: str) -> None:
    try:
        refuse_old_sqlite(url)
    except Unsuited as unsuited:
        raise NotReady(str(unsuited)) from None
