"""`remediation appearance`: what an administrator puts in place of our sentences, number, colours and logo, at the command line.

Next door: `web/appearance_pages.py` (the same as pages, with a preview).
"""

from pathlib import Path

import click

from .domain.appearance import LEAST, LOGO
from .domain.incident import plain
from .domain.logo import MOST_BYTES, Unfit, made_anew
from .operator_commands import MARGIN, desk
from .terminal import Refusal, in_words, moment

FAULTS = {
    "unknown": "There is no such thing. Keys: phone, hours, accent, accent_dark, logo, text/LANGUAGE/ID.",
    "empty": "Write something, or bring back ours: remediation appearance ours KEY",
    "long": "That is too long for its place.",
    "phone": "That is no phone number: digits, spaces and one + in front.",
    "variables": "Keep each %(name)s of our sentence, once for each time that it has it.",
    "percent": "Write the word for the percent sign.",
    "colour": "Write the colour as # and six digits, such as #0b6468.",
    "contrast": f"People could not read this: the poorest contrast on the pages is below {LEAST} to 1.",
    "logo_kind": "This is no plain PNG. Other kinds of picture, SVG among them, are not taken.",
    "logo_size": f"The file is larger than {MOST_BYTES // 1024} kB.",
    "logo_measure": "The picture is larger than 480 × 120 pixels.",
    "logo_broken": "The file is damaged.",
}


@click.group(invoke_without_command=True)
@click.pass_context
def appearance(context: click.Context) -> None:
    """Show what stands on the pages in place of ours."""
    if context.invoked_subcommand is not None:
        return
    with in_words():
        found = desk().appearance()
    for key, value in sorted(found.items()):
        click.echo(f"{key}: {'a picture' if key == LOGO else plain(value)}")
    if not found:
        click.echo("All is ours.")


@appearance.command("set")
@click.argument("key")
@click.argument("value")
def put(key: str, value: str) -> None:
    """Put VALUE in place of ours: a sentence, a number, a colour; for `logo`, the path of a PNG."""
    with in_words():
        if key == LOGO:
            value = _picture(value)
        _told(desk().put_appearance(key, value))
    click.echo("On every page within seconds.")


@appearance.command()
@click.argument("key")
def ours(key: str) -> None:
    """Bring back ours."""
    with in_words():
        _told(desk().put_appearance(key, None))
    click.echo("Ours stands there again within seconds.")


@appearance.command()
@click.argument("key")
def history(key: str) -> None:
    """List what KEY was, the newest first, each with who put it there and an id to go back by."""
    with in_words():
        found = desk().appearance_history(key)
    for one in found:
        said = "ours" if one.value is None else "a picture" if key == LOGO else plain(one.value)
        click.echo(f"{moment(one.made_at)}  {plain(one.made_by)}  {one.id}\n{MARGIN}{said}")
    if not found:
        click.echo("It was always ours.")


@appearance.command()
@click.argument("version")
def back(version: str) -> None:
    """Go back to what it was at VERSION, an id of `history`."""
    with in_words():
        _told(desk().appearance_back(version))
    click.echo("On every page within seconds.")


def _told(faults: tuple[str, ...]) -> None:
    if faults:
        raise Refusal(" ".join(FAULTS[fault] for fault in faults))


def _picture(path: str) -> str:
    try:
        with Path(path).open("rb") as file:
            return made_anew(file.read(MOST_BYTES + 1))
    except OSError as error:
        raise Refusal(f"{path} cannot be read ({error.strerror}).") from None
    except Unfit as unfit:
        raise Refusal(FAULTS[f"logo_{unfit}"]) from None
