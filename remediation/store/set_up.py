"""The rows of setting a tenant up: scope, wishes, arrival tests, pilots. `SqlSetUp` implements `ports.SetUpRows`.

Next door: `change_set_up` (the writes that are decisions).
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from ..domain.arrival import ArrivalTest
from ..domain.device import ManagedKey, Platform
from ..domain.pilot import Pilot, PilotState
from ..domain.scope import ChosenGroup, Scope
from ..domain.wishes import Kind, Wish
from .engine import reading, writing
from .tables import LIVING, arrival_tests, device_links, pilots, scopes, set_up_wishes

_OF_WISH = [set_up_wishes.c[name] for name in Wish.__dataclass_fields__]
_OF_ARRIVAL = [arrival_tests.c[name] for name in ArrivalTest.__dataclass_fields__]
_OF_PILOT = [pilots.c[name] for name in Pilot.__dataclass_fields__]
_ACTIVE = sa.text("device_links.state = 'active' AND device_links.state IN ('pending', 'active')")  # as in `watching`


class SqlSetUp:
    tenant_id: str
    _engine: sa.Engine

    def scope(self) -> Scope:
        row = self._first(sa.select(scopes).where(scopes.c.tenant_id == self.tenant_id))
        if row is None:
            return Scope()
        return Scope(_groups(row["groups"]), row["seq"], row["chosen_at"], row["chosen_by"])

    def draft(self) -> tuple[ChosenGroup, ...] | None:
        row = self._first(sa.select(scopes.c.draft).where(scopes.c.tenant_id == self.tenant_id))
        return None if row is None or row["draft"] is None else _groups(row["draft"])

    def wish(self, wish_id: str) -> Wish | None:
        row = self._first(self._mine(set_up_wishes, _OF_WISH).where(set_up_wishes.c.id == wish_id))
        return None if row is None else Wish(**row)

    def last_wish(self, kind: Kind) -> Wish | None:
        newest = set_up_wishes.c.asked_at.desc(), set_up_wishes.c.id
        row = self._first(self._mine(set_up_wishes, _OF_WISH).where(set_up_wishes.c.kind == kind).order_by(*newest).limit(1))
        return None if row is None else Wish(**row)

    def accounts(self) -> Mapping[str, str]:
        wish = set_up_wishes.c
        answered = self._mine(set_up_wishes, [wish.answer]).where(wish.kind == Kind.ACCOUNT, wish.done_at.is_not(None))
        answers = [row["answer"] for row in self._all(answered.order_by(wish.asked_at).limit(200))]
        return {str(one["oid"]): str(one["name"]) for one in answers if one.get("oid") and one.get("name")}

    def open_wishes(self, limit: int = 20) -> Sequence[Wish]:
        wish = set_up_wishes.c
        waiting = self._mine(set_up_wishes, _OF_WISH).where(wish.done_at.is_(None)).order_by(wish.asked_at, wish.id).limit(limit)
        return [Wish(**row) for row in self._all(waiting)]

    def answer_wish(
        self, wish_id: str, *, at: datetime, answer: Mapping[str, Any], failed: str | None = None, code: str | None = None
    ) -> bool:
        wish = set_up_wishes.c
        still = wish.tenant_id == self.tenant_id, wish.id == wish_id, wish.done_at.is_(None)
        values = {"done_at": at, "answer": dict(answer), "failed": failed, "code": code}
        with writing(self._engine) as connection:
            return connection.execute(sa.update(set_up_wishes).where(*still).values(**values)).rowcount == 1

    def arrival_tests(self) -> Sequence[ArrivalTest]:
        """Few rows: one for each tap of an administrator."""
        test = arrival_tests.c
        rows = self._all(self._mine(arrival_tests, _OF_ARRIVAL).order_by(test.opened_at.desc(), test.id).limit(200))
        found: dict[tuple[str, bool], ArrivalTest] = {}
        for row in rows:
            one = ArrivalTest(**row)
            found.setdefault((one.tested, False), one)
            if one.seen_at is not None:
                found.setdefault((one.tested, True), one)
        return list(dict.fromkeys(found.values()))

    def open_arrival_test(self, now: datetime) -> ArrivalTest | None:
        test = arrival_tests.c
        waiting = self._mine(arrival_tests, _OF_ARRIVAL).where(test.expires_at > now, test.seen_at.is_(None))
        row = self._first(waiting.order_by(test.opened_at.desc()).limit(1))
        return None if row is None else ArrivalTest(**row)

    def pilot(self, pilot_id: str) -> Pilot | None:
        row = self._first(self._mine(pilots, _OF_PILOT).where(pilots.c.id == pilot_id))
        return None if row is None else Pilot(**row)

    def running_pilot(self, platform: Platform) -> Pilot | None:
        running = pilots.c.platform == platform, sa.text("pilots.state = 'running'")
        row = self._first(self._mine(pilots, _OF_PILOT).where(*running))
        return None if row is None else Pilot(**row)

    def pilots(self) -> Sequence[Pilot]:
        rows = self._all(self._mine(pilots, _OF_PILOT).order_by(pilots.c.started_at.desc(), pilots.c.id).limit(500))
        found: dict[tuple[Platform, str], Pilot] = {}
        for one in (Pilot(**row) for row in rows):
            found.setdefault((one.platform, ""), one)
            if one.state is PilotState.PROVEN:
                found.setdefault((one.platform, one.channel), one)
        return list(dict.fromkeys(found.values()))

    def held_down(self, link_id: str, now: datetime) -> bool:
        of_link = self._mine(pilots, _OF_PILOT).where(pilots.c.link_id == link_id, sa.text("pilots.state = 'running'"))
        return any(Pilot(**row).holds_down(now) for row in self._all(of_link))

    def active_link(self, key: ManagedKey) -> str | None:
        link = device_links.c
        mine = link.tenant_id == self.tenant_id, link.connection == key.connection, link.record_id == key.record_id
        row = self._first(sa.select(link.id).where(*mine, _ACTIVE))
        return None if row is None else str(row["id"])

    def living_links_count(self) -> int:
        living = device_links.c.tenant_id == self.tenant_id, device_links.c.state.in_(LIVING)
        with reading(self._engine) as connection:
            return int(connection.execute(sa.select(sa.func.count()).select_from(device_links).where(*living)).scalar_one())

    def _mine(self, table: sa.Table, columns: Sequence[sa.Column[Any]]) -> sa.Select[Any]:
        return sa.select(*columns).where(table.c.tenant_id == self.tenant_id)

    def _first(self, statement: sa.Select[Any]) -> sa.RowMapping | None:
        with reading(self._engine) as connection:
            return connection.execute(statement).mappings().first()

    def _all(self, statement: sa.Select[Any]) -> Sequence[sa.RowMapping]:
        with reading(self._engine) as connection:
            return connection.execute(statement).mappings().all()


def _groups(rows: Sequence[Mapping[str, str]]) -> tuple[ChosenGroup, ...]:
    return tuple(ChosenGroup(row["id"], row["name"]) for row in rows)
