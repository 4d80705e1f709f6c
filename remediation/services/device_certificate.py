"""The certificate that the MDM put on the device: asked for, shown on the second host name, brought back by the journey's browser.

The web process stores what was shown; the worker checks it again and decides (`judge_certificate`, called by `link_device`).
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ..domain.device import ManagedDevice
from ..domain.device_certificate import CertificateSays, ShownCertificate, records_named
from ..domain.journey import Journey
from ..domain.sign_in_proof import Pair
from ..domain.turns import PROOFS
from ..errors import CertificateRefused
from ..ports import Actor, CertificateHandle, Store
from .ask import take_turn
from .prove_possession import token_hash
from .world import World

LASTS = timedelta(minutes=10)


def ask_for_certificate(store: Store, journey: Journey, pair: Pair, *, browser: str, now: datetime) -> str:
    """The one-time handle under which the certificate can be shown. Raises Stale where the journey went on elsewhere, and
    TooOften."""
    handle, oid = secrets.token_urlsafe(32), journey.person.oid
    take_turn(store, f"proof:{oid}", PROOFS, now)
    with store.change(Actor("person", oid), "certificate.asked", about=("journey", journey.id), at=now) as change:
        who = {"oid": oid, "browser": browser}
        change.ask_for_certificate(journey.id, pair, handle_hash=token_hash(handle), expires_at=now + LASTS, **who)
        change.audit(record=pair.managed.record_id)
    return handle


def see_handle(store: Store, handle: str, now: datetime) -> CertificateHandle | None:
    return store.certificate_handle(token_hash(handle), now)


def certificate_shown(store: Store, handle: str, journey_id: str, pem: str, says: CertificateSays, *, now: datetime) -> str:
    """Use the handle up. Returns the token with which the journey's own browser has to come back, or nothing counts: whoever was
    sent this address by somebody else brings nothing back to them."""
    back = secrets.token_urlsafe(32)
    actor = Actor("browser", says.fingerprint[:16])  # nobody is signed in there; the certificate is all that is known
    with store.change(actor, "certificate.shown", about=("journey", journey_id), at=now) as change:
        change.certificate_shown(token_hash(handle), pem=pem, fingerprint=says.fingerprint, back_hash=token_hash(back))
        change.audit(fingerprint=says.fingerprint, serial=says.serial, issuer=says.issuer)  # whom it names may be a serial number
    return back


def came_back(store: Store, back: str, *, oid: str, browser: str, now: datetime) -> None:
    with store.change(Actor("person", oid), "certificate.returned", about=("person", oid), at=now) as change:
        change.audit(journey=change.came_back_with_certificate(token_hash(back), oid=oid, browser=browser))


@dataclass(frozen=True)
class Judged:
    """`counts` is the certificate if it proves the device in hand; else `problem` says why one that was shown does not."""

    counts: ShownCertificate | None = None
    problem: str | None = None
    detail: Mapping[str, str] = field(default_factory=dict)


def judge_certificate(journey: Journey, pair: Pair, device: ManagedDevice, world: World) -> Judged:
    """Everything once more by the worker itself: the certificate, and which of this person's records it names."""
    shown = journey.certificate_of(pair)
    if shown is None:
        return Judged()
    if world.certificates is None:
        return Judged(None, "certificate_refused", {"error": "not_set_up"})
    try:
        says = world.certificates.read(shown.pem, at=world.clock())
    except CertificateRefused as refused:
        return Judged(None, "certificate_refused", {"error": refused.why, "fingerprint": shown.fingerprint})
    named = records_named(says, [device, *(one for one in journey.managed if one.key != device.key)])
    if named != [device.key]:
        theirs = ", ".join(key.record_id for key in named)
        return Judged(
            None, "certificate_another", {"record": device.key.record_id, "named": theirs, "fingerprint": says.fingerprint}
        )
    return Judged(shown)
