"""How many links rest on each MDM connection. Counting them goes through all links, which at a million takes seconds: so a worker
does it now and then, and pages read what it wrote. Next door: `remotes`, which reads it for them.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

import sqlalchemy as sa

from ..domain.compliance import Verdict
from ..domain.device import LinkState
from .engine import reading, writing
from .tables import dependents, device_links, pushes

EVERY = timedelta(minutes=1)
SPARED = 50
"""A count that takes long is made more rarely: for a fiftieth of the time at most."""
_DAY = timedelta(hours=24)


class SqlDependents:
    def __init__(self, engine: sa.Engine, tenant_id: str) -> None:
        self._engine, self._tenant_id = engine, tenant_id
        self._took = timedelta()

    def count(self, clock: Callable[[], datetime]) -> bool:
        """False where what a worker wrote is new enough."""
        begun = clock()
        rest = max(EVERY, SPARED * self._took)
        last = sa.select(sa.func.max(dependents.c.counted_at)).where(dependents.c.tenant_id == self._tenant_id)
        with reading(self._engine) as connection:
            counted_at = connection.execute(last).scalar_one()
            if counted_at is not None and timedelta() <= begun - counted_at < rest:
                return False
            found = connection.execute(counted(self._tenant_id, begun)).mappings().all()
        rows = [{"tenant_id": self._tenant_id, "counted_at": begun, **row} for row in found]
        with writing(self._engine) as connection:
            connection.execute(sa.delete(dependents).where(dependents.c.tenant_id == self._tenant_id))
            if rows:
                connection.execute(sa.insert(dependents), rows)
        self._took = clock() - begun
        return True


def counted(tenant_id: str, now: datetime) -> sa.Select[tuple[str, int, int, datetime | None, int]]:
    link, push = device_links.c, pushes.c
    same = sa.and_(link.tenant_id == push.tenant_id, link.id == push.link_id)
    stands = sa.and_(push.desired == Verdict.COMPLIANT, push.compliant_until.is_not(None))
    until = sa.case((stands, push.compliant_until))
    soon = sa.case((sa.and_(stands, push.compliant_until <= now + _DAY), 1), else_=0)
    counts = (
        *(sa.func.count().label("links"), sa.func.count(until).label("standing")),
        *(sa.func.min(until).label("first_end"), sa.cast(sa.func.sum(soon), sa.Integer).label("ending")),
    )
    mine = link.tenant_id == tenant_id, link.state == LinkState.ACTIVE
    return sa.select(link.connection, *counts).join_from(device_links, pushes, same).where(*mine).group_by(link.connection)
