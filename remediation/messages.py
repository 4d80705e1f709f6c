"""What is written to people outside of a page, through the MDM's app and by mail: in the tenant's language, in our words or in
the organisation's own.

Theirs come from a file of the worker's host, and no page may change them: whoever took a web process over could else have the MDM
say anything to every phone. Next door: `domain/appearance.py` (what pages say, which an administrator may change there).
"""

import tomllib
from collections.abc import Mapping
from pathlib import Path

from .domain.appearance import LONGEST, faults, variables
from .domain.incident import plain
from .services.tell_owner import Words
from .web.texts import Texts

KINDS = ("possession", "start", "begin", "open", "replaced", "test")
"""What is sent, in the order in which a person may meet it. By mail each has a subject, but for those that prove a device."""
ONLY_ON_DEVICE = {"possession", "test"}
KEYS = tuple(key for kind in KINDS for key in ((kind,) if kind in ONLY_ON_DEVICE else (f"{kind}.subject", kind)))
FAULTS = {
    "empty": "must say something",
    "long": f"is longer than {LONGEST} signs",
    "variables": "must have {names} as often as ours has it, and no other",
    "percent": "must have no other %: write the word",
}
SHOWN = {"url": "https://return.contoso.example/…", "code": "K7M-2QX"}


class Messages:
    """`own` by key; what has none there is ours."""

    def __init__(self, texts: Texts, organisation: str, own: Mapping[str, str]) -> None:
        self._texts, self._organisation, self.own = texts, organisation, own

    def text(self, key: str, **values: str) -> str:
        values["organisation"] = self._organisation
        return self.own[key] % values if key in self.own else self._texts.in_default(f"message.{key}", **values)

    def words(self, kind: str, **values: str) -> Words:
        return Words(self.text(f"{kind}.subject", **values), self.text(kind, **values))

    def possession(self, url: str, case_code: str) -> str:
        """It says who asks and why, since a link alone would teach people to tap anything."""
        return self.text("possession", url=url, code=case_code)

    def shown(self) -> Mapping[str, str]:
        """Each as it would be sent, with an address and a case code that are made up."""
        return {key: self.text(key, **SHOWN) for key in KEYS}


def own_words(path: str | None, texts: Texts) -> Mapping[str, str]:
    """The file's, by key. Raises ValueError with all that is wrong with it, in words."""
    if path is None:
        return {}
    try:
        found = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"is not valid TOML ({error})") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"cannot be read as a text file ({type(error).__name__})") from None
    wrong = [f"{plain(key)} {fault}" for key, text in found.items() for fault in _faults(key, text, texts)]
    if wrong:
        raise ValueError("; ".join(wrong))
    return {key: plain(text) for key, text in found.items()}


def _faults(key: str, text: object, texts: Texts) -> list[str]:
    if key not in KEYS:
        return [f"is no message of ours; there is: {', '.join(KEYS)}"]
    if not isinstance(text, str):
        return ["must be a text"]
    ours = texts.sentence(f"message.{key}")
    names = " and ".join(f"%({name})s" for name in variables(ours))
    return [FAULTS[fault].format(names=names) for fault in faults(key, plain(text), ours)]
