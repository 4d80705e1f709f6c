"""The rows that keep looking at whole lists: one poll and one sweep per MDM, one sweep of the directory.

A round goes through the pages of one list; `cursor` is where it stands between two wake-ups, None between two rounds. Next door:
`listing` (what one row of a list calls for), `services/reconcile` (which does the reading).
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from .push import back_off

DIRECTORY_SWEEP = "directory/sweep"
GROUP = "group:"
NO_SUCH_SOURCE = "no_such_source"  # why the watch of a connection that was taken out of the settings rests
LISTS_NOTHING = "lists_nothing"  # a whole list came without any row: a lost right or a wrong group looks like that
HOLD = timedelta(minutes=3)
"""How long a page may take before another worker may begin at the same place."""


def poll_of(connection: str) -> str:
    return f"mdm:{connection}/poll"


def sweep_of(connection: str) -> str:
    return f"mdm:{connection}/sweep"


def members_of(group_id: str) -> str:
    return f"{GROUP}{group_id}/members"


def watch_names(connections: Iterable[str]) -> tuple[str, ...]:
    """All that a deployment with these MDM connections watches."""
    return (*(name for c in connections for name in (poll_of(c), sweep_of(c))), DIRECTORY_SWEEP)


@dataclass(frozen=True)
class Pace:
    """How often a round begins, by how much a poll reaches back behind the last one, how many pages one wake-up reads, and how
    often Microsoft hears from us."""

    poll: timedelta = timedelta(minutes=5)
    sweep: timedelta = timedelta(minutes=60)
    overlap: timedelta = timedelta(minutes=5)
    pages: int = 4
    heartbeat: timedelta = timedelta(hours=1)


@dataclass(frozen=True)
class Watch:
    """The row. `checkpoint` is up to when a poll has told everything, by our own clock and held back; `began_at` is the beginning
    of the round under way, or of the last one; `done_at` the end of the last that came whole. `good_at` is the last good page,
    `failing_since` the first failure after it; `alarmed` belongs to whoever tells of that, and is not written here."""

    name: str
    checkpoint: datetime | None = None
    cursor: str | None = None
    began_at: datetime | None = None
    done_at: datetime | None = None
    good_at: datetime | None = None
    failing_since: datetime | None = None
    alarmed: int = 0
    wake: int = 0
    next_look_at: datetime | None = None
    attempts: int = 0
    reason: str | None = None

    @property
    def source(self) -> str:
        """Whose list it is: `mdm:<connection>`, `directory`, or what nobody lists: `channel`, `partner`."""
        return self.name.partition("/")[0]

    @property
    def polls(self) -> bool:
        return self.name.endswith("/poll")

    def begun(self, now: datetime) -> "Watch":
        """A new round, or the one that stands at its cursor."""
        return replace(self, began_at=now if self.cursor is None else self.began_at, next_look_at=now + HOLD)

    def since(self, pace: Pace) -> datetime | None:
        """From when on a poll wants to be told; None for a sweep, which wants all. What lies further back than one sweep is the
        sweep's: after a day without a worker it is due as well, and reads each record once."""
        if not self.polls or self.began_at is None:
            return None
        furthest = self.began_at - pace.sweep
        return max(self.checkpoint, furthest) if self.checkpoint is not None else furthest

    def good(self, now: datetime, cursor: str) -> "Watch":
        """A page came, and more are to come: at the next beat of the pulse, or at once by the same worker."""
        return replace(self._well(now), cursor=cursor, next_look_at=now)

    def whole(self, now: datetime, pace: Pace, *, empty: bool = False) -> "Watch":
        """The last page came. Only now a poll's checkpoint moves, to the round's beginning, held back since a record may be listed
        late and the remote's clock may differ from ours."""
        began = self.began_at or now
        next_at = max(now, began + (pace.poll if self.polls else pace.sweep))
        checkpoint = began - pace.overlap if self.polls else None
        nothing = LISTS_NOTHING if empty and not self.polls else None
        return replace(self._well(now), cursor=None, done_at=now, checkpoint=checkpoint, next_look_at=next_at, reason=nothing)

    def _well(self, now: datetime) -> "Watch":
        return replace(self, good_at=now, failing_since=None, attempts=0, reason=None)

    def beaten(self, now: datetime, pace: Pace, *, asked_at: datetime | None, trouble: str | None) -> "Watch":
        """A heartbeat was taken. Its `checkpoint` is the last time for which Microsoft wanted to be told everything again.
        `trouble`: it was taken, and yet verdicts do not count."""
        return replace(
            self._well(now),
            checkpoint=asked_at or self.checkpoint,
            done_at=now,
            next_look_at=now + pace.heartbeat,
            failing_since=(self.failing_since or now) if trouble else None,
            reason=trouble,
        )

    def failed(self, now: datetime, pace: Pace, *, reason: str, wait: float | None, keep_place: bool, blame: bool) -> "Watch":
        """Parked, never later than a poll's period unless the remote asked for it (`wait`, in seconds). `keep_place`: the same page
        is asked for again, else the list from its beginning. `blame`: the remote gave no good answer."""
        at = min(back_off(now, self.attempts), now + pace.poll)
        return replace(
            self,
            cursor=self.cursor if keep_place else None,
            failing_since=self.failing_since or (now if blame else None),
            next_look_at=max(at, now + timedelta(seconds=wait or 0)),
            attempts=self.attempts + 1,
            reason=reason,
        )
