"""What a setting must be like that names a file, or holds one. A refusal says what is wrong and never repeats the value.

Next door: `rules` (all other settings).
"""

from pathlib import Path

from pydantic import SecretStr

from .rules import Unfit


def writable_file(value: str | None) -> str | None:
    if value is not None and not Path(value).resolve().parent.is_dir():
        raise ValueError("must be a file in a folder that exists")
    return value


def readable_file(value: str | None) -> str | None:
    if value is not None:
        _text_of(value)
    return value


def key_and_certificate(value: SecretStr | None) -> SecretStr | None:
    if value is not None:
        key_with_certificate(value.get_secret_value())
    return value


def certificates(value: str | None) -> str | None:
    if value is not None and "-----BEGIN CERTIFICATE-----" not in _text_of(value):
        raise ValueError("must be a PEM file with one certificate or more")
    return value


def revocation_lists(value: str | None) -> str | None:
    if value is not None and "-----BEGIN X509 CRL-----" not in _text_of(value):
        raise ValueError("must be a PEM file with one revocation list or more (openssl crl -inform der makes one of DER)")
    return value


def key_with_certificate(text: str) -> None:
    if "PRIVATE KEY-----" not in text or "-----BEGIN CERTIFICATE-----" not in text:
        raise Unfit("certificate", "must be a PEM text with a private key and its certificate")


def _text_of(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"cannot be read as a text file ({type(error).__name__})") from None
