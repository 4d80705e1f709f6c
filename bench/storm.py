"""Many devices flip at once before services that count their calls: no call while one is closed, drained about as fast as the
limits allow, and a revocation in the middle goes ahead.

All are well again at the same moment, and a list that was read marks every row. Three workers share the product's own budgets; the
stand-in counts the limits that Microsoft publishes (`sandbox.limits`), and now and then closes a service for ten seconds by a 429
to one call, as it would where other apps of the tenant take their share. In the middle some other phones lose their passcode.

The clock goes `pace` times as fast, for the stand-in and the workers alike: twice for each core, ten times at most, so that the
limit is the narrow place and not they (a push, with its calls on both sides, takes 0.04 to 0.06 s). `least_seconds` is what the
limit on writes asks for, and the seconds for which Intune was closed. A call that left its process within 50 ms after the 429 left
the service could not know of it and is not counted as `inside`.

`--quick` follows the machine, too: 250 devices for each core, 1,500 at most.

`--break apart` gives each process a budget of its own: `inside` must count.
"""

import os
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from bench.stage.company import Company
from bench.stage.crew import Crew
from bench.stage.judge import judge
from remediation.domain.push import Lane
from sandbox.crowd import Member
from sandbox.faults import Fault
from sandbox.limits import published

if TYPE_CHECKING:
    from bench.__main__ import Options

WORKERS = ("worker-1", "worker-2", "worker-3")
ON_ITS_WAY = 0.05  # real seconds
CLOSED_FOR = 10
SERVICES = ("graph", "workspace_one", "intune")


@dataclass(frozen=True)
class Size:
    """`closures` of each service and `revocations` are spread over the drain."""

    devices: int
    revocations: int
    closures: int
    pace: float


LONG, MOST_QUICK = 10_000, 1_500
PER_CORE, FASTEST = 250, 10


def size(cores: int, *, quick: bool) -> Size:
    """The stand-in and three workers share the cores: each carries ten writes a second, twice what the limit lets through, and
    what should drain within 45 s follows from that."""
    pace = min(FASTEST, 2 * cores)
    if quick:
        return Size(devices=min(MOST_QUICK, PER_CORE * cores), revocations=10, closures=1, pace=pace)
    return Size(devices=LONG, revocations=100, closures=3, pace=pace)


def run(options: "Options", say: Callable[[str], None]) -> dict[str, Any]:
    return play(size(os.cpu_count() or 1, quick=options.quick), options.db, options.seed, options.broken, say)


def play(size: Size, db: str, seed: int, broken: str | None, say: Callable[[str], None]) -> dict[str, Any]:
    begun, chance = time.monotonic(), random.Random(seed)
    with Company(db, size.devices + size.revocations, seed, unwell=size.devices, pace=size.pace, lag=1) as company:
        company.sandbox.limits.add(*published())
        environment = company.environment(wide=False)
        with Crew(environment, company.folder, fault=broken, clock=company.clock) as crew:
            for name in WORKERS:
                crew.start(name)
            say(f"{size.devices} links in {time.monotonic() - begun:.1f} s")
            storm = _Storm(company, crew, company.members[: size.devices], company.members[size.devices :], chance)
            drained = storm.drains(size, say)
        return {**judge(company), **storm.figures(size, drained=drained), "seconds": round(time.monotonic() - begun)}


@dataclass
class _Storm:
    company: Company
    crew: Crew
    many: Sequence[Member]
    others: Sequence[Member]
    chance: random.Random
    revoked: list[tuple[Member, datetime]] = field(default_factory=list)
    waited: list[float] = field(default_factory=list)

    def drains(self, size: Size, say: Callable[[str], None]) -> bool:
        """True once Entra shows what is true of everybody."""
        world, told, looks_at, differing = self.company.world, time.monotonic(), 0.0, len(self.many)
        self.began = world.now()
        self.company.flip(self.many)
        self.company.mark(self.many)
        self.least = least_seconds(size)
        deeds = self._deeds(size)
        limit = 6 * self.least + 120
        while (passed := (world.now() - self.began).total_seconds()) < limit:
            self.company.books.read()
            self.crew.check()
            while deeds and deeds[0][0] <= passed:
                deeds.pop(0)[1]()
            self._revocations_seen()
            if time.monotonic() > looks_at:  # each look holds the stand-in up, the longer the more devices there are
                differing = len(self.company.differing())
                looks_at = time.monotonic() + min(10, differing / 200)
            if not deeds and not differing:
                return True
            if time.monotonic() - told > 10:
                told = time.monotonic()
                say(f"  {passed:.0f} s of the world: {differing} to go; 429: {dict(self.company.books.refused)}")
            time.sleep(0.5)
        return False

    def _deeds(self, size: Size) -> list[tuple[float, Callable[[], None]]]:
        """When, in seconds of the world, and what."""
        middle = (0.1 * self.least, 0.8 * self.least)
        deeds: list[tuple[float, Callable[[], None]]] = [
            (self.chance.uniform(*middle), lambda member=member: self._revoke(member))  # type: ignore[misc]
            for member in self.others
        ]
        for service in SERVICES:
            fault = Fault(service, "throttle", times=1, retry_after=CLOSED_FOR)
            for _ in range(size.closures):
                deeds.append((self.chance.uniform(*middle), lambda f=fault: self._close(f)))  # type: ignore[misc]
        return sorted(deeds, key=lambda deed: deed[0])

    def _close(self, fault: Fault) -> None:
        self.company.sandbox.faults.add(Fault(fault.service, fault.kind, times=1, retry_after=fault.retry_after))

    def _revoke(self, member: Member) -> None:
        self.company.flip([member])
        self.company.hint([member], lane=Lane.REVOKE)
        self.revoked.append((member, self.company.world.now()))

    def _revocations_seen(self) -> None:
        now = self.company.world.now()
        for member, at in list(self.revoked):
            if member.device.is_compliant is not True:
                self.revoked.remove((member, at))
                self.waited.append((now - at).total_seconds())

    def figures(self, size: Size, *, drained: bool) -> dict[str, Any]:
        books, pace = self.company.books, size.pace
        last = max((u.received_at for u in self.company.world.uploads.values()), default=self.began)
        took = (last - self.began).total_seconds()
        late = books.inside
        waited = sorted(self.waited)
        return {
            "drained": drained,
            "inside": sum(after > ON_ITS_WAY for after in late),
            "inside_on_their_way": sum(after <= ON_ITS_WAY for after in late),
            "inside_latest_ms": round(1000 * max(late, default=0)),
            "refused": dict(books.refused),
            "calls": sum(books.calls.values()),
            "calls_by_kind": dict(books.calls),
            "drain_seconds": round(took, 1),
            "least_seconds": round(self.least, 1),
            "drain_ratio": round(took / self.least, 3),
            "revocation_seconds": {"median": _at(waited, 0.5), "p99": _at(waited, 0.99), "seen": len(waited)},
            "pace": pace,
        }


def least_seconds(size: Size) -> float:
    """As fast as Intune takes writes: all of its tokens at once, then as they come, and none while it is closed."""
    writes = published()[0]
    return max(1.0, (size.devices + size.revocations - writes.calls) / writes.rate) + size.closures * CLOSED_FOR


def _at(values: Sequence[float], part: float) -> float | None:
    return round(values[min(len(values) - 1, int(len(values) * part))], 1) if values else None
