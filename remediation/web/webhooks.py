"""What an MDM sends us: its event notifications, as hints that something may have changed.

No page, no session, no form; the guard has asked for the connection's password. An event decides nothing: it marks the row of the
device that it names, and the worker asks the MDM itself. So one that is forged, old, repeated or out of order costs a look at most.
Which connections there are is the worker's to know: an event of another finds no device. Next door: `services/take_hint`.
"""

from math import ceil

import structlog
from flask import Blueprint, Response, make_response, request

from ..errors import TooOften
from ..services.take_hint import take_hint
from .desk import desk
from .guards import machine

pages = Blueprint("webhooks", __name__)
log = structlog.get_logger(__name__)

ADDRESS = "/hooks/mdm/<connection>"


@pages.get(ADDRESS)
@machine
def test(connection: str) -> Response:
    """Workspace ONE's *Test Connection*: a GET with the same header, which wants 200 (zentralopensource/zentral wsone views)."""
    return _says("ok", 200)


@pages.post(ADDRESS)
@machine
def receive(connection: str) -> Response:
    """202 for whatever could be read, also where it concerns nothing here: a sender that is refused may stop to send."""
    try:
        hint = desk().events(request.get_data(cache=False))
    except ValueError:
        log.info("an event could not be read", connection=connection)
        return _says("not an event notification", 400)
    if hint is None:
        return _says("ignored", 202)
    now = desk().clock()
    try:
        taken = take_hint(desk().store, connection, hint, now=now)
    except TooOften as error:
        log.warning("an MDM sends more events than any company has news; lists are read as well", connection=connection)
        answer = _says("too many", 429)
        answer.headers["Retry-After"] = str(max(1, ceil((error.again_at - now).total_seconds())))
        return answer
    log.debug("an event was taken", connection=connection, outcome=taken.value, bad_news=hint.revokes)
    return _says("taken", 202)


def _says(text: str, status: int) -> Response:
    """The same for a device that we know and one that we do not: the sender need not learn which."""
    return make_response({"status": text}, status)
