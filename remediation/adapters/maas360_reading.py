"""How MaaS360's answers are read: an error inside a good one, one-or-many, numbers as strings and text as numbers.

Next door: `maas360` (what is asked), `maas360_sign_in` (how it lets us in), `maas360_posture` (its words).
"""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from ..domain.health import Cause
from ..errors import Garbled, Refused
from .causes import Causes
from .http import LARGEST_BODY, Fields, Remote

JSON = {"Accept": "application/json"}  # without it most services answer XML (Milhound/maas360api devices/search.go)
DEVICES = "device-apis/devices"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST = 32_503_680_000_000  # the year 3000


def vendor_code(body: Any) -> object:
    """`{"authResponse": {"errorCode": 1007, …}}` beside 401 (TA-MaaS360 maas360_handler.py), else the code alone."""
    return body["authResponse"]["errorCode"] if "authResponse" in body else body["errorCode"]


# 1002 invalid credentials, 1007 token expired, 1008 wrong billing id: TA-MaaS360 maas360_handler.py. The whole table is not public.
CODES = {"1002": Cause.CREDENTIALS, "1007": Cause.REVOKED, "1008": Cause.GROUP}
CAUSES = Causes(CODES)
SIGN_IN_CAUSES = Causes(CODES, refused=Cause.CREDENTIALS)


def code_inside(body: Any) -> object:
    """HTTP 200 with an error code inside is normal there: TA-MaaS360 maas360_handler.py."""
    told = body.get("authResponse", body)
    code = told["errorCode"]
    return code if isinstance(code, int) or re.fullmatch(r"-?[0-9]{1,18}", code) else None


def text(of: Fields, key: str) -> str | None:
    """A value that may come as a number: `osVersion` 17 or 13.1 (a float has lost the last zero of 13.10)."""
    value = of.raw(key)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return of.text(key)


def need_text(of: Fields, key: str) -> str:
    found = text(of, key)
    if not found or not found.strip():
        raise of.garbled(key)
    return found


def whole(of: Fields, key: str) -> int | None:
    """A whole number, or its digits as text (both seen by public clients)."""
    value = of.raw(key)
    if value is None or value == "":
        return None
    if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,18}", value):
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise of.garbled(key)


def need_whole(of: Fields, key: str) -> int:
    found = whole(of, key)
    if found is None:
        raise of.garbled(key)
    return found


def epoch(of: Fields, key: str) -> datetime | None:
    """Milliseconds. The dates in words beside them have no zone, so nothing is made of those."""
    value = whole(of, key)
    if value is None or value == 0:
        return None
    if not 0 < value < _LATEST:
        raise of.garbled(key)
    return _EPOCH + timedelta(milliseconds=value)


def some(of: Fields, key: str) -> list[Fields]:
    """A list, an object where there is one, or nothing where there is none (Milhound/maas360api devices/search.go)."""
    value = of.raw(key)
    if value is None:
        return []
    return [of.within(key)] if isinstance(value, dict) else list(of.items(key))


class Reading:
    """Calls of one connection, whose good answers may still hold a refusal."""

    def __init__(self, remote: Remote, billing_id: str) -> None:
        self.remote = remote
        self._billing_id = billing_id

    def path(self, service: str, *, customer: bool = False) -> str:
        return self.remote.path(f"{service}/customer/{{}}" if customer else f"{service}/{{}}", self._billing_id)

    def get(self, target: str, query: Mapping[str, str | int], *, largest: int = LARGEST_BODY) -> Fields:
        return self._taken(self.remote.call("GET", target, query=query, headers=JSON, largest=largest).fields())

    def post(self, target: str, query: Mapping[str, str | int] | None = None, *, json: object = None, form: bool = False) -> Fields:
        headers = {**JSON, "Content-Type": "application/x-www-form-urlencoded"} if form else JSON
        return self._taken(self.remote.call("POST", target, query=query, json=json, headers=headers).fields())

    def _taken(self, answer: Fields) -> Fields:
        """What `code_inside` has seen is refused already; a code that is none is no answer."""
        inside = answer.within("authResponse") if answer.raw("authResponse") is not None else answer
        code = whole(inside, "errorCode")
        if code:
            raise Refused("refused inside a good answer", remote=self.remote.name, status=200, vendor_code=str(code))
        return answer

    def garbled(self, what: str) -> Garbled:
        return Garbled(what, remote=self.remote.name)


def listed(reading: Reading, answer: Fields, key: str, item: str) -> tuple[Fields, list[Fields]]:
    """The envelope of a list and what is in it. A count without what it counts is no list."""
    envelope = answer.within(key)
    found = some(envelope, item)
    if need_whole(envelope, "count") < len(found):
        raise reading.garbled("a list of more than it counts")
    return envelope, found


def said_done(answer: Fields) -> str | None:
    """None where the action was taken (`actionStatus` 0), else its number: Milhound/maas360api devices/sendMessage.go."""
    status = need_whole(answer.within("actionResponse"), "actionStatus")
    return None if status == 0 else str(status)


def at_most(pages: int, reading: Reading) -> Iterator[int]:
    """The numbers of pages, from 1 on; a list that never ends is none."""
    yield from range(1, pages + 1)
    raise reading.garbled("pages without end")
