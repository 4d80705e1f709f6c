"""Who is in the groups that limit a role of the helpdesk: `seen_by` narrows what staff read, `SqlMembers` is the worker's.

One row for each member and group, with the beginning of the round that listed them last. A row that no round confirmed for a day
counts for nothing, so that a list which cannot be read any more opens nobody's page (domain/reach.py).
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from ..domain.reach import Reach
from ..domain.watch import Watch, members_of
from .engine import reading, writing
from .tables import group_members, watches
from .watching import SqlWatching


def seen_by(reach: Reach, tenant_id: str, oid: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
    """Whether whoever has this reach may see this person. A condition on the statement's own rows, found by the key."""
    if reach.groups is None:
        return sa.true()
    if not reach.groups or reach.listed_since is None:
        return sa.false()
    member = group_members.c
    which = member.tenant_id == tenant_id, member.group_id.in_(sorted(reach.groups)), member.oid == oid
    return sa.exists().where(*which, member.listed_at >= reach.listed_since)


def listed_at(connection: sa.Connection, reach: Reach, tenant_id: str) -> Mapping[str, datetime | None]:
    """By group: when the last list of its members that came whole had begun; None for one that never came."""
    names = {members_of(group): group for group in reach.groups or ()}
    mine = watches.c.tenant_id == tenant_id, watches.c.name.in_(sorted(names))
    found = {row.name: row.checkpoint for row in connection.execute(sa.select(watches.c.name, watches.c.checkpoint).where(*mine))}
    return {group: found.get(name) for name, group in names.items()}


class SqlMembers(SqlWatching):
    """Implements `ports.Members`."""

    def note_members(self, watch: Watch, group_id: str, oids: Sequence[str], *, whole: bool) -> bool:
        began = watch.began_at
        with writing(self._engine) as connection:
            if began is None or not self._save(connection, watch):
                return False
            if oids:
                insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
                rows = [{"tenant_id": self.tenant_id, "group_id": group_id, "oid": oid, "listed_at": began} for oid in sorted(oids)]
                statement = insert(group_members)
                keys = [column.name for column in group_members.primary_key]
                newer = statement.on_conflict_do_update(index_elements=keys, set_={"listed_at": statement.excluded.listed_at})
                connection.execute(newer, rows)
            if whole:
                member = group_members.c
                gone = member.tenant_id == self.tenant_id, member.group_id == group_id, member.listed_at < began
                connection.execute(sa.delete(group_members).where(*gone))
        return True

    def members(self, group_id: str) -> Sequence[str]:
        member = group_members.c
        mine = member.tenant_id == self.tenant_id, member.group_id == group_id
        with reading(self._engine) as connection:
            return list(connection.execute(sa.select(member.oid).where(*mine).order_by(member.oid)).scalars())
