"""The seeded fault of `single_use`: parts that look whether they may, and then write without comparing. Between the two, others
did the same."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from remediation.domain.budget import Admitted, Budget, Refused, Room, Woken, enter
from remediation.domain.push import Lane
from remediation.errors import PossessionRefused
from remediation.ports import Actor
from remediation.ports.store import EVERYTHING
from remediation.services.prove_possession import token_hash
from remediation.store.budgets import COLUMNS, THIS, SqlBudgets
from remediation.store.change import OneChange
from remediation.store.engine import reading, writing
from remediation.store.open_change import waking
from remediation.store.sessions import SqlSignInStates, _hash, unseal
from remediation.store.store import SqlStore
from remediation.store.tables import audit, possession_links, pushes, sign_in_states
from remediation.store.wakeups import PUSH_LINK


def _others_look() -> None:
    """Long enough for all sixteen to have looked before the first writes, also on a machine that lets few of them run at once."""
    time.sleep(0.05)


class _Change(OneChange):
    def prove_possession(self, token_hash: str, *, oid: str, browser: str) -> str:
        link = sa.update(possession_links).where(self.mine(possession_links, token_hash=token_hash)).values(used_at=self.at)
        journey_id: str = self.connection.execute(link.returning(possession_links.c.journey_id)).scalar_one()
        self._wake_journey(journey_id, possession_proven_at=self.at)
        return journey_id

    def _claim_sending(self, journey_id: str) -> None:
        """Whoever came here had looked at the journey before."""


class Store(SqlStore):
    @contextmanager
    def change(self, actor: Actor, why: str, *, about: tuple[str, str], at: datetime) -> Iterator[OneChange]:
        with writing(self._engine) as connection:
            inside = _Change(connection, self.tenant_id, self._wakeups, at)
            yield inside
            who = {"actor_kind": actor.kind, "actor_id": actor.id, "about_kind": about[0], "about_id": about[1]}
            connection.execute(sa.insert(audit).values(tenant_id=self.tenant_id, at=at, why=why, detail=inside.detail, **who))

    def wake_due(self, now: datetime, *, limit: int = 100, room: Room = EVERYTHING) -> Woken:
        due = sa.select(pushes.c.link_id).where(pushes.c.tenant_id == self.tenant_id, pushes.c.next_look_at <= now)
        with reading(self._engine) as connection:
            found = connection.execute(due).scalars().all()
        _others_look()
        for link_id in found:
            with writing(self._engine) as connection:
                wake_up = sa.update(pushes).where(pushes.c.link_id == link_id).values(**waking(pushes, now))
                wake = connection.execute(wake_up.returning(pushes.c.wake)).scalar_one()
                self._wakeups.enqueue(connection, PUSH_LINK, link_id, wake, lane=Lane.SWEEP)
        return Woken(len(found))


class States(SqlSignInStates):
    def take(self, key: str, *, at: datetime) -> str | None:
        this = sa.and_(self._mine, sign_in_states.c.key == _hash(key))
        with reading(self._engine) as connection:
            row = connection.execute(sa.select(sign_in_states).where(this)).one_or_none()
        _others_look()
        with writing(self._engine) as connection:
            connection.execute(sa.delete(sign_in_states).where(this))
        return unseal(row.value, key) if row is not None and row.until > at else None


class Budgets(SqlBudgets):
    def enter(self, remote: str, lane: Lane, *, writes: bool) -> Admitted | Refused:
        with reading(self._engine) as connection:
            row = connection.execute(sa.select(*COLUMNS).where(*THIS), self._key(remote)).one_or_none()
        _others_look()
        budget = Budget(*row) if row is not None else Budget()
        answer = enter(budget, self._of(remote), self._clock(), lane, writes=writes)
        with writing(self._engine) as connection:
            self._store(connection, remote, budget, answer.budget)
        return answer


def prove(store: SqlStore, token: str, *, oid: str, browser: str, now: datetime) -> str:
    """The page's own look, and then the button as if nobody else could have pressed it."""
    facts: Any = store.possession_link(token_hash(token), now)
    if facts is None or facts.refusal is not None:
        raise PossessionRefused("unknown" if facts is None else facts.refusal)
    _others_look()
    with store.change(Actor("person", oid), "possession.proven", about=("person", oid), at=now) as change:
        return change.prove_possession(token_hash(token), oid=oid, browser=browser)
