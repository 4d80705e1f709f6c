"""`SqlLeases` implements `ports.Leases`, and what an extension's one UPDATE is made of: which rows, and until when.

Next door: `change_operating` (the extension itself, in its transaction).
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from ..domain.compliance import MdmWord, Verdict
from ..domain.device import LinkState
from ..domain.watch import NO_SUCH_SOURCE, Watch
from ..ports import Extension
from .columns import Moment
from .engine import reading
from .tables import device_links, lease_extensions, managed_devices, pushes, watches


class SqlLeases:
    def __init__(self, engine: sa.Engine, tenant_id: str) -> None:
        self._engine, self._tenant_id = engine, tenant_id

    def watches(self) -> Sequence[Watch]:
        watch = watches.c
        columns = (watch.name, watch.good_at, watch.failing_since, watch.alarmed, watch.reason)
        with reading(self._engine) as connection:
            mine = watch.tenant_id == self._tenant_id, watch.reason.is_distinct_from(NO_SUCH_SOURCE)
            found = connection.execute(sa.select(*columns).where(*mine)).all()
        return [Watch(**row._mapping) for row in found]

    def ending(self, now: datetime, hours: Sequence[int]) -> Mapping[str, tuple[int, ...]]:
        link, until = device_links.c, pushes.c.compliant_until
        within = (sa.func.sum(sa.case((until <= now + timedelta(hours=h), 1), else_=0)) for h in hours)
        same = sa.and_(link.tenant_id == pushes.c.tenant_id, link.id == pushes.c.link_id)
        statement = (
            sa.select(link.connection, sa.func.count(), *within)
            .join_from(pushes, device_links, same)
            .where(pushes.c.tenant_id == self._tenant_id, link.state == LinkState.ACTIVE)
            .where(pushes.c.desired == Verdict.COMPLIANT, until.is_not(None))
            .group_by(link.connection)
        )
        with reading(self._engine) as connection:
            return {row[0]: tuple(map(int, row[1:])) for row in connection.execute(statement)}

    def extensions(self) -> Sequence[Extension]:
        made = lease_extensions.c
        statement = sa.select(made.connection, made.extended_at, made.until, made.links).where(made.tenant_id == self._tenant_id)
        with reading(self._engine) as connection:
            found = connection.execute(statement.order_by(made.extended_at)).all()
        return list({row.connection: Extension(*row) for row in found}.values())


class _later(FunctionElement[datetime]):
    """`_later(column, seconds)`: a moment so many whole seconds after the column's."""

    type = Moment()
    inherit_cache = True


@compiles(_later, "postgresql")
def _later_postgresql(element: Any, compiler: Any, **kw: Any) -> str:
    at, seconds = element.clauses
    return f"({compiler.process(at, **kw)} + make_interval(secs => {compiler.process(seconds, **kw)}))"


@compiles(_later, "sqlite")
def _later_sqlite(element: Any, compiler: Any, **kw: Any) -> str:
    """Moments are kept there as text with microseconds, of which its own functions know three digits only: whole seconds are added
    to whole seconds, and the rest is put back as it was."""
    at, seconds = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"(strftime('%Y-%m-%d %H:%M:%S', {at}, {seconds} || ' seconds') || substr({at}, 20))"


def extended_until(tenant_id: str, *, since_read: timedelta, since_check_in: timedelta) -> sa.ColumnElement[datetime]:
    """The earlier of two clocks: our own last good read of the device, and the device's last check-in with its MDM."""
    link, device = device_links.c, managed_devices.c
    last_seen = (
        sa.select(device.last_seen)
        .join_from(device_links, managed_devices, _its_record())
        .where(link.tenant_id == tenant_id, link.id == pushes.c.link_id)
        .scalar_subquery()
    )
    read, listed = pushes.c.posture_read_at, pushes.c.mdm_listed_at  # a whole list is a good read too
    last_read = sa.case((listed > read, listed), else_=read)
    by_read = _later(last_read, _seconds(since_read))
    by_check_in = _later(last_seen, _seconds(since_check_in))
    return sa.case((by_read < by_check_in, by_read), else_=by_check_in)


def extendable(
    tenant_id: str, connection: str, until: sa.ColumnElement[datetime], *, now: datetime
) -> list[sa.ColumnElement[bool]]:
    """Rows of devices that stand as compliant and that the MDM last called well, in the enrollment that was linked."""
    link, device = device_links.c, managed_devices.c
    well = (
        sa.select(link.id)
        .join_from(device_links, managed_devices, _its_record())
        .where(device.generation == link.generation, device.word == MdmWord.COMPLIANT, device.enrolled.is_(True))
        .where(device.compromised.is_(False), device.gone_at.is_(None), device.last_seen.is_not(None))
        .where(link.tenant_id == tenant_id, link.connection == connection)
    )
    push = pushes.c
    runs = push.posture_read_at.is_not(None), push.compliant_until > now, until > push.compliant_until
    return [*standing(tenant_id, connection), push.link_id.in_(well), *runs]


def standing(tenant_id: str, connection: str) -> list[sa.ColumnElement[bool]]:
    """Rows of devices that Microsoft was told are compliant and that Entra showed so."""
    link, push = device_links.c, pushes.c
    active = sa.select(link.id).where(link.tenant_id == tenant_id, link.connection == connection, link.state == LinkState.ACTIVE)
    told = push.desired == Verdict.COMPLIANT, push.desired_seq > 0, push.confirmed_seq >= push.desired_seq, push.observed.is_(True)
    return [push.tenant_id == tenant_id, push.link_id.in_(active), *told]


def _its_record() -> sa.ColumnElement[bool]:
    link, device = device_links.c, managed_devices.c
    of_tenant = link.tenant_id == device.tenant_id
    return sa.and_(of_tenant, link.connection == device.connection, link.record_id == device.record_id)


def _seconds(time: timedelta) -> sa.ColumnElement[int]:
    return sa.literal_column(str(int(time.total_seconds())), sa.Integer)
