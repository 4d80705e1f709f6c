"""One person's timeline out of the audit and the observations, newest first: whole, by kind, page by page; and what was last done.

Rows of the person, of their journeys and links (ended ones too), and of every device listed as theirs or linked.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from ..ports import Actor, Event, Mark
from .tables import audit, device_links, directory_devices, journeys, managed_devices, observations

_ABOUT_LOOKING = "look_up.%"  # who looked stands in the audit, and would drown what happened
_PUSHES = ("push.%", "verdict.%", "drift.%", "lease.%", "link.%")
_DECIDES = ("link.made", "link.ended", "link.replaced", "device.disabled")
"""What of the worker's a member of staff has to know before they confirm; the rest goes on all the time, and so does whatever only
asks for a look."""
_NOTHING_NEW = ("repair.asked", "journey.check_again", "journey.resumed")
KINDS = ("person", "staff", "push", "seen", "pages")


def events(connection: sa.Connection, tenant_id: str, oid: str, *, kind: str | None, skip: int, limit: int) -> Sequence[Event]:
    """`kind` is one of `KINDS`. Rows of one moment keep the order in which they were written."""
    found: list[Event] = []
    most = skip + limit
    if kind not in ("seen", "pages"):
        done = _newest(tenant_id, audit, audit.c.about_kind, audit.c.about_id, oid, *_done_by(kind)).limit(most)
        found += [_done(row) for row in connection.execute(done).mappings()]
    if kind in (None, "seen", "pages"):
        seen = _newest(tenant_id, observations, observations.c.subject_kind, observations.c.subject_id, oid, *_of(kind)).limit(most)
        found += [_seen(row) for row in connection.execute(seen).mappings()]
    return sorted(found, key=lambda event: event.at, reverse=True)[skip:most]


def marked(connection: sa.Connection, tenant_id: str, oid: str, after: Mark | None, limit: int) -> list[tuple[Mark, Event]]:
    """What comes after the mark. Of rows of one moment the audit's before the observations', and of each the newest first."""
    done = _newest(tenant_id, audit, audit.c.about_kind, audit.c.about_id, oid, *_done_by(None))
    seen = _newest(tenant_id, observations, observations.c.subject_kind, observations.c.subject_id, oid)
    found: list[tuple[Mark, Event]] = []
    for book, (statement, event_of) in enumerate(((done, _done), (seen, _seen))):
        for row in connection.execute(_behind(statement, after, book).limit(limit)).mappings():
            found.append((Mark(row["at"], book, row["id"]), event_of(row)))
    return sorted(found, key=lambda one: (one[0].at, -one[0].book, one[0].row), reverse=True)[:limit]


def _behind(statement: sa.Select[Any], mark: Mark | None, book: int) -> sa.Select[Any]:
    """Of one person's rows, which were chosen already: those after the mark."""
    if mark is None:
        return statement
    at, row = statement.selected_columns["at"], statement.selected_columns["id"]
    of_the_moment = row < mark.row if book == mark.book else sa.true() if book > mark.book else sa.false()
    return statement.where(sa.or_(at < mark.at, sa.and_(at == mark.at, of_the_moment)))


def acts_since(connection: sa.Connection, tenant_id: str, oid: str, seen: int, *, limit: int) -> Sequence[Event]:
    """What staff have to know of, done after the audit row of this number."""
    newer = _newest(tenant_id, audit, audit.c.about_kind, audit.c.about_id, oid, *_acts(), audit.c.id > seen).limit(limit)
    return [_done(row) for row in connection.execute(newer).mappings()]


def last_act(connection: sa.Connection, tenant_id: str, oid: str) -> int:
    """The number of the newest audit row that staff have to know of; 0 where there is none."""
    newest = _newest(tenant_id, audit, audit.c.about_kind, audit.c.about_id, oid, *_acts()).subquery()
    return int(connection.execute(sa.select(sa.func.coalesce(sa.func.max(newest.c.id), 0))).scalar_one())


def _acts() -> tuple[sa.ColumnElement[bool], ...]:
    told = audit.c.why.not_like(_ABOUT_LOOKING), audit.c.why.not_in(_NOTHING_NEW)
    return *told, sa.or_(audit.c.actor_kind != "worker", audit.c.why.in_(_DECIDES))


def _done_by(kind: str | None) -> tuple[sa.ColumnElement[bool], ...]:
    which: dict[str | None, tuple[sa.ColumnElement[bool], ...]] = {
        "person": (audit.c.actor_kind.in_(("person", "browser")),),
        "staff": (audit.c.actor_kind.in_(("helpdesk", "operator")),),
        "push": (sa.or_(*(audit.c.why.like(like) for like in _PUSHES)),),
    }
    return audit.c.why.not_like(_ABOUT_LOOKING), *which.get(kind, ())


def _of(kind: str | None) -> tuple[sa.ColumnElement[bool], ...]:
    page = sa.and_(observations.c.subject_kind == "journey", observations.c.what == "shown")
    return {"pages": (page,), "seen": (~page,)}.get(kind or "", ())


def _newest(
    tenant_id: str, table: sa.Table, kind: sa.Column[str], key: sa.Column[str], oid: str, *more: sa.ColumnElement[bool]
) -> sa.Select[Any]:
    """Of each kind by itself: of kinds joined by *or*, SQLite reads every row there is."""
    of_each = (
        sa.select(table).where(table.c.tenant_id == tenant_id, kind == name, key.in_(ids), *more)
        for name, ids in _of_person(tenant_id, oid).items()
    )
    found = sa.union_all(*of_each).subquery()
    return sa.select(found).order_by(found.c.at.desc(), found.c.id.desc())


def _of_person(tenant_id: str, oid: str) -> Mapping[str, Any]:
    """By kind, the ids of what is theirs."""
    directory, managed, link = directory_devices.c, managed_devices.c, device_links.c

    def ids(table: sa.Table, key: sa.ColumnElement[str], owner: sa.ColumnElement[str]) -> sa.Select[Any]:
        return sa.select(key).where(table.c.tenant_id == tenant_id, owner == oid)

    listed, linked = managed.connection + "/" + managed.record_id, link.connection + "/" + link.record_id
    return {
        "person": [oid],
        "journey": ids(journeys, journeys.c.id, journeys.c.oid),
        "link": ids(device_links, link.id, link.oid),
        "directory_device": ids(directory_devices, directory.device_id, directory.listed_oid).union(
            ids(device_links, link.device_id, link.oid)
        ),
        "managed_device": ids(managed_devices, listed, managed.listed_oid).union(ids(device_links, linked, link.oid)),
    }


def _done(row: sa.RowMapping) -> Event:
    actor = Actor(row["actor_kind"], row["actor_id"])
    return Event(row["at"], row["why"], actor, (row["about_kind"], row["about_id"]), row["detail"], row["id"])


def _seen(row: sa.RowMapping) -> Event:
    kind = row["subject_kind"]
    return Event(row["at"], f"{kind}.{row['what']}", None, (kind, row["subject_id"]), {"old": row["old"], "new": row["new"]})
