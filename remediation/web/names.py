"""Strings from remotes, made fit to be shown: device names, models, rule names. The raw ones stay in the database.

Escaping is Jinja's work; this takes away what escaping does not: control characters, marks that turn the writing direction, length.
"""

import unicodedata

LONGEST = 60
JOINER = "\u200d"  # holds emoji such as families together; every other invisible format character goes


def shown(text: str | None, longest: int = LONGEST) -> str:
    """`text` on one line, without invisible characters, and no longer than `longest`."""
    visible = "".join(_kept(char) for char in (text or "")[: longest * 20])
    line = " ".join(visible.split()).strip(JOINER)
    return line if len(line) <= longest else line[: longest - 1].rstrip() + "…"


def _kept(char: str) -> str:
    kind = unicodedata.category(char)
    if kind in ("Cc", "Zs", "Zl", "Zp"):
        return " "
    if kind in ("Cf", "Cs", "Co", "Cn"):
        return JOINER if char == JOINER else ""
    return char
