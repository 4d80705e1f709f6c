"""The commands of whoever runs the product: what is stuck, whose leases end, and what may safely be done about it.

They need the database's address and the tenant, and no credential of a remote. What changes something leaves one audit row, by
`operator:<user at this machine>`, with the reason given. docs/operating.md is the page to them.
"""

from datetime import datetime

import click

from . import operator_wiring, wiring
from .reading_settings import read
from .settings import OperatorSettings
from .terminal import Refusal, in_words, many, moment, operator, span

FIRST = 20
MARGIN = " " * 4


def desk() -> operator_wiring.Operating:
    settings = read(OperatorSettings)
    wiring.require_migrated(settings)
    return operator_wiring.Operating(settings, operator())


@click.group(invoke_without_command=True)
@click.option("--limit", default=FIRST, show_default=True, type=click.IntRange(0, 100_000), help="Rows to show of each kind.")
@click.pass_context
def stuck(context: click.Context, limit: int) -> None:
    """List every row that does not rest: what, why, who can act, since when, when it is tried next, and a safe repair.

    Ends with 0 where nothing is stuck and with 1 otherwise.
    """
    if context.invoked_subcommand is not None:
        return
    with in_words():
        found, now = desk().stuck(limit), wiring.now()
    if not found.total:
        click.echo("Everything rests.")
        return
    click.echo(f"{many(found.total, 'row does', 'rows do')} not rest:")
    for (kind, reason), number in sorted(found.counts.items(), key=lambda item: -item[1]):
        click.echo(f"{number:>8,}  {kind:<8} {reason}")
    for one in found.shown:
        click.echo("\n" + "\n".join(_lines(one, now)))
    hidden = found.total - len(found.shown)
    if hidden:
        click.echo(f"\n{hidden:,} more; --limit shows them.")
    context.exit(1)


def _lines(one: operator_wiring.StuckInWords, now: datetime) -> list[str]:
    head = " · ".join(part for part in (f"{one.kind} {one.id}", one.whose, one.what if one.what != one.id else "") if part)
    times = [f"since {moment(one.since)} ({span(now - one.since)})"] if one.since else []
    times += [f"tried {many(one.attempts, 'time')}"] if one.attempts else []
    if one.next_at:
        times.append("next try at once" if one.next_at <= now else f"next try in {span(one.next_at - now)}")
    return [
        head,
        f"{MARGIN}{one.words} [{one.code}]",
        *([f"{MARGIN}{', '.join(times)}".replace(MARGIN + "s", MARGIN + "S", 1)] if times else []),
        f"{MARGIN}{one.who} {one.repair}",
        *([f"{MARGIN}remediation stuck retry {one.id}"] if one.can_retry else []),
    ]


@stuck.command()
@click.argument("row")
@click.option("--why", default="asked for at the command line", show_default=True, help="What the audit says.")
def retry(row: str, why: str) -> None:
    """Have one ROW (id of a link, a journey or a watch) looked at now. Safe at any time, also when nothing is wrong."""
    with in_words():
        kind = desk().retry(row, why)
    if kind is None:
        raise Refusal(f"There is no link, journey or watch {row} here.")
    click.echo(f"The {kind} is looked at now: `remediation stuck` shows what came of it.")
