"""`ports.Hints`: find the row that an MDM's event is about, and mark it. Part of `store`; next door: `watching`, which marks what
whole lists call for.
"""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime

import sqlalchemy as sa

from ..domain.device import LinkState
from ..domain.hints import Hint, Mark
from ..domain.identifiers import serial_spellings, udid_spellings
from ..domain.push import Lane, Push
from . import rows
from .engine import reading, writing
from .lanes import once_marked
from .remotes import EventTally
from .tables import device_links, journeys, managed_devices, people, pushes

MOST = 8
"""Links that one event may name. A serial may stand on the leftovers of earlier enrollments; on many records it names nothing."""


def _names(hint: Hint, record_id: sa.Column[str]) -> Iterator[tuple[sa.Column[str], list[str]]]:
    """Each column by which an event may find a record, with how the name that it told may be written there."""
    ways: list[tuple[sa.Column[str], Collection[str]]] = [
        (record_id, {hint.record_id} if hint.record_id else ()),
        (managed_devices.c.udid, udid_spellings(hint.udid)),
        (managed_devices.c.serial, serial_spellings(hint.serial)),
    ]
    yield from ((column, sorted(spellings)) for column, spellings in ways if spellings)


class SqlHints:
    tenant_id: str
    _engine: sa.Engine
    _tally: EventTally

    def note_event(self, connection: str, *, forged: bool, at: datetime) -> None:
        self._tally.note(self._engine, self.tenant_id, connection, forged=forged, now=at)

    def hinted(self, connection: str, hint: Hint) -> Sequence[Push]:
        """In no order: for one, SQLite would read every link."""
        link, push, record = device_links.c, pushes.c, managed_devices.c
        pushed = sa.and_(push.tenant_id == link.tenant_id, push.link_id == link.id)
        of_record = sa.and_(
            record.tenant_id == link.tenant_id, record.connection == link.connection, record.record_id == link.record_id
        )
        active = link.tenant_id == self.tenant_id, link.connection == connection, link.state == LinkState.ACTIVE
        ours = sa.select(pushes).select_from(device_links).join(pushes, pushed).where(*active).limit(MOST)
        with reading(self._engine) as open_connection:
            for column, spellings in _names(hint, link.record_id):
                which = ours if column is link.record_id else ours.join(managed_devices, of_record)
                found = open_connection.execute(which.where(column.in_(spellings))).mappings().all()
                if found:
                    return [rows.push(row) for row in found]
        return []

    def waiting(self, connection: str, hint: Hint, *, now: datetime) -> Sequence[tuple[str, datetime]]:
        """From those who wait, who are few, to whom it names; a name may be written in big letters or small."""
        journey, person, record = journeys.c, people.c, managed_devices.c
        same = sa.and_(person.tenant_id == journey.tenant_id, person.oid == journey.oid)
        users = sorted({name.lower() for name in hint.users})
        theirs = [sa.func.lower(column).in_(users) for column in (person.mail, person.user_name)]
        owned = [
            sa.select(record.listed_oid)
            .where(record.tenant_id == self.tenant_id, record.connection == connection, column.in_(spellings))
            .where(record.listed_oid.is_not(None))
            for column, spellings in _names(hint, record.record_id)
        ]
        if owned:
            theirs.append(person.oid.in_(sa.union(*owned)))  # not one with OR, for which SQLite reads all records
        mine = journey.tenant_id == self.tenant_id, journey.next_look_at > now, journey.expires_at > now
        statement = sa.select(journey.id, journey.next_look_at).join_from(journeys, people, same).where(*mine, sa.or_(*theirs))
        with reading(self._engine) as open_connection:
            return [(row[0], row[1]) for row in open_connection.execute(statement.limit(MOST))]

    def wake_waiting(self, journey_id: str, *, due: datetime) -> bool:
        """As if the person had asked: a record may be listed some seconds after the event, so the looks begin anew at short
        pauses. The wake count rises, as for a link: a look under way may have read the MDM before."""
        journey = journeys.c
        this = journey.tenant_id == self.tenant_id, journey.id == journey_id, journey.next_look_at > due
        values = {"next_look_at": due, "wake": journey.wake + 1, "wanted_at": due, "attempts": 0}
        with writing(self._engine) as connection:
            return connection.execute(sa.update(journeys).where(*this).values(**values)).rowcount == 1

    def note_hint(self, mark: Mark) -> bool:
        """As `watching` marks: whoever has the row in hand read before this, so its wake count rises; the pulse wakes it as there
        is room."""
        push = pushes.c
        later = sa.or_(push.next_look_at.is_(None), push.next_look_at > mark.due, push.following)
        if mark.lane is Lane.REVOKE:
            later = sa.or_(later, push.lane != Lane.REVOKE)
        link = device_links.c
        active = sa.exists().where(link.tenant_id == self.tenant_id, link.id == mark.link_id, link.state == LinkState.ACTIVE)
        values = {"next_look_at": mark.due, "wake": push.wake + 1, "lane": once_marked(mark.lane), "following": False}
        this = push.tenant_id == self.tenant_id, push.link_id == mark.link_id, later, active
        with writing(self._engine) as connection:
            return connection.execute(sa.update(pushes).where(*this).values(**values)).rowcount == 1
