"""What a search compares: the words of a name, an address or an identifier, folded so that two people write them alike.

A word is found by its beginning, so each term runs from where a word begins to the end of its token: `mia.berger@contoso.example`
gives four. Next door: `store/terms.py` keeps them, `services/look_up.py` asks.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

LONGEST = 64  # signs of a term; nobody types more of one
MOST = 24  # terms of one text: a hostile name is not worth more
READ = 200  # characters of a text that are looked at
SHORTEST = 3  # letters, wide ones counted twice: with fewer, a search would be a way to list everybody

_GUID = re.compile(r"[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}")
_EDGE = "\"'`´‘’“”„«»()[]{}<>,;:.!?*|"
_ALIKE = {ord("’"): "'", 0: None}  # NUL, which PostgreSQL would not take
_IDENTIFIER = 6  # signs, from which a token with a digit in it may be one


@dataclass(frozen=True)
class Asked:
    """`words` must all be there. `identifiers` are those among them, and in the text around them, that may name a thing alone."""

    words: tuple[str, ...]
    identifiers: tuple[str, ...]


def fold(text: str) -> str:
    """Without case and accents: what is left when a name is read out over the telephone."""
    marked = unicodedata.normalize("NFKD", text[:READ].translate(_ALIKE)).casefold()
    return "".join(sign for sign in marked if not unicodedata.combining(sign))


def squeezed(word: str) -> str:
    """Only its letters and digits."""
    return re.sub(r"[\W_]+", "", word)


def words(*texts: str | None) -> set[str]:
    """What names and addresses are found by: from each place where a word begins, and without signs (O'Brien as obrien)."""
    return {term for text in texts if text for term in list(dict.fromkeys(_words(text)))[:MOST]}


def identifiers(*ids: str | None) -> set[str]:
    """What these are found by: from their beginning only, with or without the dashes."""
    return {bare[:LONGEST] for one in ids if one and (bare := squeezed(fold(one)))}


def spellings(word: str) -> set[str]:
    """The beginnings of terms that an asked word means: as it is, and without its signs."""
    return {word[:LONGEST], *([] if "@" in word or not long_enough(word) else [squeezed(word)[:LONGEST]])}


def asked(text: str, *, most: int) -> Asked:
    """What was typed or pasted, of which `most` words count. An identifier is found wherever it stands in a text."""
    folded = fold(text)
    tokens = [bare for token in folded.split() if (bare := token.strip(_EDGE))]
    named = [*_GUID.findall(folded), *(token for token in tokens if _may_name(token))]
    return Asked(tuple(dict.fromkeys(tokens))[:most], tuple(dict.fromkeys(named)))


def long_enough(word: str) -> bool:
    letters = squeezed(word)
    return len(letters) + sum(unicodedata.east_asian_width(sign) in "WF" for sign in letters) >= SHORTEST


def _words(text: str) -> Iterator[str]:
    for token in fold(text).split():
        for found in re.finditer(r"(?<![^\W_])[^\W_]", token):
            yield token[found.start() :].rstrip(_EDGE)[:LONGEST]
        if "@" not in token and squeezed(token):
            yield squeezed(token)[:LONGEST]


def _may_name(token: str) -> bool:
    return "@" in token or (len(squeezed(token)) >= _IDENTIFIER and any(sign.isdigit() for sign in token))
