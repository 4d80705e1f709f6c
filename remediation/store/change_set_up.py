"""The part of a change that is about setting a tenant up. Next door: `set_up` (the reads), `change_operating`."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError

from ..domain.arrival import ArrivalTest
from ..domain.pilot import Next, Pilot, PilotState, PilotStep, watch_of
from ..domain.push import Lane
from ..domain.scope import ChosenGroup
from ..domain.wishes import WISHES, Wish
from ..errors import Conflict
from .change_links import LinkChanges
from .open_change import waking
from .tables import arrival_tests, pilots, pushes, scopes, set_up_wishes, watches
from .wakeups import WATCH_SOURCE

_SEEN = {
    PilotStep.COMPLIANT: "compliant_at",
    PilotStep.NOT_COMPLIANT: "not_compliant_at",
    PilotStep.AGAIN: "again_at",
}


class SetUpChanges(LinkChanges):
    def choose_scope(self, groups: Sequence[ChosenGroup], *, seq: int, by: str) -> None:
        self._keep_scope()
        chosen = {"groups": _plain(groups), "draft": None, "seq": seq + 1, "chosen_at": self.at, "chosen_by": by}
        self.set_one(sa.update(scopes).where(self.mine(scopes, seq=seq)).values(**chosen), "choose_scope")

    def draft_scope(self, groups: Sequence[ChosenGroup] | None) -> None:
        self._keep_scope()
        draft = None if groups is None else _plain(groups)
        self.connection.execute(sa.update(scopes).where(self.mine(scopes)).values(draft=draft))

    def make_wish(self, wish: Wish) -> None:
        row = {**asdict(wish), "asked": dict(wish.asked), "answer": dict(wish.answer)}
        self.connection.execute(sa.insert(set_up_wishes).values(tenant_id=self.tenant_id, **row))
        if wish.done_at is None:
            self._wake_watch(WISHES)

    def open_arrival(self, test: ArrivalTest) -> None:
        open_now = sa.and_(arrival_tests.c.seen_at.is_(None), arrival_tests.c.expires_at > self.at)
        self.connection.execute(sa.update(arrival_tests).where(self.mine(arrival_tests), open_now).values(expires_at=self.at))
        self.connection.execute(sa.insert(arrival_tests).values(tenant_id=self.tenant_id, **asdict(test)))

    def record_arrival(self, test_id: str, *, entrance: str, way: str | None, platform: str, referrer: str) -> None:
        """Once and in time, by the UPDATE's own conditions: of many that arrive at once, one is recorded."""
        test = arrival_tests.c
        values = {"seen_at": self.at, "entrance": entrance, "way": way, "platform": platform, "referrer": referrer}
        still = self.mine(arrival_tests, id=test_id), test.seen_at.is_(None), test.expires_at > self.at
        self.set_one(sa.update(arrival_tests).where(*still).values(**values), "record_arrival")

    def start_pilot(self, pilot: Pilot) -> None:
        try:
            self.connection.execute(sa.insert(pilots).values(tenant_id=self.tenant_id, **asdict(pilot)))
        except IntegrityError as error:
            self.refuse(Conflict("a pilot of this platform runs already"), error)
        self.wake_link(pilot.link_id, lane=Lane.PERSON)
        self._wake_watch(watch_of(pilot.platform))

    def pilot_goes_on(self, pilot: Pilot, after: Next, *, until: datetime) -> None:
        values: dict[str, Any] = {} if after.seen_at is None else {_SEEN[pilot.step]: after.seen_at}
        if after.failed is not None:
            values |= {"state": PilotState.FAILED, "why": after.failed, "ended_at": self.at}
        elif after.step is None:
            values |= {"state": PilotState.PROVEN, "ended_at": self.at}
        else:
            values |= {"step": after.step, "step_at": self.at, "until": until}
        self._set_pilot(pilot, values)
        self._let_go(pilot)

    def stop_pilot(self, pilot: Pilot, *, why: str) -> None:
        self._set_pilot(pilot, {"state": PilotState.STOPPED, "why": why, "ended_at": self.at})
        self._let_go(pilot)

    def _set_pilot(self, pilot: Pilot, values: dict[str, Any]) -> None:
        """Compare-and-set: whoever looked at an earlier step has looked in vain."""
        still = self.mine(pilots, id=pilot.id, state=PilotState.RUNNING, step=pilot.step)
        self.set_one(sa.update(pilots).where(still).values(**values), "pilot")

    def _let_go(self, pilot: Pilot) -> None:
        """The link is looked at anew; one that was erased meanwhile has nothing to be looked at."""
        there = sa.select(pushes.c.link_id).where(self.mine(pushes, link_id=pilot.link_id))
        if self.connection.execute(there).first() is not None:
            self.wake_link(pilot.link_id, lane=Lane.PERSON)

    def _wake_watch(self, name: str) -> None:
        """With its wake counted: a pass that is under way has read before this, and must not put the row to rest."""
        insert = postgresql.insert if self.connection.dialect.name == "postgresql" else sqlite.insert
        self.connection.execute(insert(watches).values(tenant_id=self.tenant_id, name=name).on_conflict_do_nothing())
        wake_up = sa.update(watches).where(self.mine(watches, name=name)).values(attempts=0, **waking(watches, self.at))
        wake = self.connection.execute(wake_up.returning(watches.c.wake)).scalar_one()
        self.wakeups.enqueue(self.connection, WATCH_SOURCE, name, wake, lane=Lane.PERSON)

    def _keep_scope(self) -> None:
        insert = postgresql.insert if self.connection.dialect.name == "postgresql" else sqlite.insert
        self.connection.execute(insert(scopes).values(tenant_id=self.tenant_id, groups=[]).on_conflict_do_nothing())


def _plain(groups: Sequence[ChosenGroup]) -> list[dict[str, str]]:
    return [{"id": group.id, "name": group.name} for group in groups]
