"""The commands about what is kept: whether the audit is as it was sealed, what is held of a person, and its erasure.

Next door: `operator_commands` (what is stuck). `audit verify` needs the worker's audit key, so it is run where the worker runs, or
wherever else that key may be; never on a web host. docs/operating.md is the page to them.
"""

import json
import os
import time
from pathlib import Path
from typing import TextIO

import click

from . import onboard_wiring, operator_wiring, wiring
from .errors import ErasureRefused
from .operator_commands import desk
from .settings import AuditSettings
from .terminal import Refusal, in_words, many, span

WHY = click.option(
    "--why", default="asked for at the command line", show_default=True, help="What the audit says; name nobody in it."
)
BAD = "Who can act: the security officer. docs/operating.md says what to look at, and that nothing is to be repaired before."


@click.group()
def audit() -> None:
    """The audit: who did what, in rows that can only grow."""


@audit.command()
@click.option(
    "--anchor", type=click.File(encoding="utf-8", errors="replace"), help="A log from elsewhere with `audit.anchor` lines."
)
def verify(anchor: TextIO | None) -> None:
    """Check every row of the audit against its seal, and name the first that is not as it was sealed.

    Without --anchor, newest rows that were cut away cannot be noticed. Ends with 0 where all is well, with 1 where a row is bad.
    """
    with in_words():
        settings = onboard_wiring.settings(AuditSettings)
        wiring.require_migrated(settings)
        check = operator_wiring.AuditCheck(settings)
    anchors = check.anchors(anchor) if anchor is not None else {}
    if anchor is not None and not anchors:
        raise Refusal(f"{anchor.name} holds no `audit.anchor` line of this tenant. The worker's log has one each ten minutes.")
    checked = check.verify(anchors, _progress)
    for line in _told(checked, len(anchors)):
        click.echo(line)
    if checked.first is not None:
        click.get_current_context().exit(1)


def _progress(done: int, total: int) -> None:
    click.echo(f"{done:>12,} of {total:,} rows", err=True)


def _told(checked: operator_wiring.Checked, anchors: int) -> list[str]:
    lines = []
    if checked.first is not None:
        bad = checked.first
        row = f"Row {bad.seq:,}" if bad.seq is not None else "A row"
        lines.append(f"{row}{f' (id {bad.audit_id})' if bad.audit_id is not None else ''}: {bad.what}. {bad.meaning}")
        if checked.findings > 1:
            lines.append(f"That is the first; {checked.findings - 1:,} more may follow from it or not.")
        lines.append(BAD)
    else:
        lines.append(f"{many(checked.rows, 'row')} checked, each as it was sealed.")
    if checked.begins > 1 and (checked.first is None or checked.first.seq != checked.begins):
        lines.append(f"The log begins with row {checked.begins:,}: the ones before went by their age, behind a signed checkpoint.")
    if checked.unsealed and checked.oldest_unsealed is not None:
        age = wiring.now() - checked.oldest_unsealed
        told = f"{many(checked.unsealed, 'row waits', 'rows wait')} for the seal, the oldest for {span(age)}."
        lines.append(told + (" No worker seals: is one running?" if age > operator_wiring.SOON else ""))
    if checked.backdated:
        told = f"from row {checked.first_backdated:,} on, which"
        lines.append(
            f"{many(checked.backdated, 'row')}, {told} say a time an hour or more before rows that were there: a clock, or put in."
        )
    if checked.late:
        told = f"from row {checked.first_late:,} on, an hour or more after their time"
        lines.append(f"{many(checked.late, 'row')} got their seal late, {told}: no worker ran then, or seals were made anew.")
    if anchors == checked.anchors > 0:
        lines.append(f"{many(anchors, 'anchor')} met.")
    elif anchors:
        lines.append(f"{checked.anchors:,} of {many(anchors, 'anchor')} met; the others are of rows that went by their age.")
    if checked.last is not None:
        lines.append(f"Newest seal: row {checked.last.seq:,}, {checked.last.at}, {checked.last.digest}")
    return lines


@click.command()
@click.argument("person")
@click.option("--to", "file", type=click.Path(path_type=Path, dir_okay=False), help="A new file for it, readable by you alone.")
@WHY
def export(person: str, file: Path | None, why: str) -> None:
    """Write as JSON what is held of PERSON (object id in Entra): for their right of access. Audited; no secrets in it."""
    with in_words():
        found = desk().export(person, why)
    if found is None:
        raise Refusal(_nobody(person))
    text = json.dumps(found, indent=2, ensure_ascii=False)
    if file is None:
        click.echo(text)
        return
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise Refusal(f"{file} cannot be made ({type(error).__name__}). Name a file that does not exist yet.") from None
    with os.fdopen(descriptor, "w", encoding="utf-8") as out:
        out.write(text + "\n")
    click.echo(f"{many(sum(map(len, found.values())), 'row')} written to {file}.")


@click.command()
@click.argument("person")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--wait", default=60, show_default=True, type=click.IntRange(0, 3600), help="Seconds for Microsoft to take the ends.")
@WHY
def erase(person: str, yes: bool, wait: int, why: str) -> None:
    """Erase what is held of PERSON (object id in Entra): name, user name, mail, devices, journeys, links, sessions. Audited.

    Living links are ended first, so the person's devices become *not compliant*, and the worker must run to tell Microsoft. The
    audit stays, with the object id alone.
    """
    with in_words():
        operating = desk()
        count, living = operating.held(person)
    if not count:
        raise Refusal(_nobody(person))
    if not yes:
        ends = f" {many(living, 'linked device')} of theirs will be taken down at Microsoft." if living else ""
        click.confirm(f"Erase {many(count, 'row')} of {person}?{ends} This cannot be taken back.", abort=True)
    until = time.monotonic() + wait
    while left := operating.end_links(person):
        if time.monotonic() >= until:
            raise Refusal(
                f"Nothing is erased yet: {many(left, 'device')} of theirs must be taken down at Microsoft first, and are being. "
                "See that a worker runs (`remediation stuck` shows what holds it up), and run this again."
            )
        time.sleep(min(1.0, max(0.0, until - time.monotonic())))
    try:
        gone = operating.erase(person, why)
    except ErasureRefused:
        raise Refusal("Nothing is erased: a device of theirs was linked just now. Run this again.") from None
    kept = {name: number for name, number in gone.items() if number}
    click.echo("Erased: " + ", ".join(f"{name} {number:,}" for name, number in kept.items()) + ".")
    click.echo(
        "The audit keeps the object id alone. Backups keep what they hold until they end; Entra and MDM are not ours to clear.\n"
        "Was the person in the middle of a journey? Run this again in a few minutes: a look under way may have written what it saw."
    )


def _nobody(person: str) -> str:
    return f"Nothing is held of {person}. PERSON is the object id in Entra, as the helpdesk's look-up shows it."
