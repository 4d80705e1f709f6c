"""Prove that messages of an MDM connection arrive: send one to a named device, and count the tap on the page behind its link.

The tap grants nothing but that: it signs nobody in, links no device, and tells nothing of who tapped. Opening the link uses nothing
up, since scanners open links; its button does. Next door: `prove_possession` (a person's own message).
"""

import secrets
from collections.abc import Callable
from datetime import datetime

from ..domain.device import ManagedDevice
from ..domain.message_test import LASTS, MessageTest
from ..errors import MessageTestRefused, RemoteError
from ..ports import Actor, Clock, DeviceManager, Messaging, Store
from .prove_possession import token_hash


def device_for_test(manager: DeviceManager, record_id: str) -> ManagedDevice:
    """The record as the MDM shows it now, for the operator to recognise. Raises MessageTestRefused, and the remotes' errors."""
    if not isinstance(manager, Messaging):
        raise MessageTestRefused("no_messages")
    device = manager.device(record_id)
    if device.posture.enrolled is not True:
        raise MessageTestRefused("not_enrolled")
    return device


def send_test(
    store: Store, manager: DeviceManager, device: ManagedDevice, *, text: Callable[[str], str], actor: Actor, why: str, clock: Clock
) -> None:
    """`text` puts the words around a token. The row is stored before the message is sent; one that is asked for later takes its
    place, and what was proven before stays."""
    token, key = secrets.token_urlsafe(32), device.key
    about, hashed = ("connection", key.connection), token_hash(token)
    if not isinstance(manager, Messaging):
        raise MessageTestRefused("no_messages")
    with store.change(actor, "message_test.asked", about=about, at=clock()) as change:
        change.audit(record=key.record_id, because=why)
        change.ask_for_message_test(key.connection, token_hash=hashed, asked_by=actor.id, expires_at=clock() + LASTS)
    try:
        manager.message(key.record_id, text(token))
    except RemoteError as error:
        with store.change(actor, "message_test.failed", about=about, at=clock()) as change:
            change.audit(error=error.code, client_request_id=error.client_request_id, request_id=error.request_id)
        raise
    with store.change(actor, "message_test.sent", about=about, at=clock()) as change:
        change.message_test_sent(hashed)


def see_test(store: Store, token: str) -> MessageTest | None:
    """None where we never sent such a message, or a newer one took its place."""
    return store.message_test_behind(token_hash(token))


def arrived(store: Store, token: str, *, browser: str, now: datetime) -> None:
    """The button was pressed. Raises MessageTestRefused."""
    test = see_test(store, token)
    if test is None:
        raise MessageTestRefused("unknown")
    with store.change(Actor("browser", browser), "message_test.seen", about=("connection", test.connection), at=now) as change:
        change.audit(asked_by=test.asked_by)
        change.message_seen(token_hash(token))
