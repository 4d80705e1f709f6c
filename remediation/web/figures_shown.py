"""The figures' tables as the page shows them: words by their ids, times on the clock, the funnel's bars, the numbers on top."""

from dataclasses import dataclass
from urllib.parse import urlencode

from babel.numbers import format_decimal

from ..domain.compliance import ADVICE
from ..services import stuck
from ..services.figure_tables import ALL, Cell, Table
from ..services.figures import Counted
from .desk import desk
from .helpdesk_timeline import EVENTS
from .names import shown

TIMES = frozenset({"median_s", "p90_s", "left_alone_s"})
PERCENT = "percent"
CODES = frozenset({"cause", "action", "remote", "reason"})
"""Columns whose words are quoted as they stand, with a sentence before them where there is one."""


@dataclass(frozen=True)
class ShownCell:
    """`key` is the id of a text, `text` what stands as it is; `code` is shown as an id."""

    text: str = ""
    key: str = ""
    code: str = ""


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
    rows = tuple(tuple(_cell(name, row, cell) for name, cell in zip(table.columns, row, strict=True)) for row in table.rows)
    return ShownTable(table.name, table.columns, table.words, rows, query, _bars(table) if table.name == "funnel" else ())


def _cell(column: str, row: tuple[Cell, ...], cell: Cell) -> ShownCell:
    if cell is None or cell == "":
        return ShownCell(text="–")
    if column in TIMES:
        return ShownCell(text=_clock(cell))
    if column == PERCENT:
        return ShownCell(text=f"{cell} %")
    if not isinstance(cell, str):
        return ShownCell(text=number(cell))
    if column in CODES:
        return ShownCell(key=_sentence(column, str(row[0]), cell), code=shown(cell))
    if column == "still_blocked":
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


def _part(part: int, whole: int) -> str:
    return f"{number(part)} ({round(100 * part / whole)} %)" if whole else number(part)


def number(value: int) -> str:
    return str(format_decimal(value, locale=desk().texts.locale()))


def _clock(seconds: Cell) -> str:
    if seconds is None:
        return "–"
    whole = int(seconds)
    return f"{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02}"
