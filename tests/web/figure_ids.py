"""The ids of texts that the figures' page puts together: their beginnings, and what may follow."""

import re
from pathlib import Path

from remediation.domain.ways import FUNNEL
from remediation.services import figure_lists, figure_tables

COLUMNS = set(
    re.findall(
        r'"(\w+)"', " ".join(re.findall(r"(?:columns = |_table\(\"\w+\", )\(([^)]*)\)", Path(figure_tables.__file__).read_text()))
    )
)
WORDS = {
    *(figure_tables.ALL, "other", *figure_tables.ENTRANCES, *FUNNEL),
    *("from_arrival", "from_registration", "ours", "help", "verdict", "ended", "rule_now", "revocation", "person", "resync"),
    *("helpdesk", "operator", "sent_without_verdict", "standing_past_lease"),
}
FAULTS = {"day", "order", "future", "long", "platform", "connection", "number"}

MADE_UP: dict[str, set[str]] = {
    "figures.table.": set(figure_tables.NAMES),
    "figures.note.": set(figure_tables.NAMES),
    "figures.column.": COLUMNS,
    "figures.word.": WORDS,
    "figures.fault.": {*FAULTS, "table"},
    "figures.item.": {*figure_lists.COLUMNS, *figure_lists.OF_REMOTES},
    "figures.what.": {"journey", "news", "end", "link", "action", "case"},
    "figures.tile.": {"begun", "finished", "unaided", "median", "evidence"},
}
