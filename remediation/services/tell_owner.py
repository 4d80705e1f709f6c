"""Tell the owner of a device, in another way than the page, that another entry took the place of theirs (T1, T3), or that it is
open, where they asked for that.

On the managed device itself, through the MDM's agent, and by mail where the administrator set a mail server: whoever did it on our
page may hold neither. It delays nothing, and each way is tried for a day.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from ..domain.push import back_off
from ..errors import NotFound, Refused, RemoteError
from ..ports import DeviceManager, Messaging, Notice, Notices, OwnerMail

log = logging.getLogger(__name__)

DEVICE, MAIL = "device", "mail"
FOR = timedelta(days=1)
TRY_AGAIN_FIRST = timedelta(minutes=1)


@dataclass(frozen=True)
class Words:
    """`text` is shown on the device and stands in the mail."""

    subject: str
    text: str


@dataclass(frozen=True)
class Ways:
    managers: Mapping[str, DeviceManager]
    mail: OwnerMail | None
    words: Callable[[str], Words]  # by what is told: `open` or `replaced`


def tell_owner(rows: Notices, ways: Ways, now: datetime) -> int:
    """How many were told. Told twice only after a crash between telling and writing it down."""
    told = 0
    for notice in rows.claim(now):
        try:
            _tell(notice, ways)
        except RemoteError as error:
            log.warning("the owner of link %s could not be told by %s: %s", notice.link_id, notice.way, error.code)
            again = max(back_off(now, notice.attempts), now + TRY_AGAIN_FIRST)
            final = isinstance(error, NotFound | Refused) or again > notice.at + FOR
            rows.not_told(notice, reason=error.code, next_try_at=None if final else again)
            continue
        rows.told(notice, at=now)
        told += 1
    return told


def _tell(notice: Notice, ways: Ways) -> None:
    words = ways.words(notice.what)
    if notice.by == MAIL:
        if ways.mail is None or not notice.mail:
            raise NotFound("no mail address", remote="mail")
        ways.mail.send(notice.mail, words.subject, words.text, identity=f"{notice.what}/{notice.link_id}", at=notice.at)
        return
    manager = ways.managers.get(notice.managed.connection)
    if not isinstance(manager, Messaging):
        raise Refused("this MDM shows no messages", remote="mdm")
    manager.message(notice.managed.record_id, words.text)
