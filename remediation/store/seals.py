"""`SqlSeals` implements `ports.AuditLog`: audit rows sealed in order, read back for the check, and cut at the old end.

Seals are rows of their own, because the web writes audit rows as well and must not have the key: the worker seals them a moment
later. The order is that of sealing, not of the ids: PostgreSQL gives an id before the commit, so that a row may become visible
after its followers, and an id that was rolled back is no gap. `domain/seals.py` says what a seal is.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
import structlog

from ..domain.seals import BEGINNING, Place, Seal, checkpoint, digest, key_id
from ..ports import Actor, AuditEntry, AuditSnapshot, Unsealed
from .engine import reading, writing
from .tables import audit, audit_seals

log = structlog.get_logger("remediation.audit")

BATCH = 500
CUT_AT_ONCE = 2000
PRUNED = "audit.pruned"
_LATE = 5000
"""Ids by which a row may become visible after its followers and still be sealed with the next beat; later ones wait for `late`."""
_ONE_SEALER = 5_318_008_117  # PostgreSQL's advisory lock; on SQLite the write transaction itself is the lock
_CONTENT = [column for column in audit.columns if column.name != "tenant_id"]  # the tenant is part of the place


class SqlSeals:
    def __init__(self, engine: sa.Engine, tenant_id: str) -> None:
        self._engine, self._tenant_id = engine, tenant_id
        self._knew = (0, "")
        self._sqlite = engine.dialect.name == "sqlite"

    # sealing (worker only)

    def seal(self, key: str, at: datetime, *, late: bool = False, limit: int = BATCH) -> int:
        """Seal at most `limit` rows, oldest id first; returns how many. `late` looks for rows of any age, which costs a walk
        through the log. Several workers may call it at once: one seals, the others find nothing to do."""
        with reading(self._engine) as connection:
            if connection.execute(self._unsealed(connection, late).limit(1)).first() is None:
                return 0
        with writing(self._engine) as connection:
            if not self._alone(connection):
                return 0
            rows = connection.execute(self._unsealed(connection, late).order_by(audit.c.id).limit(limit)).mappings().all()
            head = self._head(connection)
            self._miss(head)
            seals = self._sealed(rows, head, key, at)
            if seals:
                connection.execute(sa.insert(audit_seals), seals)
        if seals:
            self._knew = seals[-1]["seq"], seals[-1]["digest"]
        return len(seals)

    def _miss(self, head: Seal | None) -> None:
        """Rows whose seals somebody cut away would be sealed anew, whatever they say by now. This process remembers the last seal
        that it made, and what it says here is one more anchor."""
        seq, known = self._knew
        if seq and (head is None or head.seq < seq or (head.seq == seq and head.digest != known)):
            log.error("audit.cut", tenant=self._tenant_id, seq=seq, digest=known, found=head.seq if head is not None else 0)

    def head(self) -> Seal | None:
        with reading(self._engine) as connection:
            return self._head(connection)

    def cut(self, before: datetime, key: str, actor: Actor, at: datetime) -> int:
        """Let the oldest sealed rows go that happened before then; each bite leaves one signed checkpoint row. Returns how many."""
        gone = 0
        while True:
            with writing(self._engine) as connection:
                bite = self._cut_once(connection, before, key, actor, at) if self._alone(connection) else 0
            gone += bite
            if bite < CUT_AT_ONCE:
                return gone

    def _cut_once(self, connection: sa.Connection, before: datetime, key: str, actor: Actor, at: datetime) -> int:
        seal = audit_seals.c
        of_row = sa.and_(seal.tenant_id == audit.c.tenant_id, seal.audit_id == audit.c.id)
        oldest = connection.execute(
            sa.select(seal.seq, seal.audit_id, seal.digest, audit.c.at)
            .outerjoin(audit, of_row)
            .where(seal.tenant_id == self._tenant_id)
            .order_by(seal.seq)
            .limit(CUT_AT_ONCE)
        ).all()
        going = []
        for row in oldest:
            if row.at is None or row.at > before:  # a row that is missing is for `verify` to name, and not to be cut away with it
                break
            going.append(row)
        if not going:
            return 0
        last = going[-1]
        detail = {**checkpoint(key, tenant_id=self._tenant_id, through=last.seq, last=last.digest), "rows": len(going)}
        about = {"about_kind": "audit", "about_id": str(last.seq), "actor_kind": actor.kind, "actor_id": actor.id}
        connection.execute(sa.insert(audit).values(tenant_id=self._tenant_id, at=at, why=PRUNED, detail=detail, **about))
        ids = [row.audit_id for row in going]
        for some in (ids[start : start + BATCH] for start in range(0, len(ids), BATCH)):
            connection.execute(sa.delete(audit).where(audit.c.tenant_id == self._tenant_id, audit.c.id.in_(some)))
        connection.execute(sa.delete(audit_seals).where(seal.tenant_id == self._tenant_id, seal.seq <= last.seq))
        return len(going)

    def _sealed(self, rows: Sequence[sa.RowMapping], head: Seal | None, key: str, at: datetime) -> list[dict[str, Any]]:
        seq, previous = (head.seq, head.digest) if head is not None else (0, BEGINNING)
        seals = []
        for row in rows:
            seq += 1
            previous = digest(key, Place(self._tenant_id, previous, seq, at), dict(row))
            kept = {"seq": seq, "audit_id": row["id"], "digest": previous, "key": key_id(key), "sealed_at": at}
            seals.append({"tenant_id": self._tenant_id, **kept})
        return seals

    def _alone(self, connection: sa.Connection) -> bool:
        if self._sqlite:
            return True
        return bool(connection.execute(sa.select(sa.func.pg_try_advisory_xact_lock(_ONE_SEALER))).scalar_one())

    def _head(self, connection: sa.Connection) -> Seal | None:
        """After everything was cut, which only time can do, the checkpoint says where the count goes on; it is a row itself, so at
        least that one is left to be sealed."""
        seal = audit_seals.c
        newest = sa.select(audit_seals).where(seal.tenant_id == self._tenant_id).order_by(seal.seq.desc()).limit(1)
        row = connection.execute(newest).one_or_none()
        if row is not None:
            return Seal(row.seq, row.audit_id, row.digest, row.key, row.sealed_at)
        cut = self.checkpoint(connection, None)
        return None if cut is None else Seal(cut["through"], 0, cut["digest"], cut["key"], datetime.min.replace(tzinfo=UTC))

    def checkpoint(self, connection: sa.Connection, through: int | None) -> Mapping[str, Any] | None:
        """The newest, or the one that ends at `through`."""
        cut = sa.select(audit.c.detail).where(
            audit.c.tenant_id == self._tenant_id, audit.c.about_kind == "audit", audit.c.why == PRUNED
        )
        if through is not None:
            cut = cut.where(audit.c.about_id == str(through))
        found: Mapping[str, Any] | None = connection.execute(cut.order_by(audit.c.id.desc()).limit(1)).scalar_one_or_none()
        return found

    def _unsealed(self, connection: sa.Connection, late: bool) -> sa.Select[Any]:
        """On SQLite writers come one after the other, and so do their ids: whatever has no seal is newer than the newest seal."""
        seal = audit_seals.c
        # Written so that no index fits: SQLite would take the tenant's and read the whole log with each beat, where only its newest
        # ids are wanted (measured with 100,000 rows: 165 ms, and 2 ms like this).
        rows = sa.select(*_CONTENT).where(audit.c.tenant_id.concat("") == self._tenant_id)
        newest = connection.execute(sa.select(sa.func.max(seal.audit_id)).where(seal.tenant_id == self._tenant_id)).scalar_one()
        if newest is not None and (self._sqlite or not late):
            rows = rows.where(audit.c.id > (newest if self._sqlite else newest - _LATE))
        return rows.where(~_seal_of_row())

    # the check

    @contextmanager
    def snapshot(self) -> Iterator[AuditSnapshot]:
        with reading(self._engine) as connection:
            yield _Snapshot(self, connection, self._tenant_id)


class _Snapshot:
    """One moment of the log, however long the walk through it takes. Values come raw where a tampered one could not be read."""

    def __init__(self, seals: SqlSeals, connection: sa.Connection, tenant_id: str) -> None:
        self._seals, self._connection, self._tenant_id = seals, connection, tenant_id

    def count(self) -> int:
        of_tenant = audit_seals.c.tenant_id == self._tenant_id
        return int(self._connection.execute(sa.select(sa.func.count()).select_from(audit_seals).where(of_tenant)).scalar_one())

    def checkpoint(self, through: int) -> Mapping[str, Any] | None:
        try:
            found = self._seals.checkpoint(self._connection, through)
        except ValueError:  # what stands there is no JSON any more
            return None
        return found if isinstance(found, dict) else None

    def entries(self) -> Iterator[AuditEntry]:
        seal = audit_seals.c
        of_row = sa.and_(seal.tenant_id == audit.c.tenant_id, seal.audit_id == audit.c.id)
        content = [_raw(column).label(f"audit_{column.name}") for column in _CONTENT]
        walk = (
            sa.select(seal.seq, seal.audit_id.label("of"), seal.digest, seal.key, _raw(seal.sealed_at).label("sealed_at"), *content)
            .select_from(audit_seals.outerjoin(audit, of_row))
            .where(seal.tenant_id == self._tenant_id)
            .order_by(seal.seq)
        )
        for row in self._connection.execution_options(yield_per=BATCH).execute(walk).mappings():
            there = row["audit_id"] is not None
            columns = {column.name: _read(column, row[f"audit_{column.name}"]) for column in _CONTENT} if there else None
            yield AuditEntry(row["seq"], row["of"], row["digest"], row["key"], _moment(row["sealed_at"]), columns)

    def unsealed(self, before: datetime) -> Unsealed:
        none = audit.c.tenant_id == self._tenant_id, ~_seal_of_row()
        counted = sa.select(sa.func.count(), sa.type_coerce(sa.func.min(audit.c.at), sa.types.NullType())).where(*none)
        count, oldest = self._connection.execute(counted).one()
        missed = (
            sa.select(audit.c.id, _raw(audit.c.at).label("at"), audit.c.why)
            .where(*none, audit.c.at < before)
            .order_by(audit.c.id)
            .limit(1)
        )
        first = self._connection.execute(missed).one_or_none()
        return Unsealed(count, _moment(oldest), None if first is None else (first.id, _moment(first.at), first.why))


def _seal_of_row() -> sa.Exists:
    return sa.exists().where(audit_seals.c.tenant_id == audit.c.tenant_id, audit_seals.c.audit_id == audit.c.id)


def _raw(column: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    if isinstance(column.type, sa.JSON):
        return sa.cast(column, sa.Text)
    return sa.type_coerce(column, sa.types.NullType()) if not isinstance(column.type, sa.Text) else column


def _read(column: sa.ColumnElement[Any], value: Any) -> Any:
    if not isinstance(column.type, sa.JSON):
        return _moment(value) if isinstance(column.type, sa.types.TypeDecorator) else value
    try:
        return json.loads(value)
    except (ValueError, TypeError):
        return value


def _moment(value: Any) -> Any:
    """A moment where it is one: SQLite keeps text, into which anything can be written."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return value
    if isinstance(value, datetime):
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    return value
