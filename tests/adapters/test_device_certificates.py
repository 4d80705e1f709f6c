"""The MDM's certificates: who issued them, whether they are in force, for what, taken back or not, and whom they name (T1).

Every refusal stands beside the same certificate without its fault, which is accepted."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from remediation.adapters.device_certificates import LONGEST, UPN, PemDeviceCertificates
from remediation.domain.device_certificate import Attribute
from remediation.errors import CertificateRefused
from tests.authority import DAY, SERVER, Made, make, revoking

CA = make("Contoso MDM CA", ca=True)
SERIAL = "F2LXK0ABCD12"
GOOD = make(SERIAL, CA)
NOW = datetime.now(UTC)


@pytest.fixture
def checks(tmp_path: Path) -> Callable[..., PemDeviceCertificates]:
    def of(naming: str = "CN={serial}", *, ca: str = CA.pem, crl: str | None = None) -> PemDeviceCertificates:
        (tmp_path / "ca.pem").write_text(ca)
        if crl is not None:
            (tmp_path / "crl.pem").write_text(crl)
        return PemDeviceCertificates(
            ca_file=str(tmp_path / "ca.pem"), naming=naming, crl_file=str(tmp_path / "crl.pem") if crl is not None else None
        )

    return of


Checks = Callable[..., PemDeviceCertificates]


def why(checks: PemDeviceCertificates, pem: str, at: datetime = NOW) -> str | None:
    try:
        checks.read(pem, at=at)
    except CertificateRefused as refused:
        return refused.why
    return None


def test_a_good_one_says_whom_it_names_and_what_to_quote(checks: Checks) -> None:
    says = checks().read(GOOD.pem, at=NOW)
    assert (says.attribute, says.value) == (Attribute.SERIAL, SERIAL)
    assert (len(says.fingerprint), int(says.serial, 16)) == (64, GOOD.certificate.serial_number)
    assert says.issuer == "CN=Contoso MDM CA"


LEAF_WITH_KEY = make("F2LLEAF00001", CA)
SUB = make("An authority below", CA, ca=True)
OTHER_CA = make("Another CA", ca=True)
SAME_NAME = make("Contoso MDM CA", ca=True)


@pytest.mark.parametrize(
    ("made", "refused"),
    [
        (make(SERIAL), "untrusted"),
        (make(SERIAL, OTHER_CA), "untrusted"),
        (make(SERIAL, SAME_NAME), "untrusted"),
        (make(SERIAL, CA, ends=NOW - timedelta(hours=1)), "expired"),
        (make(SERIAL, CA, begins=NOW + timedelta(hours=1)), "not_yet_valid"),
        (make(SERIAL, CA, purposes=SERVER), "untrusted"),
        (make(SERIAL, CA, purposes=(ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,)), "untrusted"),
        (make(SERIAL, CA, purposes=None), "wrong_purpose"),
    ],
    ids=["self-signed", "other CA", "CA of the same name", "expired", "not yet valid", "for servers", "for anything", "no purpose"],
)
def test_T1_a_certificate_that_is_not_the_mdms_for_this_use_now_is_refused(checks: Checks, made: Made, refused: str) -> None:
    assert why(checks(), made.pem) == refused
    assert why(checks(), GOOD.pem) is None


@pytest.mark.parametrize(
    "made",
    [CA, SUB, make(SERIAL, LEAF_WITH_KEY), make(SERIAL, SUB), make(SERIAL, GOOD, ca=True), make("Contoso MDM CA", CA)],
    ids=[
        "the CA itself",
        "an authority as a device",
        "by a device",
        "by an authority below",
        "an authority by a device",
        "CA's name",
    ],
)
def test_lesson_CVE_2025_49825_no_kind_of_certificate_goes_unchecked(checks: Checks, made: Made) -> None:
    """Teleport trusted a key that came inside a certificate. Here only the authorities in the file issue, and only to devices."""
    checked = checks()
    if made.certificate.subject == CA.certificate.subject and made is not CA:
        assert checked.read(made.pem, at=NOW).value == "Contoso MDM CA"  # a name alone is nothing: no record is called that
        return
    assert why(checked, made.pem) in {"untrusted", "wrong_purpose"}
    assert why(checked, GOOD.pem) is None


def test_lesson_CVE_2025_49825_a_changed_byte_is_noticed(checks: Checks) -> None:
    other = make("F2LVICTIM001", CA).certificate
    spliced = other.public_bytes(Encoding.DER)
    forged = spliced.replace(b"F2LVICTIM001", SERIAL.encode())
    pem = x509.load_der_x509_certificate(forged).public_bytes(Encoding.PEM).decode()
    assert why(checks(), pem) == "untrusted"


@pytest.mark.parametrize(
    "pem",
    ["", "nonsense", GOOD.pem + GOOD.pem, GOOD.pem[:-60], "x" * (LONGEST + 1), "\ud800", GOOD.key_pem, CA.pem.replace("A", "é", 1)],
    ids=["none", "nonsense", "two", "cut off", "too long", "no text", "a key", "no ASCII"],
)
def test_what_is_no_certificate_is_refused_and_breaks_nothing(checks: Checks, pem: str) -> None:
    assert why(checks(), pem) in {"unreadable", "untrusted"}


def test_without_authorities_in_the_file_nothing_is_believed(checks: Checks, tmp_path: Path) -> None:
    checked = checks()
    (tmp_path / "ca.pem").write_text("")
    assert why(checked, GOOD.pem) == "untrusted"
    (tmp_path / "ca.pem").unlink()
    assert why(checked, GOOD.pem) == "untrusted"
    (tmp_path / "ca.pem").write_text(OTHER_CA.pem + CA.pem)
    assert why(checked, GOOD.pem) is None, "several authorities, and an exchanged file, are read at the next look"


def revoked_lists() -> list[Any]:
    ours, later = revoking(CA), NOW + timedelta(hours=1)
    return [
        pytest.param(revoking(CA, GOOD), "revoked", id="revoked"),
        pytest.param(revoking(CA, begins=NOW - 9 * DAY) + revoking(CA, GOOD), "revoked", id="revoked in the newer of two"),
        pytest.param(revoking(CA, ends=NOW - timedelta(minutes=1)), "revocation_list_outdated", id="overdue"),
        pytest.param(revoking(CA, begins=later, ends=later + DAY), "revocation_list_outdated", id="of tomorrow"),
        pytest.param(revoking(OTHER_CA), "no_revocation_list", id="another CA's"),
        pytest.param(revoking(SAME_NAME), "no_revocation_list", id="of a CA of the same name"),
        pytest.param(revoking(CA, partial=True), "no_revocation_list", id="a part only"),
        pytest.param("", "no_revocation_list", id="empty"),
        pytest.param("-----BEGIN X509 CRL-----\nnonsense\n-----END X509 CRL-----", "no_revocation_list", id="nonsense"),
        pytest.param(ours.replace("X509 CRL", "CERTIFICATE"), "no_revocation_list", id="under another heading"),
    ]


@pytest.mark.parametrize(("crl", "refused"), revoked_lists())
def test_T5_a_revoked_one_is_refused_and_so_is_everyone_without_a_list_in_force(checks: Checks, crl: str, refused: str) -> None:
    assert why(checks(crl=crl), GOOD.pem) == refused
    assert why(checks(crl=revoking(CA, make("another", CA))), GOOD.pem) is None


def test_a_missing_revocation_list_is_a_refusal(checks: Checks, tmp_path: Path) -> None:
    checked = checks(crl=revoking(CA))
    assert why(checked, GOOD.pem) is None
    (tmp_path / "crl.pem").unlink()
    assert why(checked, GOOD.pem) == "no_revocation_list"


def named(*attributes: tuple[x509.ObjectIdentifier, str]) -> x509.Name:
    return x509.Name([x509.NameAttribute(oid, value) for oid, value in attributes])


UPN_NAME = x509.OtherName(UPN, b"\x0c\x0c4101@ws1.xyz")


@pytest.mark.parametrize(
    ("naming", "made", "value"),
    [
        ("SERIALNUMBER={udid}", make(named((NameOID.COMMON_NAME, "x"), (NameOID.SERIAL_NUMBER, "aa-11")), CA), "aa-11"),
        ("UID={record}", make(named((NameOID.COMMON_NAME, "x"), (NameOID.USER_ID, "4101")), CA), "4101"),
        ("OU={record}", make(named((NameOID.COMMON_NAME, "x"), (NameOID.ORGANIZATIONAL_UNIT_NAME, "4101")), CA), "4101"),
        ("CN=device-{serial}-ws1", make("device-F2LX-ws1", CA), "F2LX"),
        ("DNS={udid}.devices.example", make("x", CA, sans=(x509.DNSName("aa.devices.example"), x509.DNSName("b.example"))), "aa"),
        ("URI=ws1:{record}", make("x", CA, sans=(x509.UniformResourceIdentifier("ws1:4101"),)), "4101"),
        ("EMAIL={serial}@mdm.example", make("x", CA, sans=(x509.RFC822Name("F2LX@mdm.example"),)), "F2LX"),
        ("UPN={record}@ws1.xyz", make("x", CA, sans=(UPN_NAME,)), "4101"),
    ],
)
def test_where_a_certificate_names_its_device_is_a_setting(checks: Checks, naming: str, made: Made, value: str) -> None:
    assert checks(naming).read(made.pem, at=NOW).value == value


@pytest.mark.parametrize(
    ("naming", "made", "refused"),
    [
        ("CN={serial}", make(named((NameOID.COMMON_NAME, "one"), (NameOID.COMMON_NAME, "two")), CA), "names_several"),
        ("DNS={udid}.x", make("x", CA, sans=(x509.DNSName("aa.x"), x509.DNSName("bb.x"))), "names_several"),
        ("CN=device-{serial}", make("F2LX", CA), "names_nothing"),
        ("CN={serial}.x", make("F2LX.x.evil", CA), "names_nothing"),
        ("DNS={udid}", GOOD, "names_nothing"),
        ("SERIALNUMBER={serial}", GOOD, "names_nothing"),
        ("UPN={record}", make("x", CA, sans=(x509.OtherName(UPN, b"\x04\x044101"),)), "names_nothing"),
    ],
)
def test_T1_a_certificate_that_names_none_or_two_names_nobody(checks: Checks, naming: str, made: Made, refused: str) -> None:
    assert why(checks(naming), made.pem) == refused
