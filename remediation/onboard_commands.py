"""`remediation onboard`: the way in for the first administrator, and both app registrations as manifest and script.

Next door: `onboard_wiring`; what an administrator does on the pages is in docs/onboarding.md.
"""

from pathlib import Path

import click

from . import onboard_wiring, registrations, wiring
from .settings import DatabaseSettings
from .settings.reading import read
from .settings.rules import origin
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
    if context.invoked_subcommand is not None:
        return
    with in_words():
        settings = read(DatabaseSettings)
        wiring.require_migrated(settings)
        click.echo(onboard_wiring.set_up_link(settings, _origin(at), operator=operator()))


@onboard.command()
@click.option("--to", "folder", type=click.Path(file_okay=False, path_type=Path), help="Write the files here instead of printing.")
@click.option("--intune-partner/--no-intune-partner", default=True, help="Whether we are the compliance partner of a platform.")
@click.option("--windows", is_flag=True, help="With what the channel graph_device needs.")
@click.pass_context
def apps(context: click.Context, folder: Path | None, intune_partner: bool, windows: bool) -> None:
    """Print what registers both apps at Microsoft: their manifests, and a script for the Azure command line.

    Calls nobody. Somebody with the role Application Administrator runs the script; the consent is given afterwards, on the page of
    the set-up, by a Privileged Role Administrator.
    """
    with in_words():
        files = registrations.files(_origin(context.obj), intune_partner=intune_partner, windows=windows)
    if folder is None:
        click.echo("\n\n".join(f"# {name}\n{text}" for name, text in files.items()))
        return
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
        click.echo(str(folder / name))


def _origin(told: str | None) -> str:
    if not told:
        raise Refusal("Set REMEDIATION_PUBLIC_ORIGIN, or say --origin: the address under which people reach the pages.")
    try:
        return origin(told)
    except ValueError as error:
        raise Refusal(f"REMEDIATION_PUBLIC_ORIGIN {error}.") from None
