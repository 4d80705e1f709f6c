"""How long the helpdesk's search and a person's page take among a thousand people and among a million.

`small` and `large` are numbers of links; each person has one, with devices on both sides, a case, and rows in audit and
observations. Asked, of the whole web app, are frequent and rare beginnings of names, two names, mail addresses, serial numbers,
device ids in a pasted text, case codes, and words that nobody has; after each the page of one person, and now and then the
work list and the page of the connections, whose figures stand apart. Milliseconds are of one request at a time on this machine,
each kind asked once before; `ratio` is `p95_large_ms` by `p95_small_ms`.

`--break scan` takes the index of terms away: `ratio` must be far above.
"""

import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote
from uuid import UUID

import sqlalchemy as sa

from bench.stage import copies
from bench.stage.company import database
from bench.stage.fill import fill, link_of
from remediation.domain.device import Person, Platform
from remediation.domain.push import message_id
from remediation.domain.turns import SEARCHES
from remediation.store.engine import make_engine
from remediation.store.tables import audit, directory_devices, journeys, managed_devices, observations, people
from sandbox import crowd
from sandbox.crowd import Member
from sandbox.server import SandboxConfig, create_sandbox
from sandbox.world import World
from tests.web.conftest import Browser, Web

if TYPE_CHECKING:
    from bench.__main__ import Options

GIVEN = (
    "Anna",
    "Bruno",
    "Chiara",
    "David",
    "Elif",
    "Finn",
    "Greta",
    "Hugo",
    "Ida",
    "Jonas",
    "Karla",
    "Leon",
    "Mia",
    "Noah",
    "Paul",
)
SYLLABLES = [consonant + vowel for consonant in "bdfgklmnrstvwz" for vowel in "aeo"]
AGO = timedelta(days=39)
OTHERS = ("work", "connections")
"""Pages of the console that are measured beside, and are not in the ratio."""


def run(options: "Options", say: Callable[[str], None]) -> dict[str, Any]:
    sizes, asked = ((1000, 20_000), 100) if options.quick else ((1000, 1_000_000), 500)
    return play(sizes, asked, options.db, options.seed, options.broken, say)


def play(sizes: tuple[int, int], asked: int, db: str, seed: int, broken: str | None, say: Callable[[str], None]) -> dict[str, Any]:
    small, large = (_measured(links, asked, db, seed, broken, say) for links in sizes)
    return {
        "links": list(sizes),
        "requests": asked * 2,
        **{f"{name}_small_ms": small[name] for name in small},
        **{f"{name}_large_ms": large[name] for name in large},
        "ratio": round(large["p95"] / small["p95"], 2),
    }


def _measured(links: int, asked: int, db: str, seed: int, broken: str | None, say: Callable[[str], None]) -> dict[str, float]:
    chance = random.Random(seed)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = database(db, folder, stack)
        world = create_sandbox(SandboxConfig(ca_folder=folder)).world
        begun = time.monotonic()
        _fill(url, world, links, chance)
        say(f"{links} links in {time.monotonic() - begun:.0f} s")
        web = Web(url, tenant_id=world.tenant_id)
        stack.callback(web.engine.dispose)
        if broken == "scan":
            with web.engine.begin() as connection:
                connection.execute(sa.text("DROP INDEX ix_search_terms_term"))
        some = _some(web, chance, asked)
        for text, oid in _questions(_some(web, chance, 12), chance):
            for path in (f"/helpdesk?q={quote(text)}", f"/helpdesk/person/{oid}"):
                _timed(_staff(web, -99), path)
        searches, pages, others = [], [], {name: list[float]() for name in OTHERS}
        for number, (text, oid) in enumerate(_questions(some, chance)):
            staff = _staff(web, number)
            searches.append(_timed(staff, f"/helpdesk?q={quote(text)}"))
            pages.append(_timed(staff, f"/helpdesk/person/{oid}"))
            if number % 10 == 0:
                for name, taken in others.items():
                    taken.append(_timed(staff, f"/helpdesk/{name}"))
        figures = {"p95_search": _p95(searches), "p95_page": _p95(pages), "p95": _p95(searches + pages)}
        figures |= {f"p95_{name}": _p95(taken) for name, taken in others.items()}
        say(f"{links} links: {figures}")
        return figures


def _fill(url: str, world: World, links: int, chance: random.Random) -> None:
    """One person by the product's own rows, all others after them."""
    engine = make_engine(url, durable=False)
    [member] = crowd.gather(world, 1)
    code = copies.codes(chance)
    first = _of(member, next(code), world.new_id())
    fill(engine, world, [member])
    _lived(engine, world, member, first)
    engine.dispose()
    numbers = range(1, links)
    copies.copy(
        url, first, world.tenant_id, (_somebody(number, links, int(first["record_id"]), next(code), chance) for number in numbers)
    )


def _of(member: Member, code: str, journey: str) -> dict[str, str]:
    person, device, record = member.person, member.device, member.record
    link_id = link_of(member)
    return {
        "oid": person.oid,
        "name": person.name,
        "upn": person.upn,
        "mail": person.mail or "",
        "mdm_user": person.mdm_user_name or "",
        "device_id": device.device_id,
        "object_id": device.object_id,
        "device": device.name,
        "record_id": str(record.id),
        "serial": record.serial,
        "udid": record.udid,
        "link": link_id,
        "message": message_id(person.tenant_id, link_id, 1),
        "code": code,
        "journey": journey,
    }


def _somebody(number: int, of: int, first_record: int, code: str, chance: random.Random) -> dict[str, str]:
    """As people are called: given names are shared by many, family names by few. Object ids go up, from anywhere to anywhere."""
    family = "".join(chance.choice(SYLLABLES) for _ in range(4)).title()
    name, record = f"{chance.choice(GIVEN)} {family}", first_record + number
    oid = UUID(int=(number << 128) // of | chance.getrandbits(64), version=4)
    ids = (copies.new_id(chance) for _ in range(5))
    return {
        "oid": str(oid),
        "name": name,
        "upn": f"person.{record}@contoso.example",
        "mdm_user": f"person.{record}",
        "mail": f"{name.replace(' ', '.').lower()}.{record}@contoso.example",
        "device": f"{name}’s iPhone",
        "record_id": str(record),
        "serial": f"F2L{record:09}",
        "udid": f"00008110-{chance.getrandbits(64):016X}",
        "code": code,
        **dict(zip(("device_id", "object_id", "link", "message", "journey"), ids, strict=True)),
    }


def _lived(engine: sa.Engine, world: World, member: Member, who: dict[str, str]) -> None:
    """A case, long over, and what was written down of it."""
    begun, tenant = world.now() - AGO, {"tenant_id": world.tenant_id}
    times = {"started_at": begun, "expires_at": begun + timedelta(days=1), "done_at": begun + timedelta(minutes=9)}
    of_case = {"id": who["journey"], "case_code": who["code"], "oid": who["oid"], "platform": Platform.IOS}
    case = {**tenant, **of_case, **times, "browser": "b", "entrance": "start", "attempts": 0, "wake": 0}
    told = {**tenant, "at": begun, "actor_kind": "worker", "actor_id": "w", "detail": {}}
    done = [{**told, "why": "journey.started", "about_kind": "journey", "about_id": who["journey"]}]
    done += [{**told, "why": why, "about_kind": "link", "about_id": who["link"]} for why in ("link.made", "push.sent")]
    noted = {**tenant, "at": begun, "subject_kind": "directory_device", "subject_id": member.device.device_id}
    seen = [{**noted, "what": what, "old": None, "new": new} for what, new in {"name": "iPhone", "compliant": True}.items()]
    with engine.begin() as connection:
        for table, rows in ((journeys, [case]), (audit, done), (observations, seen)):
            connection.execute(sa.insert(table), rows)


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
