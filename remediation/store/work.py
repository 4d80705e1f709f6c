"""`SqlWorkRows` implements `ports.WorkRows`: what needs people, each source along an index of its own rows that do not rest.

Next door: `stuck` (every row that does not rest, for whoever runs the product), `change_work` (taking a row).
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from ..domain.access import ASKED_LASTS
from ..domain.device import LinkState
from ..domain.journey import LASTS
from ..domain.push import WORST
from ..domain.reach import EVERYBODY, Reach
from ..domain.steps import LOOP
from ..domain.work import ANSWER, ENDS_SOON, Position, Source
from ..ports import Claim, WorkRow
from .engine import reading
from .reach import seen_by
from .stuck import journey_reasons
from .tables import (
    GIVEN,
    MEASURED,
    MISMATCHED,
    OPEN,
    PENDING,
    TROUBLED,
    WAITING,
    access_requests,
    device_links,
    journeys,
    managed_devices,
    people,
    pushes,
    work_claims,
)

NEWEST = 200  # pushes that the usual wait is measured by


@dataclass(frozen=True)
class _Read:
    """`order` is the column that the rows are promised by, `promised` how long after it."""

    statement: sa.Select[Any]
    order: sa.ColumnElement[Any]
    key: sa.ColumnElement[Any]
    promised: timedelta


class SqlWorkRows:
    def __init__(self, engine: sa.Engine, tenant_id: str, reach: Reach = EVERYBODY) -> None:
        self._engine, self._tenant_id, self._reach = engine, tenant_id, reach

    def waits(self, now: datetime) -> Sequence[timedelta]:
        push = pushes.c
        done = push.confirmed_at > now - timedelta(days=7), push.confirmed_seq == push.desired_seq, push.desired_at.is_not(None)
        newest = sa.select(push.desired_at, push.confirmed_at).where(self._mine(pushes), sa.text(MEASURED), *done)
        with reading(self._engine) as connection:
            found = connection.execute(newest.order_by(push.confirmed_at.desc()).limit(NEWEST)).all()
        return [confirmed_at - desired_at for desired_at, confirmed_at in found]

    def rows(
        self,
        source: Source,
        after: Position | None,
        now: datetime,
        *,
        usual: timedelta,
        needs_people: Collection[str],
        limit: int,
    ) -> Sequence[WorkRow]:
        read = self._read(source, now, usual, sorted(needs_people))
        statement = read.statement.order_by(read.order, read.key).limit(limit)
        if after is not None:
            statement = statement.where(_behind(read, source, after))
        with reading(self._engine) as connection:
            return [_row(source, row, read.promised) for row in connection.execute(statement).mappings()]

    def claims(self, ids: Collection[str], now: datetime) -> Mapping[str, Claim]:
        claim = work_claims.c
        those = sa.select(work_claims).where(self._mine(work_claims), claim.row_id.in_(sorted(ids)), claim.until > now)
        with reading(self._engine) as connection:
            return {row.row_id: Claim(row.oid, row.name, row.until) for row in connection.execute(those)}

    def whose(self, row_id: str) -> str | None:
        keys = [(table.c.id, table.c.oid) for table in (device_links, journeys, access_requests)]
        with reading(self._engine) as connection:
            for key, oid in keys:
                found = connection.execute(sa.select(oid).where(self._seen(key.table), key == row_id)).scalar()
                if found is not None:
                    return str(found)
        return None

    def _read(self, source: Source, now: datetime, usual: timedelta, needs_people: Sequence[str]) -> _Read:
        match source:
            case Source.ACCESS:
                row = access_requests.c
                undecided = sa.text(WAITING), row.asked_at > now - ASKED_LASTS
                return _Read(
                    self._access("access_" + _word(row.state), row.asked_at).where(*undecided), row.asked_at, row.id, ANSWER
                )
            case Source.ENDING:
                row = access_requests.c
                ending = sa.text(GIVEN), row.until <= now + ENDS_SOON
                statement = self._access(sa.literal("access_ending"), row.until, row.given_at)
                return _Read(statement.where(*ending), row.until, row.id, timedelta())
            case Source.JOURNEY:
                return self._journeys(now)
            case Source.LINK:
                return self._links(now, usual, needs_people)
            case Source.MISMATCH:
                return self._mismatched()
            case Source.PENDING:
                return self._pending(now, usual)

    def _links(self, now: datetime, usual: timedelta, needs_people: Sequence[str]) -> _Read:
        """Open pushes: at once where only people can help, else once they take longer than usual."""
        push = pushes.c
        due = sa.or_(push.desired_at <= now - usual, push.reason.in_(needs_people))
        reason = sa.func.coalesce(push.reason, "waiting")
        statement = self._of_link(push.link_id, reason, push.desired_at).join(pushes, self._pushed())
        return _Read(statement.where(self._mine(pushes), sa.text(OPEN), due), push.desired_at, push.link_id, WORST)

    def _mismatched(self) -> _Read:
        push = pushes.c
        statement = self._of_link(push.link_id, sa.literal("shows_other"), push.observed_at).join(pushes, self._pushed())
        living = device_links.c.state == LinkState.ACTIVE
        return _Read(statement.where(self._mine(pushes), sa.text(MISMATCHED), living), push.observed_at, push.link_id, ANSWER)

    def _pending(self, now: datetime, usual: timedelta) -> _Read:
        link = device_links.c
        statement = self._of_link(link.id, sa.literal("evidence"), link.made_at)
        return _Read(
            statement.where(self._mine(device_links), sa.text(PENDING), link.made_at <= now - usual), link.made_at, link.id, ANSWER
        )

    def _journeys(self, now: datetime) -> _Read:
        journey, reasons = journeys.c, journey_reasons()
        looping = (journey.still_blocked_count >= LOOP, "loop", journey.still_blocked_at)
        reasons = [*reasons, looping]
        reason = sa.case(*((true, why) for true, why, _ in reasons))
        since = sa.func.coalesce(sa.case(*((true, at) for true, _, at in reasons)), journey.started_at)
        statement = (
            sa.select(
                *(journey.id.label("id"), journey.oid, people.c.name, people.c.user_name, sa.literal("").label("what")),
                *(journey.platform, reason.label("reason"), since.label("since"), journey.expires_at.label("at")),
                journey.case_code,
            )
            .join_from(journeys, people, sa.and_(people.c.tenant_id == journey.tenant_id, people.c.oid == journey.oid))
            .where(self._seen(journeys), sa.text(f"({TROUBLED})"), journey.expires_at > now, reason.is_not(None))
        )
        return _Read(statement, journey.expires_at, journey.id, ANSWER - LASTS)

    def _of_link(self, key: Any, reason: Any, at: Any) -> sa.Select[Any]:
        link, device = device_links.c, managed_devices.c
        of_person = sa.and_(people.c.tenant_id == link.tenant_id, people.c.oid == link.oid)
        of_device = (device.tenant_id == link.tenant_id, device.connection == link.connection, device.record_id == link.record_id)
        return (
            sa.select(
                *(key.label("id"), link.oid, people.c.name, people.c.user_name, device.name.label("what"), link.platform),
                *(reason.label("reason"), at.label("since"), at.label("at"), sa.literal("").label("case_code")),
            )
            .select_from(device_links)
            .join(people, of_person)
            .join(managed_devices, sa.and_(*of_device))
            .where(self._seen(device_links))
        )

    def _access(self, reason: Any, at: Any, since: Any = None) -> sa.Select[Any]:
        row, begun = access_requests.c, at if since is None else since
        of_person = sa.and_(people.c.tenant_id == row.tenant_id, people.c.oid == row.oid)
        return (
            sa.select(
                *(row.id, row.oid, people.c.name, people.c.user_name, sa.literal("").label("what"), row.platform),
                *(reason.label("reason"), begun.label("since"), at.label("at"), row.case_code),
            )
            .join_from(access_requests, people, of_person)
            .where(self._seen(access_requests))
        )

    def _pushed(self) -> sa.ColumnElement[bool]:
        return sa.and_(pushes.c.tenant_id == device_links.c.tenant_id, pushes.c.link_id == device_links.c.id)

    def _seen(self, table: Any) -> sa.ColumnElement[bool]:
        """Rows of people whom whoever looks may see."""
        return sa.and_(self._mine(table), seen_by(self._reach, self._tenant_id, table.c.oid))

    def _mine(self, table: Any) -> sa.ColumnElement[bool]:
        condition: sa.ColumnElement[bool] = table.c.tenant_id == self._tenant_id
        return condition


def _word(column: sa.ColumnElement[Any]) -> sa.ColumnElement[str]:
    return sa.cast(column, sa.Text)


def _behind(read: _Read, source: Source, after: Position) -> sa.ColumnElement[bool]:
    """The first condition alone is one that both databases begin reading their index at."""
    at = sa.literal(after.at - read.promised, read.order.type)
    if source > after.source:
        return read.order >= at
    if source < after.source:
        return read.order > at
    return sa.and_(read.order >= at, sa.or_(read.order > at, read.key > after.row_id))


def _row(source: Source, row: sa.RowMapping, promised: timedelta) -> WorkRow:
    told = (row[name] for name in ("oid", "name", "user_name", "what", "platform", "reason", "since", "case_code"))
    return WorkRow(Position(row["at"] + promised, source, row["id"]), *told)
