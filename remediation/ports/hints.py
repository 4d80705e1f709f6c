"""Hints: what the pages' side asks of the database when an MDM sends an event, and who reads the MDM's words."""

from collections.abc import Callable, Sequence
from typing import Protocol

from ..domain.hints import Hint, Mark
from ..domain.push import Push

EventReader = Callable[[bytes], Hint | None]
"""The body of an event in, and out what it hints at; None for one that concerns nothing here. ValueError where it is no event."""


class Hints(Protocol):
    def hinted(self, connection: str, hint: Hint) -> Sequence[Push]:
        """The rows of active links that an event of this connection is about: of the record it names, else of those with its UDID,
        else of those with its serial."""

    def note_hint(self, mark: Mark) -> bool:
        """Due then, under a new wake count; False where the row waits to be looked at by now. No verdict changes, no link ends."""
