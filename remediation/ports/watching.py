"""What the watches over whole lists ask of the database: their own rows, what is held of a page's devices, and writing down what
the page calls for. All of it is done for a page at once, never row by row. Next door: `store`, of which this is a part.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from ..domain.listing import Held, PageNews
from ..domain.watch import Watch


class Members(Protocol):
    """Who is in the groups that limit a role of the helpdesk."""

    def note_members(self, watch: Watch, group_id: str, oids: Sequence[str], *, whole: bool) -> bool:
        """Save the watch as it stands after this page, with its members as of the round's beginning; after the last page (`whole`)
        whoever this round did not list is in the group no more. False, and nothing done, where the watch is somebody else's."""

    def members(self, group_id: str) -> Sequence[str]: ...


class Watching(Protocol):
    def keep_watches(self, names: Sequence[str], *, at: datetime) -> None:
        """Make the rows that are not there yet, due at once; those that are there stay as they are."""

    def watch(self, name: str) -> Watch | None: ...

    def save_watch(self, watch: Watch) -> bool:
        """Only while `watch.wake` is the newest wake-up: False where somebody else has it by now. `alarmed` is not written."""

    def held_of_records(self, connection: str, record_ids: Sequence[str]) -> Sequence[Held]:
        """The active links of these records."""

    def held_of_directory(self, device_ids: Sequence[str]) -> Sequence[Held]:
        """Every link, active or ended, of these directory devices."""

    def note_page(
        self, watch: Watch, news: PageNews, *, at: datetime, connection: str | None, absent_since: datetime | None
    ) -> bool:
        """Save the watch as it stands after this page, and do what the page calls for, as one; False, and nothing done, where the
        watch is somebody else's by now. `connection` names the MDM whose list this is, None the directory's.

        `absent_since`, after the last page of a whole list: links that it has not shown since then are marked for a direct look.
        Nothing is enqueued here: what is marked is due, and the pulse paces it.
        """
