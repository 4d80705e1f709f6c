"""Only the literal known-good is compliant (T8, I4), and only for as long as the lease runs (I7)."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remediation.domain.compliance import Lease, MdmWord, Posture, Verdict, decide
from tests.people import HEALTHY, NOON

LEASE = Lease()


def test_the_control_a_healthy_phone_is_compliant_until_its_lease_ends() -> None:
    decision = decide(HEALTHY, NOON, LEASE)
    assert (decision.verdict, decision.until) == (Verdict.COMPLIANT, NOON + timedelta(hours=72))


@pytest.mark.parametrize(
    ("posture", "verdict", "reason"),
    [
        (replace(HEALTHY, word=MdmWord.NOT_COMPLIANT), Verdict.NOT_COMPLIANT, "rules_fail"),
        (replace(HEALTHY, compromised=True), Verdict.NOT_COMPLIANT, "compromised"),
        (replace(HEALTHY, enrolled=False), Verdict.NOT_COMPLIANT, "unenrolled"),
        (replace(HEALTHY, word=MdmWord.PENDING), Verdict.UNKNOWN, "mdm_pending"),
        (replace(HEALTHY, word=MdmWord.UNKNOWN), Verdict.UNKNOWN, "mdm_unclear"),
        (replace(HEALTHY, compromised=None), Verdict.UNKNOWN, "mdm_unclear"),
        (replace(HEALTHY, enrolled=None), Verdict.UNKNOWN, "mdm_unclear"),
        (replace(HEALTHY, last_seen=None), Verdict.UNKNOWN, "never_checked_in"),
        (replace(HEALTHY, last_seen=NOON - timedelta(days=14)), Verdict.NOT_COMPLIANT, "not_seen_lately"),
        (replace(HEALTHY, read_at=NOON - timedelta(hours=72)), Verdict.NOT_COMPLIANT, "not_seen_lately"),
    ],
)
def test_T8_anything_less_than_known_good_is_no_upgrade(posture: Posture, verdict: Verdict, reason: str) -> None:
    decision = decide(posture, NOON, LEASE)
    assert (decision.verdict, decision.reasons[0], decision.until) == (verdict, reason, None)


def test_the_shorter_of_the_two_clocks_ends_the_lease() -> None:
    seen = NOON - timedelta(days=13)
    assert decide(replace(HEALTHY, last_seen=seen), NOON, LEASE).until == seen + timedelta(days=14)


@given(
    st.builds(
        Posture,
        word=st.sampled_from(MdmWord),
        enrolled=st.sampled_from([True, False, None]),
        compromised=st.sampled_from([True, False, None]),
        failing=st.just(()),
        last_seen=st.one_of(st.none(), st.integers(0, 30 * 24).map(lambda h: NOON - timedelta(hours=h))),
        read_at=st.integers(0, 100).map(lambda h: NOON - timedelta(hours=h)),
    )
)
def test_I4_compliant_needs_every_good_sign_at_once(posture: Posture) -> None:
    decision = decide(posture, NOON, LEASE)
    if decision.verdict is Verdict.COMPLIANT:
        assert posture.word is MdmWord.COMPLIANT
        assert posture.enrolled is True
        assert posture.compromised is False
        assert decision.until is not None
        assert decision.until > NOON
    else:
        assert decision.reasons
