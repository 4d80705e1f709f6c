"""What is behind a number of the figures: the journeys, links, actions and days of remotes that it was made of, newest first,
page by page.

No row names a person. `oid` leads to one, and is filled for whoever may read about that person and for nobody else. Next door:
`figure_tables` (which keeps these lists), `figures` (which period).
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import blake2s

from ..domain.device import Platform
from ..domain.runs import Run
from ..domain.told import Deed, KnownLink, Throttling
from ..domain.ways import FUNNEL, Way, platform_of
from ..ports import Actor, Store
from .figure_tables import MEASURES, Cell, Entry, Table, entrance_of, word
from .figures import Counted
from .look_up import Through, by_program

COLUMNS = ("at", "what", "platform", "connection", "entrance", "detail", "seconds", "oid")
OF_REMOTES = ("at", "remote", "code", "count")
BETWEEN = "~"
_AT = "%Y%m%dT%H%M%S.%f"


@dataclass(frozen=True)
class Item:
    """`what` is journey, news, end, link, action, case or throttling; `detail` the step that a journey reached, the lane of a piece
    of news, why a link ended, or which action; `seconds` what the number measures, where it measures any. The last three are of a
    remote's day: which one, the code of the last time, and how often."""

    at: datetime
    what: str
    platform: str
    connection: str | None = None
    entrance: str | None = None
    detail: str | None = None
    seconds: int | None = None
    oid: str | None = None
    remote: str | None = None
    code: str | None = None
    count: int | None = None

    def cell(self, column: str) -> Cell:
        told: Cell = self.at.astimezone(UTC).isoformat(timespec="seconds") if column == "at" else getattr(self, column)
        return told


@dataclass(frozen=True)
class Number:
    """One number: its table, the words of its row, its column."""

    table: str
    words: tuple[str, ...]
    column: str

    def __str__(self) -> str:
        return BETWEEN.join((*self.words, self.column))

    @property
    def columns(self) -> tuple[str, ...]:
        """Of its list."""
        return OF_REMOTES if self.table == "throttled" else COLUMNS


@dataclass(frozen=True)
class Listed:
    """`value` is the number itself, of which there is a list of `total`; `next` is where the next page begins."""

    value: Cell
    total: int
    items: Sequence[Item]
    next: str | None = None


def number_in(table: Table, text: str) -> Number | None:
    """None for what is no number of this table. One whose row is not there any more, since nothing is left to count, is one."""
    *words, column = text.split(BETWEEN)
    if len(words) != table.words or column not in table.columns[table.words :] or not all(0 < len(one) < 100 for one in words):
        return None
    return Number(table.name, tuple(words), column)


def listed(
    counted: Counted, number: Number, *, after: str | None, size: int, seen: Callable[[Collection[str]], Collection[str]]
) -> Listed:
    """`after` is a place that an earlier page named. `seen` tells of people those whom whoever asks may read about."""
    table = counted.tables[number.table]
    place = next((at for at, row in enumerate(table.rows) if row[: table.words] == number.words), None)
    if place is None:
        return Listed(0, 0, ())
    entries = table.behind.get((place, number.column), ())
    placed = sorted(_placed(entries), key=lambda one: one[0], reverse=True)
    rest = [one for one in placed if after is None or one[0] < after]
    page = [_item(entry, number, counted) for _, entry in rest[:size]]
    theirs = frozenset(seen({item.oid for item in page if item.oid is not None}))
    shown = [item if item.oid in theirs else replace(item, oid=None) for item in page]
    value = table.rows[place][table.columns.index(number.column)]
    return Listed(value, len(entries), shown, rest[size - 1][0] if len(rest) > size else None)


def see(found: Listed, store: Store, oid: str, now: datetime, through: Through | None = None) -> Listed:
    """For a member of staff who is led to people: whom they were shown the way to is audited."""
    if led_to := sorted({item.oid for item in found.items if item.oid is not None}):
        with store.change(Actor("helpdesk", oid), "look_up.figures_listed", about=("helpdesk", oid), at=now) as change:
            change.audit(found=led_to, **by_program(through))
    return found


def _placed(entries: Sequence[Entry]) -> Iterator[tuple[str, Entry]]:
    """Each with a place of its own among them, by its time. A place stands in addresses, and so tells nobody's id."""
    before: Counter[str] = Counter()
    for entry in entries:
        place = f"{_at(entry).astimezone(UTC):{_AT}}{BETWEEN}{blake2s(_id(entry).encode(), digest_size=8).hexdigest()}"
        before[place] += 1
        yield (place if before[place] == 1 else f"{place}{BETWEEN}{before[place]}"), entry


def _at(entry: Entry) -> datetime:
    match entry:
        case Way():
            return entry.started_at
        case Run():
            return entry.desired_at
        case KnownLink():
            return entry.made_at
        case Deed():
            return entry.at
        case Throttling():
            return entry.last_at


def _id(entry: Entry) -> str:
    match entry:
        case Way() | KnownLink():
            return entry.id
        case Run():
            return entry.link_id
        case Deed():
            return entry.about_id
        case Throttling():
            return entry.remote


def _item(entry: Entry, number: Number, counted: Counted) -> Item:
    at = _at(entry)
    match entry:
        case Way():
            measure = MEASURES.get(number.words[0], MEASURES["from_arrival"])
            reached = FUNNEL[entry.reached - 1]
            return Item(
                at,
                "journey",
                entry.platform,
                entry.connection,
                entrance_of(entry.entrance),
                reached,
                _seconds(measure(entry)),
                entry.oid,
            )
        case Run():
            took = entry.waited if number.table == "waits" else entry.took
            return replace(_of_link(counted.links.get(entry.link_id), at, "news"), detail=entry.lane, seconds=_seconds(took))
        case KnownLink():
            return _of_link(entry, at, "link")
        case Throttling():
            told = {"remote": entry.remote, "code": entry.last_code, "count": entry.count}
            return Item(at, "throttling", Platform.UNKNOWN.value, **told)  # type: ignore[arg-type]
        case Deed(why="case.opened"):
            return Item(at, "case", platform_of(entry), entrance=entrance_of(str(entry.detail.get("entrance", ""))))
        case Deed(why="link.ended"):
            because = word(str(entry.detail.get("because", "")))
            return replace(_of_link(counted.links.get(entry.about_id), at, "end"), detail=because)
        case Deed():
            return _action(entry, counted)


def _of_link(link: KnownLink | None, at: datetime, what: str) -> Item:
    """A link that was erased since belongs to nothing."""
    if link is None:
        return Item(at, what, Platform.UNKNOWN.value)
    return Item(at, what, link.platform.value, link.connection, oid=link.oid)


def _action(deed: Deed, counted: Counted) -> Item:
    link = counted.links.get(deed.about_id) if deed.about_kind == "link" else None
    item = replace(_of_link(link, deed.at, "action"), detail=word(deed.why))
    return replace(item, oid=deed.about_id) if deed.about_kind == "person" else item


def _seconds(took: timedelta | None) -> int | None:
    return round(took.total_seconds()) if took is not None else None
