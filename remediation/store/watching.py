"""The watches over whole lists: their rows, what is held of a page's devices, and what a page calls for, a page per statement.

A handful of statements for 500 or 999 rows, however many links there are. Next door: `timers` (when one row is looked at again),
`observations` (what was seen), `store`, of which this is a part.
"""

from collections.abc import Collection, Sequence
from dataclasses import fields
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from ..domain.compliance import Verdict
from ..domain.device import LinkState
from ..domain.listing import Held, PageNews, Renewal
from ..domain.push import Lane
from ..domain.watch import Watch
from . import rows
from .columns import Moment
from .engine import reading, writing
from .lanes import AT_REST, once_marked
from .observations import Observer
from .open_change import SAFETY_NET
from .tables import device_links, directory_devices, managed_devices, pushes, watches

# As text, not as a parameter: SQLite takes a partial index only where the statement itself says so (UNIQUE_LINKS in `tables`).
_ACTIVE = sa.text("device_links.state = 'active' AND device_links.state IN ('pending', 'active')")
_OF_LINK = sa.and_(pushes.c.tenant_id == device_links.c.tenant_id, pushes.c.link_id == device_links.c.id)
_SAVED = tuple(f.name for f in fields(Watch) if f.name not in ("name", "wake", "alarmed"))
_THIS = watches.c.tenant_id == sa.bindparam("of_tenant"), watches.c.name == sa.bindparam("of_name")
_WATCH = sa.select(watches).where(*_THIS)
_SAVE = sa.update(watches).where(*_THIS, watches.c.wake == sa.bindparam("of_wake"))


class SqlWatching:
    """Implements `ports.Watching`."""

    tenant_id: str
    _engine: sa.Engine

    def keep_watches(self, names: Sequence[str], *, at: datetime) -> None:
        with writing(self._engine) as connection:
            insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
            made = [{"tenant_id": self.tenant_id, "name": name, "next_look_at": at} for name in names]
            connection.execute(insert(watches).values(made).on_conflict_do_nothing())

    def watch(self, name: str) -> Watch | None:
        with reading(self._engine) as connection:
            found = connection.execute(_WATCH, {"of_tenant": self.tenant_id, "of_name": name}).mappings().one_or_none()
        return None if found is None else Watch(**{f.name: found[f.name] for f in fields(Watch)})

    def save_watch(self, watch: Watch) -> bool:
        with writing(self._engine) as connection:
            return self._save(connection, watch)

    def held_of_records(self, connection: str, record_ids: Sequence[str]) -> Sequence[Held]:
        link = device_links.c
        return self._held(link.connection == connection, link.record_id.in_(record_ids), _ACTIVE)

    def held_of_directory(self, device_ids: Sequence[str]) -> Sequence[Held]:
        return self._held(device_links.c.device_id.in_(device_ids))

    def note_page(
        self, watch: Watch, news: PageNews, *, at: datetime, connection: str | None, absent_since: datetime | None
    ) -> bool:
        with writing(self._engine) as open_connection:
            if not self._save(open_connection, watch):
                return False
            page = _Page(open_connection, self.tenant_id, at, connection)
            page.lock(news.listed)
            page.renew(news.renewals)
            page.listed(set(news.listed) - {renewal.link_id for renewal in news.renewals})
            for lane, link_ids in news.look.items():
                page.mark(lane, pushes.c.link_id.in_(link_ids))
            if absent_since is not None:
                page.mark_absent(absent_since)
            Observer(open_connection, self.tenant_id, at).directory_page(news.changed)
        return True

    def _row(self, name: str) -> sa.ColumnElement[bool]:
        return sa.and_(watches.c.tenant_id == self.tenant_id, watches.c.name == name)

    def _save(self, connection: sa.Connection, watch: Watch) -> bool:
        """The wake count guards every write: a late worker has read a page in vain."""
        values = {name: getattr(watch, name) for name in _SAVED}
        still = {"of_tenant": self.tenant_id, "of_name": watch.name, "of_wake": watch.wake}
        return connection.execute(_SAVE, {**still, **values}).rowcount == 1

    def _held(self, *which: sa.ColumnElement[bool] | sa.TextClause) -> Sequence[Held]:
        link, device, record = device_links.c, directory_devices.c, managed_devices.c
        columns = {c.name: c for c in (*pushes.c, *link)}
        statement = (
            sa.select(
                *columns.values(),
                *(c.label(f"directory_{c.name}") for c in device),
                record.last_seen.label("record_last_seen"),
            )
            .select_from(device_links)
            .join(pushes, _OF_LINK)
            .join(directory_devices, sa.and_(device.tenant_id == link.tenant_id, device.device_id == link.device_id))
            .join(
                managed_devices,
                sa.and_(
                    record.tenant_id == link.tenant_id, record.connection == link.connection, record.record_id == link.record_id
                ),
            )
            .where(link.tenant_id == self.tenant_id, *which)
        )
        with reading(self._engine) as connection:
            return [_held(row) for row in connection.execute(statement).mappings()]


def _held(row: sa.RowMapping) -> Held:
    return Held(
        link=rows.device_link(row),
        push=rows.push(row),
        directory=rows.directory_device(row, prefix="directory_"),
        listed_at=row[pushes.c.directory_listed_at],
        last_seen=row["record_last_seen"],
    )


class _Page:
    """One page written down, in one transaction. `source` names the MDM whose list it is, None the directory's."""

    def __init__(self, connection: sa.Connection, tenant_id: str, at: datetime, source: str | None) -> None:
        self._connection, self._tenant_id, self._at, self._source = connection, tenant_id, at, source
        self._listed_at = pushes.c.directory_listed_at if source is None else pushes.c.mdm_listed_at

    def lock(self, link_ids: Sequence[str]) -> None:
        """In one order, so that two pages cannot wait for each other. SQLite lets one writer in at a time."""
        if link_ids and self._connection.dialect.name == "postgresql":
            rows_of_page = sa.select(pushes.c.link_id).where(self._mine(), pushes.c.link_id.in_(link_ids))
            self._connection.execute(rows_of_page.order_by(pushes.c.link_id).with_for_update())

    def listed(self, link_ids: Collection[str]) -> None:
        if link_ids:
            seen = self._update().where(pushes.c.link_id.in_(link_ids)).values({self._listed_at: self._at})
            self._connection.execute(seen)

    def renew(self, renewals: Sequence[Renewal]) -> None:
        """As `PushTimer.renew`: only *compliant* that stands, by a read no older than the one it stands on, while the link is
        active. Never shorter than it is. A row that sleeps at rest sleeps on; one that is due, marked or in hand keeps its time."""
        if not renewals:
            return
        columns = (
            sa.column("link_id", sa.Text),
            sa.column("read_at", Moment),
            sa.column("until", Moment),
            sa.column("next_at", Moment),
        )
        values = sa.values(*columns, name="longer").data([(r.link_id, r.read_at, r.until, r.next_at) for r in renewals])
        longer = values.cte("renewals").c
        link, push = device_links.c, pushes.c
        not_newer = sa.or_(push.posture_read_at.is_(None), push.posture_read_at <= longer.read_at)
        grows = sa.or_(push.compliant_until.is_(None), push.compliant_until <= longer.until)
        may = sa.and_(push.desired == Verdict.COMPLIANT, not_newer, grows, link.state == LinkState.ACTIVE)
        sleeps = sa.and_(
            AT_REST, push.reason.is_(None), push.next_look_at > self._at + SAFETY_NET, push.next_look_at < longer.next_at
        )
        new = {
            "compliant_until": sa.case((may, longer.until), else_=push.compliant_until),
            "next_look_at": sa.case((sa.and_(may, sleeps), longer.next_at), else_=push.next_look_at),
            self._listed_at.name: sa.literal(self._at, Moment),
        }
        # joined, not asked for with EXISTS, for which PostgreSQL reads all links
        of_page = push.link_id == longer.link_id, link.tenant_id == self._tenant_id, link.id == longer.link_id
        self._connection.execute(self._update().where(*of_page).values(**new))

    def mark(self, lane: Lane, *which: sa.ColumnElement[bool]) -> None:
        """Due now, under a new wake count: whoever has the row in hand read before this. What is due already stays as it is, unless
        it is to go with the revocations."""
        push = pushes.c
        later = sa.or_(push.next_look_at.is_(None), push.next_look_at > self._at)
        if lane is Lane.REVOKE:
            later = sa.or_(later, push.lane != Lane.REVOKE)
        values = {"next_look_at": self._at, "wake": push.wake + 1, "lane": once_marked(lane), "following": False}
        self._connection.execute(self._update().where(*which, later).values(**values))

    def mark_absent(self, since: datetime) -> None:
        """Active links that a whole list has not shown since its beginning, but for those that somebody has in hand just now."""
        link, push = device_links.c, pushes.c
        of_source = link.tenant_id == self._tenant_id, *([] if self._source is None else [link.connection == self._source])
        ours = sa.select(push.link_id).select_from(device_links).join(pushes, _OF_LINK).where(*of_source, _ACTIVE)
        not_shown = sa.or_(self._listed_at.is_(None), self._listed_at < since)
        absent = ours.where(not_shown, link.made_at < since).with_for_update(of=pushes, skip_locked=True)
        self.mark(Lane.SWEEP, push.link_id.in_(absent))

    def _mine(self) -> sa.ColumnElement[bool]:
        return pushes.c.tenant_id == self._tenant_id

    def _update(self) -> sa.Update:
        return sa.update(pushes).where(self._mine())
