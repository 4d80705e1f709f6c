"""Opaque names for the candidates on a page. A form says "the one whose handle is this"; ids never leave the server.

A handle is a keyed digest of journey, browser and candidate: it means nothing in another journey, browser or form, and only finds
again what the server itself offers. Candidates are managed devices, by their key, or directory devices, by their device id.
"""

import hashlib
from collections.abc import Iterable
from typing import TypeVar

from flask import current_app
from itsdangerous import Signer

from ..domain.device import ManagedKey

Candidate = TypeVar("Candidate", ManagedKey, str)


def make(journey_id: str, browser: str, candidate: ManagedKey | str) -> str:
    return _signer(candidate).get_signature(_named(journey_id, browser, candidate)).decode()


def find(handle: str, journey_id: str, browser: str, offered: Iterable[Candidate]) -> Candidate | None:
    """The candidate that this handle names, if it is one of those offered now."""
    return next((one for one in offered if _signer(one).verify_signature(_named(journey_id, browser, one), handle)), None)


def _signer(candidate: ManagedKey | str) -> Signer:
    """One salt for each kind of form, so that a handle of one means nothing in the other."""
    keys = [*current_app.config["SECRET_KEY_FALLBACKS"], current_app.config["SECRET_KEY"]]
    return Signer(keys, salt="this-device" if isinstance(candidate, ManagedKey) else "choose", digest_method=hashlib.sha256)


def _named(journey_id: str, browser: str, candidate: ManagedKey | str) -> str:
    parts = (candidate.connection, candidate.record_id) if isinstance(candidate, ManagedKey) else (candidate,)
    return "\n".join((journey_id, browser, *parts))
