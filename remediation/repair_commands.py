"""`remediation repair`: the helpdesk's safe repairs at the command line. The same table, service and audit rows as on its pages; by
`operator:<user at this machine>`. It calls no remote: the worker does what takes one.
"""

import click

from . import operator_commands, operator_wiring
from .domain.repairs import BECAUSE, Repair
from .errors import ChangedMeanwhile, NotOffered, TooOften
from .terminal import Refusal, in_words, moment


@click.command()
@click.argument("person")
@click.argument("name", required=False, type=click.Choice([one.value for one in Repair]))
@click.option("--case", "case_code", default="", help="Of this case of theirs; their newest otherwise.")
@click.option("--target", default="", help="Which of those that the list without a NAME shows.")
@click.option("--why", type=click.Choice(BECAUSE), help="The reason, for the audit.")
def repair(person: str, name: str | None, case_code: str, target: str, why: str | None) -> None:
    """List what can safely be done for PERSON (object id in Entra), or do NAME of it.

    None of it can make a device compliant. What it does goes to the worker; `remediation stuck` and the helpdesk's page show what
    came of it.
    """
    with in_words():
        desk = operator_commands.desk()
        found = desk.situation(person, case_code)
        if found is None:
            raise Refusal(f"There is no person {person} here.")
        if name is None:
            _list(desk, found)
            return
        if why is None:
            raise Refusal(f"--why is missing: one of {', '.join(BECAUSE)}.")
        _do(desk, found, Repair(name), target, why)
    click.echo(f"{desk.say(f'audit.repair.{name}')}. {desk.say(f'repair.effect.{name}')}")


def _list(desk: operator_wiring.Operating, found: operator_wiring.Situation) -> None:
    for one in desk.offered(found):
        click.echo(f"{one.repair.value:<16}{desk.say(f'repair.does.{one.repair.value}')}")
        for target in one.targets:
            since = f" ({desk.say(f'repair.since.{target.word}')} {moment(target.at)})" if target.at is not None else ""
            click.echo(f"{'':<16}--target {target.id}  {operator_wiring.shown(target.name)}{since}")


def _do(desk: operator_wiring.Operating, found: operator_wiring.Situation, name: Repair, target: str, why: str) -> None:
    try:
        desk.repair(found, name, target, why)
    except NotOffered:
        raise Refusal(f"{name.value} is not offered for this now. `remediation repair {found.person.oid}` lists what is.") from None
    except ChangedMeanwhile:
        raise Refusal("Somebody else did something for this person just now. Nothing was done: look, and try again.") from None
    except TooOften as error:
        raise Refusal(f"That was asked for too often. Again from {moment(error.again_at)}.") from None
