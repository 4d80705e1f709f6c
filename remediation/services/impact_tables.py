"""The numbers of a count as a table, the same for the page, the command and JSON. Next door: `impact`, `csv_table`."""

from typing import Any

from ..domain.device import Platform
from ..domain.impact import NO_DEVICE, Reason
from ..ports.impact import Count
from .figure_tables import ALL, Cell, Table
from .impact import progress

PLATFORMS = (*(platform.value for platform in Platform), NO_DEVICE)


def by_platform(count: Count) -> Table:
    """Who has devices of two platforms is in both rows, and once in the last one; who lacks two things is in two columns."""
    seen = {platform for _, platform in count.by_platform}
    platforms = [platform for platform in PLATFORMS if platform in seen]
    rows: list[tuple[Cell, ...]] = [
        (platform, *(count.by_platform.get((reason, platform), 0) for reason in Reason)) for platform in platforms
    ]
    last: tuple[Cell, ...] = (ALL, *(count.by_reason.get(reason, 0) for reason in Reason))
    return Table("impact", ("platform", *(reason.value for reason in Reason)), (*rows, last))


def as_json(count: Count) -> dict[str, Any]:
    table = by_platform(count)
    lists = {
        stage: {"rows": read.rows, "unreadable": read.unreadable, "whole": read.whole, "why": read.why}
        for stage, read in progress(count).items()
    }
    told: dict[str, Any] = {
        "id": count.id,
        "state": count.state,
        "asked_at": count.asked_at.isoformat(),
        "done_at": count.done_at.isoformat() if count.done_at else None,
        "lists": lists,
        "stage": count.stage,
        "waits_for": count.reason,
    }
    if count.state != "done":
        return told  # of lists that are not whole nothing is counted
    rows = [dict(zip(table.columns, row, strict=True)) for row in table.rows]
    return {**told, "people": count.people, "touched": count.touched, "impact": rows}
