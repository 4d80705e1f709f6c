"""The certificates that the MDM puts on managed devices: by its CA, in force, for TLS clients, not revoked; and whom they name.

The web server in front checked a handshake with them already; here all of it is checked once more, the same for every certificate.
There is no kind of certificate, key or name for which a check is left out (Teleport's CVE-2025-49825 was such a special case).
"""

import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from cryptography.x509.verification import Criticality, ExtensionPolicy, PolicyBuilder, Store, VerificationError

from ..domain.device_certificate import Attribute, CertificateSays
from ..errors import CertificateRefused

log = logging.getLogger(__name__)

LONGEST = 16 * 1024  # characters of PEM; a device certificate has two thousand
CLOCKS = timedelta(minutes=5)  # by which the clock of whoever issued a revocation list may be ahead of ours
UPN = x509.ObjectIdentifier("1.3.6.1.4.1.311.20.2.3")  # the user principal name as Microsoft puts it into an otherName
_SUBJECT = {
    "CN": NameOID.COMMON_NAME,
    "SERIALNUMBER": NameOID.SERIAL_NUMBER,
    "UID": NameOID.USER_ID,
    "OU": NameOID.ORGANIZATIONAL_UNIT_NAME,
}
_SAN: dict[str, type[x509.DNSName] | type[x509.UniformResourceIdentifier] | type[x509.RFC822Name]] = {
    "DNS": x509.DNSName,
    "URI": x509.UniformResourceIdentifier,
    "EMAIL": x509.RFC822Name,
}
# https://datatracker.ietf.org/doc/html/rfc5280#section-5.2: these say that a list is but a part of what its issuer revoked.
_PARTIAL = {x509.IssuingDistributionPoint.oid, x509.DeltaCRLIndicator.oid}


@dataclass(frozen=True)
class Naming:
    """Where in a certificate the managed device is named: `CN={serial}`, `DNS={udid}.devices.contoso.example`."""

    field: str
    attribute: Attribute
    pattern: re.Pattern[str]

    @classmethod
    def of(cls, text: str) -> "Naming":
        field, _, template = text.partition("=")
        before, attribute, after = re.split(r"\{(\w+)\}", template)
        return cls(field, Attribute(attribute), re.compile(re.escape(before) + "(.+)" + re.escape(after), re.IGNORECASE))


class PemDeviceCertificates:
    """Implements `ports.DeviceCertificates` on files, which are read at each look: a revocation list is exchanged under us."""

    def __init__(self, *, ca_file: str, naming: str, crl_file: str | None = None) -> None:
        self._ca_file, self._crl_file = Path(ca_file), Path(crl_file) if crl_file else None
        self._naming = Naming.of(naming)

    def read(self, pem: str, *, at: datetime) -> CertificateSays:
        certificate = _one(pem)
        issuers = self._issuers()
        _verify(certificate, issuers, at)
        if self._crl_file is not None:
            _not_revoked(certificate, issuers, _bytes_of(self._crl_file), at)
        return CertificateSays(
            attribute=self._naming.attribute,
            value=self._named(certificate),
            fingerprint=certificate.fingerprint(hashes.SHA256()).hex(),
            serial=f"{certificate.serial_number:x}",
            issuer=certificate.issuer.rfc4514_string(),
        )

    def _issuers(self) -> list[x509.Certificate]:
        try:
            return x509.load_pem_x509_certificates(_bytes_of(self._ca_file))
        except ValueError:
            log.error("the file of the MDM's certificate authorities holds none")
            raise CertificateRefused("untrusted") from None

    def _named(self, certificate: x509.Certificate) -> str:
        """Exactly one, or nothing: which of two a reader takes is how such checks were got around before."""
        naming = self._naming
        found = {hit[1] for text in _texts(certificate, naming.field) if (hit := naming.pattern.fullmatch(text))}
        if len(found) != 1:
            raise CertificateRefused("names_nothing" if not found else "names_several")
        return found.pop()


def _bytes_of(path: Path) -> bytes:
    """Empty where it cannot be read: then nothing in it vouches for anything."""
    try:
        return path.read_bytes()
    except OSError as error:
        log.error("%s cannot be read (%s)", path.name, type(error).__name__)
        return b""


def _one(pem: str) -> x509.Certificate:
    if len(pem) > LONGEST:
        raise CertificateRefused("unreadable")
    try:
        [certificate] = x509.load_pem_x509_certificates(pem.encode())
        _ = certificate.extensions, certificate.subject, certificate.issuer  # parsed at the first look only
    except (ValueError, UnicodeEncodeError, UnsupportedAlgorithm, x509.DuplicateExtension):
        raise CertificateRefused("unreadable") from None
    return certificate


def _verify(certificate: x509.Certificate, issuers: list[x509.Certificate], at: datetime) -> None:
    """Chain, validity of each part and the rules for authorities by the library; told apart only for the page's words.

    Certificates of devices often have no alternative name, which the library's own policy for the public web asks for.
    """
    if at < certificate.not_valid_before_utc:
        raise CertificateRefused("not_yet_valid")
    if at > certificate.not_valid_after_utc:
        raise CertificateRefused("expired")
    end = ExtensionPolicy.webpki_defaults_ee().may_be_present(x509.SubjectAlternativeName, Criticality.AGNOSTIC, None)
    policy = PolicyBuilder().store(Store(issuers)).time(at).max_chain_depth(0)
    verifier = policy.extension_policies(ee_policy=end, ca_policy=ExtensionPolicy.webpki_defaults_ca()).build_client_verifier()
    try:
        verifier.verify(certificate, [])
    except VerificationError:
        raise CertificateRefused("untrusted") from None
    # The library lets a certificate without this extension pass for any purpose.
    try:
        purposes = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        purposes = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
    if ExtendedKeyUsageOID.CLIENT_AUTH not in purposes:
        raise CertificateRefused("wrong_purpose")


def _not_revoked(certificate: x509.Certificate, issuers: list[x509.Certificate], pem: bytes, at: datetime) -> None:
    """By a complete list of its own issuer's that is in force. None of that kind is a refusal, never a pass."""
    lists = [one for one in _lists(pem) if any(_issued(authority, certificate, one) for authority in issuers)]
    if not lists:
        raise CertificateRefused("no_revocation_list")
    newest = max(lists, key=lambda one: one.last_update_utc)
    if newest.next_update_utc is None or newest.next_update_utc < at or newest.last_update_utc > at + CLOCKS:
        raise CertificateRefused("revocation_list_outdated")
    if newest.get_revoked_certificate_by_serial_number(certificate.serial_number) is not None:
        raise CertificateRefused("revoked")


def _lists(pem: bytes) -> Iterator[x509.CertificateRevocationList]:
    for block in re.findall(rb"-----BEGIN X509 CRL-----.+?-----END X509 CRL-----", pem, re.DOTALL):
        try:
            found = x509.load_pem_x509_crl(block)
            partial = any(one.critical or one.oid in _PARTIAL for one in found.extensions)
        except ValueError:
            continue
        if not partial:
            yield found


def _issued(authority: x509.Certificate, certificate: x509.Certificate, crl: x509.CertificateRevocationList) -> bool:
    """One authority, by its key and not by its name alone, signed both."""
    if not authority.subject == certificate.issuer == crl.issuer:
        return False
    try:
        certificate.verify_directly_issued_by(authority)
        return crl.is_signature_valid(authority.public_key())  # type: ignore[arg-type]  # an issuer's key is one that signs
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False


def _texts(certificate: x509.Certificate, field: str) -> list[str]:
    if field in _SUBJECT:
        return [str(one.value) for one in certificate.subject.get_attributes_for_oid(_SUBJECT[field])]
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    if field in _SAN:
        return [str(text) for text in names.get_values_for_type(_SAN[field])]
    others = names.get_values_for_type(x509.OtherName)
    return [_utf8(one.value) for one in others if one.type_id == UPN]


def _utf8(der: bytes) -> str:
    """A DER UTF8String (tag 0x0C) of up to 127 bytes; anything else is nothing."""
    if len(der) < 2 or der[0] != 0x0C or der[1] > 127 or len(der) != 2 + der[1]:
        return ""
    return der[2:].decode("utf-8", "replace")
