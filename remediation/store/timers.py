"""When to look again. The wake count guards every timer: who was woken last owns it, and a late worker changes none. Next door:
`due`, which wakes those whose time has come.

What a late worker *saw* still counts where it is newer than what is known: else, with remotes so slow that each look outlasts the
safety net, no look would ever be written down.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

import sqlalchemy as sa

from ..domain.compliance import Decision
from ..domain.device import LinkState
from ..domain.push import back_off
from . import lanes
from .tables import device_links, journeys, observations, pushes, watches
from .wakeups import LOOK_JOURNEY, PUSH_LINK, WATCH_SOURCE

log = logging.getLogger(__name__)


def _of_row(table: sa.Table, key: sa.Column[str]) -> sa.Update:
    return sa.update(table).where(table.c.tenant_id == sa.bindparam("of_tenant"), key == sa.bindparam("of_row"))


@dataclass(frozen=True)
class Timer:
    """One row that waits. `_set` says whether the row was in that condition."""

    connection: sa.Connection
    tenant_id: str
    row_id: str
    table: ClassVar[sa.Table]
    key: ClassVar[sa.Column[str]]

    def _set(self, condition: sa.ColumnElement[bool], **values: Any) -> bool:
        return self._row(_of_row(self.table, self.key).where(condition).values(**values))

    def _row(self, statement: sa.Update, **values: Any) -> bool:
        """One that was made once; `values` are those of its columns and of its parameters."""
        row = {"of_tenant": self.tenant_id, "of_row": self.row_id}
        return self.connection.execute(statement, {**row, **values}).rowcount == 1

    def _park(self, wake: int, **values: Any) -> bool:
        parked = self._set(self.table.c.wake == wake, **values)
        if not parked:
            log.debug("%s: %s was woken again since wake-up %d, its timers stay", self.table.name, self.row_id, wake)
        return parked

    def park_failed(self, wake: int, calls: list[dict[str, Any]]) -> None:
        if calls:
            self._park(wake, failed_calls=calls)


class LookTimer(Timer):
    table = journeys
    key = journeys.c.id

    def seen(self, at: datetime, *, directory: bool, mdm: bool, refreshed: bool) -> None:
        for column, good in (("directory_read_at", directory), ("mdm_read_at", mdm), ("refreshed_at", refreshed)):
            if good:
                self._set(sa.or_(journeys.c[column].is_(None), journeys.c[column] < at), **{column: at})

    def park(
        self,
        wake: int,
        *,
        at: datetime,
        next_at: datetime | None,
        attempts: int,
        refreshed: bool,
        found: Mapping[str, str | int | None],
    ) -> None:
        """The wishes of this wake-up are granted, though the clock of the host that wrote them may be ahead of ours."""
        granted = {"done_at": journeys.c.wanted_at, **({"refreshed_at": journeys.c.refresh_wanted_at} if refreshed else {})}
        times = {name: _not_before(wished, at) for name, wished in granted.items()}
        self._park(wake, next_look_at=next_at, attempts=attempts, reason=None, **times, **found)


def _not_before(wished: sa.Column[datetime], at: datetime) -> sa.ColumnElement[datetime]:
    return sa.case((wished > at, wished), else_=sa.literal(at, wished.type))


class PushTimer(Timer):
    table = pushes
    key = pushes.c.link_id

    def seen(self, compliant: bool | None, at: datetime) -> None:
        older = sa.or_(pushes.c.observed_at.is_(None), pushes.c.observed_at <= at)
        self._set(older, observed=compliant, observed_at=at)

    def park(
        self, wake: int, seq: int, *, next_at: datetime | None, attempts: int, reason: str | None, following: bool, looked: bool
    ) -> bool:
        """A worker that read earlier may have told its news late, after this pass had looked at the row and before now. Nobody else
        would look again soon: its own wake-up is an old one."""
        lane = lanes.once_parked(looked=looked)
        if not self._park(wake, next_look_at=next_at, attempts=attempts, reason=reason, following=following, lane=lane):
            return False
        return not self._set(pushes.c.desired_seq != seq, next_look_at=pushes.c.desired_at, following=False)

    def overtaken(self, wake: int, *, next_at: datetime, attempts: int) -> None:
        waits = sa.and_(pushes.c.wake == wake, pushes.c.next_look_at.is_not(None))
        self._set(waits, next_look_at=next_at, attempts=attempts, following=False)

    def renew(self, decision: Decision, posture_read_at: datetime, *, seq: int | None = None) -> bool:
        """Only for the verdict that stands, by a posture no older than the one it stands on, and only while the link is active."""
        same = pushes.c.desired == decision.verdict
        newer = sa.or_(pushes.c.posture_read_at.is_(None), pushes.c.posture_read_at <= posture_read_at)
        link = device_links.c
        active = sa.exists().where(link.tenant_id == self.tenant_id, link.id == self.row_id, link.state == LinkState.ACTIVE)
        values = {"posture_read_at": posture_read_at, "compliant_until": decision.until, "reasons": list(decision.reasons)}
        still = sa.true() if seq is None else pushes.c.desired_seq == seq
        return self._set(sa.and_(same, newer, active, still), **values)


class WatchTimer(Timer):
    table = watches
    key = watches.c.name


TIMER_OF = {PUSH_LINK: PushTimer, LOOK_JOURNEY: LookTimer, WATCH_SOURCE: WatchTimer}


def note_fault(connection: sa.Connection, tenant_id: str, workflow: str, row_id: str, *, wake: int, at: datetime) -> None:
    """A bug left the row as it was. It waits longer each time, so that it takes no turn from others, and says why; but never
    beyond the end of its lease, which must end in time."""
    timer = TIMER_OF[workflow](connection, tenant_id, row_id)
    columns = timer.table.c
    row = sa.and_(columns.tenant_id == tenant_id, timer.key == row_id, columns.wake == wake)
    attempts = connection.execute(sa.select(columns.attempts).where(row)).scalar_one_or_none()
    if attempts is None:
        return
    values: dict[str, Any] = {"next_look_at": sa.literal(back_off(at, attempts), columns.next_look_at.type)}
    if timer.table is pushes:
        until = pushes.c.compliant_until
        values["next_look_at"] = sa.case((sa.and_(until > at, until < values["next_look_at"]), until), else_=values["next_look_at"])
    if timer.table is watches:
        values["failing_since"] = sa.func.coalesce(watches.c.failing_since, sa.literal(at, watches.c.failing_since.type))
    timer._park(wake, attempts=attempts + 1, reason="our_fault", **values)


def note_shown(connection: sa.Connection, tenant_id: str, journey_id: str, before: str | None, shown: str, *, at: datetime) -> None:
    """Two pages of one journey at once: whoever comes second finds another page noted than it read, and notes nothing."""
    journey = journeys.c
    as_read = journey.tenant_id == tenant_id, journey.id == journey_id, journey.shown.is_not_distinct_from(before)
    if connection.execute(sa.update(journeys).where(*as_read).values(shown=shown)).rowcount == 1:
        about = {"subject_kind": "journey", "subject_id": journey_id, "what": "shown", "old": before, "new": shown}
        connection.execute(sa.insert(observations).values(tenant_id=tenant_id, at=at, **about))
