"""`remediation bar`: what another rule file would do to the devices there are, before it is put in force."""

import click

from . import log, onboard_wiring, wiring
from .services.try_bar import Effect
from .settings import WorkerSettings
from .settings.names import secrets_of
from .terminal import Refusal, in_words, many

WHY = {
    "no_list": "this MDM lists no devices",
    "not_found": "the list was not found there",
    "refused": "the MDM refused: look at the credential and its rights",
    "busy": "the MDM wants no more calls for now: try again later",
    "unreachable": "the MDM did not answer",
    "garbled": "the MDM gave an answer that cannot be read",
}


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False))
def bar(file: str) -> None:
    """What the rules in FILE would do, instead of those in force.

    Reads the whole list of every MDM with the worker's settings, and changes nothing. Ends with 2 where a list was cut off.
    """
    with in_words():
        settings = onboard_wiring.settings(WorkerSettings)
        log.set_up("bar", secrets_of(settings))
        effects = wiring.try_bar_file(
            settings, file, lambda effect: click.echo(f"  {effect.connection}: {effect.devices:,} read", err=True)
        )
    for one in effects:
        click.echo(f"{one.connection}: {many(one.devices, 'enrolled device')}, {one.compliant:,} compliant by the rules in force")
        click.echo(f"  {one.lowered:,} of these would not be compliant any more; {one.lifted:,} more would be")
        for rule in sorted(one.failing | one.unclear):
            unclear = f"; of {one.unclear[rule]:,} it cannot be said" if one.unclear[rule] else ""
            click.echo(f"  {rule}: {many(one.failing[rule], 'device fails', 'devices fail')} it{unclear}")
        if one.unreadable:
            click.echo(f"  {many(one.unreadable, 'record')} could not be read, and counted nowhere")
    broken = [one for one in effects if one.error is not None]
    for one in broken:
        click.echo(f"{one.connection}: the list did not come to its end: {WHY.get(one.error or '', one.error)}.", err=True)
    if broken:
        raise Refusal("The figures above are of what was read until then.")


def _progress(effect: Effect) -> None:
    click.echo(f"  {effect.connection}: {effect.devices:,} read", err=True)
