"""What beats in each worker for whoever runs the product: audit rows sealed and anchored, alarms judged and told, figures
written, old rows pruned.

Next door: `wiring`, which starts them, and `operator_wiring`, the commands.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import sqlalchemy as sa

from .adapters import alarm_webhook
from .adapters.alarm_log import AlarmLog
from .adapters.audit_anchor import AnchorLog
from .adapters.http import Remote
from .adapters.mail import AlarmMail, MailServer
from .adapters.metrics_file import MetricsFile
from .ports import Actor, AlarmSink, Store
from .services import alarms, audit_log
from .services.prune import Keep, prune
from .settings import WorkerSettings
from .settings.rules import strong
from .store.alarms import SqlAlarms
from .store.dependents import SqlDependents
from .store.figures import SqlFigures
from .store.leases import SqlLeases
from .store.pruning import SqlPrunedRows
from .store.seals import SqlSeals
from .store.tables import DEPLOYMENT
from .worker.pulse import Pulse

JUDGED_EVERY, TOLD_EVERY, FIGURES_EVERY, PRUNED_EVERY = 30.0, 5.0, 30.0, 3600.0  # seconds
LINKS_EVERY = 10.0
SEALED_EVERY, LATE_EVERY, ANCHORED_EVERY = 1.0, 3600.0, 600.0


def of(settings: WorkerSettings, engine: sa.Engine, store: Store, now: Callable[[], datetime]) -> list[Pulse]:
    """Telling has a pulse of its own: a mail server that does not answer holds up no judging."""
    rows, leases = SqlAlarms(engine, settings.tenant_id), SqlLeases(engine, settings.tenant_id)
    sinks = alarm_sinks(settings)
    names, links = [sink.name for sink in sinks], SqlDependents(engine, settings.tenant_id)
    pulses = [
        Pulse("alarms", lambda: alarms.judge(rows, leases, now(), sinks=names), every=JUDGED_EVERY),
        Pulse("links of each connection", lambda: links.count(now), every=LINKS_EVERY),
        Pulse("telling", lambda: alarms.tell(rows, sinks, now()), every=TOLD_EVERY),
    ]
    pulses += _audit(settings, engine, store, now)
    if settings.metrics_file is not None:
        figures, file = SqlFigures(engine, settings.tenant_id), MetricsFile(Path(settings.metrics_file))
        pulses.append(Pulse("figures", lambda: file.write(figures.read(now())), every=FIGURES_EVERY))
    return pulses


def _audit(settings: WorkerSettings, engine: sa.Engine, store: Store, now: Callable[[], datetime]) -> list[Pulse]:
    """The key is asked for with each beat, so that another one signs from the moment its file changes."""
    log, key, anchor = SqlSeals(engine, settings.tenant_id), settings.live("audit_key", strong), AnchorLog()
    of_set_up = SqlSeals(engine, DEPLOYMENT)  # rows that are older than the tenant's id
    rows, actor = SqlPrunedRows(engine, settings.tenant_id), Actor("worker", settings.executor_id)
    days = (timedelta(days=kept) for kept in (settings.keep_journeys_days, settings.keep_links_days, settings.keep_audit_days))
    keep = Keep(*days)

    def tell_the_newest() -> None:
        head = log.head()
        if head is not None:
            anchor.tell(settings.tenant_id, head)

    return [
        Pulse("audit seals", lambda: audit_log.seal(log, key(), now), every=SEALED_EVERY),
        Pulse("audit seals of the set-up", lambda: audit_log.seal(of_set_up, key(), now), every=SEALED_EVERY),
        Pulse("late audit rows", lambda: audit_log.seal(log, key(), now, late=True), every=LATE_EVERY),
        Pulse("audit anchor", tell_the_newest, every=ANCHORED_EVERY),
        Pulse("old rows", lambda: prune(store, rows, log, now(), keep=keep, audit_key=key, actor=actor), every=PRUNED_EVERY),
    ]


def seals_of_set_up(settings: WorkerSettings, engine: sa.Engine, now: Callable[[], datetime]) -> list[Pulse]:
    """Rows of the audit that are older than the tenant's id, and of the tenant whose set-up is not over."""
    key = settings.live("audit_key", strong)
    logs = [SqlSeals(engine, tenant) for tenant in {DEPLOYMENT, settings.tenant_id}]
    return [Pulse("audit seals", lambda: [audit_log.seal(log, key(), now) for log in logs], every=SEALED_EVERY)]


def alarm_sinks(settings: WorkerSettings) -> list[AlarmSink]:
    ca = Path(settings.ca_file) if settings.ca_file else None
    sinks: list[AlarmSink] = [AlarmLog()]
    if settings.alarm_webhook is not None:
        base, query = alarm_webhook.address(settings.alarm_webhook.get_secret_value())
        private = urlsplit(base).hostname in settings.private_hosts
        remote = Remote("webhook", base, vendor_code=alarm_webhook.no_vendor_code, ca=ca, private=private)
        sinks.append(alarm_webhook.AlarmWebhook(remote, query))
    server = mail_server(settings)
    if server is not None and settings.alarm_mail_from and settings.alarm_mail_to:
        sinks.append(AlarmMail(server, sender=settings.alarm_mail_from, to=settings.alarm_mail_to))
    return sinks


def mail_server(settings: WorkerSettings) -> MailServer | None:
    if settings.alarm_mail_server is None:
        return None
    host, _, port = settings.alarm_mail_server.rpartition(":")
    password = settings.alarm_mail_password.get_secret_value() if settings.alarm_mail_password else None
    account = (settings.alarm_mail_security, settings.alarm_mail_user, password)
    return MailServer(host.strip("[]"), int(port), *account, ca=Path(settings.ca_file) if settings.ca_file else None)
