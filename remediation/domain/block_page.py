"""What Microsoft's own pages say, as a person pastes it: a code, the block page's text, its *More details*, or `dsregcmd /status`.

The words around the codes are in the person's language, so nothing is read from them where an order or a sign tells it as well.
What is found explains and routes; it is never evidence, since anybody can type it. Codes and texts may change without notice
(reference-error-codes.md of entra-docs says so), and a code that is not in `MEANINGS` is kept and said to be unknown.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

LONGEST = 20_000  # signs that are looked at: the whole of `dsregcmd /status` is about 6,000
MOST = 5  # codes of one text; a page shows one or two


class Meaning(StrEnum):
    """What a code comes to, for the person; each has its words and its `Way`."""

    REGISTER = "register"
    REGISTER_AGAIN = "register_again"
    BROKER = "broker"
    COMPLIANT = "compliant"
    MANAGED = "managed"
    PROOF = "proof"
    BROWSER = "browser"
    EDGE = "edge"
    ON_THE_DEVICE = "on_the_device"
    OTHER_ACCOUNT = "other_account"
    ACCOUNT = "account"
    MISMATCH = "mismatch"
    SWITCHED_OFF = "switched_off"
    NOT_ALLOWED = "not_allowed"
    PLATFORM = "platform"
    DOMAIN = "domain"
    GUEST = "guest"
    APP = "app"
    BLOCKED = "blocked"
    PLACE = "place"
    SECOND_STEP = "second_step"
    AGAIN = "again"
    SET_UP = "set_up"


class Way(StrEnum):
    """Who can act: the person in the journey, in the app or browser they came from, with another account; or somebody else."""

    JOURNEY = "journey"
    THERE = "there"
    ACCOUNT = "account"
    HELPDESK = "helpdesk"


WAYS: Mapping[Meaning, Way] = {
    **dict.fromkeys((Meaning.REGISTER, Meaning.REGISTER_AGAIN, Meaning.BROKER, Meaning.COMPLIANT, Meaning.MANAGED), Way.JOURNEY),
    **dict.fromkeys((Meaning.PROOF, Meaning.OTHER_ACCOUNT), Way.JOURNEY),
    **dict.fromkeys((Meaning.BROWSER, Meaning.EDGE, Meaning.ON_THE_DEVICE, Meaning.APP, Meaning.PLATFORM), Way.THERE),
    **dict.fromkeys((Meaning.SECOND_STEP, Meaning.AGAIN, Meaning.PLACE), Way.THERE),
    Meaning.ACCOUNT: Way.ACCOUNT,
    **dict.fromkeys((Meaning.MISMATCH, Meaning.SWITCHED_OFF, Meaning.NOT_ALLOWED, Meaning.DOMAIN, Meaning.GUEST), Way.HELPDESK),
    **dict.fromkeys((Meaning.BLOCKED, Meaning.SET_UP), Way.HELPDESK),
}
# reference/microsoft.md 2.4 and ux.md 2.1; where the two differ, the one that asks our own facts first. 53000 is *not compliant* in
# Microsoft's list and *enrollment required* in its library: the journey asks the MDM and finds out which.
_CODES: Mapping[Meaning, str] = {
    Meaning.REGISTER: "50129 501291 50127",
    Meaning.REGISTER_AGAIN: "50155 700003",
    Meaning.BROKER: "501271",
    Meaning.COMPLIANT: "53000 530002",
    Meaning.MANAGED: "530003 501313",
    Meaning.PROOF: "50097 50131",
    Meaning.BROWSER: "530001 530011 530022 501311 50187 50168",
    Meaning.EDGE: "530081",
    Meaning.ON_THE_DEVICE: "530033 501293",
    Meaning.OTHER_ACCOUNT: "501312",
    Meaning.ACCOUNT: "50105 50020 50034",
    Meaning.MISMATCH: "1000503 1000701",
    Meaning.SWITCHED_OFF: "130007 135011",
    Meaning.NOT_ALLOWED: "240001",
    Meaning.PLATFORM: "50005",
    Meaning.DOMAIN: "53001",
    Meaning.GUEST: "530004",
    Meaning.APP: "53002 530021 53005 53009",
    Meaning.BLOCKED: "53003 530031 53011 530032 53004 530035",
    Meaning.PLACE: "53010",
    Meaning.SECOND_STEP: "50076 50074 50079 50072 50203 50158",
    Meaning.AGAIN: "50099 50199 501314 70043 70044",
    Meaning.SET_UP: "65001 65004 90094 900942 90095 90097 700016 90002 50194 7000215 7000222 7000112 50156",
}
MEANINGS: Mapping[str, Meaning] = {code: meaning for meaning, codes in _CODES.items() for code in codes.split()}
# In *More details*, and in `dsregcmd`; brands that no translation touches.
_PLATFORMS = {"ios": "ios", "ipados": "ios", "android": "android", "macos": "macos", "mac os": "macos", "windows": "windows"}
_GUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_CORRELATION = r"[ck]orr[eé]la|相関|关联|關聯|상관|ارتباط"  # the word for *correlation*; `Korrelations-ID`, `ID de corrélation`, …
_WHEN = re.compile(r"\b(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.\d+)?Z?")
_ADDRESS = re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}\b|\b[0-9a-f]{1,4}(?::[0-9a-f]{0,4}){3,7}\b", re.IGNORECASE)
_JOINED = re.compile(r"^\W*(AzureAdJoined|DomainJoined|WorkplaceJoined|AzureAdPrt)\s*:\s*(YES|NO)\b", re.IGNORECASE | re.MULTILINE)
_JOINED_AS = re.compile(rf"^\W*(?:WorkplaceDeviceId|DeviceId)\s*:\s*({_GUID})", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True)
class Computer:
    """`dsregcmd /status` of a Windows computer (https://learn.microsoft.com/entra/identity/devices/troubleshoot-device-dsregcmd).

    `joined` to Entra, to a `domain`, `registered` by a work account; `token`: it has what signs its apps in; None where not told.
    """

    joined: bool | None = None
    domain: bool | None = None
    registered: bool | None = None
    token: bool | None = None

    @property
    def state(self) -> str:
        if self.joined:
            return "no_token" if self.token is False else "joined"
        return "registered" if self.registered else "neither"


@dataclass(frozen=True)
class Shown:
    """What is in a text. `codes` are digits, the first the one that counts; `device_id` is what Microsoft took the device for."""

    codes: tuple[str, ...] = ()
    correlation_id: str | None = None
    device_id: str | None = None
    platform: str | None = None
    at: datetime | None = None
    computer: Computer | None = None

    @property
    def found(self) -> bool:
        return bool(self.codes or self.correlation_id or self.computer)


def read(text: str) -> Shown:
    """Never fails, whatever the text is."""
    text = text[:LONGEST]
    computer = _computer(text)
    correlation_id, device_id = (None, _joined_as(text)) if computer is not None else _ids(text)
    return Shown(
        codes=_codes(text),
        correlation_id=correlation_id,
        device_id=device_id,
        platform="windows" if computer is not None else _platform(text),
        at=_at(text),
        computer=computer,
    )


def _codes(text: str) -> tuple[str, ...]:
    """With Microsoft's prefix any number is one; without it only those that are known, or the whole of what was typed: a number may
    be anything."""
    bare = re.sub(_GUID, " ", text, flags=re.IGNORECASE)
    alone = re.fullmatch(r"\W*(\d{4,7})\W*", bare)
    found = re.findall(r"AADSTS[\s:]?(\d{4,7})(?!\d)", bare, re.IGNORECASE) + ([alone.group(1)] if alone else [])
    found += [number for number in re.findall(r"(?<![\d.:-])\d{5,7}(?![\d:-]|\.\d)", bare) if number in MEANINGS]
    return tuple(dict.fromkeys(found))[:MOST]


def _ids(text: str) -> tuple[str | None, str | None]:
    """The correlation id and the device's. *More details* has request, correlation and app in this order, and the device's after
    the address; an error's text has trace and correlation."""
    found = [(one.start(), one.group().lower()) for one in re.finditer(_GUID, text, re.IGNORECASE)]
    if not found:
        return None, None
    label = re.search(_CORRELATION, text, re.IGNORECASE)
    after = [guid for start, guid in found if label is not None and start > label.start()]
    correlation_id = after[0] if after else found[1][1] if len(found) > 1 else found[0][1]
    address = _ADDRESS.search(text)
    device = [guid for start, guid in found if address is not None and start > address.end()]
    return correlation_id, (device[0] if device and device[0] != correlation_id else None)


def _platform(text: str) -> str | None:
    found = re.search(r"\b(iPadOS|iOS|Android|mac ?OS|Windows)\b", text, re.IGNORECASE)
    return _PLATFORMS[found.group(1).lower()] if found else None


def _at(text: str) -> datetime | None:
    """UTC, in which Microsoft's pages and errors tell it; times in a country's own way of writing are left alone."""
    found = _WHEN.search(text)
    try:
        return datetime.fromisoformat(f"{found.group(1)}T{found.group(2)}").replace(tzinfo=UTC) if found else None
    except ValueError:
        return None


def _computer(text: str) -> Computer | None:
    told = {name.lower(): answer.upper() == "YES" for name, answer in _JOINED.findall(text)}
    if not told:
        return None
    return Computer(told.get("azureadjoined"), told.get("domainjoined"), told.get("workplacejoined"), told.get("azureadprt"))


def _joined_as(text: str) -> str | None:
    found = _JOINED_AS.search(text)
    return found.group(1).lower() if found else None
