"""`remediation doctor`: is everything there that the product needs, and do messages of an MDM arrive?

It runs with the worker's settings, since it makes the worker's calls; never on a web host. Next door: `operator_commands` (what is
stuck), which needs no credential. docs/operating.md is the page to it.
"""

import json
import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict

import click

from . import log, onboard_wiring, wiring
from .doctor_wiring import Examination, described
from .doctor_words import in_words as words_of
from .doctor_words import named
from .domain.finding import BY_HAND, Finding, State, worst
from .errors import MessageTestRefused, NotReady, Refused, RemoteError
from .settings import WorkerSettings
from .settings.names import secrets_of
from .terminal import Refusal, in_words, operator, span

STATUS = {State.GOOD: 0, State.BAD: 1, State.UNKNOWN: 2}
GLANCE = 0.5  # seconds between two looks for the tap
TELL_EVERY = 30.0


@click.group(invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="For a machine.")
@click.option(
    "--sign-in-app",
    envvar="REMEDIATION_SIGN_IN_CLIENT_ID",
    metavar="CLIENT_ID",
    help="The app with which people sign in, to see that no device policy catches it. Known from REMEDIATION_SIGN_IN_CLIENT_ID.",
)
@click.pass_context
def doctor(context: click.Context, as_json: bool, sign_in_app: str | None) -> None:
    """Check every prerequisite by the call or the row that it speaks of: what, good or bad or unknown, who can act, what to do.

    Needs the worker's settings and calls the remotes with its credentials, but changes nothing there and reads no person's data
    beyond one page of each MDM's list. Ends with 0 where nothing is bad and everything that can be asked was answered, 1 where
    something is bad, 2 where nothing is bad and something is not known. What no interface tells, somebody has to look at: it is
    *unknown* each time, and changes none of these.
    """
    if context.invoked_subcommand is not None:
        return
    with in_words():
        settings = _settings()
    found: list[Finding] = []
    try:
        wiring.require_migrated(settings)
    except NotReady as error:
        found.append(Finding("database", State.BAD, "not_ready", detail={"said": str(error)}))
        if not as_json:
            click.echo(_line(found[0]))
    else:
        with in_words():
            for finding in Examination(settings, sign_in_app=sign_in_app).findings():
                found.append(finding)
                if not as_json:
                    click.echo(_line(finding))
    status = worst(found)
    if not as_json:
        click.echo(_in_all(found))
    else:
        counts = {state.value: len(one) for state, one in _by_state(found).items()}
        told = {"status": status.value, **counts, "checks": [_plain(finding) for finding in found]}
        click.echo(json.dumps(told, indent=2))
    context.exit(STATUS[status])


def _settings() -> WorkerSettings:
    settings = onboard_wiring.settings(WorkerSettings)
    log.set_up("doctor", secrets_of(settings))
    logging.getLogger().setLevel(logging.ERROR)  # each call would be a line between the findings
    return settings


def _line(finding: Finding) -> str:
    words = words_of(finding)
    act = " ".join(part for part in (f"[{words.who}]" if words.who else "", words.do) if part)
    return f"{finding.state.value:<8} {named(finding)}: {words.seen}{f' {act}' if act else ''}"


def _by_state(found: Sequence[Finding]) -> Mapping[State, Sequence[Finding]]:
    return {state: [one for one in found if one.state is state] for state in State}


def _in_all(found: Sequence[Finding]) -> str:
    """That something is not known must not read as if it had failed."""
    of = _by_state(found)
    bad = f"{len(of[State.BAD])} bad" if of[State.BAD] else "nothing is bad"
    unknown = len(of[State.UNKNOWN])
    look = sum(one.check == BY_HAND for one in found)
    return f"In all: {bad}, {unknown} not known{f' ({look} to look at yourself)' if look else ''}, {len(of[State.GOOD])} good."


def _plain(finding: Finding) -> dict[str, object]:
    return {**asdict(finding), "state": finding.state.value, **asdict(words_of(finding))}


REFUSED = {
    "no_messages": "Through this connection no messages can be sent.",
    "not_enrolled": "That device is not enrolled, by what the MDM says of it. Take another one.",
}


@doctor.command()
@click.option("--connection", required=True, help="The name of the MDM connection, such as ws1.")
@click.option("--record", required=True, help="The MDM's number of a device that you have at hand, as its console shows it.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--wait", default=600, show_default=True, type=click.IntRange(0, 600), help="Seconds to wait for the tap.")
@click.option("--why", default="asked for at the command line", show_default=True, help="What the audit says; name nobody in it.")
@click.pass_context
def possession(context: click.Context, connection: str, record: str, yes: bool, wait: int, why: str) -> None:
    """Send a test message to one device, and wait until its link was tapped there.

    From then on possession is on for this connection. The tap grants nothing else. Ends with 0 once it was seen, 1 where it was not
    or the MDM refused, 2 where it could not be tried.
    """
    with in_words():
        settings = _settings()
        wiring.require_migrated(settings)
        examination = Examination(settings)
    if connection not in examination.connections:
        raise Refusal(f"No MDM connection {connection} is set. Known: {', '.join(examination.connections)}.")
    try:
        device = examination.device(connection, record)
        if not yes:
            click.confirm(f"Send a test message to {described(device)}?", abort=True)
        until = examination.send_test(device, operator=operator(), why=why)
    except MessageTestRefused as refused:
        raise Refusal(REFUSED[refused.why]) from None
    except RemoteError as error:
        click.echo(f"Not sent: {words_of(Finding('mdm', State.BAD, error.code, connection, _said(error))).seen}", err=True)
        context.exit(1 if isinstance(error, Refused) else 2)
    click.echo(f"Sent to {described(device)}. Open the message there, tap its link, and press the button, until {until:%H:%M} UTC.")
    if not _seen(examination, connection, wait):
        click.echo(f"Not seen. Possession stays as it was; `remediation doctor` says how it stands for {connection}.")
        context.exit(1)
    click.echo(f"Seen at {examination.test(connection).seen_at:%H:%M:%S} UTC: possession is on for {connection}.")


def _said(error: RemoteError) -> dict[str, str]:
    return {"code": error.vendor_code or str(error.status or "-"), "said": str(error)}


def _seen(examination: Examination, connection: str, wait: int) -> bool:
    begun, told = time.monotonic(), time.monotonic()
    while True:
        test, left = examination.test(connection), wait - (time.monotonic() - begun)
        if test.seen_at is not None:
            return True
        if left <= 0 or test.state(wiring.now()) == "too_late":
            return False
        if time.monotonic() - told >= TELL_EVERY:
            told = time.monotonic()
            click.echo(f"Waiting for the tap, {span(test.expires_at - wiring.now())} left …", err=True)
        time.sleep(min(GLANCE, left))
