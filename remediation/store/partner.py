"""The compliance partner's rows: what Microsoft last took from us, heartbeats, and which links are to be told again.

Next door: `watching` (rows that read lists), `store`, of which this is a part.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from ..domain.compliance import Verdict
from ..domain.device import LinkState, Platform
from ..domain.partner import RESYNC, KnownSlot, Told
from ..domain.push import Lane
from ..domain.watch import Watch
from .engine import reading, writing
from .lanes import once_marked
from .open_change import OpenChange
from .tables import device_links, partner_slots, partner_told, pushes, watches
from .upsert import insert_or_update
from .watching import SqlWatching

_TOLD_ROW = sa.select(partner_told).where(partner_told.c.tenant_id == sa.bindparam("tenant_id"))
_NAMES = tuple(Told.__dataclass_fields__)
_OF_LINK = sa.and_(pushes.c.tenant_id == device_links.c.tenant_id, pushes.c.link_id == device_links.c.id)
# News that waits to be sent tells Microsoft by itself.
_TOLD = sa.and_(pushes.c.sent_seq == pushes.c.desired_seq, pushes.c.desired_seq > 0)


class SqlPartner(SqlWatching):
    """Implements `ports.PartnerRows`."""

    def partner_told(self) -> Told | None:
        with reading(self._engine) as connection:
            row = connection.execute(_TOLD_ROW, {"tenant_id": self.tenant_id}).mappings().one_or_none()
        return None if row is None else Told(**{**{name: row[name] for name in _NAMES}, "groups": tuple(row["groups"])})

    def note_beat(self, watch: Watch, *, resync: datetime | None, at: datetime, slots: Sequence[KnownSlot] | None = None) -> bool:
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
            if slots is not None:
                connection.execute(sa.delete(partner_slots).where(partner_slots.c.tenant_id == self.tenant_id))
                rows = [{"tenant_id": self.tenant_id, **asdict(slot)} for slot in slots]
                if rows:
                    connection.execute(sa.insert(partner_slots), rows)
        return True

    def standing_by_platform(self) -> Mapping[Platform, int]:
        """Also of links that ended: nobody can take those down either, once we are no partner."""
        link, push = device_links.c, pushes.c
        stands = sa.and_(link.state == LinkState.ACTIVE, push.desired == Verdict.COMPLIANT)
        on_its_way = sa.and_(push.desired.is_not(None), push.confirmed_seq < push.desired_seq)
        statement = (
            sa.select(link.platform, sa.func.count())
            .select_from(device_links)
            .join(pushes, _OF_LINK)
            .where(link.tenant_id == self.tenant_id, sa.or_(stands, on_its_way))
            .group_by(link.platform)
        )
        with reading(self._engine) as connection:
            return {row[0]: int(row[1]) for row in connection.execute(statement)}

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
        marked = {
            "tell_again_at": at,
            "following": False,
            "wake": push.wake + 1,  # whoever has the row in hand read before this, and parks it no more
            "next_look_at": sa.case((push.next_look_at <= at, push.next_look_at), else_=sa.literal(at, push.next_look_at.type)),
            "lane": once_marked(Lane.SWEEP),
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

    def partner_leaves(self, leaving_at: datetime | None) -> None:
        this = sa.update(partner_told).where(self.mine(partner_told))
        self.set_one(this.values(leaving_at=leaving_at), "partner_leaves")

    def look_at_partner_links(self, platforms: Collection[Platform]) -> int:
        link, push = device_links.c, pushes.c
        which = self.mine(device_links, state=LinkState.ACTIVE), link.platform.in_(platforms)
        ours = sa.select(push.link_id).select_from(device_links).join(pushes, _OF_LINK).where(*which)
        if self.connection.dialect.name == "postgresql":
            ours = ours.with_for_update(of=pushes)
        revoke = sa.literal(Lane.REVOKE, push.lane.type)
        lane = sa.case((push.desired == Verdict.COMPLIANT, revoke), else_=push.lane)
        marked = {"next_look_at": self.at, "wake": push.wake + 1, "following": False, "lane": lane}
        return self.connection.execute(sa.update(pushes).where(self.mine(pushes), push.link_id.in_(ours)).values(**marked)).rowcount
