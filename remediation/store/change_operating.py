"""The part of a change that whoever runs the product hears of, or makes at the command line. Next door: `alarms`, `leases`."""

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from ..domain.outage import MDM
from ..errors import ErasureRefused, ExtensionRefused
from ..ports import Alarm
from .alarms import NOBODY, insert_alarm
from .leases import extendable, extended_until, standing
from .open_change import OpenChange
from .person_rows import erase, under_way
from .tables import device_links, lease_extensions, pushes, watches


class OperatingChanges(OpenChange):
    def watch_soon(self, name: str) -> None:
        self.set_one(sa.update(watches).where(self.mine(watches, name=name)).values(next_look_at=self.at), "watch_soon")

    def raise_alarm(self, alarm: Alarm) -> None:
        insert_alarm(self.connection, self.tenant_id, alarm, NOBODY)

    def extend_leases(
        self, connection: str, *, outage_at: datetime, since_read: timedelta, since_check_in: timedelta
    ) -> tuple[int, datetime]:
        """The watches stay locked until the commit, so that an MDM which answers meanwhile is not met by an extension. The row of
        `lease_extensions` goes first: of two that ask at once, its key lets one through."""
        of_connection = watches.c.name.startswith(f"{MDM}{connection}/", autoescape=True)
        failing = sa.select(watches.c.name).where(self.mine(watches), of_connection, watches.c.failing_since.is_not(None))
        if not self.connection.execute(failing.with_for_update()).all():
            self.refuse(ExtensionRefused("not_failing"))
        self._once(connection, outage_at)
        until = extended_until(self.tenant_id, since_read=since_read, since_check_in=since_check_in)
        which = extendable(self.tenant_id, connection, until, now=self.at)
        links = self.connection.execute(sa.update(pushes).where(*which).values(compliant_until=until)).rowcount
        if not links:
            self.refuse(ExtensionRefused("nothing"))
        ends = sa.select(sa.func.max(pushes.c.compliant_until)).where(*standing(self.tenant_id, connection))
        latest: datetime = self.connection.execute(ends).scalar_one()
        this = self.mine(lease_extensions, connection=connection, outage_at=outage_at)
        self.connection.execute(sa.update(lease_extensions).where(this).values(until=latest, links=links))
        return links, latest

    def erase_person(self, oid: str) -> dict[str, int]:
        """Whoever links a phone of theirs meanwhile waits for this, or this for them."""
        living = sa.select(device_links.c.id).where(under_way(self.tenant_id, oid)).with_for_update()
        if self.connection.execute(living).first() is not None:
            self.refuse(ErasureRefused("a link lives, or its end is under way"))
        return erase(self.connection, self.tenant_id, oid)

    def _once(self, connection: str, outage_at: datetime) -> None:
        row = {"connection": connection, "outage_at": outage_at, "extended_at": self.at, "until": self.at, "links": 0}
        try:
            self.connection.execute(sa.insert(lease_extensions).values(tenant_id=self.tenant_id, **row))
        except IntegrityError as error:
            self.refuse(ExtensionRefused("extended_already"), error)
