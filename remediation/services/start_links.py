"""Send the start links that staff want sent: by mail, or to a managed device through the MDM's agent. The worker's half of it.

A start link opens nothing, so that one sent twice after a crash does no harm. Next door: `repair` (how one is made).
"""

import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from ..domain.push import back_off
from ..errors import NotFound, Refused, RemoteError, Stale
from ..ports import Actor, DeviceManager, Messaging, OwnerMail, RepairWork, StartLinkDue, Store
from .tell_owner import MAIL, Words

log = logging.getLogger(__name__)

TRY_AGAIN_FIRST = timedelta(minutes=1)


@dataclass(frozen=True)
class StartWays:
    """`words` are those around the address of a code."""

    managers: Mapping[str, DeviceManager]
    mail: OwnerMail | None
    words: Callable[[str], Words]


def send_start_links(store: Store, rows: RepairWork, ways: StartWays, *, actor: Actor, now: datetime) -> int:
    """How many left."""
    sent = 0
    for link in rows.start_links_due(now):
        try:
            _send(link, ways)
        except RemoteError as error:
            log.warning("a start link could not be sent by %s: %s", link.way, error.code)
            again = max(back_off(now, link.attempts), now + TRY_AGAIN_FIRST)
            final = isinstance(error, NotFound | Refused) or again > link.expires_at
            rows.start_link_not_told(link.id, reason=error.code, next_try_at=None if final else again)
            continue
        with suppress(Stale), store.change(actor, "start_link.sent", about=("person", link.oid), at=now) as change:
            change.audit(way=link.way)
            change.start_link_told(link.id)
        sent += 1
    return sent


def _send(link: StartLinkDue, ways: StartWays) -> None:
    words = ways.words(link.code)
    if link.way == MAIL:
        if ways.mail is None or not link.mail:
            raise NotFound("no mail server, or no mail address", remote="mail")
        ways.mail.send(link.mail, words.subject, words.text, identity=f"start/{link.id}", at=link.at)
        return
    manager = ways.managers.get(link.device.connection) if link.device is not None else None
    if link.device is None or not isinstance(manager, Messaging):
        raise Refused("this MDM shows no messages", remote="mdm")
    manager.message(link.device.record_id, words.text)
