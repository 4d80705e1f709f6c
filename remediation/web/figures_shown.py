"""The figures' tables as the page shows them: words by their ids, times on the clock, the funnel's bars, the numbers on top."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from urllib.parse import urlencode

from babel.numbers import format_decimal

from ..domain.compliance import ADVICE
from ..services import stuck
from ..services.figure_lists import Item, Number
from ..services.figure_tables import ALL, Cell, Table
from ..services.figures import Counted
from .desk import desk
from .helpdesk_timeline import EVENTS
from .names import shown

TIMES = frozenset({"median_s", "p90_s"})
PERCENT = "percent"
CODES = frozenset({"cause", "action", "remote"})
"""Columns whose words are quoted as they stand, with a sentence before them where there is one."""


@dataclass(frozen=True)
class ShownCell:
    """`key` is the id of a text, `text` what stands as it is; `code` is shown as an id. `href` leads to what is behind a number."""

    text: str = ""
    key: str = ""
    code: str = ""
    href: str = ""


@dataclass(frozen=True)
class Bar:
    step: str
    reached: int
    percent: int
    left: int


@dataclass(frozen=True)
class ShownTable:
    name: str
    columns: tuple[str, ...]
    words: int
    rows: tuple[tuple[ShownCell, ...], ...]
    query: str
    bars: tuple[tuple[str, tuple[Bar, ...]], ...] = ()
    line: "Line | None" = None


@dataclass(frozen=True)
class Line:
    """The trend as it is drawn, 600 wide and 100 high: `begun` is a line, `finished` the area under it. `weekly` where a point is a
    week, `most` the highest there is."""

    begun: str
    finished: str
    first: str
    last: str
    most: int
    weekly: bool


@dataclass(frozen=True)
class Tile:
    """A number on top, and the table that it is of."""

    name: str
    number: str
    of: str


def shown_tables(counted: Counted) -> list[ShownTable]:
    return [_shown(table, urlencode({"table": table.name, **counted.choice.as_asked})) for table in counted.tables.values()]


def tiles(counted: Counted) -> list[Tile]:
    if not counted.tables:
        return []
    everybody = dict(zip(counted.tables["journeys"].columns, counted.tables["journeys"].rows[-1], strict=True))
    times = {row[:2]: row[3] for row in counted.tables["times"].rows}
    begun, finished, unaided = (int(everybody[name] or 0) for name in ("begun", "finished", "unaided"))
    return [
        Tile("begun", number(begun), "journeys"),
        Tile("finished", _part(finished, begun), "journeys"),
        Tile("unaided", _part(unaided, finished), "journeys"),
        Tile("median", _clock(times["from_arrival", ALL]), "times"),
        Tile("evidence", number(sum(int(row[1] or 0) for row in counted.tables["evidence"].rows)), "evidence"),
    ]


def _shown(table: Table, query: str) -> ShownTable:
    rows = tuple(
        tuple(_linked(table, place, name, row, cell, query) for name, cell in zip(table.columns, row, strict=True))
        for place, row in enumerate(table.rows)
    )
    bars = _bars(table) if table.name == "funnel" else ()
    return ShownTable(table.name, table.columns, table.words, rows, query, bars, _line(table) if table.name == "trend" else None)


def _linked(table: Table, place: int, column: str, row: tuple[Cell, ...], cell: Cell, query: str) -> ShownCell:
    made = _cell(column, row, cell)
    if table.behind.get((place, column)):
        number = Number(table.name, tuple(str(word) for word in row[: table.words]), column)
        return replace(made, href=f"/helpdesk/figures/list?{urlencode({'of': str(number)})}&{query}")
    return made


def words_of(table: Table, number: Number) -> list[ShownCell]:
    """The words of the number's row, as its table shows them."""
    return [_cell(name, number.words, word) for name, word in zip(table.columns, number.words, strict=False)]


def item_cells(item: Item, columns: Sequence[str]) -> list[ShownCell]:
    return [_item_cell(item, name) for name in columns]


def _item_cell(item: Item, name: str) -> ShownCell:
    told = getattr(item, name)
    if told is None:
        return ShownCell(text="–")
    if name == "seconds":
        return ShownCell(text=_clock(told))
    if name == "what":
        return ShownCell(key=f"figures.what.{told}")
    if name == "detail" and item.what in ("action", "end"):
        return ShownCell(key=_sentence("action", "", told) if item.what == "action" else "", code=shown(told))
    if name in ("remote", "code"):
        return ShownCell(code=shown(told))
    return ShownCell(text=shown(told)) if name == "connection" else _cell(name if name == "platform" else "", (), told)


def _cell(column: str, row: tuple[Cell, ...], cell: Cell) -> ShownCell:
    if cell is None or cell == "":
        return ShownCell(text="–")
    if column in TIMES:
        return ShownCell(text=_clock(cell))
    if column == PERCENT:
        return ShownCell(text=f"{cell} %")
    if not isinstance(cell, str):
        return ShownCell(text=number(cell))
    if column in CODES and cell != ALL:
        return ShownCell(key=_sentence(column, str(row[0]), cell), code=shown(cell))
    if column in ("still_blocked", "day"):
        return ShownCell(text=cell)
    return ShownCell(key=f"platform.{cell}" if column == "platform" and cell != ALL else f"figures.word.{cell}")


def _sentence(column: str, kind: str, word: str) -> str:
    if column == "action":
        return f"audit.{word}" if word in EVENTS else ""
    if kind == "rule_now":
        return f"advice.title.{word}" if word in ADVICE else ""
    return f"helpdesk.stuck.{word}" if column == "cause" and word in stuck.WHO else ""


def _bars(table: Table) -> tuple[tuple[str, tuple[Bar, ...]], ...]:
    drawn: dict[str, list[Bar]] = {}
    for platform, step, reached, percent, left in table.rows:
        drawn.setdefault(str(platform), []).append(Bar(str(step), int(reached or 0), int(percent or 0), int(left or 0)))
    if len(drawn) == 2:  # all, and the only platform there is
        del drawn[ALL]
    return tuple((platform, tuple(bars)) for platform, bars in drawn.items())


def _line(table: Table) -> Line | None:
    """None where there is but one point, which is no trend."""
    points = [(str(day), int(begun or 0), int(finished or 0)) for day, begun, finished, *_ in table.rows]
    most = max((begun for _, begun, _ in points), default=0)
    if len(points) < 2 or most == 0:
        return None
    across = [round(600 * place / (len(points) - 1), 1) for place in range(len(points))]
    begun, finished = (
        [f"{x:g},{round(98 - 96 * number / most, 1):g}" for x, number in zip(across, numbers, strict=True)]
        for numbers in ([point[1] for point in points], [point[2] for point in points])
    )
    weekly = (date.fromisoformat(points[1][0]) - date.fromisoformat(points[0][0])).days > 1
    area = " ".join(["0,98", *finished, "600,98"])
    return Line(" ".join(begun), area, points[0][0], points[-1][0], most, weekly)


def _part(part: int, whole: int) -> str:
    return f"{number(part)} ({round(100 * part / whole)} %)" if whole else number(part)


def number(value: int) -> str:
    return str(format_decimal(value, locale=desk().texts.locale()))


def _clock(seconds: Cell) -> str:
    if seconds is None:
        return "–"
    whole = int(seconds)
    return f"{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02}"
