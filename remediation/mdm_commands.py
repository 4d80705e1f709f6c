"""The commands about an MDM itself: with the worker's settings, since they call it.

Next door: `operator_commands`, which call no remote.
"""

import click

from .errors import RemoteError
from .mdm_wiring import Did, MdmEvents, Registered
from .settings import WorkerSettings
from .settings.reading import read
from .terminal import Refusal, in_words, operator

WHY = {
    "refused": "The MDM refuses it. The account behind the connection needs the right to read and write event notifications; or "
    "enter the target in the console by hand: --by-hand shows what.",
    "garbled": "The MDM gave no answer that could be read. Is the connection's URL its API server?",
    "not_found": "This MDM knows no event notifications by API; enter the target in the console by hand: --by-hand shows what.",
}


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
        events = MdmEvents(read(WorkerSettings), connection)
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
