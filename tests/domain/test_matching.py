"""Which directory device is this managed device: refusals, the two ways to be sure, and never a guess (T1, T2)."""

from dataclasses import replace
from datetime import datetime
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remediation.domain.device import DirectoryDevice, ManagedDevice, Platform
from remediation.domain.identifiers import bare, identifier
from remediation.domain.matching import WHY_NOT, Match, Refusal, match, one_per_device
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


def fresh(*devices: DirectoryDevice, others: bool = False) -> Match:
    return match(MANAGED_PHONE, devices, oid="mia", proof_sent_at=NOON, only_new=True, others=others)


def test_T1_where_nobody_proved_anything_only_the_one_that_appeared_since_is_chosen() -> None:
    assert fresh(NEW).chosen == NEW
    assert fresh(REGISTERED_PHONE, NEW).chosen == NEW
    assert fresh(REGISTERED_PHONE).chosen is None, "not even the only one, if it was there before"
    assert fresh(replace(REGISTERED_PHONE, registered_at=None)).chosen is None
    assert fresh(NEW, replace(NEW, device_id="d4", object_id="o4")).chosen is None


@pytest.mark.parametrize(
    "device",
    [
        replace(NEW, os_version="99.0"),
        replace(NEW, platform=Platform.ANDROID),
        replace(NEW, model="iPad14,1"),
        replace(NEW, owner_oid="noah"),
        replace(NEW, enabled=False),
    ],
    ids=["a newer system", "another platform", "another family", "another owner", "switched off"],
)
def test_T1_and_not_where_anything_speaks_against_it(device: DirectoryDevice) -> None:
    assert fresh(device).chosen is None
    assert fresh(NEW).chosen == NEW  # the control
    assert fresh(NEW, others=True).chosen is None, "nor where another managed device may be the one"


def test_an_older_system_in_the_directory_may_be_stale_and_is_no_doubt() -> None:
    older = replace(REGISTERED_PHONE, os_version="17.1")
    assert found(older).chosen == older


@pytest.mark.parametrize(
    "serial",
    [
        *("unknown", "UNKNOWN", " Unknown ", "0", "000000000000", "0000-0000-0000", "1111111111", "FFFFFFFF", "N/A", "None"),
        *("null", "To be filled by O.E.M.", "System Serial Number", "Default string", "0123456789", "Not Specified", ""),
        *("...", "X", "02:00:00:00:00:00", "123456789", "undefined"),
    ],
)
def test_a_placeholder_names_nothing_so_two_devices_that_bear_it_stay_two(serial: str) -> None:
    assert identifier(serial) is None
    one, other = (replace(MANAGED_PHONE, key=replace(MANAGED_PHONE.key, record_id=number), serial=serial) for number in ("1", "2"))
    assert set(one_per_device([one, other])) == {one, other}


REAL = ("F2LXK0ABCD12", "R58M12ABCDE", "C02XL0GYJGH5", "00008030-001A2B3C4D5E6F70", "unknown-7", "100000000000001")


@pytest.mark.parametrize("serial", REAL)
def test_the_control_a_real_serial_is_one_device_however_it_is_written(serial: str) -> None:
    one = replace(MANAGED_PHONE, serial=serial)
    before = replace(HEALTHY, last_seen=NOON - minutes(9000))
    again = replace(MANAGED_PHONE, key=replace(MANAGED_PHONE.key, record_id="2"), serial=f" {serial.lower()} ", posture=before)
    assert one_per_device([one, again]) == (one,)


def test_a_directory_device_without_an_id_of_its_own_is_no_candidate() -> None:
    zeros = replace(REGISTERED_PHONE, device_id="00000000-0000-0000-0000-000000000000")
    assert (found(zeros).chosen, found(zeros).refused) == (None, (Refusal(zeros.device_id, "names_nothing"),))
    assert found(zeros, REGISTERED_PHONE).chosen == REGISTERED_PHONE


def any_device(number: int) -> st.SearchStrategy[DirectoryDevice]:
    return st.builds(
        replace,
        st.just(replace(REGISTERED_PHONE, device_id=f"d{number}", object_id=f"o{number}")),
        platform=st.sampled_from(Platform),
        model=st.sampled_from([None, "iPhone", "iPhone14,5", "iPad14,1", "Pixel 9"]),
        enabled=st.booleans(),
        owner_oid=st.sampled_from([None, "mia", "noah"]),
        os_version=st.sampled_from([None, "16.2", "17.4.1", "18.0"]),
        registered_at=st.sampled_from([None, *(NOON + minutes(n) for n in (-500_000, -60, -3, 0, 2, 5))]),
    )


SEVERAL = st.tuples(*map(any_device, range(4))).map(list)
TAKEN = st.sets(st.sampled_from(["d0", "d1"]))


def of(devices: list[DirectoryDevice], taken: set[str], others: bool) -> Match:
    return match(MANAGED_PHONE, devices, oid="mia", proof_sent_at=NOON, taken=taken, others=others)


@given(SEVERAL, TAKEN, st.booleans())
def test_T1_never_between_two_never_another_platform_family_or_owner(
    devices: list[DirectoryDevice], taken: set[str], others: bool
) -> None:
    result = of(devices, taken, others)
    if result.chosen is None:
        return
    chosen, new = result.chosen, [d for d in result.candidates if d.registered_at is not None and d.registered_at > NOON]
    assert (chosen.platform, chosen.enabled, chosen.owner_oid in (None, "mia")) == (MANAGED_PHONE.platform, True, True)
    assert chosen.model is None or chosen.model.startswith("iPhone")
    assert chosen.device_id not in taken
    assert [chosen] in (new, list(result.candidates)), "of two that could be it, none is chosen"


@given(SEVERAL, st.randoms(), TAKEN, st.booleans())
def test_T1_nothing_depends_on_the_order_in_which_a_remote_lists(
    devices: list[DirectoryDevice], chance: Random, taken: set[str], others: bool
) -> None:
    shuffled = list(devices)
    chance.shuffle(shuffled)
    assert of(shuffled, taken, others) == of(devices, taken, others)


@given(SEVERAL, TAKEN, st.booleans())
def test_every_device_is_a_candidate_or_refused_with_a_reason(
    devices: list[DirectoryDevice], taken: set[str], others: bool
) -> None:
    result = of(devices, taken, others)
    named = [d.device_id for d in result.candidates] + [refusal.device_id for refusal in result.refused]
    assert sorted(named) == sorted(d.device_id for d in devices)
    assert {refusal.why for refusal in result.refused} <= set(WHY_NOT)
    assert result.how


def record(number: int, **changed: object) -> ManagedDevice:
    return replace(MANAGED_PHONE, key=replace(MANAGED_PHONE.key, record_id=str(number)), **changed)  # type: ignore[arg-type]


@given(st.permutations([record(n, posture=replace(HEALTHY, last_seen=NOON - minutes(9 - n))) for n in range(4)]))
def test_which_record_stands_for_a_device_does_not_depend_on_order(records: list[ManagedDevice]) -> None:
    assert [one.key.record_id for one in one_per_device(records)] == ["3"]


@pytest.mark.parametrize("seen", [NOON, None])
def test_where_enrolled_and_seen_last_does_not_decide_a_person_is_asked(seen: datetime | None) -> None:
    twins = [record(n, posture=replace(HEALTHY, last_seen=seen)) for n in (1, 2)]
    older = record(3, posture=replace(HEALTHY, last_seen=NOON - minutes(9)))
    assert set(one_per_device([older, *twins] if seen else twins)) == set(twins)
    assert one_per_device([*twins, record(4, posture=replace(HEALTHY, last_seen=NOON + minutes(1)))])[0].key.record_id == "4"


def test_one_serial_on_two_platforms_is_two_devices() -> None:
    seen_before = replace(HEALTHY, last_seen=NOON - minutes(9))
    assert len(one_per_device([record(1), record(2, platform=Platform.ANDROID, posture=seen_before)])) == 2


@pytest.mark.parametrize(
    "written", ["F2LXK0ABCD12", "f2lxk0abcd12", " F2LX-K0AB-CD12 ", "F2LX K0AB CD12", "f2lx:k0ab:cd12", "F2LX‑K0ABCD12"]
)
def test_an_identifier_is_one_however_it_is_typed(written: str) -> None:
    assert bare(written) == "f2lxk0abcd12"
    assert bare("unknown") is bare(" 0000-0000 ") is None
