"""The seeded faults: parts that a careless product would have, put in the place of its own by `wiring.Parts`.

Each is what some real program does. A figure that does not notice its fault is worth nothing.
"""

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from remediation.domain.compliance import Decision, Verdict, decide
from remediation.domain.push import Lane, message_id, update_time
from remediation.errors import Stale
from remediation.ports import Actor, Change, Report, Sending
from remediation.services.world import World
from remediation.store.budgets import SqlBudgets
from remediation.store.change import OneChange
from remediation.store.engine import writing
from remediation.store.store import SqlStore
from remediation.store.tables import audit, metadata, pushes


class CarelessChange(OneChange):
    """Sets without comparing: whoever writes last has written."""

    def _push(self, link_id: str, **keys: Any) -> sa.Update:
        return super()._push(link_id)

    def desire(
        self, link_id: str, *, seq: int, decision: Decision, posture_read_at: datetime, lane: Lane, again: str | None = None
    ) -> None:
        values = {
            "desired": decision.verdict,
            "desired_seq": pushes.c.desired_seq + 1,
            "desired_at": self.at,
            "reasons": list(decision.reasons),
            "lane": lane,
            "posture_read_at": posture_read_at,
            "compliant_until": decision.until,
            "message_id": None,
            "attempts": 0,
            "reason": None,
        }
        self.connection.execute(self._push(link_id).values(**values))

    def about_to_send(self, link_id: str, *, seq: int, message_id: str, update_time: datetime, seen_before: bool | None) -> None:
        values = {"message_id": message_id, "last_update_time": update_time, "seen_before": seen_before}
        self.connection.execute(self._push(link_id).values(**values))


class CarelessStore(SqlStore):
    """The product's store, but for the comparison."""

    @contextmanager
    def change(self, actor: Actor, why: str, *, about: tuple[str, str], at: datetime) -> Iterator[OneChange]:
        with writing(self._engine) as connection:
            inside = CarelessChange(connection, self.tenant_id, self._wakeups, at)
            yield inside
            who = {"actor_kind": actor.kind, "actor_id": actor.id, "about_kind": about[0], "about_id": about[1]}
            connection.execute(sa.insert(audit).values(tenant_id=self.tenant_id, at=at, why=why, detail=inside.detail, **who))


class ForgivingStore(SqlStore):
    """Lets no lease end: what was compliant once stays so for as long as nobody says otherwise."""

    def change(self, actor: Actor, why: str, *, about: tuple[str, str], at: datetime) -> AbstractContextManager[Change]:
        if why == "lease.ended":
            raise Stale("a lease without an end")
        return super().change(actor, why, about=about, at=at)


def apart(budgets: SqlBudgets) -> SqlBudgets:
    """The same limits, but each process counts for itself, and hears of no 429 but its own."""
    private = sa.create_engine("sqlite://", poolclass=sa.StaticPool, connect_args={"check_same_thread": False})
    metadata.tables["budgets"].create(private)
    lock = threading.Lock()

    class One(SqlBudgets):
        def enter(self, *args: Any, **kw: Any) -> Any:
            with lock:
                return super().enter(*args, **kw)

        def leave(self, *args: Any, **kw: Any) -> None:
            with lock:
                super().leave(*args, **kw)

        def woken(self, rows: int) -> None:
            with lock:
                super().woken(rows)

    return One(private, budgets._tenant_id, clock=budgets._clock, limits=budgets._limits)


def mark_first(link_id: str, *, world: World) -> None:
    """Notices what changed, writes down that it was told, and tells it: an outbox that is emptied before the letter is posted.
    What a crash cuts off in between nobody ever misses."""
    if (news := _news(link_id, world)) is not None:
        _write_down(news, world)
        news.channel.send(news.report)


def tell_what_was_read(link_id: str, *, world: World) -> None:
    """Reads both sides, tells what changed and writes it down, by `CarelessStore`: nothing asks whether somebody told newer news
    meanwhile."""
    if (news := _news(link_id, world, both_sides=True)) is not None:
        news.channel.send(news.report)
        _write_down(news, world)


@dataclass(frozen=True)
class _News:
    link_id: str
    seq: int
    decision: Decision
    read_at: datetime
    report: Report
    channel: Sending


def _news(link_id: str, world: World, *, both_sides: bool = False) -> _News | None:
    link, push = world.store.link(link_id), world.store.push(link_id)
    assert link is not None
    assert push is not None
    device = world.managers[link.managed.connection].device(link.managed.record_id)
    if both_sides:
        world.directory.device(link.device_id)
    decision = decide(device.posture, world.clock(), world.lease)
    channel = world.channel(link.platform)
    assert isinstance(channel, Sending)
    if decision.verdict is push.desired:
        return None
    stamp = update_time(push.last_update_time, world.clock())
    report = Report(
        message_id=message_id(world.store.tenant_id, link_id, stamp.microsecond + push.desired_seq * 1_000_000),
        update_time=stamp,
        compliant=decision.verdict is Verdict.COMPLIANT,
        managed=True,
        device_id=link.device_id,
        oid=link.oid,
        name=device.name,
        platform=link.platform,
        os_version=device.os_version,
        last_seen=device.posture.last_seen,
    )
    return _News(link_id, push.desired_seq, decision, device.posture.read_at, report, channel)


def _write_down(news: _News, world: World) -> None:
    told, seq = news.report, news.seq + 1
    with world.store.change(world.actor, "push.marked", about=("link", news.link_id), at=world.clock()) as change:
        change.desire(news.link_id, seq=news.seq, decision=news.decision, posture_read_at=news.read_at, lane=Lane.PERSON)
        change.about_to_send(news.link_id, seq=seq, message_id=told.message_id, update_time=told.update_time, seen_before=None)
        change.sent(news.link_id, seq=seq)
        change.accepted(news.link_id, seq=seq)
        change.confirmed(news.link_id, seq=seq, by="changed")
