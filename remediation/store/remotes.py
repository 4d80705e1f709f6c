"""How each remote is: one small row, written as the worker calls it, and what a page reads of it with lists, budgets and links.

A good answer is written down once a minute and process, a failure always: a circuit and a parked row keep those few. That a remote
wants fewer calls is counted by its day, too, for the figures. Next door:
`budgets`, which asks before each call; `domain/health.py`, which judges.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from datetime import UTC, datetime, time, timedelta
from threading import Lock
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from ..domain.budget import Budget, Limit
from ..domain.health import Cause, Connection, Dependents, Heard, Remembered
from ..domain.outage import MDM
from ..domain.partner import HEARTBEAT, KnownSlot
from ..domain.watch import NO_SUCH_SOURCE, Watch
from .dependents import counted
from .engine import reading, writing
from .tables import budgets, dependents, partner_slots, remotes, throttlings, watches

GOOD_EVERY = timedelta(minutes=1)
EVENTS_EVERY = timedelta(seconds=5)
CHANNEL = "channel"
MICROSOFT = ("entra", "directory", CHANNEL)
_ENTRA = "tokens"
_NAME = re.compile(r"[\w-]{1,64}", re.ASCII)
MOST_NAMES = 50  # in an address they cost nothing to make up
_PUT = sa.update(remotes).where(remotes.c.tenant_id == sa.bindparam("of_tenant"), remotes.c.remote == sa.bindparam("of_remote"))
_REMEMBERED = [remotes.c[field.name] for field in fields(Remembered)]


class HeardRemotes:
    """Writes what came of calls. `good` remembers what this process wrote last."""

    def __init__(self, engine: sa.Engine, tenant_id: str) -> None:
        self._engine, self._tenant_id = engine, tenant_id
        self._good: dict[str, datetime] = {}

    def heard(self, remote: str, heard: Heard, limit: Limit, now: datetime) -> None:
        if heard.error is None:
            written = self._good.get(remote)
            if written is not None and timedelta(0) <= now - written < GOOD_EVERY:
                return
            self._put(remote, {"good_at": now, "failing_since": None, "failures": 0, "rate": limit.rate, "burst": limit.burst})
            self._good[remote] = now
            return
        told = {"failed_at": now, "error": heard.error, "cause": heard.cause, "status": heard.status}
        told |= {"code": heard.code, "words": heard.words}
        if not heard.of_one_thing:
            self._good.pop(remote, None)
            since = sa.func.coalesce(remotes.c.failing_since, sa.literal(now, remotes.c.failing_since.type))
            told |= {"failing_since": since, "failures": remotes.c.failures + 1}
        self._put(remote, told, throttled=heard.cause is Cause.THROTTLED)

    def _put(self, remote: str, values: Mapping[str, Any], *, throttled: bool = False) -> None:
        given = {name: value for name, value in values.items() if not isinstance(value, sa.ColumnElement)}
        update = (
            _PUT.values({name: value for name, value in values.items() if name not in given}) if len(given) < len(values) else _PUT
        )
        given |= {"of_tenant": self._tenant_id, "of_remote": remote}
        with writing(self._engine) as connection:
            if connection.execute(update, given).rowcount == 0:
                insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
                connection.execute(insert(remotes).values(tenant_id=self._tenant_id, remote=remote).on_conflict_do_nothing())
                connection.execute(update, given)
            if throttled:
                told = {"tenant_id": self._tenant_id, "remote": remote, "last_at": given["failed_at"], "last_code": given["code"]}
                connection.execute(_one_more(connection.dialect.name, told))


def _one_more(dialect: str, told: Mapping[str, Any]) -> sa.Executable:
    midnight = datetime.combine(told["last_at"].astimezone(UTC), time(), UTC)
    statement = (postgresql.insert if dialect == "postgresql" else sqlite.insert)(throttlings).values(day=midnight, count=1, **told)
    latest = {name: statement.excluded[name] for name in ("last_at", "last_code")}
    keys = list(throttlings.primary_key)
    return statement.on_conflict_do_update(index_elements=keys, set_={"count": throttlings.c["count"] + 1, **latest})


class EventTally:
    """What an MDM sends, counted where the pages are: one write in five seconds at most, however many are forged, and none for a
    connection that no worker ever called. What is not written yet goes with the next one."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._forged: dict[str, int] = {}
        self._taken: set[str] = set()
        self._written: datetime | None = None

    def note(self, engine: sa.Engine, tenant_id: str, connection: str, *, forged: bool, now: datetime) -> None:
        if not _NAME.fullmatch(connection):
            return
        with self._lock:
            if forged and (connection in self._forged or len(self._forged) < MOST_NAMES):
                self._forged[connection] = self._forged.get(connection, 0) + 1
            elif not forged:
                self._taken.add(connection)
            if self._written is not None and timedelta(0) <= now - self._written < EVENTS_EVERY:
                return
            self._written, forgeries, taken = now, self._forged, self._taken
            self._forged, self._taken = {}, set()
        with writing(engine) as opened:
            for name, count in forgeries.items():
                counted = {"forged": remotes.c.forged + count, "forged_at": now}
                opened.execute(sa.update(remotes).where(*_of(tenant_id, name)).values(**counted))
            for name in taken:
                opened.execute(sa.update(remotes).where(*_of(tenant_id, name)).values(event_at=now))


def _of(tenant_id: str, connection: str) -> tuple[sa.ColumnElement[bool], ...]:
    return remotes.c.tenant_id == tenant_id, remotes.c.remote == MDM + connection


class SqlConnections:
    """Implements `ports.Connections`: everything stored about each, for whoever wants to know how they are."""

    def __init__(self, engine: sa.Engine, tenant_id: str) -> None:
        self._engine, self._tenant_id = engine, tenant_id

    def connections(self, now: datetime) -> Sequence[Connection]:
        with reading(self._engine) as connection:
            rows = [Remembered(*row) for row in connection.execute(sa.select(*_REMEMBERED).where(self._mine(remotes)))]
            limits = {row.remote: Budget(*row[1:]) for row in connection.execute(self._budgets())}
            lists = [_watch(row) for row in connection.execute(sa.select(watches).where(self._mine(watches))).mappings()]
            links = self._links(connection, now)
            slots = [KnownSlot(*row) for row in connection.execute(self._slots())]
        gone = {watch.source for watch in lists} - {watch.source for watch in lists if watch.reason != NO_SUCH_SOURCE}
        lists = [watch for watch in lists if watch.reason != NO_SUCH_SOURCE]
        known = {*(row.remote for row in rows), *(watch.source for watch in lists)} - gone
        mdms = sorted(name for name in known if name.startswith(MDM))
        return [
            Connection(
                name,
                tuple(row for row in rows if _stands_for(row.remote) == name),
                tuple(budget for remote, budget in limits.items() if _stands_for(remote) == name),
                tuple(watch for watch in lists if watch.source == name),
                links.get(name.removeprefix(MDM), Dependents()) if name.startswith(MDM) else _all(links.values()),
                next((watch for watch in lists if watch.name == HEARTBEAT), None) if name == CHANNEL else None,
                tuple(slots) if name == CHANNEL else (),
            )
            for name in (*MICROSOFT, *mdms)
        ]

    def _budgets(self) -> sa.Select[Any]:
        columns = [c for c in budgets.c if not c.primary_key]
        return sa.select(budgets.c.remote, *columns).where(self._mine(budgets))

    def _slots(self) -> sa.Select[Any]:
        columns = [partner_slots.c[field.name] for field in fields(KnownSlot)]
        return sa.select(*columns).where(self._mine(partner_slots)).order_by(partner_slots.c.platform)

    def _links(self, connection: sa.Connection, now: datetime) -> dict[str, Dependents]:
        """As a worker counted them; where none has yet, counted here, since a zero would say that nobody is touched."""
        columns = [dependents.c[field.name] for field in fields(Dependents)]
        found = connection.execute(sa.select(dependents.c.connection, *columns).where(self._mine(dependents))).all()
        found = found or connection.execute(counted(self._tenant_id, now)).all()
        return {row.connection: Dependents(row.links, row.standing, row.first_end, row.ending) for row in found}

    def _mine(self, table: sa.Table) -> sa.ColumnElement[bool]:
        return table.c.tenant_id == self._tenant_id


def _stands_for(remote: str) -> str:
    """`tokens` and `tokens:<host>` are Entra's."""
    return "entra" if remote.partition(":")[0] == _ENTRA else remote


def _all(links: Iterable[Dependents]) -> Dependents:
    every = list(links)
    ends = [one.first_end for one in every if one.first_end is not None]
    counted = (sum(getattr(one, name) for one in every) for name in ("links", "standing", "ending"))
    total, standing, ending = counted
    return Dependents(total, standing, min(ends, default=None), ending)


def _watch(row: sa.RowMapping) -> Watch:
    return Watch(**{field.name: row[field.name] for field in fields(Watch)})
