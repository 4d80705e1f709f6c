"""A certificate that the MDM put on a managed device, shown in a TLS session: which record it names, and what that is worth.

Whether it is genuine and in force is checked where cryptography may be used (`adapters/device_certificates.py`), by the web process
when it is shown and by the worker before anything rests on it. Next door: `sign_in_proof`, without which it is worth nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from .device import DeviceLink, LinkState, ManagedDevice, ManagedKey
from .evidence import Evidence, Level
from .identifiers import identifier
from .sign_in_proof import Pair, SignIn, names_another


class Attribute(StrEnum):
    """What of the MDM's record a certificate's subject can name: `record` is the MDM's own number of it."""

    SERIAL = "serial"
    UDID = "udid"
    RECORD = "record"


@dataclass(frozen=True)
class CertificateSays:
    """What a certificate that passed every check says: `value` is the record's `attribute`, the rest is for staff to quote."""

    attribute: Attribute
    value: str
    fingerprint: str
    serial: str
    issuer: str


@dataclass(frozen=True)
class ShownCertificate:
    """One that was shown, and with which the journey's own browser came back. `managed` and `generation` are the enrollment that it
    was to prove, pinned as a link pins it."""

    id: str
    managed: ManagedKey
    generation: str
    asked_at: datetime
    shown_at: datetime
    returned_at: datetime
    pem: str
    fingerprint: str


def decisive_certificate(shown: Sequence[ShownCertificate], pair: Pair, *, since: datetime) -> ShownCertificate | None:
    """The newest one for this enrollment that was asked for after possession was proven."""
    of_it = [s for s in shown if (s.managed, s.generation) == (pair.managed, pair.generation) and s.asked_at >= since]
    return max(of_it, key=lambda s: s.returned_at, default=None)


def records_named(says: CertificateSays, records: Sequence[ManagedDevice]) -> list[ManagedKey]:
    """Of all this person's records those that the certificate names: it proves one where it names that one alone."""
    return [one.key for one in records if _names(says, one)]


def _names(says: CertificateSays, device: ManagedDevice) -> bool:
    of_record = {Attribute.SERIAL: device.serial, Attribute.UDID: device.udid, Attribute.RECORD: device.key.record_id}
    told, known = (_plain(text, says.attribute) for text in (says.value, of_record[says.attribute]))
    return told is not None and told == known


def _plain(text: str | None, attribute: Attribute) -> str | None:
    """UDIDs are written with and without dashes. The MDM's own number is no maker's identifier: 7 and 11 name something."""
    if attribute is Attribute.RECORD:
        return text if text and text.isascii() and text.isdigit() else None
    plain = identifier(text)
    return plain.replace("-", "") if plain is not None and attribute is Attribute.UDID else plain


def with_certificate(evidence: Evidence, sign_in: SignIn | None, shown: ShownCertificate | None) -> Evidence:
    """*Bound* becomes *certificate* where Entra named the candidate **by its claim**; `shown` is one that was checked and names the
    device in hand. Without that claim a certificate raises nothing: it tells nothing of the directory device."""
    if shown is None or evidence.level is not Level.BOUND or not claimed(sign_in):
        return evidence
    how = f"{evidence.how}; a certificate of the MDM's for this device was shown ({shown.fingerprint[:16]})"
    return Evidence(Level.CERTIFICATE, shown.shown_at, how)


def claimed(sign_in: SignIn | None) -> bool:
    """Entra named the candidate in the token itself; a record in its log, found minutes later, is not of the same session."""
    return sign_in is not None and identifier(sign_in.claimed) is not None and not names_another(sign_in)


def wants_certificate(link: DeviceLink | None, sign_in: SignIn | None) -> bool:
    """A link that rests on the claim, where the tenant asks for a certificate on top."""
    return (
        link is not None
        and link.state is LinkState.PENDING
        and link.evidence.level is Level.BOUND
        and link.minimum is Level.CERTIFICATE
        and claimed(sign_in)
    )
