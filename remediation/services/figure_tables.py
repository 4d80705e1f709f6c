"""The tables of `figures`, each with what it counts. A row's first cells are stable words, then come numbers; times in seconds.

A number is the length of a list, or said of one, and the table keeps that list behind it: so the two cannot disagree. Next door:
`figure_lists`, which shows it.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from ..domain.outage import MDM
from ..domain.push import USUAL, WORST
from ..domain.runs import Run, chosen, fits, runs, unfounded
from ..domain.told import STAFF, Deed, KnownLink, Throttling, Told, middle, nine_of_ten
from ..domain.ways import FUNNEL, Way, platform_of, ways

Cell = str | int | None
Entry = Way | Run | Deed | KnownLink | Throttling
Entries = Sequence[Entry]
ALL = "all"
WEEKS_FROM = 63
"""Of so many days or more the trend has a point for each week."""
ENTRANCES = frozenset({"start", "enrollment", "remediation", "possession"})
_WORD = re.compile(r"[a-z][a-z0-9_]{0,39}(?:\.[a-z0-9_]{1,40})?")


@dataclass(frozen=True)
class Table:
    """`words` is how many of the columns hold stable words, the rest numbers. `behind` has, by the place of a row and a column's
    name, what that number was made of."""

    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    words: int = 1
    behind: Mapping[tuple[int, str], Entries] = field(default_factory=dict)


@dataclass(frozen=True)
class Said:
    """A number that is no count, and what it is said of."""

    number: int | None
    of: Entries


Counted = Cell | Said | Entries
"""What a cell is made of."""


@dataclass(frozen=True)
class Counting:
    """What all tables are made of, narrowed to one platform and one connection where somebody asked for that."""

    told: Told
    now: datetime
    platform: str | None
    connection: str | None
    ways: Sequence[Way]
    runs: Sequence[Run]


def tables(told: Told, now: datetime, *, platform: str | None = None, connection: str | None = None) -> Iterator[Table]:
    mine = [way for way in ways(told) if platform in (None, way.platform) and connection in (None, way.connection)]
    counting = Counting(told, now, platform, connection, mine, chosen(runs(told), told.links, platform, connection))
    for make in _MAKERS.values():
        yield make(counting)


def _table(name: str, columns: tuple[str, ...], rows: Iterable[Sequence[Counted]], words: int = 1) -> Table:
    cells: list[tuple[Cell, ...]] = []
    behind: dict[tuple[int, str], Entries] = {}
    for place, row in enumerate(rows):
        told: list[Cell] = []
        for column, cell in zip(columns, row, strict=True):
            if isinstance(cell, str | int) or cell is None:
                told.append(cell)
                continue
            behind[place, column] = cell.of if isinstance(cell, Said) else cell
            told.append(cell.number if isinstance(cell, Said) else len(cell))
        cells.append(tuple(told))
    return Table(name, columns, tuple(cells), words, behind)


def _journeys(of: Counting) -> Table:
    """Who could not sign in has a case and no journey, and no connection is known of them."""
    cases: dict[tuple[str, str], list[Deed]] = defaultdict(list)
    for deed in of.told.deeds:
        platform = platform_of(deed)
        if deed.why == "case.opened" and deed.at in of.told.period and of.connection is None and of.platform in (None, platform):
            cases[entrance_of(str(deed.detail.get("entrance", ""))), platform].append(deed)
    kinds = sorted({(entrance_of(way.entrance), way.platform) for way in of.ways} | set(cases))
    rows: list[Sequence[Counted]] = []
    for kind in kinds:
        ours = [way for way in of.ways if (entrance_of(way.entrance), way.platform) == kind]
        rows.append((*kind, *_outcome(ours, of.now), cases.get(kind, [])))
    rows.append((ALL, ALL, *_outcome(of.ways, of.now), [deed for found in cases.values() for deed in found]))
    columns = ("entrance", "platform", "begun", "finished", "unaided", "already", "under_way", "could_not_sign_in")
    return _table("journeys", columns, rows, words=2)


def _outcome(found: Sequence[Way], now: datetime) -> tuple[Sequence[Way], ...]:
    finished = [way for way in found if way.finished]
    unaided, already = [way for way in finished if way.unaided], [way for way in finished if way.already]
    under_way = [way for way in found if not way.finished and way.ends_at > now]
    return found, finished, unaided, already, under_way


def _trend(of: Counting) -> Table:
    """Day by day, or week by week, by the day on which a journey began, in UTC."""
    first, last = of.told.period.since.date(), (of.told.period.until - timedelta(days=1)).date()
    step = 1 if (last - first).days < WEEKS_FROM else 7
    begun: dict[date, list[Way]] = {first + timedelta(days=n): [] for n in range(0, (last - first).days + 1, step)}
    for way in of.ways:
        begun[first + timedelta(days=(way.started_at.astimezone(UTC).date() - first).days // step * step)].append(way)
    rows: list[Sequence[Counted]] = []
    for day, found in begun.items():
        _, finished, unaided, *_ = _outcome(found, of.now)
        rows.append((day.isoformat(), found, finished, unaided, _spread(_took(found, MEASURES["from_arrival"]))[1]))
    return _table("trend", ("day", "begun", "finished", "unaided", "median_s"), rows)


def _times(of: Counting) -> Table:
    """Of journeys that became open after the person came; whoever was open already waited for nothing."""
    rows = [
        (name, platform, *_spread(_took(found, measure)))
        for name, measure in MEASURES.items()
        for platform, found in _by_platform(of.ways)
    ]
    return _table("times", ("measure", "platform", "count", "median_s", "p90_s"), rows, words=2)


def _took(found: Iterable[Way], measure: Callable[[Way], timedelta | None]) -> Sequence[tuple[Way, timedelta]]:
    return [(way, took) for way in found if (took := measure(way)) is not None]


def _funnel(of: Counting) -> Table:
    rows: list[Sequence[Counted]] = []
    for platform, found in _by_platform(of.ways):
        reached = [[way for way in found if way.reached > place] for place in range(len(FUNNEL))]
        for place, step in enumerate(FUNNEL):
            left = [way for way in reached[place] if way.reached == place + 1 < len(FUNNEL)]
            rows.append((platform, step, reached[place], Said(percent(len(reached[place]), len(found)), reached[place]), left))
    return _table("funnel", ("platform", "step", "reached", "percent", "left_here"), rows, words=2)


def _causes(of: Counting) -> Table:
    """`help`: journeys that only a person could take on. `verdict`: times that a device was judged other than compliant. `ended`:
    links that ended. `rule_now`: rules that fail at this moment on the devices of this period."""
    found: dict[tuple[str, str], list[Entry]] = defaultdict(list)
    for way in of.ways:
        for why in {word(why) for why in way.help}:
            found["help", why].append(way)
    for run in of.runs:
        if not (run.compliant or run.ended or run.resync):
            for reason in run.reasons:
                found["verdict", word(reason)].append(run)
    for link_id, deeds in of.told.by_link.items():
        if fits(of.told.links.get(link_id), of.platform, of.connection):
            for deed in deeds:
                if deed.why == "link.ended" and deed.at in of.told.period:
                    found["ended", word(str(deed.detail.get("because", "")))].append(deed)
    for link in of.told.links.values():
        if link.ended_at is None and fits(link, of.platform, of.connection):
            for rule in {word(rule or "") for rule in link.failing}:
                found["rule_now", rule].append(link)
    rows = sorted(((*key, entries) for key, entries in found.items()), key=lambda row: (row[0], -len(row[2]), row[1]))
    return _table("causes", ("kind", "cause", "count"), rows, words=2)


def _loops(of: Counting) -> Table:
    rows = [("3+" if n == 3 else str(n), [way for way in of.ways if min(way.still_blocked, 3) == n]) for n in range(4)]
    return _table("loops", ("still_blocked", "journeys"), rows)


def _waits(of: Counting) -> Table:
    """How long Microsoft took to show what it was sent; what is under way counts by how long it waits so far. What was overtaken
    by newer news waits for nothing."""
    rows: list[Sequence[Counted]] = []
    for platform in _platforms_of(of):
        sent = [
            (run, run.waited if run.waited is not None else of.now - run.sent_at)
            for run in of.runs
            if run.sent_at is not None and not run.overtaken and platform in (ALL, _platform(run, of.told))
        ]
        usual = [run for run, wait in sent if wait <= USUAL]
        longer, beyond = [run for run, wait in sent if USUAL < wait <= WORST], [run for run, wait in sent if wait > WORST]
        rows.append((platform, [run for run, _ in sent], usual, longer, beyond))
    return _table("waits", ("platform", "sent", "usual", "longer", "beyond_promise"), rows)


def _pushes(of: Counting) -> Table:
    rows: list[Sequence[Counted]] = []
    for lane in ("revocation", "person", "resync"):
        found = [run for run in of.runs if run.lane == lane]
        took = [(run, run.took) for run in found if run.took is not None]
        overtaken = [run for run in found if run.took is None and run.overtaken]
        waiting = [run for run in found if run.took is None and not run.overtaken]
        rows.append((lane, found, [run for run, _ in took], overtaken, waiting, *_spread(took)[1:]))
    return _table("pushes", ("lane", "desired", "confirmed", "overtaken", "waiting", "median_s", "p90_s"), rows)


def _evidence(of: Counting) -> Table:
    """All of it must be 0. Of those that stand past their lease the first are listed, and all counted."""
    links = of.told.links
    sent = [deed for deed in unfounded(of.told) if fits(links.get(deed.about_id), of.platform, of.connection)]
    lapsed = sum(
        number
        for (platform, connection), number in of.told.lapsed.items()
        if of.platform in (None, platform) and of.connection in (None, connection)
    )
    standing = [link for link in of.told.standing if fits(link, of.platform, of.connection)]
    rows = (("sent_without_verdict", sent), ("standing_past_lease", Said(lapsed, standing)))
    return _table("evidence", ("measure", "count"), rows)


def _staff(of: Counting) -> Table:
    """Of everybody, whatever platform and connection were asked for: a search has neither."""
    done: dict[tuple[str, str], list[Deed]] = defaultdict(list)
    for deed in of.told.deeds:
        if deed.actor_kind in STAFF and deed.at in of.told.period:
            done[deed.actor_kind, word(deed.why)].append(deed)
    return _table("staff", ("actor", "action", "count"), [(*key, done[key]) for key in sorted(done)], words=2)


def _throttled(of: Counting) -> Table:
    """How often remotes wanted fewer calls, and on how many days. None has a platform; of a connection it is its MDM alone."""
    by: dict[str, list[Throttling]] = defaultdict(list)
    for one in of.told.throttlings:
        if of.connection is None or one.remote == MDM + of.connection:
            by[one.remote].append(one)
    rows = [*sorted(by.items()), (ALL, [one for found in by.values() for one in found])]
    times = [(remote, Said(sum(one.count for one in found), found), found) for remote, found in rows]
    return _table("throttled", ("remote", "wanted_fewer", "days"), times)


def word(text: str) -> str:
    """A stable word, else `other`: nothing that somebody wrote gets into a figure."""
    return text if _WORD.fullmatch(text) else "other"


def percent(part: int, whole: int) -> int | None:
    return round(100 * part / whole) if whole else None


def entrance_of(text: str) -> str:
    return text if text in ENTRANCES else "other"


def _by_platform(found: Sequence[Way]) -> Iterator[tuple[str, Sequence[Way]]]:
    yield ALL, found
    for platform in sorted({way.platform for way in found}):
        yield platform, [way for way in found if way.platform == platform]


def _platform(run: Run, told: Told) -> str:
    link = told.links.get(run.link_id)
    return link.platform.value if link is not None else "unknown"


def _platforms_of(of: Counting) -> list[str]:
    return [ALL, *sorted({_platform(run, of.told) for run in of.runs})]


def _spread(times: Sequence[tuple[Entry, timedelta]]) -> tuple[Counted, ...]:
    """How many, their median, and the time that nine of ten needed at most."""
    entries, took = [entry for entry, _ in times], [one for _, one in times]
    return entries, Said(_seconds(middle(took)), entries), Said(_seconds(nine_of_ten(took)), entries)


def _seconds(value: float | None) -> int | None:
    return round(value) if value is not None else None


MEASURES: dict[str, Callable[[Way], timedelta | None]] = {
    "from_arrival": lambda way: way.from_arrival,
    "from_registration": lambda way: way.from_registration,
    "ours": lambda way: way.ours,
}
_MAKERS: dict[str, Callable[[Counting], Table]] = {
    "journeys": _journeys,
    "trend": _trend,
    "funnel": _funnel,
    "times": _times,
    "causes": _causes,
    "loops": _loops,
    "waits": _waits,
    "pushes": _pushes,
    "evidence": _evidence,
    "staff": _staff,
    "throttled": _throttled,
}
NAMES = tuple(_MAKERS)
"""Of all tables, in the order in which they are shown."""
