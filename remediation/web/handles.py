"""Opaque names for the candidates on a page. A form says "the one whose handle is this"; ids never leave the server.

A handle is a keyed digest of journey, browser and candidate: it means nothing in another journey, browser or form, and only finds
again what the server itself offers.
"""

import hashlib
from collections.abc import Iterable

from flask import current_app
from itsdangerous import Signer

from ..domain.device import ManagedKey


def make(journey_id: str, browser: str, key: ManagedKey) -> str:
    return _signer().get_signature(_named(journey_id, browser, key)).decode()


def find(handle: str, journey_id: str, browser: str, keys: Iterable[ManagedKey]) -> ManagedKey | None:
    """The candidate that this handle names, if it is one of those offered now."""
    signer = _signer()
    return next((key for key in keys if signer.verify_signature(_named(journey_id, browser, key), handle)), None)


def _signer() -> Signer:
    keys = [*current_app.config["SECRET_KEY_FALLBACKS"], current_app.config["SECRET_KEY"]]
    return Signer(keys, salt="this-device", digest_method=hashlib.sha256)


def _named(journey_id: str, browser: str, key: ManagedKey) -> str:
    return "\n".join((journey_id, browser, key.connection, key.record_id))
