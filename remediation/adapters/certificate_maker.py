"""A key pair with its self-signed certificate, for the service app registration. Microsoft looks at key and dates and at no issuer.

entra-docs docs/identity-platform/certificate-credentials.md: RSA, the certificate uploaded as it is.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

LASTS = timedelta(days=365)
_CLOCKS = timedelta(minutes=5)


@dataclass(frozen=True)
class Made:
    """`pem` is key and certificate together; `certificate` what is uploaded."""

    pem: str
    certificate: str
    ends: datetime
    thumbprint: str


def make(name: str, now: datetime) -> Made:
    key = rsa.generate_private_key(public_exponent=65537, key_size=3072)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    ends = (now + LASTS).replace(microsecond=0)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCKS)
        .not_valid_after(ends)
        .sign(key, hashes.SHA256())
    )
    public = certificate.public_bytes(serialization.Encoding.PEM).decode()
    form = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    private = key.private_bytes(serialization.Encoding.PEM, *form).decode()
    # The admin center shows the SHA-1 thumbprint, by which people recognise it.
    thumbprint = certificate.fingerprint(hashes.SHA1()).hex().upper()  # noqa: S303
    return Made(private + public, public, ends, thumbprint)
