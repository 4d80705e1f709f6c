"""`remediation onboard`: the way in for the first administrator, and both app registrations as manifest and script.

Next door: `onboard_console`; what an administrator does on the pages is in docs/onboarding.md.
"""

import json
from pathlib import Path
from typing import TextIO

import click

from . import onboard_console, registrations, wiring
from .domain.onboarding import GO, State
from .services.onboard import CannotSeal
from .settings import DatabaseSettings
from .settings.clouds import CLOUDS, OF_CLOUD
from .settings.reading import read
from .settings.rules import origin
from .settings.typed import whose_secret
from .terminal import Refusal, in_words, operator


@click.group(invoke_without_command=True)
@click.option(
    "--origin", "at", envvar="REMEDIATION_PUBLIC_ORIGIN", metavar="URL", help="The address of the pages, where it is not set."
)
@click.pass_context
def onboard(context: click.Context, at: str | None) -> None:
    """Print a link that lets the first administrator in, once and within 15 minutes.

    It opens the pages of the set-up and nothing else, for two hours. Links that were printed before and not used end. Give it to
    nobody but the administrator: whoever presses its button may type what this product is connected to.
    """
    context.obj = at
    if context.invoked_subcommand is None:
        click.echo(console().link(_origin(at)))


@onboard.command()
@click.option("--json", "as_json", is_flag=True, help="For a program.")
@click.pass_context
def status(context: click.Context, as_json: bool) -> None:
    """The checklist, as the pages have it. Ends with 1 while something is to be done."""
    at = console()
    standings = at.standings()
    if as_json:
        told = [{"step": one.step.name, "state": one.state.value, "why": one.why, "waits_for": one.blocked_by} for one in standings]
        click.echo(json.dumps(told, indent=2))
    else:
        for one in standings:
            why = f": {at.words(f'onboarding.cause.{one.why}')}" if one.state is State.WRONG else ""
            after = f" ({', '.join(one.blocked_by)})" if one.blocked_by else ""
            click.echo(f"{one.step.name:<12} {one.state.value}{why}{after}")
    context.exit(0 if all(one.state is State.DONE or one.step.optional for one in standings) else 1)


@onboard.command("set")
@click.argument("name")
@click.argument("value", required=False)
@click.option("--from-file", type=click.File(), help="Its value is what this file holds (- is standard input). For secrets.")
@click.option("--unset", is_flag=True, help="Take back what was typed.")
def set_one(name: str, value: str | None, from_file: TextIO | None, unset: bool) -> None:
    """Store a setting as the pages do: NAME as in the environment. Running processes take it in by themselves.

    A secret is given by --from-file alone, since whatever is typed here stays in the shell's history.
    """
    if [value is not None, from_file is not None, unset].count(True) != 1:
        raise Refusal("Give a value, or --from-file, or --unset.")
    if value is not None and whose_secret(name) is not None:
        raise Refusal(f"{name} is a secret: give it with --from-file.")
    chosen = {name: from_file.read().strip("\r\n") if from_file is not None else value}
    at = console()
    wrong = at.wrong_with(chosen)
    if wrong:
        raise Refusal("\n".join(["Nothing was stored.", *(f"  {one.name} {one.words}" for one in wrong)]))
    try:
        at.choose(chosen)
    except CannotSeal:
        raise Refusal("The worker never said with what to seal: set REMEDIATION_SEAL_KEY for it, and start it once.") from None
    click.echo(f"{name} is {'taken back' if unset else 'stored'}.")


@onboard.command("test")
@click.argument("look")
def look_at(look: str) -> None:
    """Have the worker look at something again: `consent`, `certificate`, or `mdm:<connection>`. `status` says what came of it."""
    console().want_look(look)
    click.echo("The worker looks within seconds.")


@onboard.command()
@click.option("--yes", is_flag=True, help="Do not ask.")
def go(yes: bool) -> None:
    """Go to work: from then on devices are linked and compliance is pushed. Refused while a step before it is not done."""
    at = console()
    last = next(one for one in at.standings() if one.step.name == GO)
    if last.state is State.DONE:
        click.echo("It is at work already.")
        return
    if last.blocked_by:
        raise Refusal(f"Not yet: {', '.join(last.blocked_by)}.")
    if not yes:
        click.confirm("Link devices and push their compliance to Microsoft from now on?", abort=True)
    at.go()
    click.echo("It goes to work within seconds.")


@onboard.command()
@click.option("--to", "folder", type=click.Path(file_okay=False, path_type=Path), help="Write the files here instead of printing.")
@click.option("--intune-partner/--no-intune-partner", default=True, help="Whether we are the compliance partner of a platform.")
@click.option("--windows", is_flag=True, help="With what the channel graph_device needs.")
@click.option("--cloud", type=click.Choice(CLOUDS), envvar="REMEDIATION_CLOUD", default=CLOUDS[0], help="Where the tenant lives.")
@click.pass_context
def apps(context: click.Context, folder: Path | None, intune_partner: bool, windows: bool, cloud: str) -> None:
    """Print what registers both apps at Microsoft: their manifests, and a script for the Azure command line.

    Calls nobody. Somebody with the role Application Administrator runs the script; the consent is given afterwards, on the page of
    the set-up, by a Privileged Role Administrator.
    """
    with in_words():
        graph = OF_CLOUD[cloud]["graph_url"]
        files = registrations.files(_origin(context.obj), intune_partner=intune_partner, windows=windows, graph=graph)
    if folder is None:
        click.echo("\n\n".join(f"# {name}\n{text}" for name, text in files.items()))
        return
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
        click.echo(str(folder / name))


def console() -> onboard_console.Console:
    with in_words():
        settings = read(DatabaseSettings)
        wiring.require_migrated(settings)
        made = onboard_console.Console(settings, operator=operator())
    click.get_current_context().call_on_close(made.close)
    return made


def _origin(told: str | None) -> str:
    if not told:
        raise Refusal("Set REMEDIATION_PUBLIC_ORIGIN, or say --origin: the address under which people reach the pages.")
    try:
        return origin(told)
    except ValueError as error:
        raise Refusal(f"REMEDIATION_PUBLIC_ORIGIN {error}.") from None
