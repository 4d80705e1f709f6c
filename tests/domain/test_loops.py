"""Loops get a different next action: never the same instruction again, on any step, and a person at the end of each."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remediation.domain.compliance import Rule, Verdict
from remediation.domain.device import LinkState
from remediation.domain.device_certificate import ShownCertificate
from remediation.domain.evidence import Level
from remediation.domain.journey import Journey
from remediation.domain.loops import AGAIN_AFTER, ASKS, KEPT, Rung, rung, tried, with_this_try
from remediation.domain.sign_in_proof import Record, SignIn, pair_of_link
from remediation.domain.steps import LOOP, Step, help_why, next_step
from tests.domain.test_steps import FAILING, LATER, STEPS
from tests.people import ARRIVED, LINK, LINKED, NOON, OPENED, PROOF, minutes

AT = {step: [journey for of, journey in STEPS if of is step] for step in Step}
PENDING = replace(LINK, state=LinkState.PENDING, minimum=Level.CERTIFICATE)
WAITS = replace(ARRIVED, possession=PROOF, links=(PENDING,))


def fails(journey: Journey, step: Step, at: int) -> Journey:
    """The person did what the page says, said so, and nothing came of it."""
    now = LATER + at * (AGAIN_AFTER + minutes(1))
    if step is Step.SIGN_IN:
        named = SignIn(str(UUID(int=at)), pair_of_link(PENDING), "app", f"c{at}", now, now, None, record=Record.GIVEN_UP)
        return replace(journey, sign_ins=(*journey.sign_ins, named))
    tries = with_this_try(journey, now)
    assert tries is not None
    return replace(journey, tries=tries, tried_at=now)


def asked(step: Step) -> list[Journey]:
    if step is Step.SIGN_IN:
        return [WAITS]
    if step is Step.IN_APP:
        link = replace(LINK, made_at=NOON)
        return [replace(LINKED, links=(link,), pushes=(replace(OPENED, observed=None, confirmed_seq=0),), relay=timedelta(hours=4))]
    return AT[step]


def fresh(step: Step) -> list[Journey]:
    """Those at which nothing is under way, so that another try is one."""
    found = [j for j in asked(step) if step is Step.SIGN_IN or with_this_try(j, LATER + minutes(2)) is not None]
    assert found, step
    return found


@pytest.mark.parametrize("step", sorted(ASKS - {Step.CERTIFICATE}))
def test_every_step_that_asks_something_has_three_instructions_and_none_comes_back(step: Step) -> None:
    for journey in fresh(step):
        seen = [rung(journey, LATER)]
        for at in range(1, 4 * LOOP):
            journey = fails(journey, step, at)
            assert next_step(journey, LATER) is step
            seen.append(rung(journey, LATER))
        assert seen[0] is Rung.USUAL
        changes = [one for one, before in zip(seen[1:], seen, strict=False) if one is not before]
        assert changes == [Rung.ANOTHER, Rung.HELPDESK], "each once, in this order, and the last one stays"
        assert seen.count(Rung.USUAL) == seen.count(Rung.ANOTHER) == LOOP


def test_a_certificate_is_counted_by_what_was_shown() -> None:
    shown = ShownCertificate.__new__(ShownCertificate)
    assert [tried(replace(WAITS, certificates=(shown,) * n), Step.CERTIFICATE) for n in range(3)] == [0, 1, 2]


def test_every_other_step_is_times_turn_or_a_persons() -> None:
    """Nothing is asked of anybody there, or somebody is named; *open* has its own: other advice, then the helpdesk."""
    assert set(Step) - ASKS == {Step.LOOKING, Step.WAIT, Step.NOT_FOR_YOU, Step.HELP, Step.OPEN}
    blocked = [replace(LINKED, still_blocked_count=n, still_blocked_at=NOON if n else None) for n in range(LOOP + 3)]
    assert [next_step(one, LATER) for one in blocked] == [Step.OPEN] * LOOP + [Step.HELP] * 3
    assert {help_why(one, LATER) for one in blocked[LOOP:]} == {"loop"}


@given(st.lists(st.sampled_from(sorted(ASKS - {Step.SIGN_IN, Step.CERTIFICATE, Step.IN_APP})), max_size=40))
def test_led_in_a_circle_the_rung_of_a_step_never_goes_down(walk: list[Step]) -> None:
    """Register, done, register: whatever lies between, the count of each step stands."""
    tries: tuple[str, ...] = ()
    order, reached = list(Rung), dict.fromkeys(ASKS, Rung.USUAL)
    for at, step in enumerate(walk):
        journey = fresh(step)[0]
        now = LATER + at * 2 * AGAIN_AFTER
        journey = replace(journey, tries=tries, tried_at=now - 2 * AGAIN_AFTER)
        here = rung(journey, LATER)
        assert order.index(here) >= order.index(reached[step])
        reached[step] = here
        tries = with_this_try(journey, LATER + at * 2 * AGAIN_AFTER) or tries
        count = tried(replace(journey, tries=tries), step)
        assert count <= KEPT


def test_impatience_is_no_second_try_and_one_rule_less_is_another_matter() -> None:
    journey = AT[Step.REGISTER][0]
    once = replace(journey, tries=("register",), tried_at=LATER)
    assert with_this_try(once, LATER + AGAIN_AFTER / 2) is None
    assert with_this_try(once, LATER + AGAIN_AFTER) == ("register", "register")
    fix = replace(LINKED, managed=(FAILING,), pushes=(replace(OPENED, desired=Verdict.NOT_COMPLIANT),))
    stuck = replace(fix, tries=("fix:1",) * LOOP)
    assert rung(stuck, LATER) is Rung.ANOTHER
    two = replace(
        FAILING, posture=replace(FAILING.posture, failing=(*FAILING.posture.failing, Rule("Encryption", "", "encryption")))
    )
    assert rung(replace(stuck, managed=(two,)), LATER) is Rung.USUAL


def test_while_a_message_can_be_tapped_nothing_was_in_vain() -> None:
    sent = replace(PROOF, proven_at=None, proven_generation=None, expires_at=LATER + minutes(10))
    journey = replace(ARRIVED, possession=sent, tries=("this_device",) * 2 * LOOP)
    assert (next_step(journey, LATER), rung(journey, LATER), with_this_try(journey, LATER)) == (Step.THIS_DEVICE, Rung.USUAL, None)
    over = replace(journey, possession=replace(sent, expires_at=LATER))
    assert rung(over, LATER) is Rung.HELPDESK
