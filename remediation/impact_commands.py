"""`remediation impact`: whom a policy about compliant devices would stop, and start messages to them, as the administrator's page
has both.

Reads and writes rows alone; the worker does the counting and the sending. Next door: `operator_commands`.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import click

from .errors import ImpactRefused
from .operator_commands import desk
from .ports import Count
from .services import csv_table
from .services.impact_tables import as_json, by_platform
from .services.waves import LARGEST, WAYS, WaveAsked
from .terminal import Refusal, in_words, many, moment

WHY = {
    "counting_already": "A count is under way: `remediation impact` shows how far it is, `remediation impact stop` ends it.",
    "sending_already": "A wave is under way: `remediation impact waves` shows how far it is, and how it is stopped.",
    "counted_anew": "These numbers are not the newest any more. Look at `remediation impact` again.",
    "nobody": "Nobody of that group can be told in this way.",
    "over": "It is over already.",
    "reason": "People can be told to begin where enrollment, registration, link or compliance is missing.",
    "way": "Whoever has no managed device can be told by mail alone: --way mail",
    "size": f"A wave has 1 to {LARGEST:,} people.",
    "pause": "A pause lasts from 0 minutes to 7 days.",
}
LISTS = {
    "lists_nothing": "the list came without a single row, as where a right is missing",
    "owners_not_told": "the list does not say whose the devices are",
    "no_list": "this MDM gives no list",
    "refused": "it was refused: look at the credential and its permissions",
    "not_found": "it is not there any more",
    "garbled": "the answers could not be read",
    "no_consent": "the service app has no consent",
}


@click.group(invoke_without_command=True)
@click.option("--csv", "in_csv", is_flag=True, help="The table as CSV.")
@click.option("--json", "in_json", is_flag=True, help="For a machine.")
@click.pass_context
def impact(context: click.Context, in_csv: bool, in_json: bool) -> None:
    """How many people a policy about compliant devices would stop, by what they lack and on which platform.

    Shows the last count; `remediation impact count` begins another. Ends with 1 where there is none that came to its end.
    """
    if context.invoked_subcommand is not None:
        return
    with in_words():
        newest, counted = desk().impact()
    shown = counted or newest
    if in_json:
        click.echo(json.dumps(as_json(shown) if shown is not None else {"state": "never"}, indent=2))
    elif in_csv:
        if counted is None:
            raise Refusal("Nothing was counted yet: remediation impact count")
        table = by_platform(counted)
        click.echo(csv_table.written(table.columns, table.rows), nl=False)
    else:
        click.echo("\n".join(_told(newest, counted)))
    context.exit(0 if counted is not None else 1)


def _told(newest: Count | None, counted: Count | None) -> Iterator[str]:
    if newest is None:
        yield "Nothing was counted yet: remediation impact count"
        return
    if counted is None or newest.id != counted.id:
        yield from _progress(newest)
    if counted is not None:
        scope = f"{many(counted.people, 'person', 'people')} in scope, {counted.touched:,} of them lack something."
        yield f"Counted {moment(counted.done_at or counted.asked_at)}: {scope}"
        table = by_platform(counted)
        cells = [table.columns, *(tuple(str(cell) for cell in row) for row in table.rows)]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        yield from ("  " + "  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]) for row in cells)
        unreadable = sum(read.unreadable for read in counted.lists.values())
        if unreadable:
            yield f"{many(unreadable, 'row')} of the lists could not be read; whoever they belong to may be counted as without."


def _progress(count: Count) -> Iterator[str]:
    yield {
        "counting": f"Counting since {moment(count.asked_at)}; now: {count.stage or 'not begun'}.",
        "stopped": f"The count of {moment(count.asked_at)} was stopped.",
        "incomplete": f"The count of {moment(count.asked_at)} has no numbers, since a list did not come to its end.",
    }.get(count.state, count.state)
    for stage, read in count.lists.items():
        why = f": {LISTS.get(read.why, read.why)}" if read.why else ""
        yield f"  {stage or 'people'}: {many(read.rows, 'row')}{'' if read.whole else ', not whole'}{why}"
    if count.state == "counting" and count.reason:
        yield f"  It waits: {count.reason}."


@impact.command()
@click.option("--why", required=True, help="The reason, for the audit.")
def count(why: str) -> None:
    """Begin a count. The worker reads the lists of the directory and of each MDM once, whole, behind everything else."""
    with _in_words():
        desk().count_impact(why)
    click.echo("The worker counts: `remediation impact` shows how far it is.")


@impact.command()
@click.option("--why", required=True, help="The reason, for the audit.")
def stop(why: str) -> None:
    """End the count that is under way; what it read is let go."""
    with _in_words():
        newest, _ = desk().impact()
        if newest is None:
            raise ImpactRefused("over")
        desk().stop_count(newest.id, why)
    click.echo("Stopped.")


@impact.command()
@click.argument("reason")
@click.argument("platform")
@click.option("--way", default="device", show_default=True, help=f"How they are told: {' or '.join(WAYS)}.")
@click.option("--size", default=100, show_default=True, help="How many people at once.")
@click.option("--pause", default=60, show_default=True, help="Minutes between two waves.")
@click.option("--why", required=True, help="The reason, for the audit.")
def tell(reason: str, platform: str, way: str, size: int, pause: int, why: str) -> None:
    """Tell those who lack REASON on PLATFORM to begin, in waves: a message on their managed device, or a mail.

    The words are those of `remediation impact`, such as `link ios`; PLATFORM `none` are those without a device. Everybody is
    told at most once, and the message proves nothing: it is a way to begin.
    """
    with _in_words():
        _, counted = desk().impact()
        if counted is None:
            raise Refusal("Nothing was counted yet: remediation impact count")
        asked = WaveAsked(counted.id, reason, platform, way, size, timedelta(minutes=pause))
        wave, people = desk().begin_wave(asked, why)
    told = many(people, "person", "people")
    click.echo(f"Wave {wave}: the worker tells {told}, {size:,} at once. `remediation impact waves` shows how far it is.")


@impact.command()
@click.option("--stop", "wave", metavar="WAVE", help="Tell nobody further in this one.")
@click.option("--why", default="asked for at the command line", show_default=True, help="The reason, for the audit.")
def waves(wave: str | None, why: str) -> None:
    """How far the start messages are, newest first."""
    with _in_words():
        if wave is not None:
            desk().stop_wave(wave, why)
        found = desk().waves()
    for one in found:
        told = ", ".join(f"{number:,} {state.replace('_', ' ')}" for state, number in sorted(one.told.items()))
        click.echo(f"{one.id}  {moment(one.asked_at)}  {one.reason} {one.platform} by {one.way}: {one.state}; {told}")
        if one.state == "sending":
            click.echo(f"  wave {one.number}, {one.size:,} at once" + (f"; it waits: {one.why}" if one.why else ""))
    if not found:
        click.echo("Nobody was told yet.")


@contextmanager
def _in_words() -> Iterator[None]:
    try:
        with in_words():
            yield
    except ImpactRefused as refused:
        raise Refusal(WHY.get(refused.why, refused.why)) from None
