"""The certificate authority behind the pretend MDM: what it put on each enrolled device, and which of those it took back.

Workspace ONE has a device make its key and ask a CA of the company's over SCEP; the subject is whatever the template says, mostly
by its lookup values. Here the common name is the serial number, and an alternative name holds the UDID. Key and certificate stay on
the phone until a test's TLS client stands in for its browser. Next door: `enrollment`, which makes the record.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from sandbox.world import ManagedRecord, World

LASTS = timedelta(days=365)


class DeviceCA:
    """Made once per sandbox. `issued` is by the record's UUID: a device enrolled anew gets another one."""

    def __init__(self, folder: Path, name: str = "Contoso MDM Device CA") -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name(
            [x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Contoso"), x509.NameAttribute(NameOID.COMMON_NAME, name)]
        )
        self._own: x509.Certificate | None = None
        self._issued: dict[str, tuple[x509.Certificate, str]] = {}
        self._folder = folder.resolve()
        self._folder.mkdir(parents=True, exist_ok=True)

    @property
    def key(self) -> ec.EllipticCurvePrivateKey:
        """For tests that issue what no enrollment would."""
        return self._key

    def ca_pem(self, world: World) -> Path:
        path = self._folder / "device-ca.pem"
        path.write_bytes(self._certificate(world).public_bytes(Encoding.PEM))
        return path

    def on_the_phone(self, world: World, record: ManagedRecord) -> tuple[str, str]:
        """Certificate and key, in PEM, as the enrollment put them there."""
        with world.lock:
            self._certificate(world)
            if record.uuid not in self._issued:
                self._issued[record.uuid] = self._issue(record)
            certificate, key = self._issued[record.uuid]
        return certificate.public_bytes(Encoding.PEM).decode(), key

    def crl_pem(self, world: World) -> Path:
        """Written anew: the certificates of records that are gone, or not enrolled any more, are revoked."""
        self._certificate(world)
        with world.lock:
            enrolled = {record.uuid for record in world.records.values() if record.enrollment_status == "Enrolled"}
            now = world.now()
            crl = x509.CertificateRevocationListBuilder().issuer_name(self._name)
            crl = crl.last_update(now).next_update(now + timedelta(days=7))
            for uuid, (certificate, _) in self._issued.items():
                if uuid not in enrolled:
                    entry = x509.RevokedCertificateBuilder().serial_number(certificate.serial_number).revocation_date(now)
                    crl = crl.add_revoked_certificate(entry.build())
        path = self._folder / "device-crl.pem"
        path.write_bytes(crl.sign(self._key, hashes.SHA256()).public_bytes(Encoding.PEM))
        return path

    def _certificate(self, world: World) -> x509.Certificate:
        if self._own is None:
            began = world.now() - 3 * LASTS
            certificate = x509.CertificateBuilder().subject_name(self._name).issuer_name(self._name)
            certificate = certificate.public_key(self._key.public_key()).serial_number(x509.random_serial_number())
            certificate = certificate.not_valid_before(began).not_valid_after(began + 10 * LASTS)
            certificate = certificate.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            certificate = certificate.add_extension(_signs_certificates(), critical=True)
            certificate = certificate.add_extension(
                x509.SubjectKeyIdentifier.from_public_key(self._key.public_key()), critical=False
            )
            self._own = certificate.sign(self._key, hashes.SHA256())
        return self._own

    def _issue(self, record: ManagedRecord) -> tuple[x509.Certificate, str]:
        key = ec.generate_private_key(ec.SECP256R1())
        names = x509.SubjectAlternativeName([x509.DNSName(f"{record.udid.lower()}.devices.contoso.example")])
        authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        certificate = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, record.serial)]))
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(record.enrolled_on)
            .not_valid_after(record.enrolled_on + LASTS)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
            .add_extension(names, critical=False)
            .add_extension(authority, critical=False)
            .sign(self._key, hashes.SHA256())
        )
        return certificate, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def _signs_certificates() -> x509.KeyUsage:
    no = dict.fromkeys(("content_commitment", "key_encipherment", "data_encipherment", "key_agreement"), False)
    return x509.KeyUsage(digital_signature=True, key_cert_sign=True, crl_sign=True, encipher_only=False, decipher_only=False, **no)
