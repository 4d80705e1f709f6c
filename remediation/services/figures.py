"""Figures for everyone who answers for this: which period somebody asks for, and its tables. Nothing in them names a person.

What is counted is `domain/ways.py` and `domain/runs.py`; `store/told.py` reads it; `web/figures_pages.py` and `figures_command`
show it. Every cell is a number or a stable word: what people or administrators wrote is never among them, connections' names aside.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from ..domain.device import Platform
from ..domain.told import KnownLink, Period, Told
from ..ports import FigureEvents
from .figure_tables import NAMES, Table, tables

DAYS, LONGEST = 28, 400
OLDEST, NEWEST = date(2000, 1, 1), date(9000, 1, 1)
MOST = 50_000
"""Audit rows that a page counts at once, in about a second; a period with more is told so. The command knows no such end."""


@dataclass(frozen=True)
class Choice:
    """`last` is the last day that counts. `faults` are stable ids of what was wrong; nothing is counted then."""

    first: date
    last: date
    platform: str | None = None
    connection: str | None = None
    faults: tuple[str, ...] = ()

    @property
    def period(self) -> Period:
        return Period(_midnight(self.first), _midnight(self.last + timedelta(days=1)))

    @property
    def as_asked(self) -> dict[str, str]:
        """As an address says it."""
        said = {"from": self.first.isoformat(), "to": self.last.isoformat()}
        return said | {name: value for name in ("platform", "connection") if (value := getattr(self, name)) is not None}


@dataclass(frozen=True)
class Counted:
    """`too_many`: more happened than is counted at once, and the tables are empty. `links` are those that the tables speak of."""

    choice: Choice
    tables: Mapping[str, Table]
    too_many: bool = False
    links: Mapping[str, KnownLink] = field(default_factory=dict)


def choose(asked: Mapping[str, str], connections: Sequence[str], now: datetime) -> Choice:
    """What somebody typed: from, to, platform, connection. Whatever is wrong is said, and never guessed at."""
    today = now.astimezone(UTC).date()
    usual = Choice(today - timedelta(days=DAYS - 1), today)
    faults: list[str] = []
    try:
        last = min(_day(asked.get("to", "")) or today, today)
        first = _day(asked.get("from", "")) or last - timedelta(days=DAYS - 1)
    except ValueError:
        faults.append("day")
        first, last = usual.first, usual.last
    if first > today:
        faults.append("future")
    elif first > last:
        faults.append("order")
    elif (last - first).days >= LONGEST:
        faults.append("long")
    platform, connection = (asked.get(name, "").strip() or None for name in ("platform", "connection"))
    if platform is not None and platform not in set(Platform):
        faults.append("platform")
    if connection is not None and connection not in connections:
        faults.append("connection")
    return Choice(first, last, platform, connection) if not faults else replace(usual, faults=tuple(faults))


def count(events: FigureEvents, choice: Choice, now: datetime, *, most: int | None = MOST) -> Counted:
    if choice.faults:
        return Counted(choice, {})
    told = events.told(choice.period, now, most=most)
    if told.too_many:
        return Counted(choice, {}, too_many=True)
    return Counted(choice, _tables(told, choice, now), links=told.links)


def as_json(counted: Counted, names: Sequence[str] = NAMES) -> dict[str, Any]:
    """What was asked for, and these tables, a row as an object."""
    found = {name: [dict(zip(table.columns, row, strict=True)) for row in table.rows] for name, table in counted.tables.items()}
    return {**counted.choice.as_asked, "tables": {name: found[name] for name in names if name in found}}


def _tables(told: Told, choice: Choice, now: datetime) -> Mapping[str, Table]:
    return {table.name: table for table in tables(told, now, platform=choice.platform, connection=choice.connection)}


def _day(text: str) -> date | None:
    """None where nothing was said; ValueError for what is no day that a deployment can have seen."""
    if not text.strip():
        return None
    day = datetime.strptime(text.strip(), "%Y-%m-%d").date()  # noqa: DTZ007 (only its date is kept)
    if not OLDEST <= day <= NEWEST:
        raise ValueError("no such day")
    return day


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
