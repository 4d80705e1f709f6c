"""The numbers of a count as the page shows them: bars, a table whose cells lead to the people behind, how far the lists are.

Next door: `impact_pages`, `services/impact_tables` (the same numbers for CSV and JSON).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from ..domain.impact import NO_DEVICE, TOLD_TO_BEGIN, Reason
from ..ports import Count, Wave
from ..services.figure_tables import ALL
from ..services.impact import NO_LIST, NOBODY_LISTED, OWNERS_NOT_TOLD, progress
from ..services.impact_tables import by_platform
from ..services.stuck import BY_ERROR
from .figures_shown import Tile, number
from .names import shown

LIST_KINDS = ("people", "directory", "mdm")
WHY = {NO_LIST, NOBODY_LISTED, OWNERS_NOT_TOLD, "no_consent", *BY_ERROR}
"""Reasons that have words; any other is quoted."""
STATES = ("counting", "incomplete", "stopped", "done")
TOLD = ("waiting", "sending", "sent", "failed", "unknown", "not_needed")


@dataclass(frozen=True)
class Bar:
    """`percent` of all people in scope, at least one where there is anybody."""

    reason: str
    number: str
    percent: int


@dataclass(frozen=True)
class Group:
    """One platform's bars."""

    platform: str
    bars: tuple[Bar, ...]


@dataclass(frozen=True)
class Cell:
    """`query` leads to the people behind the number, `tell` to telling them to begin; both empty where there is nobody."""

    number: str
    query: str = ""
    tell: str = ""


@dataclass(frozen=True)
class Row:
    platform: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Numbers:
    """A count that came to its end. `unreadable` rows of its lists may make somebody look as if they lacked something."""

    at: datetime
    kept: bool
    unreadable: int
    tiles: Sequence[Tile]
    groups: Sequence[Group]
    columns: Sequence[str]
    rows: Sequence[Row]


@dataclass(frozen=True)
class ListShown:
    """`name` of the MDM connection; `why` keys a text, `code` is quoted where there is none."""

    kind: str
    name: str
    rows: str
    unreadable: int
    whole: bool
    why: str
    code: str


@dataclass(frozen=True)
class WaveShown:
    id: str
    reason: str
    platform: str
    way: str
    state: str
    size: str
    number: int
    people: str
    asked_at: datetime
    next_at: datetime | None
    percent: int
    told: tuple[tuple[str, str], ...]
    waits: str


def numbers(count: Count) -> Numbers:
    columns, rows = _table(count)
    unreadable = sum(read.unreadable for read in count.lists.values())
    return Numbers(count.done_at or count.asked_at, count.kept, unreadable, _tiles(count), _groups(count), columns, rows)


def _tiles(count: Count) -> list[Tile]:
    return [
        Tile("people", number(count.people), "numbers"),
        Tile("through", _part(count.people - count.touched, count.people), "numbers"),
        Tile("touched", _part(count.touched, count.people), "numbers"),
    ]


def _groups(count: Count) -> list[Group]:
    """All people first, then each platform, then those without a device."""
    rows = by_platform(count).rows
    drawn = []
    for platform, *cells in (rows[-1], *rows[:-1]):
        of_it = zip(Reason, (int(cell or 0) for cell in cells), strict=True)
        drawn.append(Group(str(platform), tuple(Bar(reason.value, number(n), _percent(n, count.people)) for reason, n in of_it)))
    return drawn


def _table(count: Count) -> tuple[Sequence[str], list[Row]]:
    found = by_platform(count)
    return found.columns, [Row(str(row[0]), tuple(_cells(count, str(row[0]), row[1:]))) for row in found.rows]


def _cells(count: Count, platform: str, numbers: Sequence[str | int | None]) -> list[Cell]:
    cells = []
    for reason, many in zip(Reason, numbers, strict=True):
        if not many:
            cells.append(Cell(number(0)))
            continue
        asked = {"count": count.id, "reason": reason.value, **({"platform": platform} if platform != ALL else {})}
        tell = urlencode(asked) if platform != ALL and reason in TOLD_TO_BEGIN and count.kept else ""
        cells.append(Cell(number(int(many)), urlencode(asked) if count.kept else "", tell))
    return cells


def lists(count: Count) -> list[ListShown]:
    found = []
    for stage, read in progress(count).items():
        kind, _, name = stage.partition(":")
        name = shown(name) if kind == "mdm" else ""
        why = read.why or ""
        known = why in WHY
        code = "" if known else shown(why)
        found.append(ListShown(kind, name, number(read.rows), read.unreadable, read.whole, why if known else "", code))
    return found


def waves(found: Sequence[Wave]) -> list[WaveShown]:
    return [
        WaveShown(
            *(one.id, one.reason, one.platform, one.way, one.state, number(one.size), one.number, number(one.people), one.asked_at),
            next_at=one.next_at,
            percent=_percent(one.people - one.told.get("waiting", 0), one.people),
            told=tuple((state, number(one.told[state])) for state in TOLD if one.told.get(state)),
            waits=shown(one.why),
        )
        for one in found
    ]


def platform_known(platform: str) -> bool:
    return platform in ("ios", "android", "macos", "windows", NO_DEVICE)


def _percent(part: int, whole: int) -> int:
    return max(1, round(100 * part / whole)) if whole and part else 0


def _part(part: int, whole: int) -> str:
    return f"{number(part)} ({round(100 * part / whole)} %)" if whole else number(part)
