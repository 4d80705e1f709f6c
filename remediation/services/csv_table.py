"""Tables as CSV, in which no cell is a formula."""

import csv
import io
from collections.abc import Iterable, Sequence

from .figure_tables import Cell

DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def defused(cell: Cell) -> Cell:
    """A cell that a spreadsheet would take for a formula gets an apostrophe before it: OWASP, CSV Injection."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(DANGEROUS) else cell


def written(columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(columns)
    writer.writerows([defused(cell) for cell in row] for row in rows)
    return out.getvalue()
