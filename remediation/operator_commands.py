"""The commands of whoever runs the product: what is stuck, whose leases end, and what may safely be done about it.

They need the database's address and the tenant, and no credential of a remote. What changes something leaves one audit row, by
`operator:<user at this machine>`, with the reason given. docs/operating.md is the page to them.
"""

import time
from datetime import datetime

import click

from . import onboard_wiring, operator_wiring, wiring
from .errors import ExtensionRefused
from .settings import OperatorSettings
from .terminal import Refusal, in_words, many, moment, operator, span

FIRST = 20
MARGIN = " " * 4


def desk() -> operator_wiring.Operating:
    settings = onboard_wiring.settings(OperatorSettings)
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


@click.group(invoke_without_command=True)
@click.pass_context
def leases(context: click.Context) -> None:
    """By MDM connection: how many devices stand as compliant, whose leases end soon, and whether the connection answers."""
    if context.invoked_subcommand is not None:
        return
    with in_words():
        found, now = desk().ending(), wiring.now()
    if not found:
        click.echo("No device is linked yet.")
        return
    click.echo(f"{'connection':<16}{'compliant':>12}{'  of these, the lease ends within':<34}")
    click.echo(f"{'':<28}{''.join(f'{hours:>7} h' for hours in operator_wiring.WITHIN)}")
    for one in found:
        click.echo(f"{one.connection:<16}{one.standing:>12,}" + "".join(f"{count:>9,}" for count in one.within))
        if one.failing_since is None:
            continue
        reason = one.source.reason if one.source is not None else None
        failing = f"{moment(one.failing_since)} ({span(now - one.failing_since)}): {reason or 'unknown'}"
        click.echo(f"{MARGIN}No good answer since {failing}.")
        if one.extension is not None and one.extension.extended_at >= one.failing_since:
            told = f"{many(one.extension.links, 'lease')} extended at {moment(one.extension.extended_at)}"
            click.echo(f"{MARGIN}{told}, the latest to {moment(one.extension.until)}.")
        else:
            click.echo(f'{MARGIN}Once in this outage: remediation leases extend {one.connection} --why "…"')


REFUSED = {
    "unknown": "No MDM connection {connection} is watched here. `remediation leases` lists those that are.",
    "not_failing": "{connection} gives good answers, so its leases are renewed by themselves. Only in an outage are they extended.",
    "extended_already": "The leases of {connection} were extended in this outage already, and that is done once. "
    "`remediation leases` says until when.",
    "nothing": "There is nothing to extend: no device of {connection} that stands as compliant, was called well by its last answer "
    "and has checked in lately would stand longer.",
}


@leases.command()
@click.argument("connection")
@click.option("--why", required=True, help="The reason, for the audit.")
def extend(connection: str, why: str) -> None:
    """Let *compliant* stand longer while CONNECTION gives no good answers: once per outage.

    At most to 7 days after our last good read of each device, never past its own check-in clock (REMEDIATION_CHECK_IN_DAYS: run
    this with the worker's settings), and never for a device that its MDM last called anything but well.
    """
    try:
        with in_words():
            count, until = desk().extend(connection, why)
    except ExtensionRefused as refused:
        raise Refusal(REFUSED[refused.why].format(connection=connection)) from None
    click.echo(f"{many(count, 'device stands', 'devices stand')} as compliant for longer now, the latest until {moment(until)}.")


@click.command()
@click.argument("executor")
@click.option("--why", default="asked for at the command line", show_default=True, help="What the audit says.")
def takeover(executor: str, why: str) -> None:
    """Hand what the worker EXECUTOR had begun to the other workers: for a host that will not come back.

    EXECUTOR is its REMEDIATION_EXECUTOR_ID. Of a worker that is only restarting this is not needed, and of one that runs it is not
    wanted: some looks would be made twice, which changes nothing but their number.
    """
    try:
        with in_words():
            count = desk().take_over(executor, why)
    except operator_wiring.StillAtWork:
        raise Refusal(f"{executor} is at work: it took up again what was handed on. End it first, or leave it alone.") from None
    click.echo(f"{many(count, 'wake-up')} of {executor} handed on." if count else f"{executor} left nothing behind.")


@click.command()
@click.argument("person")
@click.option("--why", required=True, help="The reason, for the audit; name nobody in it.")
def sign_out(person: str, why: str) -> None:
    """Sign PERSON (object id in Entra) out here, in every browser. Their cases, devices and links stay as they are.

    What is open at Microsoft does not end by it: that an administrator does in Entra.
    """
    with in_words():
        ended = desk().sign_out(person, why)
    click.echo(f"Signed out in {many(ended, 'browser')}." if ended else f"{person} was signed in nowhere.")


def move(target: str) -> None:
    begun = time.monotonic()
    with in_words():
        settings = onboard_wiring.settings(OperatorSettings)
        counts = wiring.move(settings, target, operator=operator(), progress=_progress)
    total, took = sum(counts.values()), time.monotonic() - begun
    click.echo(
        f"{many(total, 'row')} moved in {took:.1f} s, and counted again on the other side. The old file was put aside (….moved).\n"
        "Now set REMEDIATION_DATABASE_URL to the new database for `serve` and `work`, and start them: what was pending goes on."
    )


def _progress(table: str, done: int, total: int) -> None:
    if done == total or done % 10_000 == 0:
        click.echo(f"{table:<20}{done:>12,} of {total:,}", err=True)
