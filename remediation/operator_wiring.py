"""Which store makes the commands of whoever runs the product, and the words that they share with the helpdesk's pages.

Next door: `wiring` (the two processes). These commands call no remote and hold no credential of one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from .ports import Actor
from .services import leases as lease_ends
from .services import stuck as stuck_rows
from .settings import OperatorSettings
from .store.engine import make_engine
from .store.leases import SqlLeases
from .store.store import SqlStore
from .store.stuck import SqlStuckRows
from .store.takeover import StillAtWork, take_over
from .store.wakeups import DbosWakeups
from .web.names import shown
from .web.texts import ENGLISH, Texts
from .wiring import now

__all__ = ["WITHIN", "FoundStuck", "Operating", "StillAtWork", "StuckInWords"]

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


class Operating:
    """What the commands do, on one database and tenant, in the name of one operator."""

    def __init__(self, settings: OperatorSettings, operator: str) -> None:
        engine, tenant = make_engine(settings.database_url.get_secret_value()), settings.tenant_id
        self._engine = engine
        self._store = SqlStore(engine, tenant, DbosWakeups(engine))
        self._stuck = SqlStuckRows(engine, tenant)
        self._leases = SqlLeases(engine, tenant)
        self._check_in = timedelta(days=settings.check_in_days)
        self._actor = Actor("operator", operator)
        self._texts = Texts(default=ENGLISH)

    def stuck(self, limit: int) -> FoundStuck:
        found = stuck_rows.find(self._stuck, now(), limit=limit)
        return FoundStuck(found.total, found.counts, [self._in_words(one) for one in found.shown])

    def retry(self, row_id: str, why: str) -> str | None:
        return stuck_rows.retry(self._store, self._stuck, row_id, actor=self._actor, why=why, now=now())

    def ending(self) -> Sequence[lease_ends.Ending]:
        return lease_ends.ending(self._leases, now())

    def extend(self, connection: str, why: str) -> tuple[int, datetime]:
        return lease_ends.extend(
            *(self._store, self._leases, connection), check_in=self._check_in, actor=self._actor, why=why, now=now()
        )

    def take_over(self, executor_id: str, why: str) -> int:
        count = take_over(self._engine, executor_id)
        if count:
            with self._store.change(self._actor, "work.taken_over", about=("executor", executor_id), at=now()) as change:
                change.audit(because=why, count=count)
        return count

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
