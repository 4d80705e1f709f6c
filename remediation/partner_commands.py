"""The commands about our place as the tenant's compliance partner: with the worker's settings, since they call Microsoft.

Next door: `mdm_commands`, `doctor_commands`. docs/operating.md is the page to them.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

import click

from . import onboard_wiring, wiring
from .domain.partner import CompliancePartner, slot
from .errors import RemoteError
from .partner_wiring import PLATFORMS, Done, Partner, Seen, shown
from .settings import WorkerSettings
from .terminal import Refusal, in_words, many, moment, operator, span

WORD = {"ios": "iOS", "android": "Android", "macos": "macOS"}
ON = {
    "not_told": "The tenant was not provisioned from here yet.",
    "deprovisioned": "The tenant was deprovisioned from here.",
    "leaving": "Devices are being taken down, since we are to be its partner no longer.",
    "addresses": "Microsoft was told other addresses.",
    "no_policy": "{platform}: there is no policy.",
    "intune_decides": "{platform}: the policy that stands there lets Intune decide, not the partner. No way to change that from "
    "here is known: an Intune administrator can act.",
    "not_assigned": "{platform}: the policy was not assigned from here yet.",
    "groups": "The policies were assigned to others.",
}
WHY = {
    "no_consent": "The service app may do nothing in this tenant: its consent was withdrawn, or the app was deleted or disabled. "
    "An Entra administrator can act: grant admin consent again.",
    "not_set_up": "This tenant has no partner compliance service: Intune is not set up there, or not licensed. An Intune "
    "administrator can act.",
    "refused": "Microsoft refuses it ({code}). Is the service app a compliance partner that Microsoft onboarded, with "
    "manage_partner_compliance_policy, and was it added in Intune (Partner compliance management)? An Intune administrator can "
    "act.",
    "not_found": "Microsoft has nothing at this address ({code}).",
    "garbled": "Microsoft's answer was not as specified: {said}. Report this with the output.",
    "busy": "Microsoft wants to be left alone for a while. Try again later.",
    "unreachable": "Microsoft gives no answer ({said}). Try again later.",
}
SLOT = {
    "ours": "ours, {state}",
    "not_enabled": "ours, and Intune says {state}: an Intune administrator can act",
    "taken": "held by {holder} ({state}): Microsoft takes only that vendor's word there. An Intune administrator can act",
    "missing": "nobody was added as compliance partner: an Intune administrator can act (Tenant administration, Connectors and "
    "tokens, Partner compliance management)",
    "whose": "held by {holder} ({state}); REMEDIATION_PARTNER_NAME would tell whether that is us",
}
WAITING = "Our own limit of calls is used up for the moment. Waiting for it; this goes on by itself."
LOOK_EVERY, STILL = 2.0, 120.0  # seconds
REASON = click.option("--why", default="asked for at the command line", show_default=True, help="What the audit says; name nobody.")


@click.group()
def partner() -> None:
    """Our place as the tenant's compliance partner. These commands call Microsoft: run them with the worker's settings."""


@contextmanager
def _at_microsoft(*platforms: str) -> Iterator[Partner]:
    with in_words():
        waiting = lambda: click.echo(WAITING, err=True)  # noqa: E731
        found = Partner(onboard_wiring.settings(WorkerSettings), platforms=platforms, waiting=waiting)
    try:
        yield found
    except RemoteError as error:
        raise Refusal(_words(error)) from None
    finally:
        found.close()


def _words(error: RemoteError) -> str:
    return WHY[error.why].format(code=shown(error.vendor_code or str(error.status or "-")), said=str(error))


@partner.command()
@click.option("--platform", "platforms", multiple=True, type=click.Choice(PLATFORMS), help="Only this one; may be repeated.")
@click.option("--dry-run", is_flag=True, help="Only look and say what would be done; ends with 1 where something would.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@REASON
@click.pass_context
def provision(context: click.Context, platforms: tuple[str, ...], dry_run: bool, yes: bool, why: str) -> None:
    """Tell Microsoft our two addresses, and have a policy for each platform assigned to all users or to the chosen groups.

    Safe to repeat: it says what differs and does what is missing. Groups are those of `remediation scope show`, and the same must
    be chosen in Intune. Ends with 0 once all stands, 1 where Microsoft did not take some of it, 2 where nothing could be done.
    """
    with _at_microsoft(*platforms) as at_microsoft:
        seen, wanted = at_microsoft.see(), at_microsoft.wanted
        click.echo(f"Tenant       {at_microsoft.tenant_id}")
        click.echo(f"Enrollment   {wanted.enrollment_url}\nRemediation  {wanted.remediation_url}")
        click.echo(f"Platforms    {', '.join(WORD[platform.value] for platform in wanted.platforms)}")
        click.echo(f"For          {_for_whom(seen) or f'all users (group {wanted.everybody})'}")
        differs = [_differs(one) for one in seen.differs(wanted)]
        click.echo("\n".join(differs) if differs else "Everything stands as it should.")
        if seen.no_group:
            raise Refusal(_no_group(seen.no_group))
        if dry_run:
            context.exit(1 if differs else 0)
        if not yes:
            click.confirm("Tell Microsoft?", abort=True)
        done = at_microsoft.provision(seen, operator(), why=why)
        context.exit(_tell(done))


def _for_whom(seen: Seen) -> str:
    groups = [f"{shown(name)} ({group})" if name else group for group, name in seen.names.items()]
    return f"{many(len(groups), 'group')}: {', '.join(groups)}" if groups else ""


def _differs(one: str) -> str:
    why, _, platform = one.partition(" ")
    return ON[why].format(platform=WORD.get(platform, platform))


def _no_group(groups: tuple[str, ...]) -> str:
    known = "`remediation scope show` says which; choose others. Nothing was told to Microsoft."
    return f"The directory has no such group: {', '.join(groups)}. {known}"


def _tell(done: Done) -> int:
    if done.provisioned:
        click.echo("Microsoft took both addresses.")
    for words, platforms in (("made", done.made), ("stood there already", done.kept), ("assigned", done.assigned)):
        if platforms:
            click.echo(f"Policy {words}: {', '.join(WORD[platform.value] for platform in platforms)}.")
    for platform, answered in done.odd:
        click.echo(
            f"{WORD[platform.value]}: Microsoft says that it is assigned to others: {', '.join(answered) or 'nobody'}.", err=True
        )
    for step, about, error in done.failed:
        click.echo(f"{WORD[about] if about else 'The tenant'} ({step}): {_words(error)}", err=True)
    if not done.provisioned:
        return 2
    return 1 if done.failed or done.odd else 0


@partner.command()
def show() -> None:
    """What Microsoft was told from here, the policies there, Intune's own list, the last heartbeat. Changes nothing."""
    with _at_microsoft() as at_microsoft:
        told, now = at_microsoft.told(), wiring.now()
        if told is None:
            click.echo("Told         nothing from here yet")
        else:
            state = "provisioned" if told.provisioned else "deprovisioned"
            state += f", leaving since {moment(told.leaving_at)}" if told.provisioned and told.leaving_at else ""
            click.echo(f"Told         {state}, {moment(told.told_at)}, by {shown(told.told_by)}")
            click.echo(f"Enrollment   {told.enrollment_url}\nRemediation  {told.remediation_url}")
            click.echo(f"Assigned to  {', '.join(told.groups) or 'not whole yet'}")
        for policy in at_microsoft.policies():
            decides = "the partner decides" if policy.partner_decides else "Intune decides"
            click.echo(f"Policy       {WORD[policy.platform.value]}: {shown(policy.name)} ({policy.id}), {decides}")
        _show_slots(at_microsoft, now)
        watch = at_microsoft.heartbeat()
        if watch is None or watch.good_at is None:
            click.echo("Heartbeat    none was taken yet")
        else:
            reason = f" ({shown(watch.reason)})" if watch.reason else ""
            click.echo(f"Heartbeat    {moment(watch.good_at)} ({span(now - watch.good_at)} ago){reason}")


def _show_slots(at_microsoft: Partner, now: datetime) -> None:
    listed = at_microsoft.listed()
    if isinstance(listed, RemoteError):
        click.echo(f"Intune lists cannot be read ({listed.code}); for it: DeviceManagementServiceConfig.Read.All")
        return
    for platform in at_microsoft.wanted.platforms:
        found = slot(listed, platform, at_microsoft.our_name)
        holder = found.holder
        words = SLOT[found.why].format(holder=shown(holder.name) if holder else "", state=shown(holder.state) if holder else "")
        click.echo(f"Intune       {WORD[platform.value]}: {words}{_heard(holder, now)}")


def _heard(holder: CompliancePartner | None, now: datetime) -> str:
    return f"; last heard from {span(now - holder.heartbeat_at)} ago" if holder is not None and holder.heartbeat_at else ""


@partner.command()
@click.option("--tenant", help="The tenant id once more, for scripts; else it is asked for.")
@click.option("--no-wait", is_flag=True, help="Begin, or go on, and say how many are left; ends with 1 while some are.")
@click.option("--leave", is_flag=True, help="Take nobody down: whoever is let in by our word stays so until Microsoft decides.")
@click.option("--devices-stay", type=int, help="With --leave, for scripts: how many devices you know to stay let in.")
@REASON
@click.pass_context
def deprovision(context: click.Context, tenant: str | None, no_wait: bool, leave: bool, devices_stay: int | None, why: str) -> None:
    """Tell Microsoft that we are no longer this tenant's compliance partner. The heartbeat ends with it.

    Afterwards no verdict can be carried and none taken back, so every device that is let in by our word is taken down first, by the
    worker, and seen in Entra. This may be cut off at any time and run again; `provision` takes it back. Policies and assignments
    stay; an administrator removes the partner in Intune. Ends with 0, with 1 where devices are left (--no-wait), and with 2 where
    nothing was done.
    """
    with _at_microsoft() as at_microsoft:
        stand, told = at_microsoft.standing(), at_microsoft.told()
        going_on = told is not None and told.leaving_at is not None
        stay = (
            "--leave: nobody here can take them down afterwards, and what Microsoft does with them, and when, is not public."
            if leave
            else "Each is taken down first, and its owner is blocked; the worker must run (`remediation work`)."
        )
        click.echo(f"{many(stand, 'device stands', 'devices stand')} as compliant by our word. {stay if stand else ''}".rstrip())
        if not (going_on and no_wait):
            _the_tenant(at_microsoft, tenant)
        if leave and stand:
            _how_many_stay(stand, devices_stay)
        elif stand or going_on:
            at_microsoft.leave(operator(), why=why)
            if no_wait and (left := at_microsoft.standing()):
                click.echo(f"Begun; {many(left, 'device is', 'devices are')} still let in. Run this again to go on.")
                context.exit(1)
            _until_all_are_down(at_microsoft)
        at_microsoft.deprovision(operator(), why=why)
        click.echo("Microsoft took it: deprovisioned. `remediation partner provision` takes it back.")


def _the_tenant(at_microsoft: Partner, tenant: str | None) -> None:
    asked = f"Type the tenant id ({at_microsoft.tenant_id}) to go on"
    typed = tenant if tenant is not None else click.prompt(asked, default="", show_default=False)
    if typed.strip().lower() != at_microsoft.tenant_id:
        raise Refusal("That is not the tenant id. Nothing was told to Microsoft.")


def _how_many_stay(stand: int, devices_stay: int | None) -> None:
    if devices_stay is None:
        asked = f"Type how many devices stay let in ({stand}) to go on"
        devices_stay = click.prompt(asked, type=int, default=-1, show_default=False)
    if devices_stay != stand:
        raise Refusal(f"{stand} stay let in, not {devices_stay}. Nothing was told to Microsoft.")


def _until_all_are_down(at_microsoft: Partner) -> None:
    """What the worker does is only watched here."""
    last, since = -1, time.monotonic()
    while left := at_microsoft.standing():
        if left != last:
            click.echo(f"{many(left, 'device is', 'devices are')} still let in.", err=True)
            last, since = left, time.monotonic()
        elif time.monotonic() - since > STILL:
            click.echo("Nothing moves: does `remediation work` run? `remediation stuck` says what keeps them.", err=True)
            since = time.monotonic()
        time.sleep(LOOK_EVERY)
    click.echo("All are down: Entra shows each as not compliant.")
