"""Secrets sealed so that one process alone can open them: HPKE (RFC 9180) with a key pair made of a key of that process.

Whoever holds the public half can seal and nothing more. What a secret is for is bound to it: a sealed one that is moved to another
name opens nothing.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
_FORM = "h1."


def public_half(key: str) -> str:
    """Of the pair that belongs to this key of a process; tells nothing of the key."""
    return urlsafe_b64encode(_private(key).public_key().public_bytes_raw()).decode()


def seal(name: str, secret: str, public: str) -> str:
    sealed = _SUITE.encrypt(secret.encode(), X25519PublicKey.from_public_bytes(urlsafe_b64decode(public)), info=_info(name))
    return _FORM + urlsafe_b64encode(sealed).decode()


def open_sealed(name: str, sealed: str, keys: Sequence[str]) -> str | None:
    """None where none of these keys opens it, or where it was sealed under another name."""
    try:
        raw = urlsafe_b64decode(sealed.removeprefix(_FORM))
    except ValueError:
        return None
    for key in keys:
        try:
            return _SUITE.decrypt(raw, _private(key), info=_info(name)).decode()
        except (InvalidTag, ValueError):
            continue
    return None


def _private(key: str) -> X25519PrivateKey:
    """The keys of our settings are long and by chance (`settings.rules.strong`), so that HKDF is enough."""
    derive = HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=b"remediation: opens typed secrets")
    return X25519PrivateKey.from_private_bytes(derive.derive(key.encode()))


def _info(name: str) -> bytes:
    return f"remediation: {name}".encode()
