"""`python -m sandbox serve | demo | reset`: the pretend tenant alone, with the product, or its demo data thrown away."""

from __future__ import annotations

import signal
import sys
import threading
from pathlib import Path

import click

from sandbox import demo as playing
from sandbox.server import create_sandbox

port = click.IntRange(1, 65535)
data_option = click.option(
    "--data", default=".demo", type=click.Path(path_type=Path), show_default=True, help="Folder for what the demo keeps."
)
pages_option = click.option("--pages-port", default=8100, type=port, show_default=True, help="The pretend phone and sign-in pages.")
api_option = click.option("--api-port", default=8143, type=port, show_default=True, help="The pretend services (HTTPS).")
product_option = click.option("--port", default=8000, type=port, show_default=True, help="The product.")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """A stand-in tenant on this machine: Microsoft Entra, Graph, Intune, Workspace ONE and a pretend phone."""


@main.command()
@product_option
@pages_option
@api_option
@data_option
def demo(port: int, pages_port: int, api_port: int, data: Path) -> None:
    """Start the stand-in tenant and the product, and print the address to open."""
    try:
        playing.play(playing.Ports(port, pages_port, api_port), data)
    except playing.CannotStart as reason:
        _give_up(reason)


@main.command()
@data_option
def reset(data: Path) -> None:
    """Throw the demo's data away."""
    try:
        click.echo(playing.reset(data))
    except playing.CannotStart as reason:
        _give_up(reason)


@main.command()
@product_option
@pages_option
@api_option
@data_option
def serve(port: int, pages_port: int, api_port: int, data: Path) -> None:
    """Start the stand-in tenant alone, and print the settings with which a product talks to it."""
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    ports = playing.Ports(port, pages_port, api_port)
    try:
        ports.check(("--pages-port", "--api-port"))
        with playing.kept_in(data) as folder:
            sandbox = create_sandbox(playing.tenant_for(ports, folder))
            sandbox.start()
            try:
                settings = playing.product_settings(sandbox, ports, folder, playing.kept_secrets(folder)["secret_key"])
                click.echo(f"# phone {sandbox.pages_url}/   facts {sandbox.pages_url}/control/facts   Ctrl-C ends it")
                for name, value in settings.items():
                    click.echo(f"{name}={value}")
                ended.wait()
            finally:
                sandbox.stop()
    except playing.CannotStart as reason:
        _give_up(reason)


def _give_up(reason: playing.CannotStart) -> None:
    click.echo(str(reason), err=True)
    sys.exit(reason.code)


if __name__ == "__main__":
    main(prog_name="python -m sandbox")
