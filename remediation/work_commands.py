"""`remediation work-list`: the helpdesk's work list at the command line. `remediation incident`: what everybody is told.

Next door: `operator_commands` (`stuck`: every row that does not rest, whether people can help or not).
"""

from datetime import timedelta

import click

from . import wiring
from .domain.incident import LONGEST, plain
from .domain.work import Kind
from .operator_commands import MARGIN, desk
from .terminal import Refusal, in_words, moment, span

FAULTS = {
    "empty": "Say it in one language at least: --en or --de.",
    "long": f"At most {LONGEST} characters in each language.",
    "until": "It lasts from 5 minutes to 24 hours.",
}


@click.command("work-list")
@click.option("--kind", type=click.Choice([kind.value for kind in Kind]), help="Only this kind.")
@click.option("--after", metavar="PLACE", default="", help="Go on behind this place, as the page before says it.")
@click.option("--limit", default=25, show_default=True, type=click.IntRange(1, 500), help="Rows of one page.")
def work_list(kind: str | None, after: str, limit: int) -> None:
    """List what needs people, oldest promise first: the helpdesk's work list. Reads only.

    `remediation stuck` lists every row that does not rest, those too that go on by themselves.
    """
    with in_words():
        found, now = desk().work(kind, after, limit), wiring.now()
    if found is None:
        raise Refusal("There is no such place in the list. Begin without --after.")
    if not found.lines:
        click.echo("Nothing here waits for people." if after or kind or found.more else "Nothing waits for people.")
    for one in found.lines:
        late = f"{span(now - one.promised)} late" if one.promised <= now else f"in {span(one.promised - now)}"
        click.echo(f"{moment(one.promised)} ({late})  {one.kind}  {' · '.join(part for part in (one.whose, one.what) if part)}")
        click.echo(f"{MARGIN}{one.words} [{one.code}] Since {moment(one.since)}. {one.who}")
        if one.taken_by:
            click.echo(f"{MARGIN}Taken by {one.taken_by}.")
    if found.more:
        click.echo(f"\nMore: remediation work-list{f' --kind {kind}' if kind else ''} --after '{found.more}'")


@click.group(invoke_without_command=True)
@click.pass_context
def incident(context: click.Context) -> None:
    """Show the sentence that stands on every page now, and until when."""
    if context.invoked_subcommand is not None:
        return
    with in_words():
        found = desk().incident()
    if found is None:
        click.echo("Nothing is told.")
        return
    for language, text in sorted(found.texts.items()):
        click.echo(f"{language}: {plain(text)}")
    click.echo(f"On every page until {moment(found.until)}.")


@incident.command()
@click.option("--en", default="", help="The sentence in English.")
@click.option("--de", default="", help="The sentence in German.")
@click.option("--minutes", default=120, show_default=True, type=int, help="How long it stands there.")
def say(en: str, de: str, minutes: int) -> None:
    """Put one sentence on every page: plain text, for a while, in place of the one before. Name nobody in it."""
    with in_words():
        until = wiring.now() + timedelta(minutes=minutes)
        faults = desk().publish_incident({"en": en, "de": de}, until)
    if faults:
        raise Refusal(" ".join(FAULTS[fault] for fault in faults))
    click.echo(f"On every page within seconds, until {moment(until)}.")


@incident.command()
def end() -> None:
    """Take the sentence away."""
    with in_words():
        ended = desk().end_incident()
    click.echo("It is taken away within seconds." if ended else "Nothing is told.")
