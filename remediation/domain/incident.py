"""What a lead tells everybody while something is wrong: one sentence in each language, until a moment, in plain text."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

LONGEST = 240
SHORTEST_TIME, LONGEST_TIME = timedelta(minutes=5), timedelta(hours=24)
"""Longer than a day is no incident: it is said anew by somebody who looked again."""


@dataclass(frozen=True)
class Incident:
    id: str
    texts: Mapping[str, str]
    made_at: datetime
    made_by: str
    until: datetime

    def text(self, language: str) -> str:
        """In this language, else in whichever there is: a sentence in the wrong one is better than none."""
        return self.texts.get(language) or next(iter(self.texts.values()), "")


def plain(text: str) -> str:
    """One line, without what cannot be seen or turns the writing direction."""
    return " ".join("".join(" " if unicodedata.category(char)[0] in "CZ" else char for char in text).split())


def faults(texts: Mapping[str, str], until: datetime, now: datetime) -> tuple[str, ...]:
    """Stable ids of what keeps it from being published."""
    found = []
    if not any(texts.values()):
        found.append("empty")
    if any(len(text) > LONGEST for text in texts.values()):
        found.append("long")
    if not now + SHORTEST_TIME <= until <= now + LONGEST_TIME:
        found.append("until")
    return tuple(found)
