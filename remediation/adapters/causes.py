"""Why a call got no good answer, as far as the answer shows, and what may be kept of the vendor's own words.

Codes mean something to their vendor alone: each adapter has its table. Next door: `http`, which asks here for every error.
"""

import re
import socket
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import requests
import urllib3

from ..domain.health import Cause
from ..errors import Busy, Garbled, NotFound, Refused, RemoteError, Unreachable
from .addresses import AddressRefused

LONGEST_WORDS = 160
_SAID_IN = ("message", "errorDesc", "error_description", "description", "value")
_WORD = re.compile(r"[A-Za-z']+")
# What an error is told with. Whatever else stands there is left out: it may be a name, an id, or our own secret sent back.
PLAIN = frozenset(
    re.findall(
        r"\S+",
        """
    a about access account active admin administrator again allowed already an and api app application are as assigned at
    attribute authenticated authentication authorization authorized bad be been before billing blocked body but by call calls
    can cannot certificate client code compliance configured consent console contact could credential credentials customer daily
    data denied device devices did directory disabled does down enabled enough error exceeded exist exists expired failed field
    file for forbidden format found from gateway granted group groups has have header host id identifier in incorrect
    insufficient internal invalid is it key known later license licensed limit list lock locked locked-out lockout maintenance
    many matching may message method missing more must name needed no not number of off on operation or organization out over
    page parameter password path permission permissions please policy privilege privileges process provided quota reached read
    refused registered rejected request requests required resource rest retry revoked right rights role scope secret security
    server service session sign signature sorry specified state support supported suspended system temporarily tenant that the
    there this time timed to token too try type unable unauthorized unavailable under unknown unsupported until update upgrade
    use used user valid value version was we were while with within write wrong yet you your
    """,
    )
)
_LOCKED = {"locked", "lockout", "locked-out"}


@dataclass(frozen=True)
class Causes:
    """`codes` of the vendor's; `refused` is what a refusal with any other code means, where this address says one thing alone;
    `unauthorized` what a 401 means: a token that was got somewhere else, or the credential itself."""

    codes: Mapping[str, Cause] = field(default_factory=dict)
    refused: Cause | None = None
    unauthorized: Cause = Cause.REVOKED


UNKNOWN = Causes()


def cause_of(error: RemoteError, causes: Causes, *, page: bool, odd: Cause | None) -> Cause | None:
    """`page` and `odd` are what was seen of the answer's body."""
    if isinstance(error, Busy):
        return Cause.THROTTLED
    if isinstance(error, Unreachable):
        return Cause.AWAY if error.status is not None and (error.status >= 500 or error.status == 408) else _of_connection(error)
    if isinstance(error, Garbled):
        return odd or (Cause.PAGE if page else Cause.ODD)
    if isinstance(error, NotFound) or not isinstance(error, Refused):
        return None
    if isinstance(error.__cause__, AddressRefused):
        return Cause.ADDRESS
    return _of_refusal(error, causes, page=page)


def _of_refusal(error: Refused, causes: Causes, *, page: bool) -> Cause:
    known = causes.codes.get(error.vendor_code or "")
    if known is None and page and error.status != 401:
        return Cause.PAGE
    cause = known or causes.refused or {401: causes.unauthorized, 403: Cause.PERMISSION}.get(error.status or 0, Cause.REFUSED)
    # how an account that is locked is told is public of neither MDM, so its words may say so
    if cause in (Cause.CREDENTIALS, Cause.REVOKED) and _LOCKED & set(error.words.lower().replace(".", "").split()):
        return Cause.LOCKED
    return cause


_BY_EXCEPTION: tuple[tuple[tuple[type[BaseException], ...], Cause], ...] = (
    ((ssl.SSLError, requests.exceptions.SSLError, urllib3.exceptions.SSLError), Cause.TLS),
    ((socket.gaierror, UnicodeError, urllib3.exceptions.NameResolutionError), Cause.NAME),
    ((urllib3.exceptions.NewConnectionError,), Cause.CONNECTION),  # which urllib3 counts among its time-outs
    ((requests.Timeout, urllib3.exceptions.TimeoutError, TimeoutError), Cause.TIMEOUT),
)


def _of_connection(error: RemoteError) -> Cause:
    behind = list(_behind(error))
    for kinds, cause in _BY_EXCEPTION:
        if any(isinstance(one, kinds) for one in behind):
            return cause
    return Cause.CONNECTION if behind else Cause.TIMEOUT  # nothing behind it: too slow an answer


def _behind(error: BaseException) -> Iterator[BaseException]:
    """What it was raised from, and what that was about; requests keeps the latter as an argument."""
    seen, rest = set[int](), [error.__cause__]
    while rest:
        found = rest.pop()
        if found is None or id(found) in seen:
            continue
        seen.add(id(found))
        yield found
        more = (*found.args, getattr(found, "reason", None))
        rest += [found.__cause__, found.__context__, *(one for one in more if isinstance(one, BaseException))]


def plain_words(body: Any) -> str:
    """The vendor's sentence out of an error's body, its plain words alone; `…` stands for what is left out."""
    said = next(_said(body), "")
    kept: list[str] = []
    for word in said[: LONGEST_WORDS * 4].split():
        bare = word.strip(".,:;!?()'\"")
        plain = word if bare.lower() in PLAIN and re.fullmatch(r"[A-Za-z'-]+[.,:;!?]?", word) else "…"
        if plain != "…" or kept[-1:] != ["…"]:
            kept.append(plain)
    text = " ".join(kept)[:LONGEST_WORDS]
    return text if _WORD.search(text) else ""


def _said(body: Any, depth: int = 0) -> Iterator[str]:
    if not isinstance(body, dict) or depth > 2:
        return
    yield from (found for key in _SAID_IN if isinstance(found := body.get(key), str))
    for value in body.values():
        yield from _said(value, depth + 1)
