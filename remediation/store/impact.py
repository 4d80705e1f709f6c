"""The rows of counting what a policy would do: a page of a list in a handful of statements, and the people judged in batches.

Each write names the turn with which the count was claimed, so that a late worker has read a page in vain. Next door: `waves` (the
start messages), `change_impact` (what an administrator asks for), `tables/impact`.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, fields
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from ..domain.device import DirectoryDevice, ManagedDevice, ManagedKey
from ..domain.impact import Managed, Missing, Registered, asked_of, names_of, owner
from ..ports.impact import Count, ListRead, PersonMissing, Somebody, ToJudge
from .by_key import delete_each
from .engine import reading, writing
from .tables import (
    device_links,
    impact_counts,
    impact_managed,
    impact_missing,
    impact_names,
    impact_people,
    impact_registered,
)

AT_ONCE = 500
COUNTING, DONE = "counting", "done"
WHILE_COUNTING = (impact_names, impact_registered, impact_managed)
BEHIND_NUMBERS = (impact_missing, impact_people)
# As text: SQLite takes a partial index only where the statement itself says so (UNIQUE_LINKS in `tables`).
_ACTIVE = sa.text("device_links.state = 'active' AND device_links.state IN ('pending', 'active')")
_PLAIN = tuple(f.name for f in fields(Count) if f.name not in ("lists", "by_platform", "by_reason"))
_SAVED = ("stage", "cursor", "next_at", "people")


class SqlImpact:
    """Implements `ports.ImpactRows`."""

    tenant_id: str
    _engine: sa.Engine

    # the count itself

    def newest_count(self) -> Count | None:
        return self._newest_count()

    def counted_last(self) -> Count | None:
        return self._newest_count(impact_counts.c.state == DONE)

    def _newest_count(self, *which: sa.ColumnElement[bool]) -> Count | None:
        count = impact_counts.c
        newest = count.asked_at.desc(), count.id
        statement = sa.select(impact_counts).where(count.tenant_id == self.tenant_id, *which).order_by(*newest).limit(1)
        with reading(self._engine) as connection:
            row = connection.execute(statement).mappings().one_or_none()
        return None if row is None else _count(row)

    def claim_count(self, now: datetime, *, hold: timedelta) -> Count | None:
        count = impact_counts.c
        due = count.tenant_id == self.tenant_id, count.state == COUNTING, count.next_at <= now
        with reading(self._engine) as connection:  # a look every few seconds must not take the one writer's place
            if connection.execute(sa.select(count.id).where(*due).limit(1)).first() is None:
                return None
        with writing(self._engine) as connection:
            chosen = sa.select(count.id).where(*due).limit(1).with_for_update(skip_locked=True)
            found = connection.execute(chosen).scalar_one_or_none()
            if found is None:
                return None
            claimed = sa.update(impact_counts).where(self._counts(found)).values(turn=count.turn + 1, next_at=now + hold)
            return _count(connection.execute(claimed.returning(*impact_counts.c)).mappings().one())

    def park_count(self, count: Count, *, next_at: datetime, attempts: int, reason: str) -> bool:
        with writing(self._engine) as connection:
            return self._write_count(connection, count, next_at=next_at, attempts=attempts, reason=reason)

    def begin_list(self, count: Count, *, stage: str, next_at: datetime, again: int = 0) -> bool:
        reads = {**count.lists, stage: ListRead(again=again)}
        lists = {name: asdict(read) for name, read in reads.items()}
        with writing(self._engine) as connection:
            if not self._write_count(connection, count, stage=stage, cursor=None, lists=lists, next_at=next_at):
                return False
            kind, _, name = stage.partition(":")
            if kind == "people":
                of_it = self._of_count(impact_people, count), impact_people.c.source == name
                theirs = impact_names.c.oid.in_(sa.select(impact_people.c.oid).where(*of_it))
                connection.execute(sa.delete(impact_names).where(self._of_count(impact_names, count), theirs))
                connection.execute(sa.delete(impact_people).where(*of_it))
            elif kind == "mdm":
                of_it = self._of_count(impact_managed, count), impact_managed.c.connection == name
                connection.execute(sa.delete(impact_managed).where(*of_it))
            else:
                table = impact_registered if kind == "directory" else impact_missing
                connection.execute(sa.delete(table).where(self._of_count(table, count)))
        return True

    # a page of a list

    def keep_people(self, count: Count, rows: Sequence[Somebody], after: Count) -> bool:
        source = count.stage.partition(":")[2]
        people = [
            {
                "oid": one.person.oid,
                "source": source,
                "name": one.person.name,
                "user_name": one.person.user_name,
                "mail": one.person.mail,
                "licensed": one.standing.licensed,
            }
            for one in rows
        ]
        names = [
            {"oid": one.person.oid, "kind": kind, "name": name}
            for one in rows
            for kind, name in names_of(one.person.user_name, one.person.mail, one.person.match).items()
        ]
        return self._keep(count, after, {impact_people: people, impact_names: names})

    def keep_registered(self, count: Count, rows: Sequence[DirectoryDevice], after: Count) -> bool:
        owned = [
            {
                "device_id": device.device_id,
                "oid": device.owner_oid,
                "platform": device.platform,
                "works": device.enabled,
                "compliant": device.compliant is True,
            }
            for device in rows
            if device.owner_oid is not None
        ]
        return self._keep(count, after, {impact_registered: owned})

    def keep_managed(self, count: Count, connection: str, rows: Sequence[ManagedDevice], after: Count) -> bool:
        enrolled = [row for row in rows if row.posture.enrolled is not False]
        known, linked = self._known(count, enrolled), self._linked_owners(connection, enrolled)
        whose = {r.key: linked.get(r.key.record_id) or owner(r.owner_mail, r.owner_user_name, known) for r in enrolled}
        records = [
            {"connection": connection, "record_id": row.key.record_id, "oid": oid, "platform": row.platform}
            for row in enrolled
            if (oid := whose[row.key]) is not None
        ]
        return self._keep(count, after, {impact_managed: records})

    def _known(self, count: Count, rows: Iterable[ManagedDevice]) -> Mapping[tuple[str, str], set[str]]:
        """The people who bear a name of these rows' owners, by kind and name."""
        name, wanted = impact_names.c, sorted({n for row in rows for n in asked_of(row.owner_mail, row.owner_user_name)})
        found: dict[tuple[str, str], set[str]] = defaultdict(set)
        with reading(self._engine) as connection:
            statement = sa.select(name.kind, name.name, name.oid).where(self._of_count(impact_names, count), name.name.in_(wanted))
            for row in connection.execute(statement):
                found[row.kind, row.name].add(row.oid)
        return found

    def _linked_owners(self, connection: str, rows: Iterable[ManagedDevice]) -> Mapping[str, str]:
        link, ids = device_links.c, [row.key.record_id for row in rows]
        mine = link.tenant_id == self.tenant_id, link.connection == connection, link.record_id.in_(ids), _ACTIVE
        with reading(self._engine) as opened:
            return {row.record_id: row.oid for row in opened.execute(sa.select(link.record_id, link.oid).where(*mine))}

    def _keep(self, count: Count, after: Count, pages: Mapping[sa.Table, Sequence[Mapping[str, Any]]]) -> bool:
        """A row that comes twice, since the list shifted meanwhile or somebody is in two groups, is one."""
        with writing(self._engine) as connection:
            if not self._write_count(connection, count, **_to_save(after), attempts=0, reason=None):
                return False
            insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
            for table, rows in pages.items():
                ours = [{"tenant_id": self.tenant_id, "count_id": count.id, **row} for row in rows]
                if ours:
                    connection.execute(insert(table).on_conflict_do_nothing(), ours)
        return True

    # judging

    def to_judge(self, count: Count, *, limit: int) -> Sequence[ToJudge]:
        person, link = impact_people.c, device_links.c
        after = [person.oid > count.cursor] if count.cursor is not None else []
        people = sa.select(person.oid, person.licensed).where(self._of_count(impact_people, count), *after).order_by(person.oid)
        managed, registered = impact_managed.c, impact_registered.c
        of_record = link.tenant_id == managed.tenant_id, link.connection == managed.connection, link.record_id == managed.record_id
        of_device = link.tenant_id == registered.tenant_id, link.device_id == registered.device_id
        with reading(self._engine) as connection:
            found = connection.execute(people.limit(limit)).all()
            oids = [row.oid for row in found]
            records, entries = defaultdict(list), defaultdict(list)
            with_link = sa.select(*managed, link.device_id).outerjoin(device_links, sa.and_(*of_record, _ACTIVE))
            for row in connection.execute(with_link.where(self._of_count(impact_managed, count), managed.oid.in_(oids))):
                records[row.oid].append(Managed(ManagedKey(row.connection, row.record_id), row.platform, row.device_id))
            with_link = sa.select(*registered, link.id.label("link_id")).outerjoin(device_links, sa.and_(*of_device, _ACTIVE))
            for row in connection.execute(with_link.where(self._of_count(impact_registered, count), registered.oid.in_(oids))):
                entry = Registered(row.device_id, row.platform, row.works, row.compliant, linked=row.link_id is not None)
                entries[row.oid].append(entry)
        return [ToJudge(row.oid, row.licensed, tuple(records[row.oid]), tuple(entries[row.oid])) for row in found]

    def owners_told(self, count: Count) -> bool:
        with reading(self._engine) as connection:
            any_row = (
                sa.select(sa.literal(1)).select_from(impact_registered).where(self._of_count(impact_registered, count)).limit(1)
            )
            return connection.execute(any_row).first() is not None

    def keep_missing(self, count: Count, found: Mapping[str, Sequence[Missing]], after: Count) -> bool:
        rows = [
            {
                "oid": oid,
                "reason": lack.reason.value,
                "platform": lack.platform,
                "connection": lack.device.connection if lack.device else None,
                "record_id": lack.device.record_id if lack.device else None,
            }
            for oid, lacks in found.items()
            for lack in lacks
        ]
        return self._keep(count, after, {impact_missing: rows})

    def let_go(self) -> None:
        """Of all but the count under way and the people behind the newest numbers, in small transactions."""
        count = impact_counts.c
        mine = sa.select(count.id).where(count.tenant_id == self.tenant_id)
        for table in (*WHILE_COUNTING, *BEHIND_NUMBERS):
            kept = count.state == COUNTING if table in WHILE_COUNTING else sa.or_(count.state == COUNTING, count.kept)
            which: sa.ColumnElement[bool] = table.c.count_id.not_in(mine.where(kept))
            if table is impact_people:
                lacks = impact_missing.c.count_id == table.c.count_id, impact_missing.c.oid == table.c.oid
                touched = sa.exists().where(impact_missing.c.tenant_id == table.c.tenant_id, *lacks)
                which = sa.and_(table.c.count_id.not_in(mine.where(count.state == COUNTING)), sa.or_(which, ~touched))
            self._delete(table, which)

    def _delete(self, table: sa.Table, which: sa.ColumnElement[bool]) -> None:
        keys = list(table.primary_key)
        while True:
            with writing(self._engine) as connection:
                chosen = sa.select(*keys).where(table.c.tenant_id == self.tenant_id, which).limit(AT_ONCE)
                gone = connection.execute(chosen).mappings().all()
                delete_each(connection, table, gone)
            if len(gone) < AT_ONCE:
                return

    def people_missing(
        self, count: Count, reason: str, platform: str | None, *, limit: int | None = None
    ) -> Sequence[PersonMissing]:
        lack, person = impact_missing.c, impact_people.c
        of_it = [self._of_count(impact_missing, count), lack.reason == reason, *([lack.platform == platform] if platform else [])]
        theirs = person.oid.in_(sa.select(lack.oid).where(*of_it))
        columns = person.oid, person.name, person.user_name, person.mail
        statement = sa.select(*columns).where(self._of_count(impact_people, count), theirs).order_by(person.name, person.oid)
        with reading(self._engine) as connection:
            return [PersonMissing(*row) for row in connection.execute(statement.limit(limit))]

    def _counts(self, count_id: str) -> sa.ColumnElement[bool]:
        return sa.and_(impact_counts.c.tenant_id == self.tenant_id, impact_counts.c.id == count_id)

    def _of_count(self, table: sa.Table, count: Count) -> sa.ColumnElement[bool]:
        return sa.and_(table.c.tenant_id == self.tenant_id, table.c.count_id == count.id)

    def _write_count(self, connection: sa.Connection, count: Count, **values: Any) -> bool:
        still = impact_counts.c.turn == count.turn, impact_counts.c.state == COUNTING
        written = sa.update(impact_counts).where(self._counts(count.id), *still).values(**values)
        return connection.execute(written).rowcount == 1


def sums_of(connection: sa.Connection, tenant_id: str, count_id: str) -> dict[str, Any]:
    """What the numbers of a count are."""
    lack, mine = impact_missing.c, [t.c.tenant_id == tenant_id for t in (impact_missing, impact_people)]
    of_it, of_them = sa.and_(mine[0], lack.count_id == count_id), sa.and_(mine[1], impact_people.c.count_id == count_id)
    by_platform: dict[str, dict[str, int]] = defaultdict(dict)
    each = sa.select(lack.reason, lack.platform, sa.func.count()).where(of_it).group_by(lack.reason, lack.platform)
    for reason, platform, number in connection.execute(each):
        by_platform[reason][platform] = number
    once = sa.func.count(lack.oid.distinct())
    by_reason = connection.execute(sa.select(lack.reason, once).where(of_it).group_by(lack.reason))
    people = sa.select(sa.func.count()).select_from(impact_people).where(of_them)
    return {
        "by_platform": by_platform,
        "by_reason": dict(tuple(row) for row in by_reason),
        "touched": connection.execute(sa.select(once).where(of_it)).scalar_one(),
        "people": connection.execute(people).scalar_one(),
    }


def _to_save(count: Count) -> dict[str, Any]:
    lists = {name: asdict(read) for name, read in count.lists.items()}
    return {**{name: getattr(count, name) for name in _SAVED}, "lists": lists}


def _count(row: sa.RowMapping) -> Count:
    by_platform = {(reason, platform): number for reason, of_it in row["by_platform"].items() for platform, number in of_it.items()}
    return Count(
        **{name: row[name] for name in _PLAIN},
        lists={name: ListRead(**read) for name, read in row["lists"].items()},
        by_platform=by_platform,
        by_reason=row["by_reason"],
    )
