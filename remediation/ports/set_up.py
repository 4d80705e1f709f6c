"""What setting a tenant up asks: the directory's groups, and the rows of scope, wishes, arrival tests and pilots.

Each call to a remote may raise the five errors of `errors.py`. Next door: `partner`, `remotes`.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from ..domain.arrival import ArrivalTest
from ..domain.device import ManagedKey, Platform
from ..domain.pilot import Next, Pilot
from ..domain.scope import ChosenGroup, FoundGroup, Scope
from ..domain.wishes import Kind, Wish


class DirectoryGroups(Protocol):
    def search(self, words: str, *, limit: int) -> Sequence[FoundGroup]:
        """Groups in whose name each of these words begins a word, nobody counted."""

    def group(self, group_id: str) -> FoundGroup:
        """One group, its people counted. NotFound where the directory has none of this id."""

    def named(self, name: str) -> Sequence[FoundGroup]:
        """Every group of exactly this name."""

    def account(self, name: str) -> tuple[str, str]:
        """Object id and name of the person who signs in with this name; NotFound where nobody does."""

    def everybody(self) -> int:
        """How many accounts the directory has that may sign in and are no guests."""


class SetUpRows(Protocol):
    """What is held of it. Part of `Store`."""

    def scope(self) -> Scope:
        """What was chosen on the pages or at the command line; nothing is known here of the setting."""

    def draft(self) -> tuple[ChosenGroup, ...] | None:
        """What somebody is choosing just now, which counts for nobody yet. Empty is all users."""

    def wish(self, wish_id: str) -> Wish | None: ...

    def last_wish(self, kind: Kind) -> Wish | None:
        """The newest of its kind."""

    def accounts(self) -> Mapping[str, str]:
        """Names by object id, as far as the worker found them for an administrator and that is still kept."""

    def open_wishes(self, limit: int = 20) -> Sequence[Wish]:
        """Not answered yet, the oldest first."""

    def answer_wish(
        self, wish_id: str, *, at: datetime, answer: Mapping[str, Any], failed: str | None = None, code: str | None = None
    ) -> bool:
        """False where another pass answered it meanwhile."""

    def arrival_tests(self) -> Sequence[ArrivalTest]:
        """The newest of each thing that was tested, and the newest that was seen."""

    def open_arrival_test(self, now: datetime) -> ArrivalTest | None: ...

    def pilot(self, pilot_id: str) -> Pilot | None: ...

    def running_pilot(self, platform: Platform) -> Pilot | None: ...

    def pilots(self) -> Sequence[Pilot]:
        """The newest of each platform, and the newest that proved each channel of it."""

    def held_down(self, link_id: str, now: datetime) -> bool:
        """A pilot holds this link's device down just now."""

    def active_link(self, key: ManagedKey) -> str | None:
        """The id of the active link of this managed device."""

    def living_links_count(self) -> int: ...


class SetUpChanges(Protocol):
    """Part of `Change`."""

    def choose_scope(self, groups: Sequence[ChosenGroup], *, seq: int, by: str) -> None:
        """Stale where another choice came in between. What was being chosen is done with."""

    def draft_scope(self, groups: Sequence[ChosenGroup] | None) -> None: ...

    def make_wish(self, wish: Wish) -> None:
        """Store it and wake the worker for it, as one."""

    def open_arrival(self, test: ArrivalTest) -> None:
        """Whatever window is open is closed by it: one at a time."""

    def record_arrival(self, test_id: str, *, entrance: str, way: str | None, platform: str, referrer: str) -> None:
        """Use the window up, in time and once. Stale where somebody else's arrival did."""

    def start_pilot(self, pilot: Pilot) -> None:
        """And wake its driver and its link. Conflict where one of this platform runs already."""

    def pilot_goes_on(self, pilot: Pilot, after: Next, *, until: datetime) -> None:
        """What a look called for, with its link woken. Stale where the pilot is elsewhere by now."""

    def stop_pilot(self, pilot: Pilot, *, why: str) -> None:
        """By somebody's will; what it held down is let go."""


__all__ = ["DirectoryGroups", "SetUpChanges", "SetUpRows"]
