"""The commands about scope: for whom this is. They ask the directory and the MDMs: run them with the worker's settings.

Next door: `partner_commands` (telling Microsoft), `pilot_commands`.
"""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import click

from . import log, onboard_wiring
from .errors import RemoteError, Stale
from .scope_wiring import Faced, SetUpDesk, StepRefused, shown
from .settings import WorkerSettings
from .settings.names import secrets_of
from .terminal import Refusal, in_words, many, moment, operator

NOTES = {
    "gone": "the directory has no such group: deleted, or never of this tenant. An Entra administrator can tell; choose another",
    "no_people": "nobody is in it. Whoever keeps the group can put people in",
    "not_managed": "no MDM has a group of this name. The MDM's administrator can add it there",
    "mdm_away": "an MDM does not answer, so nobody knows whether it has this group too",
    "renamed": "it was named otherwise when it was chosen; its id counts, so nothing is lost",
    "same_name": "the directory has several groups of this name: see that it is the right one, by its id",
    "same_name_at_mdm": "an MDM has several groups of this name",
    "mail_only": "it is for mail alone and no security group: Intune may not take it",
    "dynamic": "a rule of Entra's decides who is in it",
    "nested": "groups are within it, and their people count",
}
REFUSED = {
    "by_setting": "REMEDIATION_GROUPS is set, and rules. Take it out of the settings to choose here, or change it there.",
    "too_many": "Ten groups at most. Put people into one group that holds the others, or choose all users.",
    "not_counted": "Not every group could be looked at. Try again.",
    **{why: f"One of these cannot be chosen: {NOTES[why]}." for why in ("gone", "no_people", "not_managed")},
}
WHY = {
    "refused": "The directory refuses to tell ({code}): the service app needs GroupMember.Read.All, and User.Read.All to count all "
    "users. An Entra administrator can grant both.",
    "no_consent": "The service app may do nothing in this tenant. An Entra administrator can act: grant admin consent again.",
    "busy": "The directory wants to be left alone for a while. Try again later.",
    "unreachable": "The directory gives no answer. Try again later.",
}


@click.group()
def scope() -> None:
    """For whom this is: all users, or up to ten groups of the directory."""


@contextmanager
def desk() -> Iterator[SetUpDesk]:
    with in_words():
        settings = onboard_wiring.settings(WorkerSettings)
        log.set_up("set_up", secrets_of(settings))
        logging.getLogger().setLevel(logging.ERROR)
        found = SetUpDesk(settings, operator())
    try:
        yield found
    except RemoteError as error:
        words = WHY.get(error.why, "It gives no good answer ({code}). Try again later.")
        raise Refusal(words.format(code=shown(error.vendor_code or str(error.status or "-")))) from None
    finally:
        found.close()


@scope.command()
def show() -> None:
    """Who is in scope, each group as the directory and the MDMs show it now."""
    with desk() as at:
        stands = at.scope()
        if stands.by_setting:
            click.echo("Set by REMEDIATION_GROUPS.")
        elif stands.chosen_at is not None:
            click.echo(f"Chosen at {moment(stands.chosen_at)} by {shown(stands.chosen_by or '')}.")
        else:
            click.echo("Nobody has chosen yet.")
        click.echo("All users." if not stands.groups else f"{many(len(stands.groups), 'group')}:")
        _list(at.faced(stands.groups))


@scope.command()
@click.argument("words", nargs=-1, required=True)
def search(words: tuple[str, ...]) -> None:
    """Groups in whose name each of these words begins a word."""
    with desk() as at:
        found = at.search(" ".join(words))
    for group in found:
        click.echo(f"{group.id}  {shown(group.name)}" + (f"  ({shown(group.description)})" if group.description else ""))
    click.echo(f"{many(len(found), 'group')}." if found else "No group of the directory has such words in its name.")


@scope.command(name="set")
@click.option("--all", "everybody", is_flag=True, help="All users.")
@click.option("--group", "groups", multiple=True, metavar="ID", help="The object id of a group; up to ten times.")
@click.option("--only-managed", is_flag=True, help="Refuse groups that no MDM has under the same name.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def choose(everybody: bool, groups: tuple[str, ...], only_managed: bool, yes: bool) -> None:
    """Choose for whom this is. It counts first, and says what the change means.

    It counts from the next check of each person on. Afterwards: `remediation partner provision`, and the same groups in Intune.
    """
    if everybody is bool(groups):
        raise Refusal("Either --all, or one --group or more.")
    if len(set(groups)) > 10:
        raise Refusal(REFUSED["too_many"])
    with desk() as at:
        try:
            counted, faced, change = at.count(tuple(dict.fromkeys(groups)), only_managed=only_managed)
            _list(faced)
            most = (
                "nobody could count how many people" if change.most is None else f"at most {many(change.most, 'person', 'people')}"
            )
            if change.widens:
                click.echo(f"This widens the scope: {most} come in. Devices linked already: {counted.answer['links']:,}.")
            elif change.narrows:
                click.echo("This narrows the scope: whoever is in none of these groups is told that it is not for them.")
            else:
                click.echo("These are in scope already.")
            if not yes:
                click.confirm("Choose so?", abort=True)
            at.choose(counted)
        except StepRefused as refused:
            raise Refusal(REFUSED[refused.why]) from None
        except Stale:
            raise Refusal("Somebody else chose meanwhile. Look again: remediation scope show") from None
    click.echo("Chosen. Tell Microsoft: remediation partner provision; and choose the same groups in Intune.")


def _list(faced: Sequence[Faced]) -> None:
    for one in faced:
        group = one.group
        people = "?" if group.people is None else f"{group.people:,}"
        click.echo(f"{people:>9} people  {shown(group.name)}  (id {group.id})")
        for there in one.at:
            members = "?" if there.members is None else f"{there.members:,}"
            click.echo(f"           at {there.connection}: {members} {there.holds or 'members'}")
        for note in one.notes:
            click.echo(f"           {NOTES[note]}.")
