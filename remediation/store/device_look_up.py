"""`SqlDeviceLookUp`: one device by what is known of it, with its other side, its link and whose it is.

A device that belongs to several people by what we know, the link's owner and the lists', is seen only by whoever may see them all;
one of nobody's only by whoever sees everybody.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa

from ..domain.device import DeviceLink, LinkState, ManagedKey
from ..domain.reach import Reach
from ..domain.search import fold, squeezed
from ..ports import DeviceFound
from . import rows
from .engine import reading
from .reach import seen_by
from .tables import device_links, directory_devices, managed_devices, pushes, search_terms

MOST = 20
_SUBJECT = "managed_device/"


class SqlDeviceLookUp:
    _engine: sa.Engine
    _tenant_id: str
    reach: Reach

    def device(self, device_id: str) -> DeviceFound | None:
        """By its Azure device id."""
        with reading(self._engine) as connection:
            found = _One(connection, self._tenant_id).of_directory(device_id)
            return found if found is not None and self._may_see(connection, found) else None

    def record(self, key: ManagedKey) -> DeviceFound | None:
        """By the MDM's record."""
        with reading(self._engine) as connection:
            found = _One(connection, self._tenant_id).of_record(key)
            return found if found is not None and self._may_see(connection, found) else None

    def devices_with_serial(self, serial: str) -> Sequence[DeviceFound]:
        """Of devices that are listed as somebody's; several where MDMs, or two records of one, have it."""
        term, told = search_terms.c, squeezed(fold(serial))
        same = term.tenant_id == self._tenant_id, term.term == told, term.subject.startswith(_SUBJECT)
        with reading(self._engine) as connection:
            subjects = connection.execute(sa.select(term.subject).where(*same).order_by(term.subject).limit(MOST)).scalars().all()
            keys = (ManagedKey(*one.removeprefix(_SUBJECT).split("/", 1)) for one in subjects)
            found = [one for key in keys if (one := _One(connection, self._tenant_id).of_record(key)) is not None]
            fits = [one for one in found if one.managed is not None and squeezed(fold(one.managed.serial or "")) == told]
            return [one for one in fits if self._may_see(connection, one)]

    def _may_see(self, connection: sa.Connection, found: DeviceFound) -> bool:
        if self.reach.everybody:
            return True
        of_each = (seen_by(self.reach, self._tenant_id, sa.literal(oid)) for oid in sorted(found.whose))
        return bool(found.whose) and all(connection.execute(sa.select(seen)).scalar_one() for seen in of_each)


class _One:
    def __init__(self, connection: sa.Connection, tenant_id: str) -> None:
        self._connection, self._tenant_id = connection, tenant_id

    def of_directory(self, device_id: str) -> DeviceFound | None:
        link = self._link(device_links.c.device_id == device_id)
        directory = self._row(directory_devices, device_id=device_id)
        if directory is None:
            return None
        return self._found(directory, None if link is None else self._record(link.managed), link)

    def of_record(self, key: ManagedKey) -> DeviceFound | None:
        of = device_links.c
        link = self._link(of.connection == key.connection, of.record_id == key.record_id)
        managed = self._record(key)
        if managed is None:
            return None
        return self._found(None if link is None else self._row(directory_devices, device_id=link.device_id), managed, link)

    def _found(self, directory: sa.RowMapping | None, managed: sa.RowMapping | None, link: DeviceLink | None) -> DeviceFound:
        push = self._row(pushes, link_id=link.id) if link is not None else None
        named = (
            link.oid if link is not None else None,
            *((directory["listed_oid"], directory["owner_oid"]) if directory is not None else ()),
            managed["listed_oid"] if managed is not None else None,
        )
        return DeviceFound(
            rows.directory_device(directory) if directory is not None else None,
            rows.managed_device(managed) if managed is not None else None,
            link,
            rows.push(push) if push is not None else None,
            whose=frozenset(_known(named)),
        )

    def _link(self, *which: sa.ColumnElement[bool]) -> DeviceLink | None:
        """The living one, else the one that ended last."""
        link = device_links.c
        ended = sa.case((link.state == LinkState.ENDED, 1), else_=0)
        newest = sa.select(device_links).where(link.tenant_id == self._tenant_id, *which).order_by(ended, link.made_at.desc())
        row = self._connection.execute(newest.limit(1)).mappings().one_or_none()
        return None if row is None else rows.device_link(row)

    def _record(self, key: ManagedKey) -> sa.RowMapping | None:
        return self._row(managed_devices, connection=key.connection, record_id=key.record_id)

    def _row(self, table: sa.Table, **keys: Any) -> sa.RowMapping | None:
        this = table.c.tenant_id == self._tenant_id, *(table.c[name] == value for name, value in keys.items())
        return self._connection.execute(sa.select(table).where(*this)).mappings().one_or_none()


def _known(oids: Iterable[str | None]) -> Iterable[str]:
    return (oid for oid in oids if oid is not None)
