"""Which directory device is this managed device: refusals, the two ways to be sure, and never a guess (T1, T2)."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remediation.domain.device import DirectoryDevice, Platform
from remediation.domain.matching import Match, match, one_per_device
from tests.people import HEALTHY, MANAGED_PHONE, NOON, REGISTERED_PHONE, minutes

SECOND = replace(REGISTERED_PHONE, device_id="d2", object_id="o2", registered_at=NOON - minutes(60))
LAST_YEAR = replace(REGISTERED_PHONE, device_id="d5", object_id="o5", registered_at=NOON - minutes(500_000))
NEW = replace(REGISTERED_PHONE, device_id="d3", object_id="o3", registered_at=NOON + minutes(2))


def found(*devices: DirectoryDevice, taken: frozenset[str] = frozenset()) -> Match:
    return match(MANAGED_PHONE, devices, oid="mia", proof_sent_at=NOON, taken=taken)


def test_the_only_candidate_is_chosen() -> None:
    assert found(REGISTERED_PHONE).chosen == REGISTERED_PHONE


def test_the_one_registered_after_the_link_was_sent_is_chosen_among_several() -> None:
    assert found(REGISTERED_PHONE, SECOND, NEW).chosen == NEW


def test_two_candidates_are_a_question_newest_first() -> None:
    result = found(SECOND, REGISTERED_PHONE)
    assert (result.chosen, result.candidates) == (None, (REGISTERED_PHONE, SECOND))


def test_two_registered_after_the_link_are_a_question() -> None:
    assert found(NEW, replace(NEW, device_id="d4")).chosen is None


@pytest.mark.parametrize(
    ("device", "why"),
    [
        (replace(REGISTERED_PHONE, owner_oid="noah"), "not_owned_by_person"),
        (replace(REGISTERED_PHONE, enabled=False), "disabled"),
        (replace(REGISTERED_PHONE, platform=Platform.ANDROID), "other_platform"),
        (replace(REGISTERED_PHONE, platform=Platform.UNKNOWN), "other_platform"),
        (replace(REGISTERED_PHONE, model="iPad14,1"), "other_model"),
    ],
)
def test_a_contradiction_refuses(device: DirectoryDevice, why: str) -> None:
    result = found(device)
    assert (result.chosen, result.refused[0].why) == (None, why)


def test_a_device_linked_with_another_record_is_refused() -> None:
    assert found(REGISTERED_PHONE, taken=frozenset({"d1"})).refused[0].why == "linked_elsewhere"


def test_agreement_of_model_proves_nothing() -> None:
    same_model = replace(REGISTERED_PHONE, model="iPhone14,5")
    assert found(same_model, SECOND).chosen is None


@given(st.lists(st.sampled_from([REGISTERED_PHONE, SECOND, NEW, replace(NEW, device_id="d4")]), unique=True))
def test_a_choice_is_the_only_one_or_the_only_new_one(devices: list[DirectoryDevice]) -> None:
    result = found(*devices)
    new = [d for d in devices if d.registered_at and d.registered_at > NOON]
    expected = new[0] if len(new) == 1 else devices[0] if len(devices) == 1 else None
    assert result.chosen == expected


def test_of_two_records_with_one_serial_the_enrolled_one_seen_last_is_the_device() -> None:
    other = replace(MANAGED_PHONE, key=replace(MANAGED_PHONE.key, record_id="7"))
    older = replace(other, posture=replace(HEALTHY, last_seen=NOON - minutes(9000)))
    left = replace(other, posture=replace(HEALTHY, enrolled=None, last_seen=NOON))
    assert one_per_device([older, MANAGED_PHONE]) == (MANAGED_PHONE,)
    assert one_per_device([MANAGED_PHONE, left]) == (MANAGED_PHONE,)


def test_records_without_a_serial_are_devices_of_their_own() -> None:
    bare = replace(MANAGED_PHONE, serial=None)
    assert len(one_per_device([bare, replace(bare, key=replace(bare.key, record_id="7"))])) == 2


@pytest.mark.parametrize(
    "device",
    [
        LAST_YEAR,
        replace(REGISTERED_PHONE, registered_at=None),
        replace(REGISTERED_PHONE, os_version="18.0"),
    ],
    ids=["before the enrollment", "nobody knows when", "a newer system"],
)
def test_T1_doubt_about_the_only_candidate_is_no_choice(device: DirectoryDevice) -> None:
    assert (found(device).chosen, found(device).candidates) == (None, (device,))


def test_T1_a_second_managed_device_without_a_link_is_a_doubt() -> None:
    assert match(MANAGED_PHONE, [REGISTERED_PHONE], oid="mia", proof_sent_at=NOON, others=True).chosen is None
    assert match(MANAGED_PHONE, [NEW], oid="mia", proof_sent_at=NOON, others=True).chosen == NEW


def test_an_older_system_in_the_directory_may_be_stale_and_is_no_doubt() -> None:
    older = replace(REGISTERED_PHONE, os_version="17.1")
    assert found(older).chosen == older
