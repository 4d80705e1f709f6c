"""What a second sign-in proves (T1, T3, T5): Entra's word for the candidate, its word for another device, and its silence."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remediation.domain.device import LinkState
from remediation.domain.evidence import Evidence, Level, suffices
from remediation.domain.sign_in_proof import (
    RECORD_LOOKS,
    Pair,
    Record,
    SignIn,
    decisive,
    names_another,
    pair_of,
    pair_of_link,
    refutes,
    with_sign_in,
)
from remediation.domain.steps import Step, help_why, next_step
from tests.people import ARRIVED, KEY, LINK, MANAGED_PHONE, NOON, PROOF, REGISTERED_PHONE, minutes

PAIR = pair_of(MANAGED_PHONE, REGISTERED_PHONE)
PROVEN = NOON + minutes(1)
SILENT = SignIn("s1", PAIR, "app", "c1", began_at=NOON + minutes(2), returned_at=NOON + minutes(3))
CLAIMED, RECORDED = replace(SILENT, claimed="d1"), replace(SILENT, record=Record.READ, recorded="d1")
ANOTHER = replace(SILENT, claimed="d9")
POSSESSION = LINK.evidence
PENDING = replace(LINK, state=LinkState.PENDING, minimum=Level.BOUND)
ASKED = replace(ARRIVED, possession=PROOF, links=(PENDING,))


@pytest.mark.parametrize(("sign_in", "way"), [(CLAIMED, "deviceid claim"), (RECORDED, "record")], ids=["claim", "record"])
def test_possession_and_the_candidate_named_is_bound_and_says_by_which_way(sign_in: SignIn, way: str) -> None:
    evidence = with_sign_in(POSSESSION, sign_in)
    assert (evidence.level, evidence.at) == (Level.BOUND, sign_in.returned_at)
    assert evidence.how.startswith(POSSESSION.how)
    assert way in evidence.how


@pytest.mark.parametrize("level", Level)
@pytest.mark.parametrize("sign_in", [None, SILENT, CLAIMED, RECORDED, ANOTHER])
def test_I12_never_without_possession_and_never_lower(level: Level, sign_in: SignIn | None) -> None:
    raised = with_sign_in(Evidence(level, NOON, "so"), sign_in).level
    assert raised is (Level.BOUND if level is Level.POSSESSION and sign_in in (CLAIMED, RECORDED) else level)


@pytest.mark.parametrize("name", ["", "unknown", "00000000-0000-0000-0000-000000000000", None])
def test_a_placeholder_names_nothing(name: str | None) -> None:
    told = replace(SILENT, claimed=name, recorded=name)
    assert (told.named, names_another(told), with_sign_in(POSSESSION, told)) == (frozenset(), False, POSSESSION)


def test_an_id_is_the_same_however_it_is_written() -> None:
    assert with_sign_in(POSSESSION, replace(SILENT, claimed="D1")).level is Level.BOUND


def test_T1_another_device_is_no_evidence_and_refutes_what_rests_on_possession() -> None:
    assert with_sign_in(POSSESSION, ANOTHER) == POSSESSION
    assert names_another(ANOTHER)
    assert refutes(ANOTHER, LINK)
    assert refutes(ANOTHER, PENDING)
    assert not refutes(CLAIMED, LINK)
    assert not refutes(SILENT, LINK)
    assert not refutes(None, LINK)


def test_T11_what_was_named_before_is_not_taken_back_by_signing_in_elsewhere() -> None:
    assert not refutes(ANOTHER, replace(LINK, evidence=Evidence(Level.BOUND, NOON, "")))


def test_a_record_that_names_two_devices_counts_as_the_other() -> None:
    assert names_another(SILENT.looked(["d1", "d9"]))
    assert not names_another(SILENT.looked(["d1"]))
    assert not names_another(SILENT.looked(["d1", "", "0000"]))


@pytest.mark.parametrize(
    "pair",
    [
        Pair("d2", "o1", KEY, "g1"),
        Pair("d1", "o2", KEY, "g1"),
        Pair("d1", "o1", KEY, "g2"),
        Pair("d1", "o1", replace(KEY, record_id="7"), "g1"),
    ],
    ids=["another device", "registered anew", "enrolled anew", "another record"],
)
def test_T5_a_sign_in_speaks_of_its_own_pair_alone(pair: Pair) -> None:
    assert decisive([replace(CLAIMED, pair=pair)], PAIR, since=PROVEN) is None
    assert decisive([CLAIMED], PAIR, since=PROVEN) == CLAIMED
    assert pair_of_link(LINK) == PAIR


def test_T3_one_of_before_the_proof_of_possession_does_not_count() -> None:
    assert decisive([replace(CLAIMED, began_at=PROVEN - minutes(0.1))], PAIR, since=PROVEN) is None


def test_the_newest_that_named_something_decides_and_silence_takes_nothing_back() -> None:
    later, latest = (replace(one, returned_at=NOON + minutes(n)) for one, n in ((CLAIMED, 5), (SILENT, 9)))
    assert decisive([ANOTHER, later], PAIR, since=PROVEN) == later
    assert decisive([replace(ANOTHER, returned_at=NOON + minutes(7)), later], PAIR, since=PROVEN) != later
    assert decisive([ANOTHER, latest], PAIR, since=PROVEN) == ANOTHER
    assert decisive([SILENT, latest], PAIR, since=PROVEN) == latest


SAID = st.sampled_from([None, "d1", "d9", "unknown"])
SIGN_INS = st.lists(
    st.builds(
        replace,
        st.just(SILENT),
        claimed=SAID,
        recorded=SAID,
        began_at=st.integers(-5, 20).map(lambda n: NOON + minutes(n)),
        returned_at=st.integers(0, 30).map(lambda n: NOON + minutes(n)),
        pair=st.sampled_from([PAIR, replace(PAIR, object_id="o2"), replace(PAIR, generation="g2")]),
    ),
    max_size=4,
)


@given(SIGN_INS, st.sampled_from(Level))
def test_I12_bound_needs_possession_and_a_sign_in_after_it_that_names_this_very_pair(sign_ins: list[SignIn], level: Level) -> None:
    evidence = with_sign_in(Evidence(level, NOON, ""), decisive(sign_ins, PAIR, since=PROVEN))
    if evidence.level is not level:
        assert level is Level.POSSESSION
        good = [s for s in sign_ins if s.pair == PAIR and s.began_at >= PROVEN and s.named == {"d1"}]
        assert good
        assert suffices(evidence, Level.BOUND)
        assert not suffices(evidence, Level.CERTIFICATE)


def test_the_record_is_looked_for_at_growing_times_until_an_hour_is_over() -> None:
    one, looks = SILENT, []
    while one.record_due is not None:
        looks.append(one.record_due - one.returned_at)
        one = one.looked(None)
    assert tuple(looks) == RECORD_LOOKS
    assert (one.record, looks[-1]) == (Record.GIVEN_UP, minutes(60))
    for over in (CLAIMED, SILENT.looked([]), SILENT.looked(["d1"]), replace(SILENT, error="AADSTS50097")):
        assert over.record_due is None


def test_the_page_asks_once_possession_is_proven_and_a_link_waits_for_more() -> None:
    assert (next_step(ASKED, NOON), ASKED.sign_in_asked) == (Step.SIGN_IN, PAIR)
    for link in (LINK, replace(PENDING, minimum=None), replace(PENDING, minimum=Level.POSSESSION)):
        assert replace(ASKED, links=(link,)).sign_in_asked is None
    bound = replace(PENDING, minimum=Level.CERTIFICATE, evidence=Evidence(Level.BOUND, NOON, ""))
    assert replace(ASKED, links=(bound,)).sign_in_asked is None
    unproven = replace(ASKED, possession=replace(PROOF, proven_at=None, proven_generation=None))
    assert (unproven.sign_in_asked, next_step(unproven, NOON)) == (None, Step.THIS_DEVICE)


def test_after_a_refusal_the_page_says_so_and_the_right_device_may_still_be_named() -> None:
    refused = replace(ASKED, links=(), sign_ins=(ANOTHER,))
    assert (next_step(refused, NOON), help_why(refused, NOON), refused.sign_in_asked) == (Step.HELP, "named_another", PAIR)
    refused = replace(refused, help_why="named_another")  # as the worker wrote it down
    assert next_step(refused, NOON) is Step.HELP
    named = replace(refused, sign_ins=(ANOTHER, replace(CLAIMED, returned_at=NOON + minutes(9))))
    assert (next_step(named, NOON), named.sign_in_asked) == (Step.WAIT, None)
    gone = replace(refused, directory=())
    assert gone.sign_in_asked is None
