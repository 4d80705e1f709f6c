"""What a person says is going on, where no record of ours can tell: one question, and for each answer its own advice.

Told, never believed: an answer explains and routes, goes into the case for the helpdesk, and decides nothing. Next door:
`block_page` (the codes that Microsoft shows), `steps` (what the records tell by themselves). `docs/complaints.md` has every
complaint with its signal.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from .device import Platform


class Trouble(StrEnum):
    """In the order of the question's parts: where people are, what they see, what their device is, whose account it is."""

    COMPUTER = "computer"
    INSIDE_APP = "inside_app"
    PRIVATE_WINDOW = "private_window"
    OTHER_BROWSER = "other_browser"
    STARTED_ELSEWHERE = "started_elsewhere"
    LINUX = "linux"
    HALF_WAY = "half_way"
    CERTIFICATE_BOX = "certificate_box"
    KEYCHAIN = "keychain"
    ASKED_AGAIN = "asked_again"
    TOO_MANY = "too_many"
    NOT_ALLOWED = "not_allowed"
    UNKNOWN_DEVICE = "unknown_device"
    SECOND_STEP = "second_step"
    OLD_APP = "old_app"
    CLOCK = "clock"
    NEW_PHONE = "new_phone"
    TWO_APPS = "two_apps"
    WORK_SIDE = "work_side"
    OLD_ENTRY = "old_entry"
    HANDED_ON = "handed_on"
    SHARED = "shared"
    OLD_MANAGEMENT = "old_management"
    WRONG_ACCOUNT = "wrong_account"
    OTHER_COMPANY = "other_company"


class Part(StrEnum):
    WHERE = "where"
    SEEN = "seen"
    DEVICE = "device"
    ACCOUNT = "account"


class Way(StrEnum):
    """Who can act: the person on the page, where they came from, on another device, with another account; or the helpdesk."""

    JOURNEY = "journey"
    THERE = "there"
    HAND_OVER = "hand_over"
    ACCOUNT = "account"
    HELPDESK = "helpdesk"


PHONES = frozenset({Platform.IOS, Platform.ANDROID, Platform.UNKNOWN})
COMPUTERS = frozenset({Platform.MACOS, Platform.WINDOWS, Platform.UNKNOWN})
ANYWHERE = PHONES | COMPUTERS
_ANDROID, _MAC = frozenset({Platform.ANDROID, Platform.UNKNOWN}), frozenset({Platform.MACOS, Platform.UNKNOWN})


@dataclass(frozen=True)
class Advice:
    part: Part
    way: Way
    platforms: frozenset[Platform] = ANYWHERE


ADVICE: Mapping[Trouble, Advice] = {
    Trouble.COMPUTER: Advice(Part.WHERE, Way.HAND_OVER, PHONES),
    Trouble.INSIDE_APP: Advice(Part.WHERE, Way.THERE),
    Trouble.PRIVATE_WINDOW: Advice(Part.WHERE, Way.THERE),
    Trouble.OTHER_BROWSER: Advice(Part.WHERE, Way.THERE),
    Trouble.STARTED_ELSEWHERE: Advice(Part.WHERE, Way.JOURNEY),
    Trouble.LINUX: Advice(Part.WHERE, Way.HELPDESK, COMPUTERS),
    Trouble.HALF_WAY: Advice(Part.SEEN, Way.JOURNEY),
    Trouble.CERTIFICATE_BOX: Advice(Part.SEEN, Way.THERE, ANYWHERE - {Platform.IOS}),
    Trouble.KEYCHAIN: Advice(Part.SEEN, Way.THERE, _MAC),
    Trouble.ASKED_AGAIN: Advice(Part.SEEN, Way.THERE, _MAC),
    Trouble.TOO_MANY: Advice(Part.SEEN, Way.HELPDESK),
    Trouble.NOT_ALLOWED: Advice(Part.SEEN, Way.HELPDESK),
    Trouble.UNKNOWN_DEVICE: Advice(Part.SEEN, Way.JOURNEY),
    Trouble.SECOND_STEP: Advice(Part.SEEN, Way.THERE),
    Trouble.OLD_APP: Advice(Part.SEEN, Way.THERE),
    Trouble.CLOCK: Advice(Part.SEEN, Way.THERE),
    Trouble.NEW_PHONE: Advice(Part.DEVICE, Way.JOURNEY),
    Trouble.TWO_APPS: Advice(Part.DEVICE, Way.THERE, _ANDROID),
    Trouble.WORK_SIDE: Advice(Part.DEVICE, Way.THERE, _ANDROID),
    Trouble.OLD_ENTRY: Advice(Part.DEVICE, Way.JOURNEY),
    Trouble.HANDED_ON: Advice(Part.DEVICE, Way.HELPDESK),
    Trouble.SHARED: Advice(Part.DEVICE, Way.HELPDESK),
    Trouble.OLD_MANAGEMENT: Advice(Part.DEVICE, Way.HELPDESK),
    Trouble.WRONG_ACCOUNT: Advice(Part.ACCOUNT, Way.ACCOUNT),
    Trouble.OTHER_COMPANY: Advice(Part.ACCOUNT, Way.HELPDESK),
}


def asked(platform: Platform) -> Mapping[Part, tuple[Trouble, ...]]:
    """What the question offers on this platform, by its parts; a part with nothing to offer is left out."""
    offered = {part: tuple(one for one, its in ADVICE.items() if its.part is part and platform in its.platforms) for part in Part}
    return {part: troubles for part, troubles in offered.items() if troubles}


def trouble_of(word: str) -> Trouble | None:
    return Trouble(word) if word in set(Trouble) else None
