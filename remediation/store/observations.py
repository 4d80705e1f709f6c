"""What the worker saw at the remotes: the rows as last read, and one observation row wherever something that matters differs.

Newest wins: an older read never overwrites a newer one. These are facts, not decisions, so they leave no audit rows.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from ..domain.device import DirectoryDevice, ManagedDevice, Person
from ..domain.standing import Standing
from . import terms
from .columns import storable
from .tables import directory_devices, managed_devices, observations, people
from .upsert import upsert

_TELLING = {
    people: ("name", "user_name", "mail", "account_enabled", "guest", "licensed", "in_scope"),
    directory_devices: ("object_id", "name", "platform", "enabled", "owner_oid", "listed_oid", "compliant", "mark"),
    managed_devices: (
        *("generation", "name", "platform", "owner_user_name", "listed_oid"),
        *("word", "enrolled", "compromised", "failing"),
    ),
}
"""The columns whose change is worth a row; versions and times of reading are not."""

_KNOWN = {
    table: sa.select(table).where(*(key == sa.bindparam(key.name) for key in table.primary_key)).with_for_update()
    for table in _TELLING
}
_NOTE = sa.insert(observations)
_LISTED = ("object_id", "name", "enabled", "owner_oid", "compliant", "managed", "mark", "read_at")
_MAY_BE_NULL = ("owner_oid", "compliant", "managed", "mark")
_NOT_TOLD = {"owner_oid": (None,)}  # by a list that was not asked for owners


@dataclass(frozen=True)
class Observer:
    """One look written down, in one transaction."""

    connection: sa.Connection
    tenant_id: str
    at: datetime

    def person(self, person: Person, standing: Standing) -> None:
        told = asdict(standing)
        told["standing_read_at"] = told.pop("read_at")
        self._see(people, {**asdict(person), **told, "read_at": self.at})

    def directory(self, oid: str, devices: Sequence[DirectoryDevice]) -> None:
        """In a list the owner may not have been asked for: then the one we know stays."""
        for device in sorted(devices, key=lambda d: d.device_id):  # one order for all, or two workers deadlock
            self._see(directory_devices, {**_directory_row(device), "listed_oid": oid, "gone_at": None}, kept=("owner_oid",))
        listed = directory_devices.c.device_id.in_([d.device_id for d in devices])
        self._mark_gone(directory_devices, directory_devices.c.listed_oid == oid, ~listed)

    def directory_device(self, device: DirectoryDevice, *, owner_asked: bool) -> None:
        self._see(directory_devices, _directory_row(device), kept=() if owner_asked else ("owner_oid",))

    def directory_page(self, changed: Sequence[tuple[DirectoryDevice, DirectoryDevice]]) -> None:
        """Rows of the tenant's list, each after the device as it was known: two statements for all of them. One that somebody has
        read meanwhile stays as they read it."""
        if not changed:
            return
        table, names = directory_devices, ("device_id", *_LISTED)
        columns = [sa.column(name, table.c[name].type) for name in names]
        values = [(*(getattr(new, name) for name in names), old.read_at) for old, new in changed]
        page = sa.values(*columns, sa.column("known_at", table.c.read_at.type), name="page").data(values).cte("listed").c
        as_known = table.c.tenant_id == self.tenant_id, table.c.device_id == page.device_id, table.c.read_at == page.known_at
        # what is NULL in every row has no type of its own for PostgreSQL
        new_values: dict[str, Any] = {c: sa.cast(page[c], table.c[c].type) if c in _MAY_BE_NULL else page[c] for c in _LISTED}
        new_values["owner_oid"] = sa.func.coalesce(new_values["owner_oid"], table.c.owner_oid)
        seen = sa.update(table).where(*as_known).values(**new_values).returning(table.c.device_id)
        taken = set(self.connection.execute(seen).scalars())
        self._renamed({old.device_id: old.name for old, new in changed if new.device_id in taken and new.name != old.name})
        notes = [
            self._noted(table, new.device_id, column, getattr(old, column), getattr(new, column))
            for old, new in changed
            if new.device_id in taken
            for column in _TELLING[table]
            if column in _LISTED and getattr(new, column) not in (getattr(old, column), *_NOT_TOLD.get(column, ()))
        ]
        if notes:
            self.connection.execute(sa.insert(observations), notes)

    def managed(self, connection: str, oid: str, devices: Sequence[ManagedDevice]) -> None:
        for device in sorted(devices, key=lambda d: d.key):
            self._see(managed_devices, {**_managed_row(device), "listed_oid": oid, "gone_at": None})
        of_theirs = managed_devices.c.connection == connection, managed_devices.c.listed_oid == oid
        listed = managed_devices.c.record_id.in_([d.key.record_id for d in devices])
        self._mark_gone(managed_devices, *of_theirs, ~listed)

    def managed_device(self, device: ManagedDevice) -> None:
        self._see(managed_devices, _managed_row(device))

    def missing(self, table: sa.Table, **keys: str) -> datetime:
        """Since when a direct read finds nothing: the first time after the last good read."""
        subject, note = "/".join(keys.values()), observations.c
        same = sa.and_(table.c.tenant_id == self.tenant_id, *(table.c[k] == v for k, v in keys.items()))
        last_read = sa.select(table.c.read_at).where(same).scalar_subquery()
        of_this = note.tenant_id == self.tenant_id, note.subject_kind == terms.SUBJECT[table], note.subject_id == subject
        since = self.connection.execute(
            sa.select(sa.func.min(note.at)).where(*of_this, note.what == "missing", note.at > last_read)
        ).scalar_one()
        if since is None:
            self._note(table, subject, "missing", None, self.at.isoformat())
        return since or self.at

    def _see(self, table: sa.Table, seen: Mapping[str, Any], *, kept: tuple[str, ...] = ()) -> None:
        keys = {c.name: seen[c.name] for c in table.primary_key if c.name != "tenant_id"}
        known = self.connection.execute(_KNOWN[table], {"tenant_id": self.tenant_id, **keys}).mappings().one_or_none()
        if known is not None and known["read_at"] > seen["read_at"]:
            return
        upsert(self.connection, table, {"tenant_id": self.tenant_id, **seen}, kept=kept)
        terms.keep(self.connection, table, known, _now(known, seen, kept) | {"tenant_id": self.tenant_id})
        subject = "/".join(keys.values())
        if known is None:
            self._note(table, subject, "new", None, seen["name"])
            return
        if known.get("gone_at") is not None and "gone_at" in seen:
            self._note(table, subject, "back", known["gone_at"].isoformat(), None)
        for column in _TELLING[table]:
            old, new = known[column], seen.get(column, known[column])
            new = storable(new) if type(new) is str else new
            if old != new and not (new is None and column in kept):
                self._note(table, subject, column, old, new)

    def _renamed(self, before: Mapping[str, str]) -> None:
        if before:
            table = directory_devices
            renamed = sa.select(table).where(table.c.tenant_id == self.tenant_id, table.c.device_id.in_(before))
            for row in self.connection.execute(renamed).mappings().all():
                terms.keep(self.connection, table, {**row, "name": before[row["device_id"]]}, row)

    def _mark_gone(self, table: sa.Table, *which: sa.ColumnElement[bool]) -> None:
        keys = [c for c in table.primary_key if c.name != "tenant_id"]
        older = table.c.read_at <= self.at, table.c.gone_at.is_(None)
        gone = self.connection.execute(
            sa.update(table).where(table.c.tenant_id == self.tenant_id, *which, *older).values(gone_at=self.at).returning(*keys)
        )
        for row in gone.all():
            self._note(table, "/".join(row), "gone", None, self.at.isoformat())

    def _note(self, table: sa.Table, subject: str, what: str, old: Any, new: Any) -> None:
        self.connection.execute(_NOTE, self._noted(table, subject, what, old, new))

    def _noted(self, table: sa.Table, subject: str, what: str, old: Any, new: Any) -> dict[str, Any]:
        about = {"subject_kind": terms.SUBJECT[table], "subject_id": subject, "what": what, "old": old, "new": new}
        return {"tenant_id": self.tenant_id, "at": self.at, **about}


def _now(known: sa.RowMapping | None, seen: Mapping[str, Any], kept: tuple[str, ...]) -> dict[str, Any]:
    """The row as it stands after `seen` was written over it."""
    written = {name: value for name, value in seen.items() if value is not None or name not in kept}
    return {"listed_oid": None, **(known or {}), **written}


def _directory_row(device: DirectoryDevice) -> dict[str, Any]:
    of_device = asdict(device)
    del of_device["owner_enabled"]  # of the person, and told with them
    return of_device


def _managed_row(device: ManagedDevice) -> dict[str, Any]:
    of_device, of_posture = asdict(device), asdict(device.posture)
    del of_device["key"], of_device["posture"]
    return {**of_device, **of_posture, **asdict(device.key), "failing": [_kept(rule) for rule in of_posture["failing"]]}


def _kept(rule: dict[str, Any]) -> dict[str, Any]:
    """A version of before an administrator could write about rules reads every row in which nobody did."""
    return {name: value for name, value in rule.items() if value or name != "says"}
