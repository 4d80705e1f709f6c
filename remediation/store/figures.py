"""`SqlFigures` implements `ports.FigureRows`: a handful of counts, each one statement."""

from datetime import datetime

import sqlalchemy as sa

from ..domain.compliance import Verdict
from ..domain.device import LinkState
from ..domain.health import judge
from ..ports import Figures
from .engine import reading
from .leases import SqlLeases
from .remotes import SqlConnections
from .stuck import SqlStuckRows
from .tables import device_links, pushes

_SOON = 24  # hours


class SqlFigures:
    def __init__(self, engine: sa.Engine, tenant_id: str) -> None:
        self._engine, self._tenant_id = engine, tenant_id

    def read(self, now: datetime) -> Figures:
        link, push = device_links.c, pushes.c
        mine = push.tenant_id == self._tenant_id
        same = sa.and_(link.tenant_id == push.tenant_id, link.id == push.link_id)
        word = sa.func.coalesce(sa.type_coerce(push.desired, sa.String), Verdict.UNKNOWN.value)
        verdicts = (
            sa.select(word, sa.func.count()).join_from(pushes, device_links, same).where(mine, link.state == LinkState.ACTIVE)
        )
        by = sa.select(push.confirmed_by, sa.func.count()).join_from(pushes, device_links, same)
        by = by.where(mine, link.state == LinkState.ACTIVE, push.confirmed_seq >= push.desired_seq, push.confirmed_by.is_not(None))
        open_down = mine, push.confirmed_seq < push.desired_seq, push.desired != Verdict.COMPLIANT
        with reading(self._engine) as connection:
            links = {row[0]: row[1] for row in connection.execute(verdicts.group_by(word))}
            confirmed = {row[0]: row[1] for row in connection.execute(by.group_by(push.confirmed_by))}
            not_applied = connection.execute(sa.select(sa.func.sum(push.not_applied)).where(mine)).scalar_one()
            oldest = connection.execute(sa.select(sa.func.min(push.desired_at)).where(*open_down)).scalar_one()
        leases = SqlLeases(self._engine, self._tenant_id)
        how = judge(SqlConnections(self._engine, self._tenant_id).connections(now), now)
        return Figures(
            links={verdict.value: links.get(verdict.value, 0) for verdict in Verdict},
            stuck=SqlStuckRows(self._engine, self._tenant_id).count(now),
            oldest_revocation=(now - oldest).total_seconds() if oldest is not None else 0.0,
            leases_ending={name: counts[1] for name, counts in leases.ending(now, [_SOON]).items()},
            confirmed=confirmed,
            not_applied=not_applied or 0,
            since_good={w.name: (now - w.good_at).total_seconds() for w in leases.watches() if w.good_at is not None},
            well={one.connection.name: one.well for one in how},
            since_good_call={one.connection.name: (now - at).total_seconds() for one in how if (at := one.connection.good_at)},
        )
