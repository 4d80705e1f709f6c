"""The commands about an MDM itself: with the worker's settings, since they call it.

Next door: `operator_commands`, which call no remote.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import click

from . import log, onboard_wiring
from .errors import RemoteError
from .mdm_wiring import Did, Found, ManagedDevice, Mdm, MdmEvents, MdmWord, Registered, shown
from .settings import WorkerSettings
from .settings.names import secrets_of
from .terminal import Refusal, in_words, many, moment, operator

WHY = {
    "refused": "The MDM refuses it. The account behind the connection needs the right to read and write event notifications; or "
    "enter the target in the console by hand: --by-hand shows what.",
    "garbled": "The MDM gave no answer that could be read. Is the connection's URL its API server?",
    "not_found": "This MDM knows no event notifications by API; enter the target in the console by hand: --by-hand shows what.",
}


LOOKING = {
    "refused": "The MDM refuses it. The account behind the connection may lack the right to read this, or its credential is wrong: "
    "`remediation doctor` tells which.",
    "garbled": "The MDM gave an answer that cannot be read, or a list that is not whole. Try again; if it stays so: is the "
    "connection's URL its API server?",
    "not_found": "This MDM does not know that call.",
    "busy": "The MDM, or our budget for it, allows no more calls for now. Try again in some minutes.",
    "unreachable": "The MDM did not answer. Try again later.",
}
ENROLLED = {True: "enrolled", False: "not enrolled", None: "enrollment unknown"}
WORDS = {
    MdmWord.COMPLIANT: "compliant",
    MdmWord.NOT_COMPLIANT: "not compliant",
    MdmWord.PENDING: "compliance not checked yet",
    MdmWord.UNKNOWN: "compliance unknown",
}
HOLDS = {"users": "users", "devices": "devices", "either": "users or devices"}


@click.group()
def mdm() -> None:
    """What is set up at an MDM. These commands call it: run them with the worker's settings."""


@mdm.command()
@click.option("--connection", required=True, help="The name of the MDM connection, as in REMEDIATION_MDM_<NAME>_….")
@click.option("--check", is_flag=True, help="Only look; ends with 1 where something is missing or differs.")
@click.option("--renew", is_flag=True, help="Set the password anew also where all looks well: after another REMEDIATION_HOOK_KEY.")
@click.option("--by-hand", is_flag=True, help="Call nobody: show address, user and password, to be entered in the console.")
@click.pass_context
def hooks(context: click.Context, connection: str, check: bool, renew: bool, by_hand: bool) -> None:
    """Have the MDM tell us of changes: list, make or repair its event notification target. Safe to repeat.

    An event only has a device looked at sooner. It needs REMEDIATION_HOOK_KEY, for the web process as well, and an address of the
    pages that the MDM can reach.
    """
    with in_words():
        events = MdmEvents(_settings(), connection)
    if by_hand:
        click.echo(f"Target URL  {events.url}\nUser name   {events.user}\nPassword    {events.password}\nFormat      JSON")
        return
    try:
        found = events.see() if check else events.register(operator(), renew=renew)
    except RemoteError as error:
        raise Refusal(WHY.get(error.code, f"The MDM gives no good answer ({error.code}). Try again later.")) from None
    _tell(found, events.url)
    context.exit(1 if found.still or (check and found.differed) else 0)


def _tell(found: Registered, url: str) -> None:
    wrong = ", ".join(found.differed)
    click.echo(
        {
            Did.CREATED: f"Made: the MDM sends its events to {url} from now on.",
            Did.REPAIRED: f"Repaired ({wrong}): the MDM sends its events to {url}.",
            Did.NOTHING: f"Not as it should be: {wrong}." if wrong else f"All well: the MDM sends its events to {url}.",
        }[found.did]
    )
    if found.still:
        click.echo(f"But it shows otherwise even now: {', '.join(found.still)}. Look into its console.")


@mdm.command()
@click.argument("connection")
@click.argument("identifier")
@click.pass_context
def find(context: click.Context, connection: str, identifier: str) -> None:
    """Which records of an MDM bear IDENTIFIER: a serial number, a UDID, or the MDM's own id of a record, in any spelling.

    Shows each record as the MDM has it now, and which one stands for the device where a serial number has several. Where an MDM
    cannot search by serial numbers, its whole list is read. Changes nothing; the audit says which records were shown. Ends with 1
    where there is none.
    """
    with _looking():
        found = Mdm(_settings(), connection).find(identifier, operator())
    for record in found.records:
        click.echo(_record(record, stands=record.key in found.standing))
    for record_id in found.unreadable:
        click.echo(f"record {shown(record_id)}: it is there, but cannot be read whole")
    click.echo(_conclusion(found))
    context.exit(0 if found.records or found.unreadable else 1)


def _record(record: ManagedDevice, *, stands: bool) -> str:
    posture = record.posture
    what = ", ".join(shown(part) for part in (record.name, record.model, record.platform.value, record.os_version) if part)
    owner = shown(record.owner_user_name or record.owner_mail)
    seen = moment(posture.last_seen) if posture.last_seen else "never"
    return (
        f"record {shown(record.key.record_id)}{' *' if stands else ''}: {ENROLLED[posture.enrolled]}, {WORDS[posture.word]}\n"
        f"  {what}; of {owner or 'nobody'}\n"
        f"  serial {shown(record.serial) or 'none'}, UDID {shown(record.udid) or 'none'}, last seen {seen}"
    )


def _conclusion(found: Found) -> str:
    if not found.records:
        return "" if found.unreadable else "No record of this MDM bears it."
    if not found.standing:
        return "None of them is enrolled, so none stands for a device."
    if found.undecided:
        return "Several records stand (*) for one serial number, and nothing tells which is the device: somebody has to look at it."
    return "* stands for the device: enrolled, and of the records with its serial number the one seen last."


@mdm.command()
@click.argument("connection")
def groups(connection: str) -> None:
    """The groups that an MDM manages, each with how many are in it. MaaS360 is asked for each group by a call of its own."""
    count = 0
    with _looking():
        for group in Mdm(_settings(), connection).groups():
            count += 1
            members = "?" if group.members is None else f"{group.members:,}"
            click.echo(f"{members:>9}  {HOLDS[group.holds]:<16}  {shown(group.name)}  (id {shown(group.id)})")
    click.echo(f"{many(count, 'group')}.")


@mdm.command(name="lookup-values")
@click.argument("connection")
def lookup_values(connection: str) -> None:
    """The address for a managed web clip or shortcut, and what this MDM can put into it.

    It is one more entrance to the pages and never evidence: people see an address and can change it, and the pages read nothing of
    what stands behind its question mark.
    """
    with _looking():
        there = Mdm(_settings(), connection)
        values = there.lookup_values()
    names_device = next((value for value in values if value.names_device), None)
    click.echo(f"Address for the web clip:  {there.address(names_device)}")
    click.echo(f"It leads where this leads:  {there.address(None)}")
    click.echo(
        "An entrance, never evidence: whatever the MDM puts there, people can see and change, so the pages read none of it.\n"
    )
    for value in values:
        click.echo(f"  {shown(value.key):<26}  {shown(value.meaning)}".rstrip())
    if names_device is None:
        click.echo("This MDM lists no value that names the device.")


def _settings() -> WorkerSettings:
    settings = onboard_wiring.settings(WorkerSettings)
    log.set_up("mdm", secrets_of(settings))
    logging.getLogger().setLevel(logging.ERROR)  # each call would be a line between what was asked for
    return settings


@contextmanager
def _looking() -> Iterator[None]:
    with in_words():
        try:
            yield
        except RemoteError as error:
            raise Refusal(LOOKING.get(error.code, f"The MDM gives no good answer ({error.code}). Try again later.")) from None
