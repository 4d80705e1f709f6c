"""`remediation figures`: the figures of the helpdesk's page, for any length of time, as tables or as JSON. Reads only."""

import json

import click

from .operator_commands import desk
from .services.figure_tables import Table
from .services.figures import Counted, as_json
from .terminal import Refusal, in_words

FAULTS = {
    "day": "A day is written as 2026-11-27.",
    "order": "The first day comes after the last one.",
    "future": "That time has not come yet.",
    "long": "At most 400 days are counted at once.",
    "platform": "There is no such platform: ios, android, macos, windows, unknown.",
    "connection": "No MDM connection of that name is watched here. `remediation leases` lists those that are.",
}


@click.command()
@click.option("--from", "first", metavar="DAY", default="", help="The first day, such as 2026-11-01. [default: 28 days in all]")
@click.option("--to", "last", metavar="DAY", default="", help="The last day that counts. [default: today, in UTC]")
@click.option("--platform", default="", help="Only this one: ios, android, macos, windows or unknown.")
@click.option("--connection", default="", help="Only this MDM connection.")
@click.option("--json", "in_json", is_flag=True, help="As JSON: times in seconds.")
def figures(first: str, last: str, platform: str, connection: str, in_json: bool) -> None:
    """Count journeys, causes, waits and pushes: how many people got through, how fast, and what kept the others.

    Counted from the audit; nothing in it names a person. Ends with 1 where a device is compliant without fresh evidence, which must
    never be.
    """
    asked = {"from": first, "to": last, "platform": platform, "connection": connection}
    with in_words():
        counted = desk().figures(asked)
    if counted.choice.faults:
        raise Refusal(" ".join(FAULTS[fault] for fault in counted.choice.faults))
    click.echo(json.dumps(as_json(counted), indent=2) if in_json else "\n".join(_told(counted)))
    if any(row[-1] for row in counted.tables["evidence"].rows):
        click.get_current_context().exit(1)


def _told(counted: Counted) -> list[str]:
    choice = counted.choice
    narrowed = [value for value in (choice.platform, choice.connection) if value is not None]
    lines = [" · ".join([f"{choice.first} to {choice.last}", *narrowed])]
    for table in counted.tables.values():
        lines += ["", table.name, *_lines(table)]
    return lines


def _lines(table: Table) -> list[str]:
    if not table.rows:
        return ["  nothing"]
    cells = [table.columns, *(tuple("-" if cell in (None, "") else str(cell) for cell in row) for row in table.rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return ["  " + "  ".join(_padded(row, widths, table.words)).rstrip() for row in cells]


def _padded(row: tuple[str, ...], widths: list[int], words: int) -> list[str]:
    places = enumerate(zip(row, widths, strict=True))
    return [cell.ljust(width) if place < words else cell.rjust(width) for place, (cell, width) in places]
