"""`SqlLookUp` implements `ports.LookUp`: what the helpdesk reads. The audit row of a look-up is written by the service.

Next door: `told` (what figures are counted from), `timeline` (what happened with one person), `repairs`."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from ..domain.device import Person
from ..domain.health import Connection
from ..domain.reach import EVERYBODY, Reach
from ..domain.search import spellings
from ..ports import (
    AccessRows,
    AppearanceRows,
    CaseFound,
    Event,
    Incidents,
    Mark,
    PeopleFound,
    PersonFound,
    StuckRow,
    TimelinePage,
    WorkRows,
)
from . import rows, terms, timeline
from .access import SqlAccessRows
from .appearance import SqlAppearance
from .device_look_up import SqlDeviceLookUp
from .engine import reading
from .feed import SqlFeed
from .incidents import SqlIncidents
from .reach import listed_at, seen_by
from .remotes import SqlConnections
from .repairs import SqlDeskRepairs
from .sessions import alive
from .stuck import SqlStuckRows
from .tables import (
    audit,
    cases,
    directory_devices,
    journeys,
    managed_devices,
    people,
    search_terms,
    sessions,
    watches,
)
from .told import SqlTold
from .work import SqlWorkRows

PROBED = 2000
"""Terms that one search reads at most: where more begin alike, it says so and asks for another word."""
NAMED = 200
"""Terms up to which everybody's row is read, to show those first whose names come first: each is somewhere else on the disk."""


class SqlLookUp(SqlDeviceLookUp, SqlFeed, SqlTold, SqlDeskRepairs):
    def __init__(self, engine: sa.Engine, tenant_id: str, reach: Reach = EVERYBODY) -> None:
        self._engine = engine
        self._tenant_id = tenant_id
        self.work: WorkRows = SqlWorkRows(engine, tenant_id, reach)
        self.access: AccessRows = SqlAccessRows(engine, tenant_id, reach)
        self.incidents: Incidents = SqlIncidents(engine, tenant_id)
        self.appearance: AppearanceRows = SqlAppearance(engine, tenant_id)
        self.reach = reach

    def within(self, reach: Reach) -> "SqlLookUp":
        return SqlLookUp(self._engine, self._tenant_id, reach)

    def listed_at(self) -> Mapping[str, datetime | None]:
        with reading(self._engine) as connection:
            return listed_at(connection, self.reach, self._tenant_id)

    def stuck(self) -> SqlStuckRows:
        return SqlStuckRows(self._engine, self._tenant_id, self.reach)

    def case(self, code: str) -> CaseFound | None:
        found = self._cases(journeys.c.case_code == code)
        if found:
            return found[0]
        row = self._all(sa.select(cases).where(self._mine(cases), cases.c.case_code == code))
        return None if not row else CaseFound(**{k: row[0][k] for k in ("case_code", "platform", "entrance", "opened_at")})

    def people(self, words: Sequence[str], *, limit: int) -> PeopleFound:
        with reading(self._engine) as connection:
            how_many = ((connection.execute(_count_of(self._probed(word))).scalar_one(), word) for word in words)
            (fewest, rarest), *others = sorted(how_many)
            sought = self._found(rarest, [word for _, word in others], limit + 1, by_name=fewest <= NAMED)
            found = connection.execute(sought).mappings().all()
            named = self._devices(connection, [row["subject"] for row in found])
        people = [PersonFound(rows.person(row), row["last_case_at"], named.get(row["subject"])) for row in found[:limit]]
        return PeopleFound(people, more=len(found) > limit or fewest == PROBED)

    def _devices(self, connection: sa.Connection, subjects: Iterable[str]) -> Mapping[str, str]:
        """By subject, the names of those devices that somebody was found by."""
        named: dict[str, str] = {}
        for table in (directory_devices, managed_devices):
            prefix, keys = f"{terms.SUBJECT[table]}/", [key for key in table.primary_key if key.name != "tenant_id"]
            wanted = [one.removeprefix(prefix).split("/", len(keys) - 1) for one in subjects if one.startswith(prefix)]
            if wanted:
                # each column by itself, though it may read a few too many: SQLite reads the whole table for pairs of values
                which = (key.in_(sorted(set(values))) for key, values in zip(keys, zip(*wanted, strict=True), strict=True))
                for *key, name in connection.execute(sa.select(*keys, table.c.name).where(self._mine(table), *which)):
                    named[prefix + "/".join(key)] = name
        return named

    def _probed(self, word: str) -> sa.Subquery:
        """The first `PROBED` terms that the word begins, in their order."""
        term = search_terms.c
        of_each = (
            sa.select(term.oid, term.term, term.subject).where(self._mine(search_terms), _begins(term.term, spelling))
            for spelling in sorted(spellings(word))
        )
        found = sa.union_all(*of_each).subquery()
        return sa.select(found).order_by(found.c.term, found.c.oid).limit(PROBED).subquery()

    def _found(self, rarest: str, others: Sequence[str], limit: int, *, by_name: bool) -> sa.Select[Any]:
        """Of what the rarest word begins, those people who have all the others, too. So that no search reads more than `PROBED`
        terms of anybody, however many there are. `by_name`: who comes first is said by all their names, not of those few shown."""
        first = self._probed(rarest).c
        of_each = sa.func.min(first.term).label("term"), sa.func.max(first.subject).label("subject")  # "person" comes last
        best: sa.Select[Any] = sa.select(first.oid, *of_each)
        for word in others:
            best = best.where(sa.or_(*(self._has(first.oid, spelling) for spelling in sorted(spellings(word)))))
        best = best.group_by(first.oid)
        if not by_name:
            best = best.where(self._seen(first.oid)).order_by("term", first.oid).limit(limit)
        found = best.subquery().c
        theirs = journeys.c.tenant_id == people.c.tenant_id, journeys.c.oid == people.c.oid
        last = sa.select(sa.func.max(journeys.c.started_at)).where(*theirs).scalar_subquery().label("last_case_at")
        chosen = sa.select(people, last, found.subject).join_from(people, found.oid.table, people.c.oid == found.oid)
        return (
            chosen.where(self._mine(people), self._seen(people.c.oid))
            .order_by(found.term, sa.func.lower(people.c.name), people.c.oid)
            .limit(limit)
        )

    def _has(self, oid: sa.ColumnElement[str], spelling: str) -> sa.ColumnElement[bool]:
        """Compared without a range, for which a database would read all terms that begin so, of everybody, for each person."""
        other = search_terms.alias().c
        begins = sa.func.substr(other.term, 1, len(spelling)) == spelling
        return sa.exists().where(other.tenant_id == self._tenant_id, other.oid == oid, begins)

    def person(self, oid: str) -> Person | None:
        found = self._all(sa.select(people).where(self._mine(people), people.c.oid == oid, self._seen(people.c.oid)))
        return rows.person(found[0]) if found else None

    def seen(self, oids: Collection[str]) -> frozenset[str]:
        theirs = sa.select(people.c.oid).where(self._mine(people), people.c.oid.in_(sorted(oids)), self._seen(people.c.oid))
        return frozenset(row["oid"] for row in self._all(theirs)) if oids else frozenset()

    def cases_of(self, oid: str) -> Sequence[CaseFound]:
        return self._cases(journeys.c.oid == oid)

    def timeline(self, oid: str, *, limit: int, kind: str | None = None, skip: int = 0) -> Sequence[Event]:
        with reading(self._engine) as connection:
            if not self._sees(connection, oid):
                return ()
            return timeline.events(connection, self._tenant_id, oid, kind=kind, skip=skip, limit=limit)

    def timeline_page(self, oid: str, after: Mark | None, *, limit: int) -> TimelinePage:
        with reading(self._engine) as connection:
            marked = timeline.marked(connection, self._tenant_id, oid, after, limit + 1) if self._sees(connection, oid) else []
        events = [event for _, event in marked[:limit]]
        return TimelinePage(events, marked[limit - 1][0] if len(marked) > limit else None)

    def _sees(self, connection: sa.Connection, oid: str) -> bool:
        return self.reach.everybody or bool(connection.execute(sa.select(self._seen(sa.literal(oid)))).scalar_one())

    def said_not_me(self, oid: str) -> datetime | None:
        said = (
            audit.c.about_kind == "person",
            audit.c.about_id == oid,
            audit.c.why == "possession.not_me",
            self._seen(sa.literal(oid)),
        )
        with reading(self._engine) as connection:
            at: datetime | None = connection.execute(
                sa.select(sa.func.max(audit.c.at)).where(self._mine(audit), *said)
            ).scalar_one()
        return at

    def signed_in(self, oid: str, now: datetime) -> Sequence[datetime]:
        theirs = sa.select(sessions.c.signed_in_at).where(self._mine(sessions), sessions.c.oid == oid, alive(now))
        theirs = theirs.where(self._seen(sa.literal(oid)))
        with reading(self._engine) as connection:
            return connection.execute(theirs.order_by(sessions.c.signed_in_at.desc())).scalars().all()

    def failing(self) -> Sequence[StuckRow]:
        watch = watches.c
        failing = self._all(sa.select(watches).where(self._mine(watches), watch.failing_since.is_not(None)).order_by(watch.name))
        return [
            StuckRow(
                *("watch", row["name"], "", row["name"], row["reason"] or "waiting", row["failing_since"], row["next_look_at"]),
                row["attempts"],
            )
            for row in failing
        ]

    def connections(self, now: datetime) -> Sequence[Connection]:
        return SqlConnections(self._engine, self._tenant_id).connections(now)

    def _cases(self, condition: sa.ColumnElement[bool]) -> Sequence[CaseFound]:
        mine = sa.select(journeys).where(self._mine(journeys), self._seen(journeys.c.oid), condition)
        found = self._all(mine.order_by(journeys.c.started_at.desc(), journeys.c.id))
        return [
            CaseFound(row["case_code"], row["platform"], row["entrance"], row["started_at"], row["id"], row["oid"]) for row in found
        ]

    def _seen(self, oid: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
        return seen_by(self.reach, self._tenant_id, oid)

    def _mine(self, table: sa.Table) -> sa.ColumnElement[bool]:
        return table.c.tenant_id == self._tenant_id

    def _all(self, statement: sa.Select[Any]) -> Sequence[sa.RowMapping]:
        with reading(self._engine) as connection:
            return connection.execute(statement).mappings().all()


def _begins(term: sa.ColumnElement[str], spelling: str) -> sa.ColumnElement[bool]:
    """As a range, which both databases read from their index; the last sign of Unicode stands behind every continuation."""
    return sa.and_(term >= spelling, term < spelling + "\U0010ffff")


def _count_of(found: sa.Subquery) -> sa.Select[Any]:
    return sa.select(sa.func.count()).select_from(found)
