"""The part of a change by which a member of staff takes a row of the work list, or gives it back (`ports.WorkChanges`)."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from ..errors import Conflict, Stale
from .open_change import OpenChange
from .tables import work_claims


class WorkChanges(OpenChange):
    def take_work(self, row_id: str, *, oid: str, name: str, until: datetime) -> None:
        """Over, or their own already: overwritten. Else the key lets one of two in that come at once."""
        claim = work_claims.c
        mine, values = self.mine(work_claims, row_id=row_id), {"oid": oid, "name": name, "until": until}
        free = sa.or_(claim.until <= self.at, claim.oid == oid)
        if self.connection.execute(sa.update(work_claims).where(mine, free).values(**values)).rowcount:
            return
        try:
            self.connection.execute(sa.insert(work_claims).values(tenant_id=self.tenant_id, row_id=row_id, **values))
        except IntegrityError as error:
            self.refuse(Conflict("somebody else has taken it"), error)

    def release_work(self, row_id: str, *, oid: str) -> None:
        if not self.connection.execute(sa.delete(work_claims).where(self.mine(work_claims, row_id=row_id, oid=oid))).rowcount:
            self.refuse(Stale("release_work: it is not theirs"))
