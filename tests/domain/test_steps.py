"""From facts to the one step and to the chain. Each link of the chain broken keeps *open* away (P6)."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from remediation.domain.compliance import MdmWord, Rule, Verdict
from remediation.domain.device import LinkState
from remediation.domain.journey import Journey, Look
from remediation.domain.push import Push
from remediation.domain.standing import Standing
from remediation.domain.steps import CHAIN, ChainState, Step, chain, next_step
from tests.people import ARRIVED, HEALTHY, LINK, LINKED, MANAGED_PHONE, NOON, OPENED, PROOF, REGISTERED_PHONE, minutes

LATER = NOON + minutes(5)
FAILING = replace(
    MANAGED_PHONE, posture=replace(HEALTHY, word=MdmWord.NOT_COMPLIANT, failing=(Rule("Passcode required", "", "passcode"),))
)
SWITCHED_OFF = replace(REGISTERED_PHONE, enabled=False)
STANDING = Standing(account_enabled=True, guest=False, licensed=True, in_scope=None, read_at=NOON)
SECOND = replace(REGISTERED_PHONE, device_id="d2", object_id="o2")
CAME = NOON - minutes(1)
MUTE = replace(ARRIVED, unproven=frozenset({"ws1"}), started_at=CAME)
FRESH = replace(MUTE, fresh=True)
ANOTHER = replace(MANAGED_PHONE, key=replace(MANAGED_PHONE.key, record_id="7"))
APPEARED = replace(REGISTERED_PHONE, registered_at=NOON)


def told_and_read(said_at: datetime, seconds: float) -> Look:
    """*I've done it* was pressed, and the directory read so long after."""
    return replace(ARRIVED.look, refresh_wanted_at=said_at, directory_read_at=said_at + timedelta(seconds=seconds))


STEPS: list[tuple[Step, Journey]] = [
    (Step.HELP, MUTE),
    (Step.THIS_DEVICE, replace(FRESH, unproven=frozenset())),
    (Step.REGISTER, FRESH),
    (Step.REGISTER, replace(FRESH, directory=())),
    (Step.WAIT, replace(FRESH, directory=(APPEARED,))),
    (Step.WAIT, replace(FRESH, directory=(REGISTERED_PHONE, replace(SECOND, registered_at=NOON)))),
    (Step.CHOOSE, replace(FRESH, directory=tuple(replace(one, registered_at=NOON) for one in (REGISTERED_PHONE, SECOND)))),
    (Step.REGISTER, replace(FRESH, directory=(APPEARED,), managed=(replace(MANAGED_PHONE, enrolled_at=LATER),))),
    (Step.HELP, replace(FRESH, directory=(APPEARED,), managed=(replace(MANAGED_PHONE, enrolled_at=None),))),
    (Step.HELP, replace(FRESH, managed=(MANAGED_PHONE, ANOTHER))),
    (Step.REGISTER, replace(FRESH, directory=(SWITCHED_OFF,))),
    (Step.HELP, replace(FRESH, directory=(SWITCHED_OFF,), look=told_and_read(NOON, 25))),
    (Step.REGISTER, replace(FRESH, directory=(SWITCHED_OFF,), look=told_and_read(NOON, 24))),  # it may not be listed yet
    (Step.LOOKING, replace(ARRIVED, look=Look(wanted_at=NOON))),
    (Step.LOOKING, replace(ARRIVED, look=replace(ARRIVED.look, mdm_read_at=None, mdm_error="unreachable"))),
    (Step.ENROLL, replace(ARRIVED, managed=())),
    (Step.THIS_DEVICE, ARRIVED),
    (
        Step.THIS_DEVICE,
        replace(ARRIVED, managed=(MANAGED_PHONE, replace(MANAGED_PHONE, key=replace(MANAGED_PHONE.key, record_id="7")))),
    ),
    (Step.THIS_DEVICE, replace(ARRIVED, possession=replace(PROOF, proven_at=None, proven_generation=None))),
    (Step.THIS_DEVICE, replace(ARRIVED, possession=replace(PROOF, proven_generation="g0"))),
    (Step.REGISTER, replace(ARRIVED, possession=PROOF, directory=())),
    (Step.REGISTER, replace(ARRIVED, possession=PROOF, directory=(SWITCHED_OFF,))),
    (Step.HELP, replace(ARRIVED, possession=PROOF, directory=(SWITCHED_OFF,), look=told_and_read(NOON + minutes(2), 30))),
    (Step.REGISTER, replace(ARRIVED, possession=PROOF, directory=(SWITCHED_OFF,), look=told_and_read(NOON + minutes(2), 14))),
    (Step.REGISTER, replace(ARRIVED, possession=PROOF, directory=(replace(REGISTERED_PHONE, owner_oid="noah"),))),
    (Step.CHOOSE, replace(ARRIVED, possession=PROOF, directory=(REGISTERED_PHONE, SECOND))),
    (Step.REGISTER, replace(ARRIVED, possession=PROOF, directory=(REGISTERED_PHONE, SECOND), picked="d2")),
    (Step.CHOOSE, replace(ARRIVED, possession=PROOF, directory=(REGISTERED_PHONE, SECOND), picked="gone")),
    (Step.NOT_FOR_YOU, replace(ARRIVED, standing=replace(STANDING, licensed=False))),
    (Step.NOT_FOR_YOU, replace(ARRIVED, managed=(), standing=replace(STANDING, in_scope=False))),
    (Step.THIS_DEVICE, replace(ARRIVED, standing=replace(STANDING, licensed=None))),
    (Step.HELP, replace(ARRIVED, managed=(), look=replace(ARRIVED.look, owner_problem="ambiguous_owner"))),
    (Step.OPEN, replace(LINKED, still_blocked_count=1, still_blocked_at=NOON)),
    (Step.LOOKING, replace(LINKED, still_blocked_count=1, still_blocked_at=LATER)),
    (Step.HELP, replace(LINKED, still_blocked_count=2, still_blocked_at=NOON)),
    (Step.WAIT, replace(LINKED, directory=(replace(REGISTERED_PHONE, object_id="anew"),))),
    (Step.HELP, replace(ARRIVED, help_why="no_channel")),
    (Step.OPEN, replace(LINKED, help_why="no_channel")),
    (Step.WAIT, replace(ARRIVED, possession=PROOF)),
    (Step.WAIT, replace(LINKED, pushes=(Push(link_id="l1"),))),
    (Step.FIX, replace(LINKED, managed=(FAILING,), pushes=(replace(OPENED, desired=Verdict.NOT_COMPLIANT),))),
    (Step.FIX, replace(LINKED, pushes=(replace(OPENED, desired=Verdict.NOT_COMPLIANT, reasons=("not_seen_lately",)),))),
    (Step.OPEN, LINKED),
    (Step.OPEN, replace(ARRIVED, directory=(replace(REGISTERED_PHONE, compliant=True),))),
    (Step.THIS_DEVICE, replace(ARRIVED, directory=(replace(REGISTERED_PHONE, compliant=True),), still_blocked_at=NOON)),
    (Step.THIS_DEVICE, replace(ARRIVED, directory=(replace(REGISTERED_PHONE, compliant=True), SECOND))),
    (Step.HELP, replace(ARRIVED, help_why="conflict")),
]


@pytest.mark.parametrize(("step", "journey"), STEPS, ids=[f"{i}-{s}" for i, (s, _) in enumerate(STEPS)])
def test_the_first_true_line_wins(step: Step, journey: Journey) -> None:
    assert next_step(journey, LATER) is step


@pytest.mark.parametrize(
    "push",
    [
        replace(OPENED, desired_seq=2),
        replace(OPENED, sent_seq=0, accepted_seq=0, confirmed_seq=0),
        replace(OPENED, confirmed_seq=0),
        replace(OPENED, observed=False),
        replace(OPENED, observed=None),
        replace(OPENED, desired=Verdict.UNKNOWN),
        replace(OPENED, compliant_until=LATER),
        replace(OPENED, compliant_until=None),
    ],
)
def test_P6_open_needs_every_link_of_the_chain(push: Push) -> None:
    broken = replace(LINKED, pushes=(push,))
    assert next_step(broken, LATER) is not Step.OPEN
    assert chain(broken, LATER)[-1].state is not ChainState.DONE
    assert next_step(LINKED, LATER) is Step.OPEN


def test_a_pending_link_never_opens() -> None:
    pending = replace(LINKED, links=(replace(LINK, state=LinkState.PENDING),), pushes=())
    assert next_step(pending, LATER) is not Step.OPEN


def test_the_chain_of_an_open_phone_is_all_done_with_its_times() -> None:
    links = chain(LINKED, LATER)
    assert [x.name for x in links] == list(CHAIN)
    assert {x.state for x in links} == {ChainState.DONE}
    assert links[4].at == OPENED.sent_at


def test_the_chain_marks_what_fails_and_leaves_the_rest_to_come() -> None:
    failing = replace(LINKED, managed=(FAILING,), pushes=(replace(OPENED, desired=Verdict.NOT_COMPLIANT),))
    states = [x.state for x in chain(failing, LATER)]
    assert states == [ChainState.DONE] * 3 + [ChainState.BROKEN] + [ChainState.TO_COME] * 3


def test_whoever_is_asked_to_register_is_not_told_that_it_is_done() -> None:
    another = replace(ARRIVED, possession=PROOF, directory=(replace(REGISTERED_PHONE, owner_oid="noah"),))
    assert next_step(another, NOON) is Step.REGISTER
    assert [x.state for x in chain(another, NOON)][:3] == [ChainState.DONE, ChainState.CURRENT, ChainState.TO_COME]
    unproven = replace(another, possession=None)
    assert [x.state for x in chain(unproven, NOON)][1] is ChainState.DONE, "until we know which device it is"


def test_nothing_after_the_first_open_link_is_called_done() -> None:
    sent = replace(LINKED, pushes=(replace(OPENED, accepted_seq=0, confirmed_seq=0, observed=None),))
    states = [x.state for x in chain(sent, LATER)]
    assert states == [ChainState.DONE] * 5 + [ChainState.CURRENT, ChainState.TO_COME]


def test_the_lease_ends_an_open_journey() -> None:
    assert next_step(LINKED, NOON + timedelta(hours=72)) is not Step.OPEN
