"""The commands about pilot devices: one named device proves the channel of its platform. Next door: `scope_commands`.

They write wishes; the worker does the rest, and has to run.
"""

import time

import click

from .doctor_words import in_words, named
from .domain.onboarding import MOST_FIRST
from .errors import NotFound, NotReady
from .onboard_commands import console
from .scope_commands import desk
from .scope_wiring import Pilot, PilotState, Platform, SetUpDesk, StepRefused, shown
from .terminal import Refusal, moment

GLANCE = 2.0
REFUSED = {
    "no_link": "No active link of this record. A pilot device is one whose person got through once: have them open the page first.",
    "no_channel": "No channel serves this platform; docs/channels.md helps to choose one.",
    "runs": "A pilot of this platform runs already: remediation pilot show, or stop it first.",
    "not_running": "No pilot of this platform runs.",
}
STEPS = {
    "compliant": "Waiting until Entra shows it compliant.",
    "not_compliant": "Waiting until Entra shows it not compliant.",
    "again": "Waiting until Entra shows it compliant again.",
}
BREAK = (
    "The MDM itself has to say *not compliant*: make the device break a rule now (take the passcode away, for one), and mend it "
)
BREAK += "once Entra shows it."


@click.group()
def pilot() -> None:
    """One device proves a channel: compliant, not compliant, compliant, each seen in Entra."""


@pilot.command()
@click.argument("account")
@click.option("--take-back", is_flag=True, help="They may use it no more before the go.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def first(account: str, take_back: bool, yes: bool) -> None:
    """Let the holder of a pilot device use the pages before the go: ACCOUNT is what they sign in with.

    Until the go nobody else can, and only their devices are linked. Every step before the pilot device has to be done.
    """
    at_set_up = console()
    standing = next(one for one in at_set_up.standings() if one.step.name == "pilot")
    if at_set_up.gone:
        raise Refusal("It is at work already, for everybody.")
    if standing.blocked_by:
        raise Refusal(f"Not yet: {', '.join(standing.blocked_by)}.")
    with desk() as at:
        try:
            oid, name = at.account(account)
        except NotFound:
            raise Refusal("Nobody in the directory signs in with this name.") from None
    others = at_set_up.first - {oid}
    if take_back:
        at_set_up.let_first(others)
        click.echo("Taken back.")
        return
    if len(others) >= MOST_FIRST:
        raise Refusal(f"{MOST_FIRST} people go first at most: --take-back one before.")
    if not yes:
        click.confirm(f"Let {shown(name)} use it before the go?", abort=True)
    at_set_up.let_first({*others, oid})
    click.echo("Within seconds they can open the page on the pilot device; then: remediation pilot start")


@pilot.command()
@click.option("--yes", is_flag=True, help="Do not ask.")
def without(yes: bool) -> None:
    """Go on to the go without a pilot device. That you decided so is noted."""
    if not yes:
        click.confirm("Go on though nobody has seen that Microsoft takes what is pushed?", abort=True)
    with desk() as at:
        at.without_pilot()
    click.echo("Noted.")


@pilot.command()
@click.option("--connection", required=True, help="The name of the MDM connection, such as ws1.")
@click.option("--record", required=True, help="The MDM's number of a linked device, as its console shows it.")
@click.option("--by-mdm", is_flag=True, help="Hold nothing down here: the MDM itself is to say *not compliant*.")
@click.option("--wait", default=0, show_default=True, type=click.IntRange(0, 36_000), help="Seconds to wait for the end.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_context
def start(context: click.Context, connection: str, record: str, by_mdm: bool, wait: int, yes: bool) -> None:
    """Begin. Meanwhile the device is told *not compliant* once, so whoever holds it is blocked for some minutes.

    *Compliant* is told only by the MDM's own word. Ends with 0 once it is proven, or at once without --wait, and with 1 where it
    failed.
    """
    with desk() as at:
        try:
            if not yes:
                click.confirm(f"Block {at.device(connection, record) or record} for some minutes?", abort=True)
            begun = at.start_pilot(connection, record, by_mdm=by_mdm)
        except (StepRefused, NotReady) as refused:
            raise Refusal(REFUSED.get(refused.why, str(refused)) if isinstance(refused, StepRefused) else str(refused)) from None
        click.echo(f"Begun at {moment(begun.started_at)}, through {begun.channel}.")
        if begun.down.value == "mdm":
            click.echo(BREAK)
        if wait:
            context.exit(_watch(at, begun, wait))
    click.echo("remediation pilot show says how far it is.")


def _watch(at: SetUpDesk, begun: Pilot, wait: int) -> int:
    ends, told = time.monotonic() + wait, ""
    while True:
        now = at.pilot(begun.id)
        if now.state is PilotState.PROVEN:
            click.echo("Proven: compliant, not compliant, compliant, each seen in Entra.")
            return 0
        if now.state is not PilotState.RUNNING:
            click.echo(f"Not proven ({now.why}): remediation pilot show", err=True)
            return 1
        if STEPS[now.step.value] != told:
            told = STEPS[now.step.value]
            click.echo(told)
        if time.monotonic() >= ends:
            click.echo("Still under way; the worker goes on.")
            return 0
        time.sleep(GLANCE)


@pilot.command()
def show() -> None:
    """What pilot devices say of each platform that a channel serves."""
    with desk() as at:
        for finding in at.pilots():
            words = in_words(finding)
            click.echo(
                f"{finding.state.value:<8} {named(finding)}: {words.seen}" + (f" [{words.who}] {words.do}" if words.who else "")
            )


@pilot.command()
@click.argument("platform", type=click.Choice([one.value for one in Platform if one is not Platform.UNKNOWN]))
def stop(platform: str) -> None:
    """End the pilot of a platform; its device is judged by the MDM's word again at once."""
    with desk() as at:
        try:
            at.stop_pilot(Platform(platform))
        except StepRefused as refused:
            raise Refusal(REFUSED[refused.why]) from None
    click.echo("Stopped.")
