"""The commands about the second lock: with the worker's settings, since they call Microsoft. docs/channels.md is the page to them.

Next door: `partner_commands`, `doctor_commands` (which flags a policy that fails open).
"""

from collections.abc import Iterator
from contextlib import contextmanager

import click

from .errors import Refused, RemoteError
from .lock_wiring import Lock, Read, SeenBlocked, shown
from .settings import WorkerSettings
from .settings.reading import read
from .terminal import Refusal, in_words, many, moment, operator

WORD = {"ios": "iOS", "android": "Android", "macos": "macOS", "windows": "Windows"}
POLICY = """Conditional Access policy of the second lock. A Conditional Access administrator can make it:
{portal}, Conditional Access, New policy.

Users             the same people as in the policy that requires a compliant device; leave out your emergency accounts
Target resources  Office 365, or the resources that the device policy is about. Not *All resources*: people must be able to
                  sign in to register a device. Exclude our sign-in app where it is among them
Conditions        Device platforms: {platforms}, or Any device
                  Client apps: not configured
                  Filter for devices: Configure *Yes*, *Exclude filtered devices from policy*, Rule syntax:

{rule}

Grant             Block access
Enable policy     Report-only, until devices bear the mark; then On

Nothing may be added to the rule and no operator changed: with -ne, -or or -startsWith it lets unregistered devices through.
With this policy on, whoever is blocked reads Microsoft's page without a button: tell them where your pages are."""
WHY = {
    "refused": "Microsoft refuses it ({code}). For the sign-in log: AuditLog.Read.All, Policy.Read.All and Entra ID P1; for "
    "devices: Device.Read.All. Or confirm it yourself: --saw.",
    "not_found": "Entra's sign-in log does not have this sign-in, or not yet: it takes some minutes. The id is the *Request Id* of "
    "the block page.",
    "no_consent": "The service app may do nothing in this tenant: its consent was withdrawn, or the app was deleted or disabled. "
    "An Entra administrator can act: grant admin consent again.",
    "garbled": "Microsoft's answer was not as specified: {said}. Report this with the output.",
    "busy": "Microsoft wants to be left alone for a while. Try again later.",
    "unreachable": "Microsoft gives no answer ({said}). Try again later.",
}
SHOWS = {
    "not_blocked": "This sign-in was not blocked by a policy (53003).",
    "policies_not_told": "The log does not say which policies applied; for that: Policy.Read.All. Or confirm it yourself: --saw.",
    "another_policy": "It was blocked, but not by a policy that asks for our mark.",
    "not_compliant": "It was blocked, and the device is not compliant: that shows nothing of the mark. Try a compliant one.",
    "marked": "The device bears a mark: that it was blocked shows nothing.",
    "device_gone": "The directory does not have the device of this sign-in any more.",
}
KIND = {"unregistered": "an unregistered device", "unmarked": "a registered, compliant device without the mark"}
MISSING = {
    "not_prepared": "the attribute is not prepared: remediation lock prepare",
    "unregistered_not_seen_blocked": "an unregistered device was not seen blocked yet",
    "unmarked_not_seen_blocked": "a registered, compliant device without the mark was not seen blocked yet",
}
HOW = {"sign_in_log": "by Entra's sign-in log", "confirmed": "by whom it was confirmed"}
REASON = click.option("--why", default="asked for at the command line", show_default=True, help="What the audit says; name nobody.")


@click.group()
def lock() -> None:
    """The second lock: a policy that holds a device back until our mark is on it. Run these with the worker's settings."""


@contextmanager
def _at_microsoft() -> Iterator[Lock]:
    with in_words():
        found = Lock(read(WorkerSettings), waiting=lambda: click.echo("Waiting for our own limit of calls …", err=True))
    try:
        yield found
    except RemoteError as error:
        code = shown(error.vendor_code or str(error.status or "-"))
        raise Refusal(WHY[error.why if error.why in WHY else error.code].format(code=code, said=str(error))) from None
    finally:
        found.close()


@lock.command()
def rule() -> None:
    """Print the policy to make in Entra, with the exact rule to paste. Calls nobody."""
    with _at_microsoft() as found:
        platforms = ", ".join(WORD[platform.value] for platform in found.platforms)
        click.echo(POLICY.format(portal=found.portal, platforms=platforms, rule=found.held.rule))
        if found.held.prepared_at is None:
            click.echo(f"\n{found.held.name} is not prepared yet, so no device is marked: remediation lock prepare", err=True)


@lock.command()
@click.option("--yes", is_flag=True, help="Do not ask.")
@REASON
def prepare(yes: bool, why: str) -> None:
    """Read every device of the directory and see that the attribute is nobody else's; from then on marks are written.

    What another app or person writes there afterwards is taken away again. Ends with 2 where somebody uses the attribute.
    """
    with _at_microsoft() as found:
        seen = found.read_all()
        click.echo(f"{many(seen.devices, 'device')} read.")
        if seen.others:
            raise Refusal(_taken(found.held.name, seen))
        if found.held.prepared_at is not None:
            click.echo(f"{found.held.name} was prepared at {moment(found.held.prepared_at)}, and still bears nobody else's value.")
            return
        click.echo(f"Nobody uses {found.held.name}. From now on it is this product's, on every device of the tenant.")
        if not yes:
            click.confirm("Write our mark there?", abort=True)
        found.prepare(operator(), seen, why=why)
        click.echo("Prepared. Compliant devices are marked within the next sweep; then: remediation lock rule")


@lock.command("give-up")
@click.option("--policy-is-off", is_flag=True, help="You looked yourself; for where the policies cannot be read.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@REASON
def give_up(policy_is_off: bool, yes: bool, why: str) -> None:
    """Take every mark of ours away; then the attribute is nobody's, and another may be set. Begin it again if it was cut off.

    Switch the policy off first: while it is on, whoever loses the mark is blocked. Ends with 1 while marks are still shown.
    """
    with _at_microsoft() as found:
        name = found.held.name
        _see_that_no_policy_is_on(found, policy_is_off)
        seen = found.read_all()
        click.echo(f"{many(len(seen.ours), 'device')} of {seen.devices} bear our mark in {name}.")
        if not yes:
            click.confirm("Take it away from them, and give the second lock up?", abort=True)
        done = found.give_up(operator(), why=why)
        if done.left:
            raise click.ClickException(f"Still shown on {many(done.left, 'device')}: Entra may lag. Run this again.")
    click.echo("Given up: no device bears our mark any more. Change the setting now, or take it away.")


def _see_that_no_policy_is_on(found: Lock, policy_is_off: bool) -> None:
    try:
        on = found.policies_on()
    except Refused:
        if not policy_is_off:
            raise Refusal("The policies cannot be read: look yourself, then --policy-is-off. Or grant Policy.Read.All.") from None
        return
    if on:
        raise Refusal(f"Still on: {', '.join(shown(one) for one in on)}. Switch it off first, or people are blocked.")


def _taken(name: str, seen: Read) -> str:
    examples = ", ".join(seen.examples)
    return (
        f"On {many(seen.others, 'device')} another value stands in {name}, or could not be read ({examples}). Somebody uses it: "
        "choose another attribute (REMEDIATION_SECOND_LOCK_ATTRIBUTE). Nothing was written."
    )


@lock.command()
@click.argument("kind", type=click.Choice(sorted(KIND)))
@click.option("--sign-in", "record", help="The Request Id of the block page: Entra's own record is read.")
@click.option("--saw", help="What you saw, in a sentence, where the log cannot be read; name nobody.")
def blocked(kind: str, record: str | None, saw: str | None) -> None:
    """Keep that a device of this KIND was seen blocked: `unregistered`, and `unmarked` (registered, compliant, without our mark).

    Both are needed before the lock may be relied on: a rule that fails open lets one of them in.
    """
    if (record is None) is (saw is None or not saw.strip()):
        raise Refusal("Say either --sign-in or --saw.")
    with _at_microsoft() as found:
        if found.held.prepared_at is None:
            raise Refusal("The second lock is not prepared: remediation lock prepare")
        if record is not None:
            seen = found.check_sign_in(operator(), record)
            if isinstance(seen, str):
                raise Refusal(SHOWS[seen])
            if seen.kind != kind:
                raise Refusal(f"It shows {KIND[seen.kind]} to be blocked, and that was kept. It was to show {KIND[kind]}.")
        else:
            seen = found.confirm_blocked(operator(), kind, (saw or "").strip()[:500])
        click.echo(f"Kept: {KIND[seen.kind]} was blocked, {HOW[seen.how]}.")
        _missing(found)


@lock.command()
@click.pass_context
def show(context: click.Context) -> None:
    """How the lock stands, and what is missing before it may be relied on. Ends with 1 while something is."""
    with _at_microsoft() as found:
        held = found.held
        click.echo(f"Attribute    {held.name}")
        click.echo(f"Platforms    {', '.join(WORD[platform.value] for platform in found.platforms)}")
        click.echo(f"Prepared     {moment(held.prepared_at) if held.prepared_at else 'not yet'}")
        for seen in found.seen():
            click.echo(f"Blocked      {KIND.get(seen.kind, seen.kind)}: {moment(seen.at)}, {_how(seen)}")
        context.exit(1 if _missing(found) else 0)


def _how(seen: SeenBlocked) -> str:
    if seen.how == "sign_in_log":
        return f"{HOW[seen.how]} ({shown(seen.what)})"
    return f"confirmed by {shown(seen.by)}: {shown(seen.what, 200)}"


def _missing(found: Lock) -> bool:
    missing = found.missing()
    for one in missing:
        click.echo(f"Missing      {MISSING[one]}")
    if not missing:
        click.echo("The lock may be relied on.")
    return bool(missing)
