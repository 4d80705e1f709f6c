"""What suffices, and what ends a link (T5, I2, I6, I12)."""

from dataclasses import replace

import pytest

from remediation.domain.device import DirectoryDevice, ManagedDevice
from remediation.domain.evidence import Evidence, Level, ends_link, suffices
from tests.people import HEALTHY, LINK, MANAGED_PHONE, NOON, REGISTERED_PHONE


@pytest.mark.parametrize("level", Level)
@pytest.mark.parametrize("minimum", Level)
def test_I12_only_evidence_at_the_minimum_or_above_suffices_and_no_minimum_is_never_enough(level: Level, minimum: Level) -> None:
    assert suffices(Evidence(level, NOON, ""), minimum) is (minimum > Level.NONE and level.value >= minimum.value)


def test_the_control_a_living_pair_keeps_its_link() -> None:
    assert ends_link(LINK, MANAGED_PHONE, REGISTERED_PHONE) is None


def test_what_a_side_does_not_say_ends_nothing() -> None:
    quiet = replace(MANAGED_PHONE, posture=replace(HEALTHY, enrolled=None))
    assert ends_link(LINK, quiet, replace(REGISTERED_PHONE, owner_oid=None)) is None


@pytest.mark.parametrize(
    ("managed", "directory", "why"),
    [
        (replace(MANAGED_PHONE, posture=replace(HEALTHY, enrolled=False)), REGISTERED_PHONE, "unenrolled"),
        (replace(MANAGED_PHONE, generation="g2"), REGISTERED_PHONE, "enrolled_anew"),
        (MANAGED_PHONE, replace(REGISTERED_PHONE, enabled=False), "directory_device_disabled"),
        (MANAGED_PHONE, replace(REGISTERED_PHONE, object_id="o9"), "directory_device_recreated"),
        (MANAGED_PHONE, replace(REGISTERED_PHONE, owner_oid="noah"), "owner_changed"),
    ],
)
def test_T5_wipe_hand_over_and_disabling_end_the_link(managed: ManagedDevice, directory: DirectoryDevice, why: str) -> None:
    assert ends_link(LINK, managed, directory) == why
