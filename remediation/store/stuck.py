"""`SqlStuckRows` implements `ports.StuckRows`: every row that does not rest, read without making facts of it.

A row that cannot be read as a fact is one that has to be seen here, so words stay words. Next door: `timers` (what parks rows).
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from ..domain.compliance import Verdict
from ..domain.device import LinkState
from ..domain.reach import EVERYBODY, Reach
from ..domain.watch import LISTS_NOTHING
from ..ports import StuckPage, StuckPlace, StuckRow
from .columns import Moment
from .engine import reading
from .reach import seen_by
from .tables import (
    ERRING,
    OPEN,
    PENDING,
    TROUBLED,
    UNDER_WAY,
    alarms,
    budgets,
    device_links,
    journeys,
    managed_devices,
    people,
    pushes,
    watches,
)

_UNKNOWN = datetime(1970, 1, 1, tzinfo=UTC)
_ALIKE: sa.ColumnElement[Any] = sa.literal_column("1")
_NEVER: sa.ColumnElement[Any] = sa.cast(sa.null(), Moment)
_NOBODY: sa.ColumnElement[Any] = sa.null()


class SqlStuckRows:
    def __init__(self, engine: sa.Engine, tenant_id: str, reach: Reach = EVERYBODY) -> None:
        self._engine, self._tenant_id, self._reach = engine, tenant_id, reach

    def count(self, now: datetime) -> Mapping[tuple[str, str], int]:
        counted: Counter[tuple[str, str]] = Counter()
        with reading(self._engine) as connection:
            for kind, statement in self._kinds(now):
                stuck = statement.subquery()
                grouped = sa.select(stuck.c.reason, sa.func.count()).group_by(stuck.c.reason)
                for reason, number in connection.execute(grouped):
                    counted[kind, reason] += number
        return counted

    def rows(self, now: datetime, *, limit: int, after: Mapping[str, StuckPlace] | None = None) -> StuckPage:
        found: list[StuckRow] = []
        more: dict[str, StuckPlace] = {}
        with reading(self._engine) as connection:
            for kind, statement in self._kinds(now):
                if after is not None and kind not in after:
                    continue
                page = _ordered(statement, after[kind] if after is not None else None).limit(limit + 1)
                read = connection.execute(page).mappings().all()
                found += [_row(kind, row) for row in read[:limit]]
                if limit and len(read) > limit:
                    last = read[limit - 1]
                    more[kind] = StuckPlace(last["urgent"], last["since"] or _UNKNOWN, last["id"])
        return StuckPage(found, more)

    def find(self, row_id: str) -> str | None:
        kinds = {"link": pushes.c.link_id, "journey": journeys.c.id, "watch": watches.c.name}
        with reading(self._engine) as connection:
            for kind, key in kinds.items():
                if connection.execute(sa.select(key).where(self._mine(key.table), key == row_id)).first() is not None:
                    return kind
        return None

    def _kinds(self, now: datetime) -> Iterator[tuple[str, sa.Select[Any]]]:
        yield "watch", self._watches()
        yield "remote", self._budgets(now)
        yield "link", self._links()
        yield "journey", self._journeys(now)
        yield "alarm", self._alarms()

    def _links(self) -> sa.Select[Any]:
        link, push, device = device_links.c, pushes.c, managed_devices.c
        open_ = push.confirmed_seq < push.desired_seq
        never = sa.and_(push.desired_seq == 0, link.state == LinkState.ACTIVE)
        pending = link.state == LinkState.PENDING
        erring = sa.or_(push.reason.is_not(None), push.attempts > 0)
        few = sa.union(
            *(sa.select(push.link_id).where(self._mine(pushes), sa.text(f"({which})")) for which in (OPEN, ERRING)),
            sa.select(link.id).where(self._mine(device_links), sa.text(PENDING)),
        )
        down = sa.and_(open_, push.desired != Verdict.COMPLIANT)
        reason = sa.case((pending, "evidence"), else_=sa.func.coalesce(push.reason, "waiting"))
        return (
            _stuck(
                *(push.link_id, people.c.user_name, device.name, reason),
                sa.case((open_, push.desired_at), (push.desired_seq == 0, link.made_at), else_=push.posture_read_at),
                *(push.next_look_at, push.attempts),
                urgent=sa.case((down, 0), else_=1),
                oid=link.oid,
            )
            .join_from(pushes, device_links, self._same(pushes, device_links, link_id="id"))
            .join(people, self._same(device_links, people, oid="oid"))
            .join(managed_devices, self._same(device_links, managed_devices, connection="connection", record_id="record_id"))
            .where(self._mine(pushes), push.link_id.in_(few), self._seen(link.oid), sa.or_(open_, never, pending, erring))
        )

    def _journeys(self, now: datetime) -> sa.Select[Any]:
        journey = journeys.c
        open_ = sa.and_(journey.wanted_at.is_not(None), sa.or_(journey.done_at.is_(None), journey.done_at < journey.wanted_at))
        reasons = [*journey_reasons(), (open_, "waiting", journey.wanted_at)]
        reason = sa.case(*((true, why) for true, why, _ in reasons))
        since = sa.case(*((true, at) for true, _, at in reasons))
        few = sa.union(
            *(
                sa.select(journey.id).where(self._mine(journeys), sa.text(f"({which})"), journey.expires_at > now)
                for which in (TROUBLED, UNDER_WAY)
            )
        )
        return (
            _stuck(
                *(journey.id, people.c.user_name, journey.case_code, reason, sa.func.coalesce(since, journey.started_at)),
                *(journey.next_look_at, journey.attempts),
                oid=journey.oid,
            )
            .join_from(journeys, people, self._same(journeys, people, oid="oid"))
            .where(
                *(self._mine(journeys), journey.id.in_(few), self._seen(journey.oid)),
                *(journey.expires_at > now, sa.or_(*(true for true, _, _ in reasons))),
            )
        )

    def _watches(self) -> sa.Select[Any]:
        watch = watches.c
        told = sa.func.nullif(watch.reason, LISTS_NOTHING)  # which is only trouble where links depend on it: `health` knows
        reason = sa.func.coalesce(told, "waiting")
        columns = (watch.name, sa.literal(""), watch.name, reason, watch.failing_since, watch.next_look_at, watch.attempts)
        return _stuck(*columns).where(
            self._mine(watches), sa.or_(watch.failing_since.is_not(None), told.is_not(None), watch.attempts > 0)
        )

    def _budgets(self, now: datetime) -> sa.Select[Any]:
        """Remotes that are closed to us for a while, for reasons in the words that a pass over a row would note."""
        budget = budgets.c
        whose = sa.case((budget.remote.like("mdm:%"), "mdm_"), (budget.remote == "channel", "channel_"), else_="directory_")
        known = {"unreachable": "unreachable", "refused%": "refused"}
        word = sa.case(*((budget.reason.like(like), code) for like, code in known.items()), else_="busy")
        columns = (budget.remote, sa.literal(""), budget.remote, whose + word, _NEVER, budget.closed_until, budget.failures)
        return _stuck(*columns).where(self._mine(budgets), sa.or_(budget.closed_until > now, budget.failures > 0))

    def _alarms(self) -> sa.Select[Any]:
        alarm = alarms.c
        waiting = self._mine(alarms), alarm.told_at.is_(None), alarm.reason.is_not(None)
        columns = (alarm.id, sa.literal(""), alarm.sink, sa.literal("not_told"), alarm.at, alarm.next_try_at, alarm.attempts)
        return _stuck(*columns).where(*waiting)

    def _seen(self, oid: sa.ColumnElement[str]) -> sa.ColumnElement[bool]:
        return seen_by(self._reach, self._tenant_id, oid)

    def _mine(self, table: Any) -> sa.ColumnElement[bool]:
        condition: sa.ColumnElement[bool] = table.c.tenant_id == self._tenant_id
        return condition

    def _same(self, ours: sa.Table, theirs: sa.Table, **columns: str) -> sa.ColumnElement[bool]:
        return sa.and_(ours.c.tenant_id == theirs.c.tenant_id, *(ours.c[a] == theirs.c[b] for a, b in columns.items()))


def journey_reasons() -> list[tuple[sa.ColumnElement[bool], Any, Any]]:
    """Why a journey that nobody is looking at goes no further: where it is so, the reason, since when; the first one counts."""
    journey = journeys.c
    unproven = sa.and_(journey.possession_error.is_not(None), journey.possession_proven_at.is_(None))
    return [
        (journey.reason.is_not(None), journey.reason, journey.wanted_at),
        (journey.directory_error.is_not(None), "directory_" + journey.directory_error, journey.directory_read_at),
        (journey.mdm_error.is_not(None), "mdm_" + journey.mdm_error, journey.mdm_read_at),
        (sa.and_(unproven, journey.possession_error == "revoked"), "possession_revoked", journey.possession_wanted_at),
        (unproven, "possession_failed", journey.possession_wanted_at),
        (journey.owner_problem.is_not(None), journey.owner_problem, journey.wanted_at),
        (journey.help_why.is_not(None), journey.help_why, journey.wanted_at),
    ]


def _stuck(*columns: Any, urgent: Any = _ALIKE, oid: Any = _NOBODY) -> sa.Select[Any]:
    names = ("id", "whose", "what", "reason", "since", "next_at", "attempts")
    return sa.select(
        *(column.label(name) for name, column in zip(names, columns, strict=True)), urgent.label("urgent"), oid.label("oid")
    )


def _ordered(statement: sa.Select[Any], after: StuckPlace | None) -> sa.Select[Any]:
    stuck = statement.subquery().c
    place = stuck.urgent, sa.func.coalesce(stuck.since, sa.literal(_UNKNOWN, Moment)), stuck.id
    ordered = sa.select(*stuck).order_by(*place)
    if after is None:
        return ordered
    at = sa.literal(after.urgent), sa.literal(after.since, Moment), sa.literal(after.id)
    return ordered.where(sa.tuple_(*place) > sa.tuple_(*at))


def _row(kind: str, row: sa.RowMapping) -> StuckRow:
    return StuckRow(kind, *(row[name] for name in ("id", "whose", "what", "reason", "since", "next_at", "attempts", "oid")))
