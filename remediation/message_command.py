"""`remediation messages`: what is written to people on their devices and by mail, as it will be sent."""

import click

from . import onboard_wiring, wiring
from .settings import WorkerSettings
from .terminal import in_words

MARGIN = " " * 4


@click.command()
@click.argument("file", required=False, type=click.Path(exists=True, dir_okay=False))
def messages(file: str | None) -> None:
    """Show each message to people as it is sent, or as it would be with the words in FILE.

    With an address and a case code that are made up; sends nothing.
    """
    with in_words():
        settings = onboard_wiring.settings(WorkerSettings)
        found = wiring.build_messages(settings, file)
    for key, text in found.shown().items():
        click.echo(f"{key}{' (your words)' if key in found.own else ''}\n{MARGIN}{text}")
