"""What a shown certificate is worth (T1, T3, T5): one record of this person, this enrollment, and only beside Entra's claim."""

from dataclasses import replace

import pytest

from remediation.domain.device import LinkState
from remediation.domain.device_certificate import (
    Attribute,
    CertificateSays,
    ShownCertificate,
    decisive_certificate,
    records_named,
    wants_certificate,
    with_certificate,
)
from remediation.domain.evidence import Evidence, Level
from remediation.domain.sign_in_proof import Record, SignIn, pair_of
from remediation.domain.steps import Step, next_step
from tests.people import ARRIVED, KEY, LINK, MANAGED_PHONE, NOON, PROOF, REGISTERED_PHONE, minutes

PAIR = pair_of(MANAGED_PHONE, REGISTERED_PHONE)
SILENT = SignIn("s1", PAIR, "app", "c1", began_at=NOON + minutes(2), returned_at=NOON + minutes(3))
CLAIMED, RECORDED = replace(SILENT, claimed="d1"), replace(SILENT, record=Record.READ, recorded="d1")
ANOTHER = replace(SILENT, claimed="d9")
SHOWN = ShownCertificate("c1", KEY, "g1", NOON + minutes(4), NOON + minutes(5), NOON + minutes(6), "pem", "ab" * 32)
BOUND = Evidence(Level.BOUND, NOON + minutes(3), "bound")
PENDING = replace(LINK, state=LinkState.PENDING, minimum=Level.CERTIFICATE, evidence=BOUND)
PHONE = replace(MANAGED_PHONE, udid="AA11-BB22-CC33")
SECOND = replace(PHONE, key=replace(KEY, record_id="7"), serial="OTHER1", udid="dd44")


@pytest.mark.parametrize("level", Level)
@pytest.mark.parametrize("sign_in", [None, SILENT, CLAIMED, RECORDED, ANOTHER])
@pytest.mark.parametrize("shown", [None, SHOWN])
def test_I12_only_bound_by_the_claim_becomes_certificate(
    level: Level, sign_in: SignIn | None, shown: ShownCertificate | None
) -> None:
    raised = with_certificate(Evidence(level, NOON, "so"), sign_in, shown).level
    wanted = level is Level.BOUND and sign_in == CLAIMED and shown is not None
    assert raised is (Level.CERTIFICATE if wanted else level)


def says(attribute: Attribute, value: str) -> CertificateSays:
    return CertificateSays(attribute, value, "ab" * 32, "1f", "CN=MDM")


@pytest.mark.parametrize(
    ("attribute", "value"),
    [(Attribute.SERIAL, "f2lxk0abcd12"), (Attribute.UDID, "aa11bb22cc33"), (Attribute.RECORD, "1042")],
)
def test_T1_exactly_the_record_in_hand_is_named(attribute: Attribute, value: str) -> None:
    told = says(attribute, value)
    assert records_named(told, [PHONE, SECOND]) == [PHONE.key]
    assert records_named(told, [SECOND]) == [], "another record of the same person"
    twin = replace(PHONE, key=replace(KEY, record_id="8"))
    if attribute is not Attribute.RECORD:
        assert records_named(told, [PHONE, twin]) == [PHONE.key, twin.key], "two records answer to it, and so it proves neither"


@pytest.mark.parametrize("value", ["", "unknown", "000000000000", "F2LXK0ABCD1"])
def test_T1_placeholders_and_halves_name_nothing(value: str) -> None:
    nameless = replace(PHONE, serial=value or None, udid=value or None)
    told = says(Attribute.SERIAL, value)
    assert records_named(told, [PHONE]) == []
    assert value == "F2LXK0ABCD1" or records_named(told, [nameless]) == []


@pytest.mark.parametrize(
    "shown",
    [
        replace(SHOWN, generation="g2"),
        replace(SHOWN, managed=SECOND.key),
        replace(SHOWN, asked_at=NOON + minutes(0.5)),
    ],
    ids=["enrolled anew", "another record", "before the proof"],
)
def test_T3_T5_one_for_another_enrollment_or_of_before_the_proof_decides_nothing(shown: ShownCertificate) -> None:
    assert decisive_certificate([shown], PAIR, since=NOON + minutes(1)) is None
    assert decisive_certificate([shown, SHOWN], PAIR, since=NOON + minutes(1)) == SHOWN


def test_it_is_asked_for_where_the_claim_is_there_and_the_tenant_wants_more() -> None:
    assert wants_certificate(PENDING, CLAIMED)
    for link in (None, LINK, replace(PENDING, minimum=Level.BOUND), replace(PENDING, evidence=LINK.evidence)):
        assert not wants_certificate(link, CLAIMED)
    for sign_in in (None, SILENT, RECORDED, ANOTHER):
        assert not wants_certificate(PENDING, sign_in)
    asked = replace(ARRIVED, possession=PROOF, links=(PENDING,), sign_ins=(CLAIMED,))
    assert (next_step(asked, NOON), asked.certificate_asked) == (Step.CERTIFICATE, PAIR)
    assert replace(asked, possession=replace(PROOF, proven_at=None, proven_generation=None)).certificate_asked is None
