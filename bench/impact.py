"""The impact preview over a large company: how many calls a count takes, by what paging allows, and whether the numbers are right.

The people are drawn apart by a seed: each lacks a licence, enrollment, a registration, a link, or nothing; the same draw says what
the numbers must be. `calls` are all that the stand-in received, tokens aside; `calls_least` is each list once in the largest pages
that fit an answer (250 people with their plans, 999 devices with their owners, 500 records). `wrong` are numbers that differ.

`--break per_person` asks for each person's devices and licence besides, as a script would: `calls_ratio` must be far above.
"""

import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from math import ceil
from typing import TYPE_CHECKING, Any

from bench.stage.company import Company
from bench.stage.in_process import Unheard, world_of
from remediation.adapters.graph_roster import TOP
from remediation.domain.impact import NO_DEVICE
from remediation.ports import Actor, Page, Somebody
from remediation.services.impact import ask_for_count, count_on
from remediation.services.world import World
from remediation.store.store import SqlStore
from sandbox import crowd
from sandbox.crowd import Member
from sandbox.world import INTUNE_PLAN

if TYPE_CHECKING:
    from bench.__main__ import Options

MDM_PAGE, DIRECTORY_PAGE = 500, 999
LACKS = ("licence", "enrollment", "no_device", "registration", "link", "nothing")
ADMIN = Actor("admin", "bench")


@dataclass(frozen=True)
class Size:
    people: int


def run(options: "Options", say: Callable[[str], None]) -> dict[str, Any]:
    return play(Size(10_000 if options.quick else 100_000), options.db, options.seed, options.broken, say)


def play(size: Size, db: str, seed: int, broken: str | None, say: Callable[[str], None]) -> dict[str, Any]:
    begun = time.monotonic()
    with Company(db, 0, seed, sockets=False) as company:
        store = SqlStore(company.engine, company.world.tenant_id, Unheard())
        world = world_of(company, store)
        before = Counter(_counted(company, world, store))
        drawn = _draw(company, size.people, random.Random(seed))
        say(f"{size.people} people in {time.monotonic() - begun:.1f} s")
        company.books.read()
        company.books.calls.clear()
        if broken == "per_person":
            world = replace(world, roster=_Asking(world))
        begun = time.monotonic()
        found = Counter(_counted(company, world, store))
        seconds = time.monotonic() - begun
        found.subtract(before)
        calls = sum(number for kind, number in company.books.calls.items() if not kind.endswith(".token"))
        least = _least(company)
        return {
            "people": size.people,
            "calls": calls,
            "calls_by_kind": dict(company.books.calls),
            "calls_least": least,
            "calls_ratio": round(calls / least, 3),
            "wrong": sum(abs(found[what] - drawn[what]) for what in {*found, *drawn}),
            "seconds": round(seconds, 1),
        }


def _draw(company: Company, people: int, chance: random.Random) -> Counter[tuple[str, str]]:
    """The crowd, each with one thing missing; what the numbers must be because of it."""
    lacks = [chance.choice(LACKS) for _ in range(people)]
    members = crowd.gather(company.world, people, compliant=False)
    with company.world.settled():
        for member, lack in zip(members, lacks, strict=True):
            _take_away(company, member, lack)
    told = Counter(lacks)
    drawn = {(lack, "ios"): told[lack] for lack in LACKS if lack not in ("no_device", "nothing")}
    return Counter({**drawn, ("enrollment", NO_DEVICE): told["no_device"]})


def _take_away(company: Company, member: Member, lack: str) -> None:
    if lack == "licence":
        member.person.licences.remove(INTUNE_PLAN)
    if lack in ("enrollment", "no_device"):
        del company.world.records[member.record.id]
    if lack in ("registration", "no_device"):
        del company.world.devices[member.device.object_id]
    if lack == "nothing":
        member.device.is_compliant = True


def _counted(company: Company, world: World, store: SqlStore) -> dict[tuple[str, str], int]:
    ask_for_count(store, actor=ADMIN, now=world.clock())
    while (count := store.newest_count()) is not None and count.state == "counting":
        count_on(world)
        company.books.read()
        company.world.advance(timedelta(seconds=1).total_seconds())
    assert count is not None
    assert count.state == "done", count.lists
    return dict(count.by_platform)


def _least(company: Company) -> int:
    people = sum(p.tenant_id == company.world.tenant_id for p in company.world.persons.values())
    devices = sum(not d.deleted for d in company.world.devices.values())
    pages = (people, TOP), (devices, DIRECTORY_PAGE), (len(company.world.records), MDM_PAGE)
    return sum(max(1, ceil(rows / size)) for rows, size in pages)


class _Asking:
    """The seeded fault: each person of a page is asked about by themselves."""

    def __init__(self, world: World) -> None:
        assert world.roster is not None
        self._world, self._roster = world, world.roster
        self.groups = self._roster.groups

    def people(self, group: str | None, cursor: str | None) -> Page[Somebody]:
        page = self._roster.people(group, cursor)
        for one in page.rows:
            self._world.directory.standing(one.person.oid)
            self._world.directory.devices_of(one.person.oid)
        return page
