"""A random history of the store's own changes on a real database, by two callers of whom one holds what it read before: every
answer is foretold by a model of a few lines, and in the end the tables are asked for the invariants. Played by `bench histories`.
"""

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from bench.stage.two_sides import DEVICES, LEASE, NOON, RECORDS, device_named, record_named
from remediation.domain.compliance import Decision, Verdict
from remediation.domain.device import DeviceLink, LinkState, ManagedKey, Person, Platform
from remediation.domain.evidence import Evidence, Level
from remediation.domain.push import Lane, update_time
from remediation.errors import Conflict, Stale
from remediation.ports import Actor
from remediation.store.store import SqlStore
from remediation.store.tables import audit, device_links, pushes

STEPS, WORKER = 24, Actor("worker", "bench")
LIVING = (LinkState.PENDING, LinkState.ACTIVE)


@dataclass
class _Held:
    """The model of one link's row: what two callers believe of it may be older."""

    device: str
    record: str
    state: LinkState
    seq: int = 0
    read_at: datetime | None = None
    last_time: datetime | None = None
    says: Verdict | None = None


class StoredHistory:
    """The store's changes, each foretold."""

    def __init__(self, chance: random.Random, found: Counter[str], engine: sa.Engine, store: SqlStore) -> None:
        self.chance, self.found, self.engine, self.store, self.now = chance, found, engine, store, NOON
        self.model: dict[str, _Held] = {}
        self.remembered: dict[str, tuple[int, datetime]] = {}
        self.changes = 1
        with store.change(WORKER, "seen", about=("person", "mia"), at=NOON) as change:
            change.save_person(Person("mia", "Mia", "mia@x.example", None))
        store.observe_managed("ws1", "mia", [record_named(name) for name in RECORDS], at=NOON)
        store.observe_directory("mia", [device_named(name) for name in DEVICES], at=NOON)

    def plays(self) -> None:
        for _ in range(STEPS):
            self.now += timedelta(seconds=self.chance.choice((0, 1, 60, 9000)))
            does = (self._make, self._make, self._end, self._replace, self._desire, self._desire, self._prepare, self._remember)
            self.chance.choice(does)()
        self._holds()

    def _make(self) -> None:
        name, state = f"k{len(self.model)}-{self.chance.random()}", self.chance.choice(LIVING)
        device, record = self.chance.choice(DEVICES), self.chance.choice(RECORDS)
        living = [k for k in self.model.values() if k.state in LIVING]
        free = all(k.record != record for k in living)
        free &= state is LinkState.PENDING or all(k.device != device or k.state is LinkState.PENDING for k in living)
        link = self._link(name, device, record, state)
        if self._does("link.made", name, lambda change: change.make_link(link), foretold=free):
            self._made(link)

    def _link(self, name: str, device: str, record: str, state: LinkState) -> DeviceLink:
        return DeviceLink(
            id=name, device_id=device, object_id=f"o-{device}", managed=ManagedKey("ws1", record), generation="1", oid="mia",
            platform=Platform.IOS, evidence=Evidence(Level.POSSESSION, self.now, ""), state=state, made_at=self.now,
        )  # fmt: skip

    def _made(self, link: DeviceLink) -> None:
        last = max((k.last_time for k in self.model.values() if k.device == link.device_id and k.last_time), default=None)
        self.model[link.id] = _Held(link.device_id, link.managed.record_id, link.state, last_time=last)

    def _end(self) -> None:
        name, held = self._any()
        if held is None:
            return
        if self._does("link.ended", name, lambda change: change.end_link(name, "wiped"), foretold=held.state in LIVING):
            self._ended(held)

    def _ended(self, held: _Held) -> None:
        if held.state is LinkState.ACTIVE:
            held.seq, held.says = held.seq + 1, Verdict.NOT_COMPLIANT
        held.state = LinkState.ENDED

    def _replace(self) -> None:
        """A link gives way to one of the same record with another device, in one change: whole, or not at all."""
        old, held = self._any()
        if held is None:
            return
        link = self._link(f"k{len(self.model)}-{self.chance.random()}", self.chance.choice(DEVICES), held.record, LinkState.ACTIVE)
        others = [k for k in self.model.values() if k is not held and k.state is LinkState.ACTIVE]
        free = held.state in LIVING and all(k.device != link.device_id for k in others)

        def replace(change: Any) -> None:
            change.end_link(old, "replaced")
            change.make_link(link)

        if self._does("link.replaced", link.id, replace, foretold=free):
            self._ended(held)
            self._made(link)

    def _remember(self) -> None:
        """The other tab, or a worker that fell asleep: it acts on this later."""
        name, held = self._any()
        if held is not None:
            self.remembered[name] = (held.seq, self.now)

    def _desire(self) -> None:
        name, held = self._any()
        if held is None:
            return
        seq, read_at = self.remembered.pop(name, (held.seq, self.now))
        verdict = self.chance.choice((Verdict.COMPLIANT, Verdict.NOT_COMPLIANT))
        decision = Decision(verdict, (), read_at + LEASE.since_read if verdict is Verdict.COMPLIANT else None)
        may = seq == held.seq and (held.read_at is None or held.read_at <= read_at)
        may &= verdict is not Verdict.COMPLIANT or held.state is LinkState.ACTIVE

        def desire(change: Any) -> None:
            change.desire(name, seq=seq, decision=decision, posture_read_at=read_at, lane=Lane.PERSON)

        if self._does("verdict.changed", name, desire, foretold=may):
            held.seq, held.read_at, held.says = held.seq + 1, read_at, verdict

    def _prepare(self) -> None:
        name, held = self._any()
        if held is None:
            return
        seq, _ = self.remembered.pop(name, (held.seq, self.now))
        at = update_time(held.last_time, self.now - timedelta(seconds=self.chance.choice((0, 3600))))

        def send(change: Any) -> None:
            change.about_to_send(name, seq=seq, message_id=f"{name}/{seq}/{at}", update_time=at, seen_before=None)
            change.sent(name, seq=seq)
            change.accepted(name, seq=seq)
            change.confirmed(name, seq=seq, by="changed")

        if self._does("push.sent", name, send, foretold=seq == held.seq):
            held.last_time = at

    def _any(self) -> tuple[str, _Held | None]:
        name = self.chance.choice(list(self.model)) if self.model else ""
        return name, self.model.get(name)

    def _does(self, why: str, name: str, what: Callable[[Any], None], *, foretold: bool) -> bool:
        try:
            with self.store.change(WORKER, why, about=("link", name), at=self.now) as change:
                what(change)
            done = True
        except (Conflict, Stale):
            done = False
        self.changes += done
        self.found["surprise"] += done is not foretold
        return done

    def _holds(self) -> None:
        """What the tables say, and not what we believe."""
        mine = {"tenant_id": self.store.tenant_id}
        with self.engine.connect().execution_options(reads=True) as connection:
            joined = sa.select(device_links, pushes).join(pushes, pushes.c.link_id == device_links.c.id)
            rows = connection.execute(joined.where(device_links.c.tenant_id == sa.bindparam("tenant_id")), mine).mappings().all()
            count = sa.select(sa.func.count()).where(audit.c.tenant_id == sa.bindparam("tenant_id"))
            audited = connection.execute(count, mine).scalar_one()
        active = [row["device_id"] for row in rows if row["state"] is LinkState.ACTIVE]
        living = [row["record_id"] for row in rows if row["state"] in LIVING]
        self._demand(len(set(active)) == len(active) and len(set(living)) == len(living), "I1")
        self._demand(audited == self.changes, "I9")
        for row in rows:
            held = self.model[row["id"]]
            compliant = row["desired"] is Verdict.COMPLIANT
            self._demand(
                not (compliant and row["state"] is not LinkState.ACTIVE), "I12" if row["state"] is LinkState.PENDING else "I6"
            )
            self._demand(not compliant or row["compliant_until"] == row["posture_read_at"] + LEASE.since_read, "I7")
            self._demand(row["posture_read_at"] == held.read_at, "I3")
            self._demand((row["desired_seq"], row["desired"]) == (held.seq, held.says), "I6")
            self._demand(row["last_update_time"] == held.last_time, "I11")

    def _demand(self, holds: bool, invariant: str) -> None:
        self.found[invariant] += not holds


class Silent(SqlStore):
    """Ends a link and forgets to tell Microsoft."""

    def change(self, actor: Actor, why: str, **more: Any) -> Any:
        if why != "link.ended":
            return super().change(actor, why, **more)
        return _Ending(self, super().change(actor, why, **more))


class _Ending:
    def __init__(self, store: SqlStore, true: Any) -> None:
        self._store, self._true = store, true

    def __enter__(self) -> Any:
        change = self._true.__enter__()

        def end_link(link_id: str, why: str) -> None:
            row = change.mine(device_links, id=link_id)
            values = {"state": LinkState.ENDED, "ended_at": change.at, "ended_why": why}
            change.set_one(sa.update(device_links).where(row, device_links.c.state.in_(LIVING)).values(**values), "end_link")

        change.end_link = end_link
        return change

    def __exit__(self, *error: Any) -> Any:
        return self._true.__exit__(*error)
