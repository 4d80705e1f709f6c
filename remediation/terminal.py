"""How the command line speaks: refusals in words instead of tracebacks, moments and spans for the eye."""

import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import click

from . import serving
from .errors import NotReady
from .settings.reading import FaultySettings


class Refusal(click.ClickException):
    """A sentence for the person at the terminal instead of a traceback; the process ends with 2."""

    exit_code = 2

    def show(self, file: object = None) -> None:
        click.echo(self.message, err=True)


@contextmanager
def in_words() -> Iterator[None]:
    try:
        yield
    except (FaultySettings, serving.PortTaken, NotReady) as error:
        raise Refusal(str(error)) from None


def operator() -> str:
    """Who sits at the terminal, as the audit names them."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        return "unknown"


def moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"


def span(time: timedelta) -> str:
    seconds = int(abs(time.total_seconds()))
    days, hours, minutes = seconds // 86_400, seconds // 3600 % 24, seconds // 60 % 60
    parts = [f"{n} {unit}" for n, unit in ((days, "d"), (hours, "h"), (minutes, "min"), (seconds % 60, "s")) if n]
    return " ".join(parts[:2]) or "0 s"


def many(count: int, one: str, more: str = "") -> str:
    return f"{count:,} {one if count == 1 else more or one + 's'}"
