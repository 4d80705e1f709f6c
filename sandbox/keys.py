"""The sandbox's secrets: a certificate authority for TLS, the key of its ID tokens, the seal of what only it may read.

Next door: `entra` mints tokens with these, `graph` and `intune` open the access tokens, `server` serves the certificate.
"""

from __future__ import annotations

import base64
import hashlib
import json
import ssl
from pathlib import Path
from threading import Lock
from typing import Any

import trustme
from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa


def b64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def b64url_json(value: dict[str, Any]) -> str:
    return b64url(json.dumps(value, separators=(",", ":")).encode())


class SigningKey:
    """An RSA key that signs ID tokens (RS256), with its public half as a JWKS entry.

    Made when it is first needed: that takes a tenth of a second, and most tenants of a test see nobody sign in.
    """

    def __init__(self) -> None:
        self._made: rsa.RSAPrivateKey | None = None
        self._lock = Lock()

    @property
    def _private(self) -> rsa.RSAPrivateKey:
        with self._lock:
            if self._made is None:
                self._made = rsa.generate_private_key(public_exponent=65537, key_size=2048)
            return self._made

    @property
    def kid(self) -> str:
        der = self._private.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        return b64url(hashlib.sha256(der).digest()[:20])

    @property
    def public_pem(self) -> bytes:
        return self._private.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)

    def jwk(self, issuer: str) -> dict[str, str]:
        numbers = self._private.public_key().public_numbers()
        return {
            "kty": "RSA",
            "use": "sig",
            "kid": self.kid,
            "x5t": self.kid,
            "n": b64url(numbers.n.to_bytes((numbers.n.bit_length() + 7) // 8, "big")),
            "e": b64url(numbers.e.to_bytes(3, "big")),
            # Microsoft's entries say for which issuer a key may be used; a key of another tenant must not verify ours.
            "issuer": issuer,
        }

    def sign(self, signing_input: str) -> str:
        return b64url(self._private.sign(signing_input.encode(), padding.PKCS1v15(), hashes.SHA256()))

    def jwt(self, claims: dict[str, Any]) -> str:
        signing_input = f"{b64url_json({'typ': 'JWT', 'alg': 'RS256', 'kid': self.kid})}.{b64url_json(claims)}"
        return f"{signing_input}.{self.sign(signing_input)}"


class Keys:
    """Made once per sandbox; a change of scenario leaves them alone, so that tokens in flight stay good."""

    def __init__(self, folder: Path) -> None:
        self._ca = trustme.CA(organization_name="Remediation sandbox (stand-in)")
        self._server = self._ca.issue_cert("127.0.0.1", "localhost")
        folder.mkdir(parents=True, exist_ok=True)
        self.ca_pem = folder.resolve() / "sandbox-ca.pem"
        self._ca.cert_pem.write_to_path(str(self.ca_pem))
        self.signing = SigningKey()
        self.foreign = SigningKey()
        """Published too, but under the other tenant's issuer."""
        self._fernet = Fernet(Fernet.generate_key())

    def tls(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        self._server.configure_cert(context)
        return context

    def seal(self, kind: str, value: dict[str, Any]) -> str:
        """Opaque to everyone else: access tokens must not be parsed by those who carry them."""
        return self._fernet.encrypt(json.dumps({"kind": kind, **value}).encode()).decode()

    def unseal(self, kind: str, sealed: str) -> dict[str, Any] | None:
        try:
            value: dict[str, Any] = json.loads(self._fernet.decrypt(sealed.encode()))
        except (InvalidToken, ValueError):
            return None
        return value if value.pop("kind", None) == kind else None
