"""What a finding of the doctor's means, for the terminal: what was seen, who can act, and what to do. The page has the same.

Next door: `doctor_commands`, which prints them; `web/doctor_words` (their ids).
"""

from dataclasses import dataclass
from functools import cache

from .domain.finding import Finding
from .web.doctor_words import SAID, key
from .web.texts import ENGLISH, Texts


@dataclass(frozen=True)
class Words:
    seen: str
    who: str = ""
    do: str = ""


@cache
def _texts() -> Texts:
    return Texts(default=ENGLISH)


def _say(part: str, **values: str) -> str:
    return _texts().in_default(f"onboarding.doctor.{part}", **values)


def in_words(finding: Finding) -> Words:
    said, told = key(finding), {"about": finding.about, **finding.detail}
    if said == "permissions.without":
        told["lost"] = _say(f"lost.{finding.detail['permission']}")
    who = SAID[said]
    do = _say(f"do.{said}", **told) if who is not None else ""
    return Words(_say(f"seen.{said}", **told), _say(f"who.{who}") if who else "", do)


def named(finding: Finding) -> str:
    return f"{_say(f'name.{finding.check}')} {finding.about}".strip()
