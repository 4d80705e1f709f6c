"""Hints: what the pages' side asks of the database when an MDM sends an event, who reads the MDM's words, and where an MDM lists to
whom it sends them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from ..domain.hints import Hint, Mark
from ..domain.push import Push

EventReader = Callable[[bytes], Hint | None]
"""The body of an event in, and out what it hints at; None for one that concerns nothing here. ValueError where it is no event."""


class Hints(Protocol):
    def note_event(self, connection: str, *, forged: bool, at: datetime) -> None:
        """An event came, or one without the connection's password: counted for people, seldom written, and of no other use."""

    def hinted(self, connection: str, hint: Hint) -> Sequence[Push]:
        """The rows of active links that an event of this connection is about: of the record it names, else of those with its UDID,
        else of those with its serial."""

    def waiting(self, connection: str, hint: Hint, *, now: datetime) -> Sequence[tuple[str, datetime]]:
        """Journeys that wait, each with when it is looked at next, of people whom the event names or whose record it is about."""

    def wake_waiting(self, journey_id: str, *, due: datetime) -> bool:
        """Due then, under a new wake count; False where it waits for less by now. It grants nothing: a look is a look."""

    def note_hint(self, mark: Mark) -> bool:
        """Due then, under a new wake count; False where the row waits to be looked at by now. No verdict changes, no link ends."""


@dataclass(frozen=True)
class EventTarget:
    """One address that an MDM sends its events to, under a name. `whole`: all that we want to hear of, in our form. The MDM
    does not tell the password."""

    id: str
    name: str
    url: str
    user: str
    active: bool
    whole: bool


class EventTargets(Protocol):
    def named(self, name: str) -> Sequence[EventTarget]: ...

    def create(self, target: EventTarget, password: str) -> None: ...

    def replace(self, target: EventTarget, password: str) -> None: ...
