"""What an administrator may put in place of ours on the pages that people see: sentences, the helpdesk's number and hours, two
colours and a logo. Each is a key with a value; its history is every value that it had.

A sentence keeps its variables, and is plain text wherever it is shown. A colour must be readable by WCAG 2.2, SC 1.4.3, on
everything that it stands on. Next door: `logo` (the picture).
"""

import re
from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from .incident import plain
from .logo import Unfit, fit

PHONE, HOURS, LIGHT, DARK, LOGO = "phone", "hours", "accent", "accent_dark", "logo"
WORDS = (PHONE, HOURS)
COLOURS = (LIGHT, DARK)
TEXT = "text"
LONGEST = 800
LEAST = 4.5  # to 1 (WCAG 2.2, SC 1.4.3)
SURFACES = {LIGHT: ("#ffffff", "#f6f7f9"), DARK: ("#19222b", "#10161c")}
INKS = {LIGHT: ("#16212b", "#4c5a67"), DARK: ("#eef3f7", "#aebac5")}
"""As static/style.css has them: what the accent stands on, and what stands on its pale ground. A test holds them together."""
_COLOUR = re.compile(r"#[0-9a-f]{6}")
_PHONE = re.compile(r"\+?[0-9][0-9 ()/.-]{2,28}[0-9]")
_VARIABLE = re.compile(r"%\((\w+)\)s")


@dataclass(frozen=True)
class Version:
    """One value that a key had from `made_at` on; None is ours."""

    id: str
    key: str
    value: str | None
    made_at: datetime
    made_by: str


@dataclass(frozen=True)
class Shades:
    """What the pages need of an accent: itself, under the pointer, as pale ground, and the ink on it."""

    accent: str
    hover: str
    on_accent: str
    pale: str


def text_key(language: str, sentence: str) -> str:
    return f"{TEXT}/{language}/{sentence}"


def sentence_of(key: str) -> tuple[str, str] | None:
    """Language and id, where the key is a sentence's."""
    kind, _, rest = key.partition("/")
    language, _, sentence = rest.partition("/")
    return (language, sentence) if kind == TEXT and language and sentence else None


def tidy(key: str, value: str) -> str:
    """As it is stored: one line, no sign that cannot be seen; a colour in small letters."""
    if key == LOGO:
        return value
    return plain(value).lower() if key in COLOURS else plain(value)


def faults(key: str, value: str, ours: str = "") -> tuple[str, ...]:
    """Stable ids of what keeps it from being stored. `ours` is the sentence whose place it takes."""
    if key in COLOURS:
        return _of_colour(key, value)
    if key == LOGO:
        try:
            fit(value)
        except Unfit as unfit:
            return (f"logo_{unfit}",)
        return ()
    if not value:
        return ("empty",)
    if key == PHONE:
        return () if _PHONE.fullmatch(value) else ("phone",)
    found = ["long"] if len(value) > (60 if key == HOURS else LONGEST) else []
    if key != HOURS:
        found += [] if variables(value) == variables(ours) else ["variables"]
        found += ["percent"] if "%" in _VARIABLE.sub("", value) else []
    return tuple(found)


def variables(text: str) -> Counter[str]:
    return Counter(_VARIABLE.findall(text))


def _of_colour(key: str, value: str) -> tuple[str, ...]:
    if not _COLOUR.fullmatch(value):
        return ("colour",)
    return () if lowest(key, value) >= LEAST else ("contrast",)


def lowest(key: str, value: str) -> float:
    """The poorest contrast of all pairs that this colour makes on the pages."""
    made = shades(key, value)
    grounds = (*SURFACES[key], made.pale)
    on_grounds = [contrast(made.accent, ground) for ground in grounds]
    on_itself = [contrast(made.on_accent, made.accent), contrast(made.on_accent, made.hover)]
    return min(*on_grounds, *on_itself, *(contrast(ink, made.pale) for ink in INKS[key]))


def shades(key: str, accent: str) -> Shades:
    surface, inks = SURFACES[key][0], ("#ffffff", "#06211f")
    towards = "#000000" if key == LIGHT else "#ffffff"
    on_accent = max(inks, key=lambda ink: contrast(ink, accent))
    return Shades(accent, mixed(accent, towards, 0.2), on_accent, mixed(accent, surface, 0.9))


def mixed(one: str, other: str, share: float) -> str:
    """`share` of the other."""
    pairs = zip(_channels(one), _channels(other), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)


def contrast(one: str, other: str) -> float:
    """WCAG 2.2's contrast ratio, from 1 to 21."""
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: str) -> float:
    """Relative luminance: https://www.w3.org/TR/WCAG22/#dfn-relative-luminance."""
    red, green, blue = (_linear(channel / 255) for channel in _channels(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(share: float) -> float:
    linear: float = share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4
    return linear


def _channels(colour: str) -> tuple[int, ...]:
    return tuple(int(colour[at : at + 2], 16) for at in (1, 3, 5))
