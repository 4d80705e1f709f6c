"""`SqlPrunedRows` implements `ports.PrunedRows`: old rows deleted in small transactions, so that nobody waits behind them."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

import sqlalchemy as sa

from .engine import reading, writing
from .sessions import IDLE, LASTS
from .tables import alarms, audit, cases, journeys, possession_links, sessions, shown_certificates, sign_in_states, sign_ins

BATCH = 500
_CLOCKS = timedelta(hours=1)  # by which a web host's clock may be behind ours


class SqlPrunedRows:
    def __init__(self, engine: sa.Engine, tenant_id: str) -> None:
        self._engine, self._tenant_id = engine, tenant_id

    def last_done(self, why: str) -> datetime | None:
        about = audit.c.about_kind == "tenant", audit.c.about_id == self._tenant_id
        last = sa.select(sa.func.max(audit.c.at)).where(audit.c.tenant_id == self._tenant_id, *about, audit.c.why == why)
        with reading(self._engine) as connection:
            found: datetime | None = connection.execute(last).scalar_one()
        return found

    def ended_sessions(self, now: datetime) -> int:
        now -= _CLOCKS
        session = sessions.c
        ended = sa.or_(session.signed_in_at <= now - LASTS, session.used_at <= now - IDLE)
        return self._delete(sessions, ended) + self._delete(sign_in_states, sign_in_states.c.until <= now)

    def older_than(self, before: datetime) -> Mapping[str, int]:
        return {table.name: self._delete(table, old) for table, old in self._old(before)}

    def _old(self, before: datetime) -> Iterator[tuple[sa.Table, sa.ColumnElement[bool]]]:
        """In an order that no foreign key is against: messages, certificates and sign-ins before their journeys."""
        ended = journeys.c.expires_at <= before
        for table in (possession_links, shown_certificates, sign_ins):
            theirs = sa.and_(journeys.c.tenant_id == table.c.tenant_id, journeys.c.id == table.c.journey_id)
            yield table, sa.exists().where(theirs, ended)
        yield journeys, ended
        yield cases, cases.c.opened_at <= before
        yield alarms, alarms.c.at <= before

    def _delete(self, table: sa.Table, old: sa.ColumnElement[bool]) -> int:
        keys, gone = list(table.primary_key), 0
        chosen = sa.select(*keys).where(table.c.tenant_id == self._tenant_id, old).limit(BATCH)
        while True:
            with writing(self._engine) as connection:
                found = connection.execute(chosen).all()
                if found:
                    connection.execute(sa.delete(table).where(sa.tuple_(*keys).in_([tuple(row) for row in found])))
            gone += len(found)
            if len(found) < BATCH:
                return gone
