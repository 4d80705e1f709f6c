"""`remediation connections`: how Microsoft and each MDM answer, as the page of staff has it, and for a monitoring script.

It reads rows, calls no remote and needs no credential of one. Next door: `operator_commands`; `doctor_commands`, which asks.
"""

import json
from datetime import datetime

import click

from . import operator_commands, wiring
from .operator_wiring import ConnectionInWords
from .terminal import in_words, moment, span

MARGIN = " " * 4


@click.command()
@click.option("--json", "as_json", is_flag=True, help="For a machine.")
@click.pass_context
def connections(context: click.Context, as_json: bool) -> None:
    """Say how Microsoft and each MDM answer: since when, why not, who can act and what to do, and whose leases depend on it.

    Nothing is asked of them: it is what the worker met. Ends with 0 where all are well, and with 1 where one is not.
    """
    with in_words():
        now = wiring.now()
        found = operator_commands.desk().connections(now)
    well = all(one.shown.condition == "well" for one in found)
    if as_json:
        told = {"well": well, "at": now.isoformat(), "connections": [_plain(one) for one in found]}
        click.echo(json.dumps(told, indent=2))
    else:
        click.echo("\n\n".join("\n".join(_lines(one, now)) for one in found))
    context.exit(0 if well else 1)


def _lines(one: ConnectionInWords, now: datetime) -> list[str]:
    since, end = one.shown.since, one.shown.first_end
    head = f"{one.title}: {one.condition}" + (f" Since {moment(since)} ({span(now - since)})." if since else "")
    stake = [one.then, f"The first lease ends at {moment(end)}, {one.shown.ending:,} within a day." if end else ""]
    told = [one.what, one.do, " ".join(part for part in stake if part)]
    facts = [f"{label}: {moment(value) if isinstance(value, datetime) else value}" for label, value in one.facts]
    return [head, *(MARGIN + line for line in (*told, *facts) if line)]


def _plain(one: ConnectionInWords) -> dict[str, object]:
    shown = one.shown
    ids = {"kind": shown.kind, "name": shown.name, "condition": shown.condition, "cause": shown.cause}
    moments = {"since": shown.since, "first_lease_ends": shown.first_end}
    facts = {fact.label: fact.at.isoformat() if fact.at else fact.id or fact.text or fact.word for fact in shown.facts}
    return {
        **ids,
        **{name: at.isoformat() if at else None for name, at in moments.items()},
        "links": shown.links,
        "leases_ending_24h": shown.ending,
        "what": one.what,
        "do": one.do,
        "then": one.then,
        "facts": facts,
    }
