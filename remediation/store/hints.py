"""`ports.Hints`: find the row that an MDM's event is about, and mark it. Part of `store`; next door: `watching`, which marks what
whole lists call for.
"""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from ..domain.device import LinkState
from ..domain.hints import Hint, Mark
from ..domain.identifiers import serial_spellings, udid_spellings
from ..domain.push import Lane, Push
from . import rows
from .engine import reading, writing
from .tables import device_links, managed_devices, pushes

MOST = 8
"""Links that one event may name. A serial may stand on the leftovers of earlier enrollments; on many records it names nothing."""


class SqlHints:
    tenant_id: str
    _engine: sa.Engine

    def hinted(self, connection: str, hint: Hint) -> Sequence[Push]:
        link, push, record = device_links.c, pushes.c, managed_devices.c
        pushed = sa.and_(push.tenant_id == link.tenant_id, push.link_id == link.id)
        of_record = sa.and_(
            record.tenant_id == link.tenant_id, record.connection == link.connection, record.record_id == link.record_id
        )
        active = link.tenant_id == self.tenant_id, link.connection == connection, link.state == LinkState.ACTIVE
        ours = sa.select(pushes).select_from(device_links).join(pushes, pushed).where(*active).order_by(link.id).limit(MOST)
        ways = [
            (link.record_id, {hint.record_id} if hint.record_id else frozenset()),
            (record.udid, udid_spellings(hint.udid)),
            (record.serial, serial_spellings(hint.serial)),
        ]
        with reading(self._engine) as open_connection:
            for column, spellings in ways:
                if not spellings:
                    continue
                which = ours if column is link.record_id else ours.join(managed_devices, of_record)
                found = open_connection.execute(which.where(column.in_(sorted(spellings)))).mappings().all()
                if found:
                    return [rows.push(row) for row in found]
        return []

    def note_hint(self, mark: Mark) -> bool:
        """As `watching` marks: whoever has the row in hand read before this, so its wake count rises; the pulse wakes it as there
        is room. A row that is not at rest keeps its lane, unless it is to go with the revocations."""
        push = pushes.c
        later = sa.or_(push.next_look_at.is_(None), push.next_look_at > mark.due, push.following)
        wanted: Any = sa.literal(mark.lane, push.lane.type)
        if mark.lane is Lane.REVOKE:
            later = sa.or_(later, push.lane != Lane.REVOKE)
        else:
            wanted = sa.case((push.confirmed_seq >= push.desired_seq, wanted), else_=push.lane)
        link = device_links.c
        active = sa.exists().where(link.tenant_id == self.tenant_id, link.id == mark.link_id, link.state == LinkState.ACTIVE)
        values = {"next_look_at": mark.due, "wake": push.wake + 1, "lane": wanted, "following": False}
        this = push.tenant_id == self.tenant_id, push.link_id == mark.link_id, later, active
        with writing(self._engine) as connection:
            return connection.execute(sa.update(pushes).where(*this).values(**values)).rowcount == 1
