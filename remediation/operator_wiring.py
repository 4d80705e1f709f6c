"""Which store makes the commands of whoever runs the product, and the words that they share with the helpdesk's pages.

Next door: `wiring` (the two processes). These commands call no remote and hold no credential of one.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from .adapters import audit_anchor
from .domain.appearance import Version
from .domain.incident import Incident
from .domain.repairs import Offer, Repair, Situation, offers
from .domain.seals import Anchor, SealKeys
from .domain.work import Kind, Wait, position_in
from .ports import Actor, Count, Wave
from .services import appearance as appearances
from .services import audit_log, impact, person_file
from .services import connections as remotes
from .services import figures as figure_tables
from .services import incident as incidents
from .services import leases as lease_ends
from .services import repair as repairs
from .services import stuck as stuck_rows
from .services import work as work_list
from .services.audit_log import SOON, Checked
from .services.end_sessions import end_sessions
from .services.figures import Counted
from .services.waves import WaveAsked, begin_wave, stop_wave
from .settings import AuditSettings, OperatorSettings
from .store.engine import make_engine
from .store.leases import SqlLeases
from .store.look_up import SqlLookUp
from .store.person_rows import SqlPersonRows
from .store.remotes import SqlConnections
from .store.seals import SqlSeals
from .store.store import SqlStore
from .store.stuck import SqlStuckRows
from .store.tables import DEPLOYMENT
from .store.takeover import StillAtWork, take_over
from .store.wakeups import DbosWakeups
from .web.connection_words import Shown, in_words
from .web.helpdesk_cards import Fact
from .web.names import shown
from .web.texts import ENGLISH, Texts
from .wiring import now

__all__ = [
    "SOON",
    "WITHIN",
    "AuditCheck",
    "Checked",
    "ConnectionInWords",
    "FoundStuck",
    "Operating",
    "Situation",
    "StillAtWork",
    "StuckInWords",
    "WorkInWords",
    "WorkLine",
    "shown",
]

WITHIN = lease_ends.WITHIN


@dataclass(frozen=True)
class StuckInWords:
    kind: str
    id: str
    whose: str
    what: str
    words: str
    code: str
    who: str
    repair: str
    since: datetime | None
    next_at: datetime | None
    attempts: int
    can_retry: bool


@dataclass(frozen=True)
class FoundStuck:
    total: int
    counts: Mapping[tuple[str, str], int]
    shown: Sequence[StuckInWords]


@dataclass(frozen=True)
class WorkLine:
    id: str
    kind: str
    whose: str
    what: str
    words: str
    code: str
    who: str
    since: datetime
    promised: datetime
    taken_by: str


@dataclass(frozen=True)
class WorkInWords:
    """`more` is what the next page is asked for with, empty on the last one."""

    lines: Sequence[WorkLine]
    more: str
    wait: Wait


@dataclass(frozen=True)
class ConnectionInWords:
    """`what` and `do` are empty where it is well; `facts` by their words, `shown` by their ids."""

    shown: Shown
    title: str
    condition: str
    what: str
    do: str
    then: str
    facts: Sequence[tuple[str, str | datetime]]


class Operating:
    """What the commands do, on one database and tenant, in the name of one operator."""

    def __init__(self, settings: OperatorSettings, operator: str) -> None:
        engine, tenant = make_engine(settings.database_url.get_secret_value()), settings.tenant_id
        self._engine = engine
        self._store = SqlStore(engine, tenant, DbosWakeups(engine))
        self._stuck = SqlStuckRows(engine, tenant)
        self._leases = SqlLeases(engine, tenant)
        self._look_up = SqlLookUp(engine, tenant)
        self._remotes = SqlConnections(engine, tenant)
        self._persons = SqlPersonRows(engine, tenant)
        self._check_in = timedelta(days=settings.check_in_days)
        self._actor = Actor("operator", operator)
        self._texts = Texts(default=ENGLISH)

    def stuck(self, limit: int) -> FoundStuck:
        found = stuck_rows.find(self._stuck, now(), limit=limit)
        return FoundStuck(found.total, found.counts, [self._in_words(one) for one in found.shown])

    def retry(self, row_id: str, why: str) -> str | None:
        return stuck_rows.retry(self._store, self._stuck, row_id, actor=self._actor, why=why, now=now())

    def work(self, kind: str | None, after: str, limit: int) -> WorkInWords | None:
        """None for a position that is none of ours."""
        position = position_in(after) if after else None
        if after and position is None:
            return None
        chosen = work_list.Filter(kind=Kind(kind) if kind else None)
        found = work_list.listed(self._look_up.work, now(), chosen=chosen, after=position, size=limit)
        return WorkInWords([self._work_in_words(one) for one in found.items], str(found.more) if found.more else "", found.wait)

    def _work_in_words(self, one: work_list.Item) -> WorkLine:
        row, say = one.row, self._texts.in_default
        return WorkLine(
            *(row.id, one.kind.value, shown(row.user_name), shown(row.what) or row.case_code),
            *(say(f"helpdesk.stuck.{one.reason.key}"), shown(one.reason.code), say(f"helpdesk.who.{one.reason.who.value}")),
            *(row.since, row.position.at, shown(one.claim.name) if one.claim else ""),
        )

    def incident(self) -> Incident | None:
        return self._look_up.incidents.current(now())

    def publish_incident(self, texts: Mapping[str, str], until: datetime) -> tuple[str, ...]:
        """Faults that kept it from being published."""
        return incidents.publish(self._store, texts, until, actor=self._actor, now=now())

    def end_incident(self) -> bool:
        return incidents.end(self._store, self._look_up.incidents, actor=self._actor, now=now()) is not None

    def appearance(self) -> Mapping[str, str]:
        """What stands in place of ours, by key."""
        return self._look_up.appearance.current()

    def appearance_history(self, key: str) -> Sequence[Version]:
        return self._look_up.appearance.history(key)

    def put_appearance(self, key: str, value: str | None) -> tuple[str, ...]:
        """Faults that kept it from being stored; None brings back ours."""
        ours = self._texts.for_people
        if value is not None:
            return appearances.put(self._store, key, value, ours, actor=self._actor, now=now())
        if not appearances.knows(key, ours):
            return ("unknown",)
        appearances.bring_back(self._store, key, actor=self._actor, now=now())
        return ()

    def appearance_back(self, version_id: str) -> tuple[str, ...]:
        rows = self._look_up.appearance
        return appearances.go_back(self._store, rows, version_id, self._texts.for_people, actor=self._actor, now=now())

    def connections(self, at: datetime) -> Sequence[ConnectionInWords]:
        return [self._connection(in_words(one, at)) for one in remotes.connections(self._remotes, at)]

    def _connection(self, one: Shown) -> ConnectionInWords:
        def say(key: str, **values: str) -> str:
            return self._texts.in_default(f"connections.{key}", **values)

        def value(fact: Fact) -> str | datetime:
            return fact.at or fact.id or fact.text or self._texts.in_default(f"helpdesk.word.{fact.word}")

        return ConnectionInWords(
            shown=one,
            title=" ".join((say(f"name.{one.kind}"), one.name)).strip(),
            condition=say(f"condition.{one.condition}"),
            what=say(f"cause.{one.cause}") if one.cause else "",
            do=say(f"do.{one.cause}", who=say(f"who.{one.kind}")) if one.cause else "",
            then=say(f"then.{one.then}", links=str(one.links)) if one.then else "",
            facts=[(self._texts.in_default(f"helpdesk.fact.{fact.label}"), value(fact)) for fact in one.facts],
        )

    def ending(self) -> Sequence[lease_ends.Ending]:
        return lease_ends.ending(self._leases, now())

    def extend(self, connection: str, why: str) -> tuple[int, datetime]:
        return lease_ends.extend(
            *(self._store, self._leases, connection), check_in=self._check_in, actor=self._actor, why=why, now=now()
        )

    def figures(self, asked: Mapping[str, str]) -> Counted:
        """However many rows that reads: whoever waits here asked for it."""
        choice = figure_tables.choose(asked, self._look_up.connection_names(), now())
        return figure_tables.count(self._look_up, choice, now(), most=None)

    def impact(self) -> tuple[Count | None, Count | None]:
        """The newest count, however it stands, and the newest that has numbers."""
        return self._store.newest_count(), self._store.counted_last()

    def count_impact(self, why: str) -> str:
        return impact.ask_for_count(self._store, actor=self._actor, because=why, now=now())

    def stop_count(self, count_id: str, why: str) -> None:
        impact.stop_count(self._store, count_id, actor=self._actor, because=why, now=now())

    def waves(self) -> Sequence[Wave]:
        return self._store.waves()

    def begin_wave(self, asked: WaveAsked, why: str) -> tuple[str, int]:
        return begin_wave(self._store, asked, actor=self._actor, because=why, now=now())

    def stop_wave(self, wave_id: str, why: str) -> None:
        stop_wave(self._store, wave_id, actor=self._actor, because=why, now=now())

    def take_over(self, executor_id: str, why: str) -> int:
        count = take_over(self._engine, executor_id)
        if count:
            with self._store.change(self._actor, "work.taken_over", about=("executor", executor_id), at=now()) as change:
                change.audit(because=why, count=count)
        return count

    def sign_out(self, oid: str, why: str) -> int:
        return end_sessions(self._store, oid, actor=self._actor, because=why, now=now())

    def situation(self, oid: str, case_code: str) -> Situation | None:
        return repairs.situation(self._look_up, self._store, oid, case_code=case_code, allowed=repairs.Allowed())

    def offered(self, found: Situation) -> Sequence[Offer]:
        return offers(found, now())

    def repair(self, found: Situation, name: Repair, target: str, why: str) -> None:
        repairs.repair(self._store, found, repairs.Order(name, target, why, found.seen), actor=self._actor, now=now())

    def say(self, key: str) -> str:
        return self._texts.in_default(key)

    def held(self, oid: str) -> tuple[int, int]:
        """Rows of this person, and how many of their links live."""
        return self._persons.held(oid), len(self._persons.living_links(oid))

    def export(self, oid: str, why: str) -> Mapping[str, Sequence[Mapping[str, Any]]] | None:
        return person_file.export(self._store, self._persons, oid, actor=self._actor, why=why, now=now())

    def end_links(self, oid: str) -> int:
        return person_file.end_links(self._store, self._persons, oid, actor=self._actor, now=now())

    def erase(self, oid: str, why: str) -> Mapping[str, int]:
        return person_file.erase(self._store, oid, actor=self._actor, why=why, now=now())

    def _in_words(self, one: stuck_rows.Stuck) -> StuckInWords:
        """Names came from remotes: nothing in them may steer a terminal."""
        row, reason, say = one.row, one.reason, self._texts.in_default
        return StuckInWords(
            *(row.kind, row.id, shown(row.whose), shown(row.what)),
            *(say(f"helpdesk.stuck.{reason.key}"), shown(reason.code), say(f"helpdesk.who.{reason.who.value}")),
            say(f"helpdesk.repair.{reason.repair}"),
            *(row.since, row.next_at, row.attempts),
            can_retry=row.kind in ("link", "journey", "watch"),
        )


class AuditCheck:
    """Reads only. Its settings hold the audit key, which nothing else here does."""

    def __init__(self, settings: AuditSettings, *, of_set_up: bool = False) -> None:
        """`of_set_up`: the log from before the tenant's id was typed."""
        self._tenant_id = DEPLOYMENT if of_set_up else settings.tenant_id
        self._engine = make_engine(settings.database_url.get_secret_value())
        self._log = SqlSeals(self._engine, self._tenant_id)
        self._keys = SealKeys([key.get_secret_value() for key in (settings.audit_key, *settings.audit_key_fallbacks)])

    def anchors(self, lines: Iterable[str]) -> dict[int, Anchor]:
        """The earliest of each row: who writes the log anew gets anchors for that as well."""
        found: dict[int, Anchor] = {}
        for anchor in audit_anchor.anchors(lines, self._tenant_id):
            found.setdefault(anchor.seq, anchor)
        return found

    def verify(self, anchors: Mapping[int, Anchor], progress: audit_log.Progress) -> Checked:
        try:
            return audit_log.verify(self._log, self._keys, self._tenant_id, anchors, progress)
        finally:
            self._engine.dispose()
