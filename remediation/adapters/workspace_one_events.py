"""Workspace ONE UEM's event notifications: from the body of one to what it hints at.

Fields, spellings and oddities as in zentralopensource/zentral (`ee/zentral/contrib/wsone`, `tests/wsone/test_webhook_view.py`) and
the model of mrpaws/awtest system `event_notifications_*_api`. JSON is flat; XML has the same names below `<Eventlog>`. Any field
may be missing. `EventTime` comes in three forms and is not read at all: when an event was made says nothing that is true now.
Next door: `workspace_one` (which reads the record itself, later), `domain/hints`.
"""

import json
import re
from collections.abc import Mapping
from typing import Any
from xml.parsers import expat

from ..domain.hints import Hint

LONGEST = 128  # of an identifier
LONGEST_USER = 254  # of a mail address (RFC 5321)
USERS = ("EnrollmentEmailAddress", "EnrollmentUserName")
ABSENT = "system.byte[]"  # what older versions write instead of a UDID or a MAC address

# `EventType`, without blanks and case: newer versions write words, older ones write them as one.
NEWS = frozenset(
    {
        "compliancestatuschanged",
        "compromisedstatuschanged",
        "mdmenrollmentcomplete",
        "enrollmentcomplete",
        "breakmdmconfirmed",
        "deviceoperatingsystemchanged",
        "deviceorganizationgroupchanged",
        "deviceenterprisewiperequested",
    }
)
ENROLLED = frozenset({"mdmenrollmentcomplete", "enrollmentcomplete"})
BAD_NEWS = frozenset({"compromisedstatuschanged", "breakmdmconfirmed", "deviceenterprisewiperequested"})
# Fields that the events carry beside, whatever their type; the words as in `workspace_one`. A word outside is no bad news.
BAD_WORDS = {
    "ComplianceStatus": frozenset({"noncompliant"}),
    "EnrollmentStatus": frozenset({"unenrolled", "enterprisewipepending", "devicewipepending"}),
    "CompromisedStatus": frozenset({"true", "compromised"}),
}


def hint_of(body: bytes) -> Hint | None:
    """None for an event that we have no use for, such as `Device MCC` or a type of a later version; ValueError for no event."""
    told = _xml(body) if body.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<") else _json(body)
    kind = _folded(told.get("EventType"))
    worse = any(_folded(told.get(field)) in words for field, words in BAD_WORDS.items())
    if kind not in NEWS and not worse:
        return None
    number = _name(told.get("DeviceId"))
    return Hint(
        record_id=str(int(number)) if number is not None and re.fullmatch("[0-9]{1,18}", number) else None,
        udid=_name(told.get("Udid")),
        serial=_name(told.get("SerialNumber")),
        enrolled=kind in ENROLLED and not worse,
        users=tuple(name for field in USERS if (name := _name(told.get(field), LONGEST_USER)) is not None),
        revokes=worse or (kind in BAD_NEWS and _folded(told.get("CompromisedStatus")) != "false"),
    )


def _json(body: bytes) -> Mapping[str, Any]:
    try:
        told = json.loads(body)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if not isinstance(told, dict):
        raise ValueError("no object")
    return told


def _xml(body: bytes) -> Mapping[str, str]:
    """The children of the root, each with its text. A document type is refused as soon as it begins: without one there is no entity
    to declare, and nothing to expand or to fetch."""
    parser, told, path = expat.ParserCreate(), dict[str, str](), list[str]()

    def refuse(*_: object) -> None:
        raise ValueError("a document type")

    def start(name: str, _: object) -> None:
        path.append(name.rpartition(":")[2])
        if len(path) == 1 and path[0].lower() != "eventlog":
            raise ValueError("no event log")

    def text(piece: str) -> None:
        if len(path) == 2:
            told[path[1]] = told.get(path[1], "") + piece

    parser.StartDoctypeDeclHandler = refuse
    parser.StartElementHandler, parser.EndElementHandler = start, lambda _: path.pop()
    parser.CharacterDataHandler = text
    try:
        parser.Parse(body, True)
    except (expat.ExpatError, LookupError):  # an encoding that nobody knows is a LookupError
        raise ValueError("no XML") from None
    return told


def _name(value: object, longest: int = LONGEST) -> str | None:
    """An identifier as text; of another type, or too long for one, it is none."""
    text = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    return text.strip() if 0 < len(text.strip()) <= longest and text.strip().casefold() != ABSENT else None


def _folded(value: object) -> str:
    return "".join(str(value).split()).casefold() if isinstance(value, str | bool) else ""
