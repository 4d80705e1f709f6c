"""The part of a change by which a lead tells everybody something, or no more (`ports.IncidentChanges`)."""

from collections.abc import Mapping
from datetime import datetime

import sqlalchemy as sa

from ..errors import Stale
from .open_change import OpenChange
from .tables import incidents


class IncidentChanges(OpenChange):
    def publish_incident(self, incident_id: str, texts: Mapping[str, str], *, until: datetime, by: str) -> None:
        self._end_incidents()
        row = {"id": incident_id, "texts": dict(texts), "made_at": self.at, "made_by": by, "until": until}
        self.connection.execute(sa.insert(incidents).values(tenant_id=self.tenant_id, **row))

    def end_incident(self) -> None:
        if not self._end_incidents():
            self.refuse(Stale("end_incident: there is none"))

    def _end_incidents(self) -> int:
        lasting = self.mine(incidents), incidents.c.until > self.at, incidents.c.ended_at.is_(None)
        return self.connection.execute(sa.update(incidents).where(*lasting).values(ended_at=self.at)).rowcount
