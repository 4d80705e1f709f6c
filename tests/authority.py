"""Certificates for the tests, good ones and every kind of wrong one, made in a breath (P-256)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

DAY = timedelta(days=1)
CLIENT = (ExtendedKeyUsageOID.CLIENT_AUTH,)
SERVER = (ExtendedKeyUsageOID.SERVER_AUTH,)


@dataclass
class Made:
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def pem(self) -> str:
        return self.certificate.public_bytes(Encoding.PEM).decode()

    @property
    def key_pem(self) -> str:
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def make(
    name: str | x509.Name,
    issuer: Made | None = None,
    *,
    ca: bool = False,
    purposes: tuple[x509.ObjectIdentifier, ...] | None = CLIENT,
    sans: tuple[x509.GeneralName, ...] = (),
    begins: datetime | None = None,
    ends: datetime | None = None,
    path_length: int | None = None,
) -> Made:
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]) if isinstance(name, str) else name
    signer = issuer.key if issuer is not None else key
    made = x509.CertificateBuilder().subject_name(subject).public_key(key.public_key()).serial_number(x509.random_serial_number())
    made = made.issuer_name(issuer.certificate.subject if issuer is not None else subject)
    made = made.not_valid_before(begins or now - DAY).not_valid_after(ends or now + 30 * DAY)
    made = made.add_extension(x509.BasicConstraints(ca=ca, path_length=path_length), critical=True)
    if issuer is not None:
        authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key())
        made = made.add_extension(authority, critical=False)
    if ca:
        uses = x509.KeyUsage(
            digital_signature=True,
            key_cert_sign=True,
            crl_sign=True,
            **dict.fromkeys(("content_commitment", "key_encipherment", "data_encipherment", "key_agreement"), False),
            encipher_only=False,
            decipher_only=False,
        )
        made = made.add_extension(uses, critical=True)
        made = made.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    elif purposes is not None:
        made = made.add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
    if sans:
        made = made.add_extension(x509.SubjectAlternativeName(sans), critical=False)
    return Made(made.sign(signer, hashes.SHA256()), key)


def revoking(
    issuer: Made, *revoked: Made, begins: datetime | None = None, ends: datetime | None = None, partial: bool = False, **names: Any
) -> str:
    """A revocation list in PEM, by this key under its name (or `name`)."""
    now = datetime.now(UTC)
    crl = x509.CertificateRevocationListBuilder().issuer_name(names.get("name", issuer.certificate.subject))
    crl = crl.last_update(begins or now - DAY).next_update(ends or now + DAY)
    for one in revoked:
        entry = x509.RevokedCertificateBuilder().serial_number(one.certificate.serial_number).revocation_date(now - DAY)
        crl = crl.add_revoked_certificate(entry.build())
    if partial:
        some = x509.IssuingDistributionPoint(None, None, False, True, None, False, False)
        crl = crl.add_extension(some, critical=True)
    return crl.sign(issuer.key, hashes.SHA256()).public_bytes(Encoding.PEM).decode()
