"""How long a change at the MDM takes to Entra, by its event and by the poll; and what a storm of forged and repeated events costs.

Phones lose their passcode or get it back, one after the other, at random moments; each tells its MDM at once. `by_event` has that
MDM send an event to the product's pages over a socket; `by_poll` has no event, and a clock that goes `pace` times as fast, since a
poll comes every five minutes. Both are measured in seconds of the world from the phone's report to the moment that Entra shows it,
with the stand-in's own 0.4 s in them. `late` did not arrive while it was waited for.

`storm`: events of every kind about a few devices, from several senders at once, at the product's own limits: with a wrong password,
the same ones again, and lies, good news and bad. None is true. `answered_p99_ms` is how long a sender waits, `reads_per_device` how
often the worker asked the MDM for each of these records meanwhile, `wake_ups_per_device` how often its row was woken; `pushes` must
be 0, as must what `judge` counts.

`--break deaf` takes events and forgets them: all are `late`. `--break eager` wakes a row for each event: `wake_ups_per_device`
is far above.
"""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

import requests
import sqlalchemy as sa

from bench.stage.company import Company
from bench.stage.crew import Crew
from bench.stage.judge import judge
from bench.stage.listening import Listening
from remediation.store.tables import pushes
from sandbox.crowd import Member

if TYPE_CHECKING:
    from bench.__main__ import Options

POLL = 300  # seconds: the product's own default
LAG = 0.2  # of each of the stand-in's two steps
SENDERS = 4
AIMED_AT = 4  # devices that a storm is about


@dataclass(frozen=True)
class Size:
    """`changes` of each way; `polls` is over how many periods those are spread that only a poll finds."""

    devices: int
    changes: int
    pace: float
    polls: float
    events: int


LONG = Size(devices=100, changes=200, pace=10, polls=2, events=10_000)
QUICK = Size(devices=20, changes=20, pace=40, polls=1, events=400)


def run(options: "Options", say: Callable[[str], None]) -> dict[str, Any]:
    return play(QUICK if options.quick else LONG, options.db, options.seed, options.broken, say)


def play(size: Size, db: str, seed: int, broken: str | None, say: Callable[[str], None]) -> dict[str, Any]:
    begun = time.monotonic()
    by_event, storm, judged = _by_event(size, db, seed, broken, say)
    by_poll = None if broken else _by_poll(size, db, seed, say)  # the faults are in what takes events
    ways = {"by_event": by_event, "by_poll": by_poll, "storm": storm}
    return {**judged, **ways, "changes": size.changes, "seconds": round(time.monotonic() - begun)}


def _by_event(size: Size, db: str, seed: int, broken: str | None, say: Callable[[str], None]) -> tuple[Any, Any, Any]:
    with (
        Company(db, size.devices, seed, lag=LAG) as company,
        Crew(company.environment(wide=False), company.folder, clock=company.clock) as crew,
        Listening(company, broken) as listening,
    ):
        listening.register()
        _started(company, crew)
        changes = _Changes(company, random.Random(seed))
        changes.happen(size.changes, every=0.25, wait=5 if broken else 30)
        say(f"by event: {changes.figures()}")
        storm = None if changes.under_way else _storm(company, listening, size, seed)  # it begins at rest
        say(f"storm: {storm}")
        return changes.figures(), storm, judge(company)


def _by_poll(size: Size, db: str, seed: int, say: Callable[[str], None]) -> dict[str, Any]:
    with (
        Company(db, size.devices, seed, lag=LAG, pace=size.pace) as company,
        Crew(company.environment(wide=False), company.folder, clock=company.clock) as crew,
    ):
        _started(company, crew)
        changes = _Changes(company, random.Random(seed))
        changes.happen(size.changes, every=size.polls * POLL / size.pace / size.changes, wait=2 * POLL / size.pace + 10)
        say(f"by poll: {changes.figures()}")
        return {**changes.figures(), "every": POLL, "pace": size.pace}


def _started(company: Company, crew: Crew) -> None:
    """The worker is there, and has read each list once: what it finds then is no news."""
    crew.start("worker-1")
    ends = time.monotonic() + 60
    while time.monotonic() < ends:
        crew.check()
        if company.has_read_its_lists():
            return
        time.sleep(0.1)
    raise AssertionError("the worker did not read its lists")


@dataclass
class _Changes:
    company: Company
    chance: random.Random
    took: list[float] = field(default_factory=list)
    under_way: list[tuple[Member, datetime]] = field(default_factory=list)

    def happen(self, number: int, *, every: float, wait: float) -> None:
        """One about every so many real seconds, never two at once at one phone; then `wait` real seconds for the last."""
        for _ in range(number):
            self._look_for(self.chance.uniform(0, 2 * every))
            busy = {member.device.device_id for member, _ in self.under_way}
            free = [member for member in self.company.members if member.device.device_id not in busy]
            if not free:
                self._look_for(every)
                continue
            member = self.chance.choice(free)
            self.company.flip([member])
            self.under_way.append((member, member.record.last_seen))
        ends = time.monotonic() + wait
        while self.under_way and time.monotonic() < ends:
            self._look_for(0.02)

    def _look_for(self, seconds: float) -> None:
        ends = time.monotonic() + seconds
        while True:
            self.company.books.read()
            with self.company.world.settled() as world:
                now = world.now()
                for member, at in list(self.under_way):
                    if (member.device.is_compliant is True) is member.phone.health.passcode:
                        self.under_way.remove((member, at))
                        self.took.append((now - at).total_seconds())
            left = ends - time.monotonic()
            if left <= 0:
                return
            time.sleep(min(left, 0.01))

    def figures(self) -> dict[str, Any]:
        took = sorted(self.took)
        return {"arrived": len(took), "late": len(self.under_way), "median": _at(took, 0.5), "p99": _at(took, 0.99)}


def _storm(company: Company, listening: Listening, size: Size, seed: int) -> dict[str, Any]:
    company.agrees(within=20)
    reads, told = company.books.calls["workspace_one.one"], company.books.calls["intune.message.PUT"]
    woken = _wake_ups(company)
    statuses: Counter[int] = Counter()
    waited: list[float] = []
    begun, each, aimed_at = time.monotonic(), size.events // SENDERS, company.members[:AIMED_AT]
    senders = [
        threading.Thread(target=_send, args=(listening, aimed_at, random.Random(seed + n), each, statuses, waited))
        for n in range(SENDERS)
    ]
    for sender in senders:
        sender.start()
    while any(sender.is_alive() for sender in senders):
        company.books.read()
        time.sleep(0.1)
    lasted = time.monotonic() - begun
    company.agrees(within=30)
    company.books.read()
    return {
        "events": len(waited),
        "statuses": {str(status): count for status, count in sorted(statuses.items())},
        "seconds": round(lasted, 1),
        "answered_p99_ms": round(1000 * (_at(sorted(waited), 0.99, digits=4) or 0)),
        "reads_per_device": round((company.books.calls["workspace_one.one"] - reads) / len(aimed_at), 1),
        "wake_ups_per_device": round((_wake_ups(company) - woken) / len(aimed_at), 1),
        "pushes": company.books.calls["intune.message.PUT"] - told,
    }


def _wake_ups(company: Company) -> int:
    """What an event may cost, however quick the machine is: several wake-ups may be served by one read."""
    with company.engine.connect() as connection:
        return int(connection.execute(sa.select(sa.func.sum(pushes.c.wake))).scalar_one())


def _send(
    listening: Listening,
    members: Sequence[Member],
    chance: random.Random,
    number: int,
    statuses: Counter[int],
    waited: list[float],
) -> None:
    with requests.Session() as session:
        session.trust_env = False
        for _ in range(number):
            member, auth = chance.choice(members), listening.auth if chance.random() < 0.67 else ("remediation", "forged")
            told = {
                "EventType": chance.choice(("Compliance Status Changed", "BreakMDMConfirmed", "CompromisedStatusChanged", "Later")),
                "DeviceId": member.record.id,
                "ComplianceStatus": chance.choice(("Compliant", "NonCompliant")),
                "EnrollmentStatus": chance.choice(("Enrolled", "Unenrolled")),
            }
            begun = time.monotonic()
            answer = session.post(listening.address, json=told, auth=auth, timeout=30)
            waited.append(time.monotonic() - begun)
            statuses[answer.status_code] += 1


def _at(values: Sequence[float], part: float, digits: int = 1) -> float | None:
    return round(values[min(len(values) - 1, int(len(values) * part))], digits) if values else None
