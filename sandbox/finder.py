"""Finds things by a value of theirs without looking at all of them: a tenant may have a hundred thousand.

Next door: `world`, which has one finder for each question that is asked at every call.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Place = TypeVar("Place", bound=Hashable)
Thing = TypeVar("Thing")


class Finder(Generic[Place, Thing, Key]):
    """Whoever holds a thing may write to it, and nobody tells the finder: what it remembers is checked at each use, and where that
    no longer holds, all are looked at once more. Of two that answer to one key, the first is found. A `key` of None is never found.
    """

    def __init__(self, things: Callable[[], Mapping[Place, Thing]], key: Callable[[Thing], Key | None]) -> None:
        self._things, self._key = things, key
        self._places: dict[Key, Place] = {}

    def find(self, wanted: Key) -> Thing | None:
        return self._remembered(wanted) or self._looked_for(wanted)

    def _remembered(self, wanted: Key) -> Thing | None:
        place = self._places.get(wanted)
        thing = None if place is None else self._things().get(place)
        return thing if thing is not None and self._key(thing) == wanted else None

    def _looked_for(self, wanted: Key) -> Thing | None:
        self._places = {}
        for place, thing in self._things().items():
            if (key := self._key(thing)) is not None:
                self._places.setdefault(key, place)
        return self._remembered(wanted)
