"""What is known of a person's repairs, and what the worker still has to carry out of them: `SqlDeskRepairs` implements
`ports.DeskRepairs`, which the pages read, and `SqlRepairWork` implements `ports.RepairWork`."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa

from ..domain.device import ManagedKey, Platform
from ..domain.repairs import Marked
from ..domain.tenant_facts import QUOTA_LOOK, DeviceQuota, GoneEntry
from ..ports import Event, StartLink, StartLinkDue, ToDisable
from . import timeline
from .engine import reading, writing
from .tables import DEPLOYMENT, device_marks, directory_devices, people, set_up_looks, start_links

_CLAIMED_FOR = timedelta(minutes=5)  # longer than any way takes; who vanishes meanwhile leaves it to the next
_AT_ONCE = 20
_MARK = ("device_id", "mark", "at", "disable_wanted_at", "disabled_at", "reason")
_LINK = ("code", "platform", "way", "at", "expires_at", "told_at", "reason")


class SqlDeskRepairs:
    _engine: sa.Engine
    _tenant_id: str

    def marks(self, oid: str) -> Sequence[Marked]:
        mark = device_marks.c
        mine = sa.select(*(mark[name] for name in _MARK)).where(mark.tenant_id == self._tenant_id, mark.oid == oid)
        with reading(self._engine) as connection:
            return [Marked(*row) for row in connection.execute(mine.order_by(mark.at, mark.device_id))]

    def start_links(self, oid: str, now: datetime) -> Sequence[StartLink]:
        link = start_links.c
        mine = link.tenant_id == self._tenant_id, link.oid == oid, link.expires_at > now
        statement = sa.select(*(link[name] for name in _LINK)).where(*mine).order_by(link.at.desc(), link.id).limit(3)
        with reading(self._engine) as connection:
            return [StartLink(*row) for row in connection.execute(statement)]

    def start_link(self, code: str, now: datetime) -> Platform | None:
        link = start_links.c
        mine = link.tenant_id == self._tenant_id, link.code == code, link.expires_at > now
        with reading(self._engine) as connection:
            found: Platform | None = connection.execute(sa.select(link.platform).where(*mine)).scalar_one_or_none()
        return found

    def registered(self, oid: str) -> int:
        device = directory_devices.c
        mine = device.tenant_id == self._tenant_id, device.listed_oid == oid, device.gone_at.is_(None)
        with reading(self._engine) as connection:
            return int(connection.execute(sa.select(sa.func.count()).select_from(directory_devices).where(*mine)).scalar_one())

    def gone(self, oid: str, since: datetime) -> Sequence[GoneEntry]:
        device = directory_devices.c
        mine = device.tenant_id == self._tenant_id, device.listed_oid == oid, device.gone_at > since
        statement = sa.select(device.device_id, device.name, device.gone_at).where(*mine)
        with reading(self._engine) as connection:
            ordered = statement.order_by(device.gone_at.desc(), device.device_id)
            return [GoneEntry(*row) for row in connection.execute(ordered)]

    def device_quota(self) -> DeviceQuota | None:
        look = set_up_looks.c
        last = look.tenant_id == DEPLOYMENT, look.name == QUOTA_LOOK, look.looked_at.is_not(None)
        with reading(self._engine) as connection:
            row = connection.execute(sa.select(look.detail, look.looked_at).where(*last)).one_or_none()
        return DeviceQuota(row.detail.get("most"), row.looked_at) if row is not None else None

    def last_act(self, oid: str) -> int:
        with reading(self._engine) as connection:
            return timeline.last_act(connection, self._tenant_id, oid)

    def acts_since(self, oid: str, seen: int, *, limit: int) -> Sequence[Event]:
        with reading(self._engine) as connection:
            return timeline.acts_since(connection, self._tenant_id, oid, seen, limit=limit)


class SqlRepairWork:
    def __init__(self, engine: sa.Engine, tenant_id: str) -> None:
        self._engine, self._tenant_id = engine, tenant_id

    def start_links_due(self, now: datetime) -> Sequence[StartLinkDue]:
        link, person = start_links.c, people.c
        names = ("id", "oid", "code", "way", "connection", "record_id", "at", "expires_at", "attempts")
        columns = *(link[name] for name in names), person.mail
        same = sa.and_(person.tenant_id == link.tenant_id, person.oid == link.oid)
        due = link.tenant_id == self._tenant_id, link.next_try_at <= now
        chosen = sa.select(*columns).join(people, same).where(*due).order_by(link.at, link.id).limit(_AT_ONCE)
        with writing(self._engine) as connection:
            found = connection.execute(chosen.with_for_update(of=start_links, skip_locked=True)).all()
            for row in found:
                self._later(connection, start_links, link.id == row.id, now, row.attempts)
        return [
            StartLinkDue(
                *(row.id, row.oid, row.code, row.way, ManagedKey(row.connection, row.record_id) if row.connection else None),
                *(row.mail, row.at, row.expires_at, row.attempts),
            )
            for row in found
        ]

    def start_link_not_told(self, link_id: str, *, reason: str, next_try_at: datetime | None) -> None:
        self._set(start_links, start_links.c.id == link_id, reason=reason, next_try_at=next_try_at)

    def to_disable(self, now: datetime) -> Sequence[ToDisable]:
        mark = device_marks.c
        due = mark.tenant_id == self._tenant_id, mark.next_try_at <= now
        chosen = sa.select(mark.device_id, mark.oid, mark.disable_wanted_at, mark.attempts).where(*due).order_by(mark.device_id)
        with writing(self._engine) as connection:
            found = connection.execute(chosen.limit(_AT_ONCE).with_for_update(skip_locked=True)).all()
            for row in found:
                self._later(connection, device_marks, mark.device_id == row.device_id, now, row.attempts)
        return [ToDisable(*row) for row in found]

    def not_disabled(self, device_id: str, *, reason: str, next_try_at: datetime | None) -> None:
        self._set(device_marks, device_marks.c.device_id == device_id, reason=reason, next_try_at=next_try_at)

    def _later(
        self, connection: sa.Connection, table: sa.Table, which: sa.ColumnElement[bool], now: datetime, attempts: int
    ) -> None:
        claimed = {"next_try_at": now + _CLAIMED_FOR, "attempts": attempts + 1}
        connection.execute(sa.update(table).where(table.c.tenant_id == self._tenant_id, which).values(**claimed))

    def _set(self, table: sa.Table, which: sa.ColumnElement[bool], **values: object) -> None:
        with writing(self._engine) as connection:
            connection.execute(sa.update(table).where(table.c.tenant_id == self._tenant_id, which).values(**values))
