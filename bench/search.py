"""How long the helpdesk's search and a person's page take among a thousand people and among a million.

`small` and `large` are numbers of links; each person has one, with devices on both sides, a case, and rows in audit and
observations. Asked, of the whole web app, are frequent and rare beginnings of names, two names, mail addresses, serial numbers,
device ids in a pasted text, case codes, and words that nobody has; after each the page of one person, and now and then the
work list and the page of the connections, whose figures stand apart. Milliseconds are of one request at a time on this machine,
of few and of many by turns, each kind asked once before; `ratio` is `p95_large_ms` by `p95_small_ms`.

`--break scan` takes the index of terms away: `ratio` must be far above.
"""

import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import sqlalchemy as sa

from bench.stage.company import database
from bench.stage.many_people import populate
from remediation.domain.device import Person
from remediation.domain.turns import SEARCHES
from remediation.store.dependents import SqlDependents
from remediation.store.tables import directory_devices, journeys, managed_devices, people
from sandbox.server import SandboxConfig, create_sandbox
from tests.web.conftest import Browser, Web

if TYPE_CHECKING:
    from bench.__main__ import Options

LARGE = 100_000
"""Links from which on the database lies on disk wherever it may: a million take several gigabytes."""
OTHERS = ("work", "connections")
"""Pages of the console that are measured beside, and are not in the ratio."""


def run(options: "Options", say: Callable[[str], None]) -> dict[str, Any]:
    sizes, asked = ((1000, 20_000), 100) if options.quick else ((1000, 1_000_000), 500)
    return play(sizes, asked, options.db, options.seed, options.broken, say)


def play(sizes: tuple[int, int], asked: int, db: str, seed: int, broken: str | None, say: Callable[[str], None]) -> dict[str, Any]:
    with ExitStack() as stack:
        small, large = (_Filled(links, asked, db, seed, broken, stack, say, large=max(sizes) > LARGE) for links in sizes)
        while small.ask() and large.ask():  # by turns, so that other work on the machine is in both
            pass
        found = {"small": small.figures(), "large": large.figures()}
    return {
        "links": list(sizes),
        "requests": asked * 2,
        **{f"{name}_{size}_ms": taken for size, of_size in found.items() for name, taken in of_size.items()},
        "ratio": round(found["large"]["p95"] / found["small"]["p95"], 2),
    }


class _Filled:
    """The product's web app on a database of its own, and the questions that are put to it."""

    def __init__(
        self,
        links: int,
        asked: int,
        db: str,
        seed: int,
        broken: str | None,
        stack: ExitStack,
        say: Callable[[str], None],
        *,
        large: bool,
    ) -> None:
        chance, begun = random.Random(seed), time.monotonic()
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = database(db, folder, stack, large=large)
        world = create_sandbox(SandboxConfig(ca_folder=folder)).world
        populate(url, world, links, chance, say)
        say(f"{links} links in {time.monotonic() - begun:.0f} s")
        self._web = Web(url, tenant_id=world.tenant_id)
        stack.callback(self._web.engine.dispose)
        SqlDependents(self._web.engine, world.tenant_id).count(self._web.clock)  # as a worker does, once a minute at most
        if broken == "scan":
            with self._web.engine.begin() as connection:
                connection.execute(sa.text("DROP INDEX ix_search_terms_term"))
        some = _some(self._web, chance, asked)
        for text, oid in _questions(_some(self._web, chance, 12), chance):
            for path in (f"/helpdesk?q={quote(text)}", f"/helpdesk/person/{oid}"):
                _timed(_staff(self._web, -99), path)
        self._questions = enumerate(_questions(some, chance))
        self._searches: list[float] = []
        self._pages: list[float] = []
        self._others: dict[str, list[float]] = {name: [] for name in OTHERS}

    def ask(self) -> bool:
        """False where there is no question left."""
        asked = next(self._questions, None)
        if asked is None:
            return False
        number, (text, oid) = asked
        staff = _staff(self._web, number)
        self._searches.append(_timed(staff, f"/helpdesk?q={quote(text)}"))
        self._pages.append(_timed(staff, f"/helpdesk/person/{oid}"))
        if number % 10 == 0:
            for name, taken in self._others.items():
                taken.append(_timed(staff, f"/helpdesk/{name}"))
        return True

    def figures(self) -> dict[str, float]:
        figures = {"p95_search": _p95(self._searches), "p95_page": _p95(self._pages), "p95": _p95(self._searches + self._pages)}
        return figures | {f"p95_{name}": _p95(taken) for name, taken in self._others.items()}


def _some(web: Web, chance: random.Random, count: int) -> list[dict[str, Any]]:
    """People to ask for, from anywhere among all."""
    person, device, record, journey = people.c, directory_devices.c, managed_devices.c, journeys.c
    theirs = (
        sa.select(person.oid, person.name, person.mail, device.device_id, record.serial, journey.case_code)
        .join_from(people, directory_devices, _same(device, listed_oid=person.oid))
        .join(managed_devices, _same(record, listed_oid=person.oid))
        .join(journeys, _same(journey, oid=person.oid))
        .where(person.tenant_id == web.store.tenant_id)
        .order_by(person.oid)
        .limit(1)
    )
    with web.engine.connect() as connection:
        after = (f"{chance.randrange(0xF0000000):08x}" for _ in range(count))
        return [dict(connection.execute(theirs.where(person.oid >= start)).mappings().one()) for start in after]


def _same(ours: Any, **columns: sa.Column[str]) -> sa.ColumnElement[bool]:
    return sa.and_(ours.tenant_id == people.c.tenant_id, *(ours[name] == column for name, column in columns.items()))


def _questions(some: Sequence[dict[str, Any]], chance: random.Random) -> Iterator[tuple[str, str]]:
    for number, who in enumerate(some):
        given, family = who["name"].split()
        kinds = (
            family[:5],
            given,
            f"{given[:3]} {family}",
            f"{family} {given}",
            who["mail"],
            who["serial"],
            who["serial"].lower()[:8],
            f"Device identifier: {who['device_id']} (iOS 18.2)",
            who["device_id"][:13],
            who["case_code"],
            f"nobody{chance.randrange(1000)}",
            f"{given} xx{family}",
        )
        yield kinds[number % len(kinds)], who["oid"]


def _staff(web: Web, number: int) -> Browser:
    """Each of the staff asks no more often than one may."""
    oid = f"staff-{number // (SEARCHES.at_once // 4)}"
    return web.signed_in(Person(oid, "Hanna Roth", "hanna.roth@contoso.example"), browser=oid, roles=["Helpdesk.Read"])


def _timed(staff: Browser, address: str) -> float:
    begun = time.perf_counter()
    status = staff.get(address).status_code
    taken = (time.perf_counter() - begun) * 1000
    if status not in (200, 303):
        raise AssertionError(f"{status} for {address}")
    return taken


def _p95(milliseconds: Sequence[float]) -> float:
    return round(statistics.quantiles(milliseconds, n=20)[-1], 1)
