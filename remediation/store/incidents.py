"""`SqlIncidents` implements `ports.Incidents`."""

from datetime import datetime

import sqlalchemy as sa

from ..domain.incident import Incident
from .engine import reading
from .tables import incidents


class SqlIncidents:
    def __init__(self, engine: sa.Engine, tenant_id: str) -> None:
        self._engine, self._tenant_id = engine, tenant_id

    def current(self, now: datetime) -> Incident | None:
        """By its end: those that are over are never read."""
        row = incidents.c
        lasting = row.tenant_id == self._tenant_id, row.until > now, row.ended_at.is_(None)
        newest = sa.select(row.id, row.texts, row.made_at, row.made_by, row.until).where(*lasting)
        with reading(self._engine) as connection:
            found = connection.execute(newest.order_by(row.made_at.desc()).limit(1)).one_or_none()
        return None if found is None else Incident(*found)
