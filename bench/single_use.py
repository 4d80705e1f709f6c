"""Each thing that may be used once, asked for by sixteen callers at the same moment: exactly one wins, round after round.

Callers are threads released together, each with an engine, and so connections, of its own: what keeps them apart is the database
alone. A round is right where one caller won, every other was told why it did not, and what it does was done once: one audit
row, one row, one more on the wake count. `winners_wrong` counts the rounds that were not.

* `button`: the possession link's button · `message`: the link that one wish is given · `state`: a sign-in under way
* `device`, `record`: links of one directory device to sixteen records, and of one record to sixteen devices
* `extension`: an outage's one extension of leases · `row`: a due row that is woken · `probe`: of a remote that may be back

`--break look_first` has parts that look and then write, without comparing; links and extensions the database itself holds then.
`--break no_index` has them on a database without the unique indexes.
"""

import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Barrier
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from bench.stage import look_first
from bench.stage.company import database
from bench.stage.in_process import Unheard
from remediation.domain.budget import OPENS_AT, UNREACHABLE, Budget, Limit, Limits, Refused
from remediation.domain.device import ManagedKey
from remediation.domain.push import Lane
from remediation.errors import RemediationError
from remediation.ports import Actor
from remediation.services.leases import extend
from remediation.services.prove_possession import prove, token_hash
from remediation.store.budgets import SqlBudgets
from remediation.store.engine import make_engine
from remediation.store.leases import SqlLeases
from remediation.store.sessions import SqlSignInStates
from remediation.store.store import SqlStore
from remediation.store.tables import (
    UNIQUE_LINKS,
    audit,
    budgets,
    device_links,
    lease_extensions,
    managed_devices,
    possession_links,
    pushes,
    sign_in_states,
    watches,
)
from tests.people import KEY, LINK, NOON, minutes
from tests.store.scenes import BROWSER, GOOD, TENANT, Scene, directory_phone, managed_phone

if TYPE_CHECKING:
    from bench.__main__ import Options

CALLERS = 16
LIMITS = {"mdm": Limits(Limit(rate=20, burst=30, reserve=5))}
WON, NOTHING = "won", "nothing"


@dataclass(frozen=True)
class Size:
    rounds: int


def run(options: "Options", say: Callable[[str], None]) -> dict[str, Any]:
    return play(Size(10 if options.quick else 200), options.db, options.seed, options.broken, say)


def play(size: Size, db: str, seed: int, broken: str | None, say: Callable[[str], None]) -> dict[str, Any]:
    """`seed` changes nothing: what is by chance here is which thread comes first."""
    begun, figures = time.monotonic(), dict[str, dict[str, int]]()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        url = database(db, folder, stack)
        callers = [Caller.of(url, number, broken) for number in range(CALLERS)]
        for caller in callers:
            stack.callback(caller.store._engine.dispose)
        threads = stack.enter_context(ThreadPoolExecutor(CALLERS))
        things = Things(url, broken)
        stack.callback(things.engine.dispose)
        for name, thing in things.all().items():
            figures[name] = _rounds(thing, things.engine, callers, threads, size.rounds, say)
            say(f"{name:10} {figures[name]}")
    return {
        "decided": sum(figure["decided"] for figure in figures.values()),
        "winners_wrong": sum(figure["winners_wrong"] for figure in figures.values()),
        "callers": CALLERS,
        "things": figures,
        "seconds": round(time.monotonic() - begun),
    }


@dataclass(frozen=True)
class Caller:
    number: int
    store: SqlStore
    states: SqlSignInStates
    budgets: SqlBudgets
    leases: SqlLeases
    prove: Callable[..., str]

    @classmethod
    def of(cls, url: str, number: int, broken: str | None) -> "Caller":
        engine, careless = make_engine(url), broken is not None
        return cls(
            number,
            (look_first.Store if careless else SqlStore)(engine, TENANT, Unheard()),
            (look_first.States if careless else SqlSignInStates)(engine, TENANT),
            (look_first.Budgets if careless else SqlBudgets)(engine, TENANT, clock=lambda: NOON, limits=LIMITS),
            SqlLeases(engine, TENANT),
            look_first.prove if careless else prove,
        )


Act = Callable[[Caller], str]
"""What one caller does: WON, or the word by which it was told that it did not."""


@dataclass(frozen=True)
class Thing:
    """`ready` makes a round's thing and says what each caller then does. All but the winner are told `lost`. `effects` counts what
    is to change by one. `over` clears the way for the next round."""

    lost: str
    ready: Callable[[int], Act]
    effects: sa.Select[int]
    over: Callable[[], None] = lambda: None


def _rounds(
    thing: Thing, engine: sa.Engine, callers: list[Caller], threads: ThreadPoolExecutor, rounds: int, say: Callable[[str], None]
) -> dict[str, int]:
    wrong, right = 0, Counter({WON: 1, thing.lost: len(callers) - 1})
    start = Barrier(len(callers))

    def effects() -> int:
        with engine.connect() as connection:
            return connection.execute(thing.effects).scalar_one()

    def one(act: Act, caller: Caller) -> str:
        start.wait()
        try:
            return act(caller)
        except RemediationError as error:
            return str(getattr(error, "why", error.code))

    for number in range(rounds):
        act, before = thing.ready(number), effects()
        told = Counter(threads.map(partial(one, act), callers))
        done = abs(effects() - before)
        if told != right or done != 1:
            wrong += 1
            if wrong == 1:
                say(f"  round {number}: {dict(told)}, done {done} times")
        thing.over()
    return {"decided": rounds, "winners_wrong": wrong}


class Things:
    """Mia's journey with her phone on both sides, a second linked pair, and sixteen of each side that nobody linked."""

    def __init__(self, url: str, broken: str | None) -> None:
        self.engine = make_engine(url)
        self.scene = Scene(self.engine, SqlStore(self.engine, TENANT, Unheard()))
        self.scene.arrive()
        self.scene.see_managed(managed_phone(KEY.record_id), *(managed_phone(str(n)) for n in range(CALLERS)))
        self.scene.see_directory(directory_phone("d1"), *(directory_phone(f"free-{n}") for n in range(CALLERS)))
        self.scene.link()
        push = self.scene.desire(GOOD)
        with self.scene.change() as change:
            change.confirmed("l1", seq=push.desired_seq, by="changed")
        self._write(sa.insert(watches).values(tenant_id=TENANT, name="mdm:ws1/poll", reason="mdm_unreachable", failing_since=NOON))
        if broken == "no_index":
            for index in UNIQUE_LINKS:
                self._write(sa.text(f"DROP INDEX {index.name}"))

    def all(self) -> dict[str, Thing]:
        living = _count(device_links, device_links.c.state == "active")
        wakes = sa.select(pushes.c.wake).where(pushes.c.link_id == "l1")
        closed = sa.select(sa.func.count()).select_from(budgets).where(budgets.c.probe_until.is_not(None))
        return {
            "button": Thing("used", self._button, _audited("possession.proven")),
            "message": Thing("stale", self._message, _count(possession_links)),
            "state": Thing(NOTHING, self._state, _count(sign_in_states)),
            "device": Thing("conflict", self._device, living, self._unlink),
            "record": Thing("conflict", self._record, living, self._unlink),
            "extension": Thing("extended_already", self._extension, _count(lease_extensions)),
            "row": Thing(NOTHING, self._row, wakes),
            "probe": Thing(UNREACHABLE, self._probe, closed),
        }

    def _button(self, number: int) -> Act:
        self.scene.ask_for_proof()
        self.scene.mint(token_hash(f"token {number}"))

        def act(caller: Caller) -> str:
            caller.prove(caller.store, f"token {number}", oid="mia", browser=BROWSER, now=NOON + minutes(2))
            return WON

        return act

    def _message(self, number: int) -> Act:
        self.scene.ask_for_proof()

        def act(caller: Caller) -> str:
            with caller.store.change(Actor("worker", "w"), "possession.minted", about=("journey", "j1"), at=NOON) as change:
                change.mint_possession_link("j1", token_hash=f"message {number}/{caller.number}", expires_at=NOON + minutes(10))
            return WON

        return act

    def _state(self, number: int) -> Act:
        with self.engine.begin() as connection:
            connection.execute(sa.delete(sign_in_states))
        SqlSignInStates(self.engine, TENANT).put(f"state {number}", "kept", until=NOON + minutes(10))
        return lambda caller: WON if caller.states.take(f"state {number}", at=NOON) == "kept" else NOTHING

    def _device(self, number: int) -> Act:
        return lambda caller: self._make(caller, number, f"free-{number % CALLERS}", str(caller.number))

    def _record(self, number: int) -> Act:
        return lambda caller: self._make(caller, number, f"free-{caller.number}", str(number % CALLERS))

    def _make(self, caller: Caller, number: int, device_id: str, record_id: str) -> str:
        link_id, key = f"{time.monotonic_ns()}-{number}-{caller.number}", ManagedKey("ws1", record_id)
        link = replace(LINK, id=link_id, device_id=device_id, object_id=f"object-{device_id}", managed=key)
        with caller.store.change(Actor("worker", "w"), "link.made", about=("link", link.id), at=NOON) as change:
            change.make_link(link)
        return WON

    def _unlink(self) -> None:
        made = sa.select(device_links.c.id).where(device_links.c.state == "active", device_links.c.id != "l1")
        for row in self.scene.rows(made):
            with self.scene.change() as change:
                change.end_link(row.id, "over")

    def _extension(self, number: int) -> Act:
        """Another outage each time, after another good read of the device."""
        read = NOON + timedelta(hours=number)
        self._write(sa.update(watches).values(failing_since=read))
        self._write(sa.update(managed_devices).values(last_seen=read))
        row = sa.update(pushes).where(pushes.c.link_id == "l1")
        self._write(row.values(posture_read_at=read, compliant_until=read + timedelta(hours=72)))

        def act(caller: Caller) -> str:
            who, now = Actor("operator", str(caller.number)), read + timedelta(hours=1)
            extend(caller.store, caller.leases, "ws1", check_in=timedelta(days=14), actor=who, why="a bench", now=now)
            return WON

        return act

    def _row(self, number: int) -> Act:
        self._write(sa.update(pushes).where(pushes.c.link_id == "l1").values(next_look_at=NOON - minutes(1)))
        return lambda caller: WON if caller.store.wake_due(NOON).rows == 1 else NOTHING

    def _probe(self, number: int) -> Act:
        half_open = Budget(closed_until=NOON - minutes(1), failures=OPENS_AT, reason=UNREACHABLE)
        self._write(sa.insert(budgets).values(tenant_id=TENANT, remote=f"mdm:{number}", **asdict(half_open)))

        def act(caller: Caller) -> str:
            answer = caller.budgets.enter(f"mdm:{number}", Lane.SWEEP, writes=False)
            return answer.why if isinstance(answer, Refused) else WON

        return act

    def _write(self, statement: sa.Executable) -> None:
        with self.engine.begin() as connection:
            connection.execute(statement)


def _count(table: sa.Table, *which: sa.ColumnElement[bool]) -> sa.Select[int]:
    return sa.select(sa.func.count()).select_from(table).where(*which)


def _audited(why: str) -> sa.Select[int]:
    return _count(audit, audit.c.why == why)
