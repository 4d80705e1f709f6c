"""When the certificates in our files run out, as `ports.CertificateFiles`. Next door: `device_certificates`."""

import re
from datetime import datetime
from pathlib import Path

from cryptography import x509

_LIST = re.compile(rb"-----BEGIN X509 CRL-----.+?-----END X509 CRL-----", re.DOTALL)


def ends_of(pem: str) -> datetime | None:
    """When the first certificate in this text runs out; a private key beside it is left alone."""
    try:
        return min((one.not_valid_after_utc for one in x509.load_pem_x509_certificates(pem.encode())), default=None)
    except ValueError:
        return None


class PemFiles:
    def ends(self, path: str) -> datetime | None:
        try:
            return ends_of(Path(path).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None

    def lists_end(self, path: str) -> datetime | None:
        try:
            lists = [x509.load_pem_x509_crl(block) for block in _LIST.findall(Path(path).read_bytes())]
        except (OSError, ValueError):
            return None
        return min((one.next_update_utc for one in lists if one.next_update_utc is not None), default=None)
