"""The organisation's own bar: it lowers and never lifts, and what nobody knows is never good."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remediation.domain.bar import Bar, Facts, Ownership, held_to, judged, version
from remediation.domain.compliance import Lease, MdmWord, Rule, Verdict, decide
from remediation.domain.device import ManagedDevice, Platform
from tests.people import HEALTHY, MANAGED_PHONE, NOON

ALL = Bar(
    least_os={Platform.IOS: "17.4"},
    encryption=True,
    ownership=frozenset({Ownership.CORPORATE}),
    most_risk=50,
    risk_of=lambda device: {"low": 10.0, "high": 51.0}.get(device.name),
)
GOOD = Facts(encrypted=True, ownership=Ownership.CORPORATE)


def phone(os: str | None = "17.4.1", name: str = "low") -> ManagedDevice:
    return replace(MANAGED_PHONE, os_version=os, name=name, posture=HEALTHY)


def word(device: ManagedDevice, facts: Facts = GOOD, bar: Bar = ALL) -> MdmWord:
    return held_to(bar, device, facts).posture.word


def test_what_passes_stays_as_the_mdm_said() -> None:
    assert held_to(ALL, phone(), GOOD) == phone()
    assert held_to(Bar(), phone(os=None), Facts()) == phone(os=None)


@pytest.mark.parametrize(
    ("device", "facts", "rule", "advice"),
    [
        (phone("17.3.9"), GOOD, "System version", "update"),
        (phone("9"), GOOD, "System version", "update"),
        (phone(), replace(GOOD, encrypted=False), "Encryption", "encryption"),
        (phone(), replace(GOOD, ownership=Ownership.EMPLOYEE), "Ownership", None),
        (phone(name="high"), GOOD, "Risk score", None),
    ],
)
def test_what_fails_a_rule_is_not_compliant_and_says_which(
    device: ManagedDevice, facts: Facts, rule: str, advice: str | None
) -> None:
    posture = held_to(ALL, device, facts).posture
    assert posture.word is MdmWord.NOT_COMPLIANT
    assert [(one.name, one.advice) for one in posture.failing] == [(rule, advice)]
    assert decide(posture, NOON, Lease()).verdict is Verdict.NOT_COMPLIANT


@pytest.mark.parametrize(
    ("device", "facts"),
    [
        (phone(None), GOOD),
        (phone("Tiger"), GOOD),
        (phone(), replace(GOOD, encrypted=None)),
        (phone(), replace(GOOD, ownership=None)),
        (phone(name="unheard of"), GOOD),
    ],
)
def test_what_nobody_knows_is_neither_good_nor_a_failure(device: ManagedDevice, facts: Facts) -> None:
    posture = held_to(ALL, device, facts).posture
    assert (posture.word, posture.failing) == (MdmWord.UNKNOWN, ())
    assert decide(posture, NOON, Lease()).verdict is Verdict.UNKNOWN


def test_an_administrators_words_and_no_advice_told_twice() -> None:
    named = replace(ALL, names={"least_os": "iOS of this spring"})
    assert [rule.name for rule in held_to(named, phone("16"), GOOD).posture.failing] == ["iOS of this spring"]
    told = (Rule("Contoso: encrypt", "", "encryption"),)
    device = replace(phone(), posture=replace(HEALTHY, word=MdmWord.NOT_COMPLIANT, failing=told))
    assert held_to(ALL, device, replace(GOOD, encrypted=False)).posture.failing == told


def test_versions() -> None:
    assert (version("17.4.1"), version(" 10.0.22631.3447 x"), version("Android 13"), version(""), version(None)) == (
        (17, 4, 1),
        (10, 0, 22631, 3447),
        None,
        None,
        None,
    )
    assert word(phone("17.4")) is word(phone("17.4.0")) is word(phone("18")) is MdmWord.COMPLIANT
    assert word(phone("17"), bar=Bar(least_os={Platform.IOS: "17.0.0"})) is MdmWord.COMPLIANT
    assert word(phone("1"), bar=Bar(least_os={Platform.ANDROID: "13"})) is MdmWord.COMPLIANT, "another platform's rule"


devices = st.builds(
    lambda os, name, word, compromised: replace(
        phone(os, name), posture=replace(HEALTHY, word=word, compromised=compromised, last_seen=NOON - timedelta(hours=1))
    ),
    st.one_of(st.none(), st.text(max_size=8), st.from_regex(r"[0-9]{1,2}(\\.[0-9]{1,2}){0,2}", fullmatch=True)),
    st.sampled_from(("low", "high", "unheard of")),
    st.sampled_from(MdmWord),
    st.sampled_from((True, False, None)),
)
facts = st.builds(Facts, st.sampled_from((True, False, None)), st.sampled_from([*Ownership, None]))
bars = st.builds(
    Bar,
    least_os=st.dictionaries(st.sampled_from(Platform), st.from_regex(r"[0-9]{1,2}(\\.[0-9]{1,2})?", fullmatch=True)),
    encryption=st.booleans(),
    ownership=st.frozensets(st.sampled_from(Ownership)),
    most_risk=st.one_of(st.none(), st.floats(0, 100)),
    risk_of=st.just(ALL.risk_of),
)


@given(bars, devices, facts)
def test_T10_I4_the_bar_never_lifts_anything(bar: Bar, device: ManagedDevice, said: Facts) -> None:
    before, after = (decide(one.posture, NOON, Lease()) for one in (device, held_to(bar, device, said)))
    if after.verdict is Verdict.COMPLIANT:
        assert before.verdict is Verdict.COMPLIANT
        assert judged(bar, device, said) == ({}, ())
    if before.verdict is Verdict.NOT_COMPLIANT:
        assert after.verdict is Verdict.NOT_COMPLIANT
