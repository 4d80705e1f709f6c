"""The compliance partner's rows: what Microsoft last took from us, heartbeats, and which links are to be told again.

Next door: `watching` (rows that read lists), `store`, of which this is a part.
"""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from ..domain.device import LinkState
from ..domain.partner import RESYNC, Told
from ..domain.push import Lane
from ..domain.watch import Watch
from .engine import reading, writing
from .open_change import OpenChange
from .tables import device_links, partner_told, pushes, watches
from .upsert import insert_or_update
from .watching import SqlWatching

_NAMES = tuple(Told.__dataclass_fields__)
_OF_LINK = sa.and_(pushes.c.tenant_id == device_links.c.tenant_id, pushes.c.link_id == device_links.c.id)
# News that waits to be sent tells Microsoft by itself.
_TOLD = sa.and_(pushes.c.sent_seq == pushes.c.desired_seq, pushes.c.desired_seq > 0)


class SqlPartner(SqlWatching):
    """Implements `ports.PartnerRows`."""

    def partner_told(self) -> Told | None:
        with reading(self._engine) as connection:
            mine = partner_told.c.tenant_id == self.tenant_id
            row = connection.execute(sa.select(partner_told).where(mine)).mappings().one_or_none()
        return None if row is None else Told(**{**{name: row[name] for name in _NAMES}, "groups": tuple(row["groups"])})

    def note_beat(self, watch: Watch, *, resync: datetime | None, at: datetime) -> bool:
        with writing(self._engine) as connection:
            if not self._save(connection, watch):
                return False
            if resync is not None:
                insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
                row = {"tenant_id": self.tenant_id, "name": RESYNC}
                connection.execute(insert(watches).values(row).on_conflict_do_nothing())
                anew = {"cursor": "", "began_at": at, "done_at": None, "checkpoint": resync, "next_look_at": at, "attempts": 0}
                begun = sa.update(watches).where(self._row(RESYNC)).values(wake=watches.c.wake + 1, **anew)
                connection.execute(begun)
        return True

    def links_to_tell_again(self, after: str, *, told_before: datetime, limit: int) -> Sequence[str]:
        link, push = device_links.c, pushes.c
        which = link.tenant_id == self.tenant_id, link.state == LinkState.ACTIVE, push.link_id > after
        statement = (
            sa.select(push.link_id)
            .select_from(device_links)
            .join(pushes, _OF_LINK)
            .where(*which, _TOLD, push.sent_at <= told_before)
            .order_by(push.link_id)
            .limit(limit)
        )
        with reading(self._engine) as connection:
            return list(connection.execute(statement).scalars())

    def tell_again(self, watch: Watch, link_ids: Sequence[str], *, at: datetime) -> bool:
        push = pushes.c
        mine = push.tenant_id == self.tenant_id, push.link_id.in_(link_ids)
        sweeps = sa.and_(push.confirmed_seq >= push.desired_seq, push.lane != Lane.REVOKE)
        marked = {
            "tell_again_at": at,
            "following": False,
            "wake": push.wake + 1,  # whoever has the row in hand read before this, and parks it no more
            "next_look_at": sa.case((push.next_look_at <= at, push.next_look_at), else_=sa.literal(at, push.next_look_at.type)),
            "lane": sa.case((sweeps, sa.literal(Lane.SWEEP, push.lane.type)), else_=push.lane),
        }
        with writing(self._engine) as connection:
            if not self._save(connection, watch):
                return False
            if connection.dialect.name == "postgresql":  # in one order, so that two pages cannot wait for each other
                connection.execute(sa.select(push.link_id).where(*mine).order_by(push.link_id).with_for_update())
            connection.execute(sa.update(pushes).where(*mine, _TOLD).values(**marked))
        return True

    def waiting_to_be_told_again(self, now: datetime, *, limit: int) -> int:
        push = pushes.c
        due = push.tenant_id == self.tenant_id, push.tell_again_at.is_not(None), push.next_look_at <= now
        some = sa.select(sa.literal(1)).select_from(pushes).where(*due).limit(limit).subquery()
        with reading(self._engine) as connection:
            return int(connection.execute(sa.select(sa.func.count()).select_from(some)).scalar_one())


class PartnerChanges(OpenChange):
    def partner_took(self, told: Told) -> None:
        values = {name: getattr(told, name) for name in _NAMES}
        row = {**values, "groups": list(told.groups), "policies": dict(told.policies)}
        insert_or_update(self.connection, partner_told, {"tenant_id": self.tenant_id, **row})
