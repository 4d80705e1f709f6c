"""`SqlAlarms` implements `ports.AlarmRows`: what was told of each source, and what is still to be told by whom."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from ..domain.watch import Watch
from ..ports import Alarm, AlarmDue
from .engine import writing
from .leases import SqlLeases
from .tables import alarms, pushes, watches

CHANNEL = "channel/send"
NOBODY = ""  # the sink of an alarm that was raised where no way of telling is known, as in the web process
_CLAIMED_FOR = timedelta(minutes=5)  # longer than any sink takes; who vanishes meanwhile leaves it to the next
_ALARM = (alarms.c.id, alarms.c.source, alarms.c.level, alarms.c.at, alarms.c.subject, alarms.c.text)


class SqlAlarms:
    def __init__(self, engine: sa.Engine, tenant_id: str) -> None:
        self._engine, self._tenant_id = engine, tenant_id

    def watches(self) -> Sequence[Watch]:
        return SqlLeases(self._engine, self._tenant_id).watches()

    def watch_channel(self, now: datetime) -> None:
        """It fails where pushes wait for it and it took none since they began to: one device's own trouble is not the channel's."""
        push = pushes.c
        mine = push.tenant_id == self._tenant_id
        blamed = sa.or_(push.reason.startswith("channel_"), push.reason.startswith("lock_"))
        blaming = sa.and_(push.confirmed_seq < push.desired_seq, blamed)
        with writing(self._engine) as connection:
            good_at = connection.execute(sa.select(sa.func.max(push.accepted_at)).where(mine)).scalar_one()
            waits = [mine, blaming, *([push.desired_at > good_at] if good_at is not None else [])]
            oldest = sa.select(push.desired_at, push.reason).where(*waits).order_by(push.desired_at).limit(1)
            since, reason = connection.execute(oldest).one_or_none() or (None, None)
            known = connection.execute(sa.select(watches).where(self._watch(CHANNEL))).one_or_none()
            now_is = {"good_at": good_at, "failing_since": since, "reason": reason}
            if known is None and since is not None:
                connection.execute(sa.insert(watches).values(tenant_id=self._tenant_id, name=CHANNEL, **now_is))
            elif known is not None and any(known._mapping[name] != value for name, value in now_is.items()):
                connection.execute(sa.update(watches).where(self._watch(CHANNEL)).values(**now_is))

    def raise_alarm(self, leader: str, *, told: int, alarm: Alarm, sinks: Sequence[str]) -> bool:
        with writing(self._engine) as connection:
            first = sa.update(watches).where(self._watch(leader), watches.c.alarmed == told).values(alarmed=alarm.level)
            if connection.execute(first).rowcount != 1:
                return False
            for sink in sinks:
                insert_alarm(connection, self._tenant_id, alarm, sink)
        return True

    def claim(self, now: datetime, sinks: Sequence[str]) -> Sequence[AlarmDue]:
        alarm = alarms.c
        due = alarm.tenant_id == self._tenant_id, alarm.next_try_at <= now, alarm.sink.in_(sinks)
        chosen = sa.select(*_ALARM, alarm.sink, alarm.attempts).where(*due).order_by(alarm.at, alarm.id, alarm.sink).limit(20)
        with writing(self._engine) as connection:
            self._hand_out(connection, sinks)
            found = [
                AlarmDue(row.sink, Alarm(*row[: len(_ALARM)]), row.attempts)
                for row in connection.execute(chosen.with_for_update(skip_locked=True))
            ]
            for one in found:
                later = {"next_try_at": now + _CLAIMED_FOR, "attempts": one.attempts + 1}
                connection.execute(sa.update(alarms).where(self._row(one)).values(**later))
        return found

    def _hand_out(self, connection: sa.Connection, sinks: Sequence[str]) -> None:
        raised = sa.select(*_ALARM).where(
            alarms.c.tenant_id == self._tenant_id, alarms.c.sink == NOBODY, alarms.c.told_at.is_(None)
        )
        for row in connection.execute(raised.order_by(alarms.c.at).limit(20).with_for_update(skip_locked=True)).all():
            for sink in sinks:
                insert_alarm(connection, self._tenant_id, Alarm(*row), sink)
            connection.execute(sa.delete(alarms).where(self._row(AlarmDue(NOBODY, Alarm(*row), 0))))

    def told(self, due: AlarmDue, *, at: datetime) -> None:
        with writing(self._engine) as connection:
            connection.execute(sa.update(alarms).where(self._row(due)).values(told_at=at, next_try_at=None, reason=None))

    def not_told(self, due: AlarmDue, *, reason: str, next_try_at: datetime) -> None:
        with writing(self._engine) as connection:
            connection.execute(sa.update(alarms).where(self._row(due)).values(reason=reason, next_try_at=next_try_at))

    def _watch(self, name: str) -> sa.ColumnElement[bool]:
        return sa.and_(watches.c.tenant_id == self._tenant_id, watches.c.name == name)

    def _row(self, due: AlarmDue) -> sa.ColumnElement[bool]:
        return sa.and_(alarms.c.tenant_id == self._tenant_id, alarms.c.id == due.alarm.id, alarms.c.sink == due.sink)


def insert_alarm(connection: sa.Connection, tenant_id: str, alarm: Alarm, sink: str) -> None:
    """An alarm of the same id was raised before where a source came and went within a second: it is known already."""
    row = {column.name: getattr(alarm, column.name) for column in _ALARM}
    try:
        with connection.begin_nested():
            new = sa.insert(alarms).values(tenant_id=tenant_id, sink=sink, next_try_at=alarm.at, attempts=0, **row)
            connection.execute(new)
    except IntegrityError:
        return
