"""The command line. Each command reads its own settings, says what is wrong in words, and hands over to `wiring`."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

import click

from . import (
    appearance_commands,
    audit_commands,
    bar_command,
    connection_commands,
    doctor_commands,
    figures_command,
    impact_commands,
    lock_commands,
    log,
    mdm_commands,
    message_command,
    onboard_commands,
    onboard_wiring,
    operator_commands,
    partner_commands,
    pilot_commands,
    repair_commands,
    scope_commands,
    serving,
    wiring,
    work_commands,
)
from .settings import DatabaseSettings, WebSettings, WorkerSettings
from .settings.names import knows, secrets_of
from .settings.reading import FaultySettings, read, read_so_far
from .terminal import Refusal, in_words


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
def remediation() -> None:
    """The way back to work for a person whom Microsoft Entra Conditional Access blocked.

    Two processes make the product: `serve` shows the pages, `work` talks to Microsoft and to the MDM. Both keep everything in
    one database, which `migrate` prepares. Settings come from the environment (REMEDIATION_…) and from remediation.toml;
    docs/settings.md lists them.
    """


@remediation.command()
def serve() -> None:
    """Serve the pages until told to end (Ctrl-C or SIGTERM).

    Calls no remote but the sign-in, and needs none of the worker's credentials: do not give it any.
    """
    with in_words():
        settings, missing = read_so_far(WebSettings, onboard_wiring.taken_for(WebSettings).typed)
        log.set_up("web", secrets_of(settings))
        _forget_foreign_names()
        wiring.require_migrated(settings)
        click.echo(f"Serving {settings.public_origin} on {settings.bind}", err=True)
        if missing:
            click.echo(onboard_wiring.still_missing(missing), err=True)
        with _counted_in(settings) as folder:
            serving.serve(
                lambda: onboard_wiring.web_app(metrics=folder),
                bind=settings.bind,
                processes=settings.web_processes,
                threads=settings.web_threads,
            )


@contextmanager
def _counted_in(settings: WebSettings) -> Iterator[Path | None]:
    """The folder in which all processes count their answers. They leave this block as well, and must not take it away."""
    if settings.web_metrics is None:
        yield None
        return
    serving.refuse_taken_port(settings.web_metrics, "REMEDIATION_WEB_METRICS")
    folder, ours = Path(tempfile.mkdtemp(prefix="remediation-metrics-")), os.getpid()
    try:
        yield folder
    finally:
        if os.getpid() == ours:
            shutil.rmtree(folder, ignore_errors=True)


def _forget_foreign_names() -> None:
    """What only the worker may know is dropped before any page is built, and said aloud: the environment was set up wrongly."""
    foreign = sorted(name for name in os.environ if knows(WorkerSettings, name) and not knows(WebSettings, name))
    for name in foreign:
        del os.environ[name]
    if any(word in name for name in foreign for word in ("SECRET", "MDM_", "WEBHOOK", "PASSWORD", "AUDIT_KEY", "SEAL_KEY")):
        click.echo(f"Not for the web process, and ignored: {', '.join(foreign)}. Give these to the worker alone.", err=True)


@remediation.group(invoke_without_command=True)
@click.pass_context
def work(context: click.Context) -> None:
    """Look at the directory and the MDM, link devices, carry compliance to Microsoft, until told to end.

    Ends within 30 seconds. What it was doing goes on at the next start, under the same REMEDIATION_EXECUTOR_ID.
    """
    if context.invoked_subcommand is not None:
        return
    with in_words():
        onboard_wiring.run_worker()


remediation.add_command(operator_commands.stuck)
remediation.add_command(operator_commands.leases)
remediation.add_command(work_commands.work_list)
remediation.add_command(work_commands.incident)
remediation.add_command(appearance_commands.appearance)
remediation.add_command(figures_command.figures)
remediation.add_command(impact_commands.impact)
remediation.add_command(connection_commands.connections)
remediation.add_command(mdm_commands.mdm)
remediation.add_command(onboard_commands.onboard)
remediation.add_command(partner_commands.partner)
remediation.add_command(scope_commands.scope)
remediation.add_command(pilot_commands.pilot)
remediation.add_command(lock_commands.lock)
remediation.add_command(bar_command.bar)
remediation.add_command(message_command.messages)
remediation.add_command(doctor_commands.doctor)
remediation.add_command(audit_commands.audit)
remediation.add_command(audit_commands.export)
remediation.add_command(audit_commands.erase)
remediation.add_command(operator_commands.sign_out)
remediation.add_command(repair_commands.repair)
work.add_command(operator_commands.takeover)


@remediation.command()
@click.option("--to", "url", metavar="URL", help="Move everything from the SQLite file to this empty PostgreSQL.")
@click.option("--to-file", type=click.File(), help="The same, with the address in a file: a password in it stays out of sight.")
def migrate(url: str | None, to_file: TextIO | None) -> None:
    """Prepare the database, or bring it up to this version. Run it before `serve` and `work`; running it again does no harm.

    With --to, or --to-file, everything is moved from the SQLite file that REMEDIATION_DATABASE_URL names to an empty PostgreSQL,
    whole or not at all. End `serve` and `work` first. docs/operating.md tells it step by step.
    """
    target = url if to_file is None else to_file.read().strip()
    if target:
        operator_commands.move(target)
        return
    with in_words():
        settings = read(DatabaseSettings)
        log.set_up("migrate", secrets_of(settings))
        wiring.migrate(settings)
    click.echo("The database is ready.")


@remediation.command()
@click.option("--web", "which", flag_value="web", help="Only what `serve` needs.")
@click.option("--worker", "which", flag_value="worker", help="Only what `work` needs.")
def check_settings(which: str | None) -> None:
    """Say what is wrong with the settings, all of it at once, and start nothing.

    Secrets are never shown. Ends with 0 where all is well, with 2 otherwise.
    """
    classes: dict[str, type[WebSettings] | type[WorkerSettings]] = {"web": WebSettings, "worker": WorkerSettings}
    refused = []
    for cls in [classes[which]] if which else classes.values():
        try:
            onboard_wiring.settings(cls)
        except FaultySettings as error:
            refused.append(str(error))
    if refused:
        raise Refusal("\n\n".join(refused))
    click.echo("The settings are good.")
