"""The tables of `figures`, each with what it counts. A row's first cells are stable words, then come numbers; times in seconds."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from ..domain.push import USUAL, WORST
from ..domain.runs import Run, chosen, fits, runs, unfounded
from ..domain.told import STAFF, Told, middle, nine_of_ten
from ..domain.ways import FUNNEL, Way, platform_of, ways

Cell = str | int | None
ALL = "all"
ENTRANCES = frozenset({"start", "enrollment", "remediation", "possession"})
_WORD = re.compile(r"[a-z][a-z0-9_]{0,39}(?:\.[a-z0-9_]{1,40})?")


@dataclass(frozen=True)
class Table:
    """`words` is how many of the columns hold stable words, the rest numbers."""

    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    words: int = 1


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


def _journeys(of: Counting) -> Table:
    """Who could not sign in has a case and no journey, and no connection is known of them."""
    cases: Counter[tuple[str, str]] = Counter()
    for deed in of.told.deeds:
        platform = platform_of(deed)
        if deed.why == "case.opened" and deed.at in of.told.period and of.connection is None and of.platform in (None, platform):
            cases[_entrance(str(deed.detail.get("entrance", ""))), platform] += 1
    kinds = sorted({(_entrance(way.entrance), way.platform) for way in of.ways} | set(cases))
    rows: list[tuple[Cell, ...]] = []
    for kind in kinds:
        ours = [way for way in of.ways if (_entrance(way.entrance), way.platform) == kind]
        rows.append((*kind, *_outcome(ours, of.now), cases[kind]))
    rows.append((ALL, ALL, *_outcome(of.ways, of.now), sum(cases.values())))
    columns = ("entrance", "platform", "begun", "finished", "unaided", "already", "under_way", "could_not_sign_in")
    return Table("journeys", columns, tuple(rows), words=2)


def _outcome(found: Sequence[Way], now: datetime) -> tuple[int, ...]:
    finished = [way for way in found if way.finished]
    unaided, already = sum(way.unaided for way in finished), sum(way.already for way in finished)
    under_way = sum(not way.finished and way.ends_at > now for way in found)
    return len(found), len(finished), unaided, already, under_way


def _times(of: Counting) -> Table:
    """Of journeys that became open after the person came; whoever was open already waited for nothing."""
    measures: dict[str, Callable[[Way], timedelta | None]] = {
        "from_arrival": lambda way: way.from_arrival,
        "from_registration": lambda way: way.from_registration,
        "ours": lambda way: way.ours,
    }
    rows = []
    for name, measure in measures.items():
        for platform, found in _by_platform(of.ways):
            times = [took for way in found if (took := measure(way)) is not None]
            rows.append((name, platform, *_spread(times)))
    return Table("times", ("measure", "platform", "count", "median_s", "p90_s"), tuple(rows), words=2)


def _funnel(of: Counting) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for platform, found in _by_platform(of.ways):
        reached = [sum(way.reached > place for way in found) for place in range(len(FUNNEL))]
        for place, step in enumerate(FUNNEL):
            onward = reached[place + 1] if place + 1 < len(FUNNEL) else reached[place]
            rows.append((platform, step, reached[place], percent(reached[place], len(found)), reached[place] - onward))
    return Table("funnel", ("platform", "step", "reached", "percent", "left_here"), tuple(rows), words=2)


def _causes(of: Counting) -> Table:
    """`help`: journeys that only a person could take on. `verdict`: times that a device was judged other than compliant. `ended`:
    links that ended. `rule_now`: rules that fail at this moment on the devices of this period."""
    found: Counter[tuple[str, str]] = Counter(("help", word(why)) for way in of.ways for why in set(way.help))
    for run in of.runs:
        if not (run.compliant or run.ended or run.resync):
            found.update(("verdict", word(reason)) for reason in run.reasons)
    for link_id, deeds in of.told.by_link.items():
        if fits(of.told.links.get(link_id), of.platform, of.connection):
            ends = (deed for deed in deeds if deed.why == "link.ended" and deed.at in of.told.period)
            found.update(("ended", word(str(deed.detail.get("because", "")))) for deed in ends)
    for link in of.told.links.values():
        if link.ended_at is None and fits(link, of.platform, of.connection):
            found.update(("rule_now", word(rule or "")) for rule in set(link.failing))
    rows = sorted(((*key, number) for key, number in found.items()), key=lambda row: (row[0], -row[2], row[1]))
    return Table("causes", ("kind", "cause", "count"), tuple(rows), words=2)


def _loops(of: Counting) -> Table:
    times = Counter(min(way.still_blocked, 3) for way in of.ways)
    return Table("loops", ("still_blocked", "journeys"), tuple((("3+" if n == 3 else str(n)), times[n]) for n in range(4)))


def _waits(of: Counting) -> Table:
    """How long Microsoft took to show what it was sent; what is under way counts by how long it waits so far. What was overtaken
    by newer news waits for nothing."""
    rows = []
    for platform in _platforms_of(of):
        waits = [
            run.waited if run.waited is not None else of.now - run.sent_at
            for run in of.runs
            if run.sent_at is not None and not run.overtaken and platform in (ALL, _platform(run, of.told))
        ]
        usual, worst = sum(wait <= USUAL for wait in waits), sum(wait <= WORST for wait in waits)
        rows.append((platform, len(waits), usual, worst - usual, len(waits) - worst))
    return Table("waits", ("platform", "sent", "usual", "longer", "beyond_promise"), tuple(rows))


def _pushes(of: Counting) -> Table:
    rows = []
    for lane in ("revocation", "person", "resync"):
        found = [run for run in of.runs if run.lane == lane]
        took = [run.took for run in found if run.took is not None]
        overtaken = sum(run.overtaken for run in found)
        rows.append((lane, len(found), len(took), overtaken, len(found) - len(took) - overtaken, *_spread(took)[1:]))
    return Table("pushes", ("lane", "desired", "confirmed", "overtaken", "waiting", "median_s", "p90_s"), tuple(rows))


def _evidence(of: Counting) -> Table:
    """All of it must be 0."""
    links = of.told.links
    sent = sum(fits(links.get(link_id), of.platform, of.connection) for link_id in unfounded(of.told))
    lapsed = sum(
        number
        for (platform, connection), number in of.told.lapsed.items()
        if of.platform in (None, platform) and of.connection in (None, connection)
    )
    return Table("evidence", ("measure", "count"), (("sent_without_verdict", sent), ("standing_past_lease", lapsed)))


def _staff(of: Counting) -> Table:
    """Of everybody, whatever platform and connection were asked for: a search has neither."""
    done = Counter(
        (deed.actor_kind, word(deed.why)) for deed in of.told.deeds if deed.actor_kind in STAFF and deed.at in of.told.period
    )
    return Table("staff", ("actor", "action", "count"), tuple((*key, done[key]) for key in sorted(done)), words=2)


def _throttled(of: Counting) -> Table:
    """As it stands now: what a remote refused earlier is not kept."""
    rows = []
    for one in of.told.remotes:
        seconds = round((one.until - of.now).total_seconds()) if one.until is not None else 0
        rows.append((one.remote, word(one.reason) if one.reason is not None else "", seconds, one.failures))
    return Table("throttled", ("remote", "reason", "left_alone_s", "failures"), tuple(rows), words=2)


def word(text: str) -> str:
    """A stable word, else `other`: nothing that somebody wrote gets into a figure."""
    return text if _WORD.fullmatch(text) else "other"


def percent(part: int, whole: int) -> int | None:
    return round(100 * part / whole) if whole else None


def _entrance(text: str) -> str:
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


def _spread(times: Iterable[timedelta]) -> tuple[Cell, ...]:
    known = list(times)
    return len(known), _seconds(middle(known)), _seconds(nine_of_ten(known))


def _seconds(value: float | None) -> int | None:
    return round(value) if value is not None else None


_MAKERS: dict[str, Callable[[Counting], Table]] = {
    "journeys": _journeys,
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
