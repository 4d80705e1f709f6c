"""Start messages in waves: what is claimed is never claimed again, by whichever process, so that nobody is told twice.

Next door: `impact` (the counts that the people are taken from), `change_impact` (what an administrator asks for).
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa

from ..domain.device import LinkState, ManagedKey
from ..domain.impact import Reason
from ..ports.impact import StartMessage, Wave
from .engine import reading, writing
from .tables import device_links, start_messages, start_waves

SENDING, DONE = "sending", "done"
WAITING, NOT_NEEDED = "waiting", "not_needed"
SKIPPED_AT_ONCE = 200  # of whom nobody needs to be told; the next beat goes on


class SqlWaves:
    """Implements `ports.WaveRows`."""

    tenant_id: str
    _engine: sa.Engine

    def waves(self, *, limit: int = 20) -> Sequence[Wave]:
        wave, message = start_waves.c, start_messages.c
        newest = sa.select(start_waves).where(wave.tenant_id == self.tenant_id).order_by(wave.asked_at.desc(), wave.id).limit(limit)
        with reading(self._engine) as connection:
            rows = connection.execute(newest).mappings().all()
            of_them = message.tenant_id == self.tenant_id, message.wave_id.in_([row["id"] for row in rows])
            told: dict[str, dict[str, int]] = defaultdict(dict)
            each = sa.select(message.wave_id, message.state, sa.func.count()).where(*of_them)
            for wave_id, state, number in connection.execute(each.group_by(message.wave_id, message.state)):
                told[wave_id][state] = number
        return [_wave(row, told[row["id"]]) for row in rows]

    def claim_start_message(self, now: datetime) -> StartMessage | None:
        """The wave's row is held while one of its people is taken, so that no more than its size go at once."""
        wave = start_waves.c
        due = wave.tenant_id == self.tenant_id, wave.state == SENDING, wave.next_at <= now
        with reading(self._engine) as connection:  # a look every few seconds must not take the one writer's place
            if connection.execute(sa.select(wave.id).where(*due).limit(1)).first() is None:
                return None
        with writing(self._engine) as connection:
            chosen = sa.select(start_waves).where(*due).order_by(wave.next_at).limit(1).with_for_update(skip_locked=True)
            found = connection.execute(chosen).mappings().one_or_none()
            return None if found is None else self._claim(connection, found, now)

    def _claim(self, connection: sa.Connection, wave: sa.RowMapping, now: datetime) -> StartMessage | None:
        row = self._next(connection, wave["id"], now)
        if row is None:
            return None
        full = wave["in_wave"] + 1 >= wave["size"]
        pause = timedelta(seconds=wave["pause_seconds"])
        after = {"in_wave": 0, "number": wave["number"] + 1, "next_at": now + pause} if full else {"in_wave": wave["in_wave"] + 1}
        connection.execute(sa.update(start_waves).where(self._wave(wave["id"])).values(**after, why=None))
        taken = {"state": SENDING, "number": wave["number"], "at": now, "reason": None}
        connection.execute(sa.update(start_messages).where(self._message(wave["id"], row["oid"])).values(**taken))
        key = ManagedKey(row["connection"], row["record_id"]) if row["record_id"] is not None else None
        return StartMessage(wave["id"], row["oid"], wave["way"], key, row["mail"], wave["number"], now)

    def _next(self, connection: sa.Connection, wave_id: str, now: datetime) -> sa.RowMapping | None:
        """Whoever's device was linked since the count is not told to begin. With nobody left the wave is done."""
        message, link = start_messages.c, device_links.c
        same = link.tenant_id == message.tenant_id, link.connection == message.connection, link.record_id == message.record_id
        linked = sa.exists().where(*same, link.state == LinkState.ACTIVE, start_waves.c.reason != Reason.COMPLIANCE)
        of_wave = start_waves.c.tenant_id == message.tenant_id, start_waves.c.id == message.wave_id
        waiting = message.tenant_id == self.tenant_id, message.wave_id == wave_id, message.state == WAITING
        statement = sa.select(*message, linked.label("linked")).join(start_waves, sa.and_(*of_wave)).where(*waiting)
        for _ in range(SKIPPED_AT_ONCE):
            row = connection.execute(statement.order_by(message.oid).limit(1)).mappings().one_or_none()
            if row is None:
                done = {"state": DONE, "slot": None, "next_at": None, "ended_at": now}
                connection.execute(sa.update(start_waves).where(self._wave(wave_id)).values(**done))
                return None
            if not row["linked"]:
                return row
            passed = {"state": NOT_NEEDED, "at": now}
            connection.execute(sa.update(start_messages).where(self._message(wave_id, row["oid"])).values(**passed))
        return None

    def put_back(self, message: StartMessage, *, until: datetime, reason: str) -> None:
        wave = start_waves.c
        with writing(self._engine) as connection:
            mine = self._message(message.wave_id, message.oid), start_messages.c.state == SENDING
            waits = {"state": WAITING, "number": None, "at": None}
            if connection.execute(sa.update(start_messages).where(*mine).values(**waits)).rowcount != 1:
                return
            one_less = sa.case((sa.and_(wave.number == message.number, wave.in_wave > 0), wave.in_wave - 1), else_=wave.in_wave)
            going = self._wave(message.wave_id), wave.state == SENDING
            later = sa.case((wave.next_at > until, wave.next_at), else_=sa.literal(until, wave.next_at.type))
            connection.execute(sa.update(start_waves).where(*going).values(in_wave=one_less, next_at=later, why=reason))

    def _wave(self, wave_id: str) -> sa.ColumnElement[bool]:
        return sa.and_(start_waves.c.tenant_id == self.tenant_id, start_waves.c.id == wave_id)

    def _message(self, wave_id: str, oid: str) -> sa.ColumnElement[bool]:
        message = start_messages.c
        return sa.and_(message.tenant_id == self.tenant_id, message.wave_id == wave_id, message.oid == oid)


def _wave(row: sa.RowMapping, told: Mapping[str, int]) -> Wave:
    named = ("id", "count_id", "reason", "platform", "way", "size", "people", "asked_by", "asked_at", "state", "number", "next_at")
    ended = ("ended_at", "ended_by", "why")
    return Wave(**{name: row[name] for name in (*named, *ended)}, pause=timedelta(seconds=row["pause_seconds"]), told=told)
