"""What both processes ask about a certificate that somebody showed."""

from datetime import datetime
from typing import Protocol

from ..domain.device_certificate import CertificateSays


class DeviceCertificates(Protocol):
    def read(self, pem: str, *, at: datetime) -> CertificateSays:
        """Check issuer, validity, purpose and revocation, then read what it names. Raises `CertificateRefused`: nothing of a
        certificate that was refused may be believed."""
