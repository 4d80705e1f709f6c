"""`SqlTold` implements `ports.FigureEvents`: the audit rows of a period by their time, and what is linked of the people and links
in them. A handful of statements, none of which reads more than the period has.
"""

from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from ..domain.device import LinkState
from ..domain.told import DESIRED, OF_A_JOURNEY, OF_A_PUSH, STAFF, Deed, KnownLink, Period, Throttling, Told
from .engine import reading
from .tables import LEASED, audit, device_links, directory_devices, journeys, managed_devices, pushes, throttlings, watches
from .whole_journey import same

_IN_HAND = timedelta(minutes=5)
"""A lease that ended just now is being taken down; what stands longer is a fault."""
LISTED = 1000
"""Of those that stand past their lease: a worker that was away for a day leaves all of them there."""
_DEED = (audit.c.at, audit.c.why, audit.c.actor_kind, audit.c.actor_id, audit.c.about_kind, audit.c.about_id, audit.c.detail)


class SqlTold:
    _engine: sa.Engine
    _tenant_id: str

    def told(self, period: Period, now: datetime, *, most: int | None) -> Told:
        with reading(self._engine) as connection:
            deeds = self._deeds(connection, period, most)
            if deeds is None:
                return Told(period, too_many=True)
            lapsed = self._lapsed(connection, now)
            return Told(
                period,
                deeds=deeds,
                before=[_deed(row) for row in connection.execute(self._before(period))],
                links={row.id: _known(row) for row in connection.execute(self._links(period))},
                problems=self._problems(connection, period),
                found_open=self._found_open(connection, period),
                lapsed=lapsed,
                standing=[_known(row) for row in connection.execute(self._standing(now))] if lapsed else (),
                throttlings=self._throttlings(connection, period),
            )

    def connection_names(self) -> list[str]:
        of_an_mdm = sa.select(watches.c.name).where(watches.c.tenant_id == self._tenant_id, watches.c.name.startswith("mdm:"))
        with reading(self._engine) as connection:
            names = connection.execute(of_an_mdm).scalars()
            return sorted({name.removeprefix("mdm:").partition("/")[0] for name in names})

    def _deeds(self, connection: sa.Connection, period: Period, most: int | None) -> list[Deed] | None:
        wanted = sa.or_(audit.c.why.in_((*OF_A_JOURNEY, *OF_A_PUSH)), audit.c.actor_kind.in_(sorted(STAFF)))
        statement = sa.select(*_DEED).where(*self._during(period), wanted).order_by(audit.c.at, audit.c.id)
        found = connection.execute(statement if most is None else statement.limit(most + 1)).all()
        return None if most is not None and len(found) > most else [_deed(row) for row in found]

    def _during(self, period: Period) -> tuple[sa.ColumnElement[bool], ...]:
        return self._ours(audit), audit.c.at >= period.since, audit.c.at < period.followed_until

    def _ours(self, table: sa.Table) -> sa.ColumnElement[bool]:
        """Of this tenant, said so that no index is entered by it: SQLite would take one that begins with the tenant, and read all
        there is of a deployment's only tenant instead of what the time names."""
        return sa.func.coalesce(table.c.tenant_id, "") == self._tenant_id

    def _people(self, period: Period) -> sa.Select[Any]:
        return sa.select(audit.c.actor_id).where(*self._during(period), audit.c.why == "journey.started")

    def _ids(self, period: Period) -> sa.CompoundSelect[Any]:
        """Of the links of people who came, and of those that something happened with."""
        link = device_links.c
        theirs = sa.select(link.id).where(link.tenant_id == self._tenant_id, link.oid.in_(self._people(period)))
        return theirs.union(sa.select(audit.c.about_id).where(*self._during(period), audit.c.about_kind == "link"))

    def _links(self, period: Period) -> sa.Select[Any]:
        """Pending ones push nothing, and nobody is through by them."""
        link = device_links.c
        return self._known_links().where(link.id.in_(self._ids(period)), link.state != LinkState.PENDING)

    def _known_links(self) -> sa.Select[Any]:
        link, device, record = device_links.c, directory_devices.c, managed_devices.c
        columns = link.id, link.oid, link.platform, link.connection, link.record_id, link.made_at, link.ended_at
        return (
            sa.select(*columns, device.registered_at, record.failing)
            .join_from(device_links, directory_devices, same(device_links, directory_devices, device_id="device_id"))
            .join(managed_devices, same(device_links, managed_devices, connection="connection", record_id="record_id"))
            .where(link.tenant_id == self._tenant_id)
        )

    def _before(self, period: Period) -> sa.Select[Any]:
        """Of each of these links the last verdict or end, and the last confirmation."""
        last = (
            sa.select(sa.func.max(audit.c.id))
            .where(audit.c.tenant_id == self._tenant_id, audit.c.about_kind == "link", audit.c.about_id.in_(self._ids(period)))
            .where(audit.c.at < period.since, audit.c.why.in_(which))
            .group_by(audit.c.about_id)
            for which in ((*DESIRED, "link.ended"), ("push.confirmed",))
        )
        return sa.select(*_DEED).where(audit.c.id.in_(sa.union_all(*last))).order_by(audit.c.id)

    def _problems(self, connection: sa.Connection, period: Period) -> dict[str, str]:
        begun = sa.select(audit.c.about_id).where(*self._during(period), audit.c.why == "journey.started")
        statement = sa.select(journeys.c.id, journeys.c.owner_problem).where(
            journeys.c.tenant_id == self._tenant_id, journeys.c.id.in_(begun), journeys.c.owner_problem.is_not(None)
        )
        return {row.id: row.owner_problem for row in connection.execute(statement)}

    def _found_open(self, connection: sa.Connection, period: Period) -> frozenset[tuple[str, str]]:
        device = directory_devices.c
        shown = sa.func.sum(sa.case((sa.and_(device.enabled, device.compliant.is_(True)), 1), else_=0))
        statement = (
            sa.select(device.listed_oid, device.platform)
            .where(device.tenant_id == self._tenant_id, device.listed_oid.in_(self._people(period)), device.gone_at.is_(None))
            .group_by(device.listed_oid, device.platform)
            .having(sa.func.count() == 1, shown == 1)
        )
        return frozenset((oid, platform.value) for oid, platform in connection.execute(statement))

    def _past_lease(self, now: datetime) -> tuple[sa.ColumnElement[bool], ...]:
        return self._ours(pushes), sa.and_(pushes.c.compliant_until < now - _IN_HAND, sa.text(LEASED))

    def _standing(self, now: datetime) -> sa.Select[Any]:
        first = sa.select(pushes.c.link_id).where(*self._past_lease(now)).order_by(pushes.c.compliant_until).limit(LISTED)
        return self._known_links().where(device_links.c.id.in_(first))

    def _lapsed(self, connection: sa.Connection, now: datetime) -> dict[tuple[str, str], int]:
        """By platform and connection, what stands as compliant past its lease."""
        link = device_links.c
        statement = (
            sa.select(link.platform, link.connection, sa.func.count())
            .join_from(pushes, device_links, same(pushes, device_links, link_id="id"))
            .where(*self._past_lease(now))
            .group_by(link.platform, link.connection)
        )
        return {(platform.value, name): count for platform, name, count in connection.execute(statement)}

    def _throttlings(self, connection: sa.Connection, period: Period) -> list[Throttling]:
        columns = [throttlings.c[field.name] for field in fields(Throttling)]
        mine = throttlings.c.tenant_id == self._tenant_id, throttlings.c.day >= period.since, throttlings.c.day < period.until
        found = connection.execute(sa.select(*columns).where(*mine).order_by(throttlings.c.day, throttlings.c.remote))
        return [Throttling(*row) for row in found]


def _deed(row: Any) -> Deed:
    detail: dict[str, Any] = row.detail if isinstance(row.detail, dict) else {}
    return Deed(row.at, row.why, row.actor_kind, row.actor_id, row.about_kind, row.about_id, detail)


def _known(row: Any) -> KnownLink:
    return KnownLink(
        *(row.id, row.oid, row.platform, row.connection, row.record_id, row.made_at, row.ended_at, row.registered_at),
        failing=_advice(row.failing),
    )


def _advice(failing: Sequence[Any]) -> tuple[str | None, ...]:
    """Never the rule's own name: an administrator wrote it, and might have written anything."""
    return tuple(rule.get("advice") if isinstance(rule, dict) else None for rule in failing or ())
