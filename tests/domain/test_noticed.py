"""What is said without being asked, and what is not enough for it."""

from dataclasses import replace
from datetime import timedelta

import pytest

from remediation.domain.device import Platform
from remediation.domain.journey import Journey
from remediation.domain.noticed import AWAY, LATELY, noticed
from remediation.domain.steps import Step, next_step
from remediation.domain.troubles import Trouble
from tests.people import ARRIVED, LINKED, MANAGED_PHONE, NOON, PROOF, REGISTERED_PHONE

NOW = NOON + timedelta(minutes=5)
REGISTER = replace(ARRIVED, possession=PROOF, directory=())


def registered(ago: timedelta) -> Journey:
    return replace(ARRIVED, possession=None, directory=(replace(REGISTERED_PHONE, registered_at=NOW - ago),))


def test_one_step_is_left_where_somebody_was_called_away() -> None:
    assert next_step(registered(AWAY), NOW) is Step.THIS_DEVICE
    assert noticed(registered(AWAY), NOW) == (Trouble.HALF_WAY,)
    assert noticed(registered(AWAY / 2), NOW) == ()
    assert noticed(registered(LATELY * 2), NOW) == (), "an old entry is nobody's half way"
    assert noticed(replace(registered(AWAY), possession=replace(PROOF, proven_at=None)), NOW) == (), "the step is under way"
    assert noticed(LINKED, NOW) == ()


def test_only_entries_older_than_the_enrollment_are_another_phones() -> None:
    device = replace(MANAGED_PHONE, enrolled_at=NOON)
    entry = replace(REGISTERED_PHONE, owner_oid="noah")  # which cannot be this one, so the step is *register*
    old, young = (replace(entry, registered_at=NOON - ago) for ago in (LATELY * 30, LATELY / 2))
    for directory, found in (((old,), (Trouble.NEW_PHONE,)), ((old, young), ()), ((), ())):
        journey = replace(REGISTER, managed=(device,), directory=directory)
        assert (next_step(journey, NOW), noticed(journey, NOW)) == (Step.REGISTER, found)


def test_no_room_for_another_matters_to_whoever_registers_one() -> None:
    assert noticed(REGISTER, NOW, full=True) == (Trouble.TOO_MANY,)
    assert noticed(REGISTER, NOW) == ()
    assert noticed(LINKED, NOW, full=True) == ()


@pytest.mark.parametrize(("version", "found"), [("15.1", True), ("15.2.1", True), ("15.3", False), ("15.21", False), (None, False)])
def test_the_macos_that_asks_again(version: str | None, found: bool) -> None:
    mac = replace(MANAGED_PHONE, platform=Platform.MACOS, os_version=version)
    journey = replace(REGISTER, platform=Platform.MACOS, managed=(mac,))
    assert (noticed(journey, NOW) == (Trouble.ASKED_AGAIN,)) is found
    assert noticed(replace(journey, platform=Platform.IOS), NOW) == ()
