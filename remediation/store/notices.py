"""`SqlNotices` implements `ports.Notices`: what owners are still to be told, each way by itself."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa

from ..domain.device import ManagedKey
from ..ports import Notice
from .engine import writing
from .tables import device_links, notices, people

_CLAIMED_FOR = timedelta(minutes=5)  # longer than any way takes; who vanishes meanwhile leaves it to the next


class SqlNotices:
    def __init__(self, engine: sa.Engine, tenant_id: str) -> None:
        self._engine, self._tenant_id = engine, tenant_id

    def claim(self, now: datetime) -> Sequence[Notice]:
        notice, link = notices.c, device_links.c
        of_link = sa.and_(link.tenant_id == notice.tenant_id, link.id == notice.link_id)
        of_person = sa.and_(people.c.tenant_id == link.tenant_id, people.c.oid == link.oid)
        chosen = (
            sa.select(notice.link_id, notice.way, link.connection, link.record_id, people.c.mail, notice.at, notice.attempts)
            .join(device_links, of_link)
            .join(people, of_person)
            .where(notice.tenant_id == self._tenant_id, notice.next_try_at <= now)
            .order_by(notice.at, notice.link_id, notice.way)
            .limit(20)
            .with_for_update(of=notices, skip_locked=True)
        )
        with writing(self._engine) as connection:
            found = [
                Notice(row.link_id, row.way, ManagedKey(row.connection, row.record_id), row.mail, row.at, row.attempts)
                for row in connection.execute(chosen)
            ]
            for one in found:
                later = {"next_try_at": now + _CLAIMED_FOR, "attempts": one.attempts + 1}
                connection.execute(sa.update(notices).where(self._row(one)).values(**later))
        return found

    def told(self, notice: Notice, *, at: datetime) -> None:
        with writing(self._engine) as connection:
            connection.execute(sa.update(notices).where(self._row(notice)).values(told_at=at, next_try_at=None, reason=None))

    def not_told(self, notice: Notice, *, reason: str, next_try_at: datetime | None) -> None:
        with writing(self._engine) as connection:
            connection.execute(sa.update(notices).where(self._row(notice)).values(reason=reason, next_try_at=next_try_at))

    def _row(self, one: Notice) -> sa.ColumnElement[bool]:
        return sa.and_(notices.c.tenant_id == self._tenant_id, notices.c.link_id == one.link_id, notices.c.way == one.way)
