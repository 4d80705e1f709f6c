"""Whose time has come, and waking it: what the pulse of each worker does twice a second.

Rows are looked for in a snapshot, so that no writer waits where nothing is due; they are claimed in a short transaction of its own.
Next door: `timers` (parking), `lanes` (whose turn), `domain/budget.py: room` (how many).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from ..domain.budget import Room, Woken
from ..domain.push import Lane
from ..ports import Wakeups
from . import lanes
from .open_change import SAFETY_NET
from .tables import FOR_PEOPLE, ON_ITS_WAY, REVOKING, SWEPT, journeys, pushes, watches
from .wakeups import LOOK_JOURNEY, PUSH_LINK, WATCH_SOURCE


@dataclass(frozen=True)
class Due:
    """Ids of rows whose time has come; `others` are those links that may be about to write for the first time."""

    links: Sequence[str]
    journeys: Sequence[str]
    watches: Sequence[str]
    others: frozenset[str]

    def __bool__(self) -> bool:
        return bool(self.links or self.journeys or self.watches)


def find_due(connection: sa.Connection, tenant_id: str, now: datetime, *, limit: int, room: Room) -> Due:
    """As many as there is room for, `limit` of a kind at most, and revocations first; with them goes what stands beyond its lease.
    What is sent already only reads, and so does a journey: neither waits behind a backlog of those that want to write."""
    down, others, on_their_way = (min(limit, rows) for rows in (room.revocations, room.others, room.on_their_way))
    most = {"revoking": down, "lease_over": down, "on_its_way": on_their_way, "for_people": others, "swept": others}
    most |= {"looking": on_their_way, "watching": limit}
    found: dict[str, list[str]] = {kind: [] for kind in most}
    for row in connection.execute(_DUE, {"of_tenant": tenant_id, "now": now, **most}):
        found[row.kind].append(row.id)
    first = list(dict.fromkeys([*found["revoking"], *found["lease_over"]]))[:down]
    last = [row_id for row_id in (*found["for_people"], *found["swept"]) if row_id not in first][:others]
    return Due([*first, *found["on_its_way"], *last], found["looking"], found["watching"], frozenset(last))


def wake(connection: sa.Connection, tenant_id: str, wakeups: Wakeups, now: datetime, due: Due) -> Woken:
    """Count up the wake-ups of those that are due still, each row for one caller only: PostgreSQL skips rows that another has
    locked, SQLite lets one writer in at a time."""
    woken = to_write = 0
    for workflow, ids in ((PUSH_LINK, due.links), (LOOK_JOURNEY, due.journeys), (WATCH_SOURCE, due.watches)):
        if not ids:
            continue
        these = {"of_tenant": tenant_id, "now": now, "ids": ids, "net": now + SAFETY_NET}
        for row_id, count, lane in connection.execute(_CLAIM[workflow], these).all():
            wakeups.enqueue(connection, workflow, row_id, count, lane=lanes.known(lane))
            woken, to_write = woken + 1, to_write + (row_id in due.others)
    return Woken(woken, to_write)


_TENANT: sa.BindParameter[str] = sa.bindparam("of_tenant")
_NOW: sa.BindParameter[datetime] = sa.bindparam("now")


def _kind(name: str, key: sa.Column[str], *which: Any, order: Sequence[sa.ColumnElement[Any]] = ()) -> sa.Select[tuple[str, str]]:
    """Rows of one kind, longest waiting first. Each has an index of its own: in a storm ten thousand rows are due, and a few are
    to be woken."""
    columns = key.table.c
    found = sa.select(sa.literal_column(f"'{name}'", sa.String).label("kind"), key.label("id"))
    found = found.where(columns.tenant_id == _TENANT, columns.next_look_at <= _NOW, *which)
    some = found.order_by(*order, columns.next_look_at).limit(sa.bindparam(name, type_=sa.Integer)).subquery()
    return sa.select(some.c.kind, some.c.id)


_DUE = sa.union_all(
    _kind("revoking", pushes.c.link_id, sa.text(REVOKING)),
    _kind("lease_over", pushes.c.link_id, lanes.over(_NOW), order=(pushes.c.compliant_until,)),
    _kind("on_its_way", pushes.c.link_id, sa.text(ON_ITS_WAY), order=(lanes.URGENCY,)),
    _kind("for_people", pushes.c.link_id, sa.text(FOR_PEOPLE)),
    _kind("swept", pushes.c.link_id, sa.text(SWEPT)),
    _kind("looking", journeys.c.id, journeys.c.expires_at > _NOW),
    _kind("watching", watches.c.name),
)


def _claim(key: sa.Column[str], lane: sa.ColumnElement[Any], marks: Mapping[str, Any]) -> Any:
    """The statements stand ready: each pulse of each worker asks them."""
    table = key.table
    among = table.c.tenant_id == _TENANT, key.in_(sa.bindparam("ids", expanding=True)), table.c.next_look_at <= _NOW
    woken = {"wake": table.c.wake + 1, "next_look_at": sa.bindparam("net", type_=table.c.next_look_at.type), **marks}
    ours = table.c.tenant_id == _TENANT, key.in_(sa.select(key).where(*among).with_for_update(skip_locked=True))
    return sa.update(table).where(*ours).values(woken).returning(key, table.c.wake, sa.type_coerce(lane, sa.String))


_CLAIM = {
    PUSH_LINK: _claim(pushes.c.link_id, pushes.c.lane, {"lane": lanes.once_woken(_NOW)}),
    LOOK_JOURNEY: _claim(journeys.c.id, sa.literal(Lane.PERSON.name), {}),
    WATCH_SOURCE: _claim(watches.c.name, sa.literal(Lane.SWEEP.name), {}),
}
