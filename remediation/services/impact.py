"""Count whom a policy about compliant devices would stop, and at which link of the chain: from whole lists, in pages, never a call
for each person.

A count is a row that waits and holds its place, like a watch: one beat reads a few pages and the next goes on, also after a crash.
Every call is a sweep's, the first that budgets keep back. A list that does not come to its end yields no number. Next door:
`domain/impact` (what is missing), `waves` (telling people to begin).
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from secrets import token_hex

from ..domain.device import Platform
from ..domain.impact import counts, missing
from ..domain.push import Lane, back_off
from ..errors import Busy, Garbled, RemoteError, Stale, Unreachable
from ..ports import Actor, Listing, Store, in_lane
from ..ports.impact import Count, ListRead, Roster, stages
from .world import World

log = logging.getLogger(__name__)

HOLD = timedelta(minutes=3)
"""How long a page may take before another worker may begin at the same place."""
JUDGED_AT_ONCE = 500
TRIES = 3  # of a list that answers oddly
JUDGE = "judge"
# Why a list yields nothing, beside the codes of errors.
NO_LIST, NOBODY_LISTED, OWNERS_NOT_TOLD = "no_list", "lists_nothing", "owners_not_told"


def ask_for_count(store: Store, *, actor: Actor, now: datetime, because: str | None = None) -> str:
    """Raises ImpactRefused where one is under way."""
    count_id = token_hex(8)
    with store.change(actor, "impact.asked", about=("impact", count_id), at=now) as change:
        change.audit(**({"because": because} if because else {}))
        change.count_impact(count_id, asked_by=actor.id)
    return count_id


def stop_count(store: Store, count_id: str, *, actor: Actor, now: datetime, because: str | None = None) -> None:
    """Raises ImpactRefused where it is over. What it read goes."""
    with store.change(actor, "impact.stopped", about=("impact", count_id), at=now) as change:
        change.audit(**({"because": because} if because else {}))
        change.stop_count(count_id)
    store.let_go()


def count_on(world: World) -> bool:
    """One beat: some pages of the count that is due, if any; whether there was one."""
    if world.roster is None:
        return False
    count = world.store.claim_count(world.clock(), hold=HOLD)
    if count is None:
        return False
    with in_lane(Lane.SWEEP):
        for left in reversed(range(world.pace.pages)):
            found = _Beat(world, world.roster, _known_stage(count, world, world.roster)).page(last=left == 0)
            if found is None:
                return True
            count = found
    return True


def _known_stage(count: Count, world: World, roster: Roster) -> Count:
    """The first list, or all of them anew where the settings changed under way."""
    order = tuple(stages(roster.groups, tuple(world.managers)))
    if count.stage in order:
        return count
    for stage in reversed(order) if count.stage else order[:1]:
        world.store.begin_list(count, stage=stage, next_at=world.clock() + HOLD)
    return replace(count, stage=order[0], cursor=None, lists={}, people=0)


@dataclass(frozen=True)
class _Beat:
    world: World
    roster: Roster
    count: Count

    def page(self, *, last: bool) -> Count | None:
        """The count as it stands after one page, None where this beat is over. Until the last page of a beat nobody else begins."""
        kind, _, name = self.count.stage.partition(":")
        next_at = self.world.clock() + (timedelta() if last else HOLD)
        try:
            if kind == "people":
                return self._people(name or None, next_at)
            if kind == "directory":
                return self._directory(next_at)
            return self._records(name, next_at) if kind == "mdm" else self._judge(next_at)
        except RemoteError as error:
            self._failed(error)
            return None

    def _people(self, group: str | None, next_at: datetime) -> Count | None:
        page = self.roster.people(group, self.count.cursor)
        after = self._after(len(page.rows), page.unreadable, page.cursor, next_at)
        theirs = [one for one in page.rows if counts(one.standing)]
        if not self.world.store.keep_people(self.count, theirs, after):
            return None
        listed = sum(read.rows for stage, read in after.lists.items() if stage.startswith("people:"))
        return self._ended(after, NOBODY_LISTED) if after.stage == "directory" and not listed else after

    def _directory(self, next_at: datetime) -> Count | None:
        page = self.world.directory.page(self.count.cursor)
        after = self._after(len(page.rows), page.unreadable, page.cursor, next_at)
        if not self.world.store.keep_registered(self.count, page.rows, after):
            return None
        silent = page.cursor is None and after.lists["directory"].rows and not self.world.store.owners_told(self.count)
        return self._ended(after, OWNERS_NOT_TOLD) if silent else after

    def _records(self, connection: str, next_at: datetime) -> Count | None:
        manager = self.world.managers[connection]
        if not isinstance(manager, Listing):
            return self._ended(self.count, NO_LIST)
        page = manager.page(self.count.cursor, since=None)
        after = self._after(len(page.rows), page.unreadable, page.cursor, next_at)
        return after if self.world.store.keep_managed(self.count, connection, page.rows, after) else None

    def _judge(self, next_at: datetime) -> Count | None:
        people = self.world.store.to_judge(self.count, limit=JUDGED_AT_ONCE)
        if not people:
            return self._ended(self.count, None)
        served = _served(self.world)
        found = {one.oid: missing(one.licensed, one.managed, one.registered, served) for one in people}
        after = replace(self._after(len(people), (), people[-1].oid, next_at), people=self.count.people + len(people))
        return after if self.world.store.keep_missing(self.count, found, after) else None

    def _after(self, rows: int, unreadable: Sequence[str], cursor: str | None, next_at: datetime) -> Count:
        """With a page more, at the next list where it was the last one."""
        order, stage = tuple(stages(self.roster.groups, tuple(self.world.managers))), self.count.stage
        had = self.count.lists.get(stage, ListRead())
        read = replace(had, rows=had.rows + rows, unreadable=had.unreadable + len(unreadable), whole=cursor is None)
        following = stage if cursor is not None else order[order.index(stage) + 1]
        lists = {**self.count.lists, stage: read}
        return replace(self.count, stage=following, cursor=cursor, lists=lists, next_at=next_at, attempts=0, reason=None)

    def _ended(self, count: Count, why: str | None) -> Count | None:
        """With numbers, or without any because of this list."""
        lists = dict(count.lists)
        if why is not None:
            lists[self.count.stage] = replace(lists.get(self.count.stage, ListRead()), whole=False, why=why)
        lists.pop(JUDGE, None)
        _end(replace(count, lists=lists), self.world, why)
        return None

    def _failed(self, error: RemoteError) -> None:
        """A remote that is away for a while goes on at the same page. One that answers oddly or refuses may mean the cursor, which
        ages there: the list is begun anew, a few times. What is refused at its beginning stays refused."""
        count, now, store = self.count, self.world.clock(), self.world.store
        reason, wait = f"{error.remote}_{error.why}", timedelta(seconds=error.retry_after or 0)
        ours = isinstance(error, Busy) and error.ours  # our own limit says nothing of how the remote is
        next_at, attempts = max(back_off(now, count.attempts), now + wait), count.attempts + (not ours)
        again = count.lists.get(count.stage, ListRead()).again
        if isinstance(error, Busy | Unreachable):
            store.park_count(count, next_at=next_at, attempts=attempts, reason=reason)
        elif (count.cursor is not None or isinstance(error, Garbled)) and again < TRIES:
            store.begin_list(count, stage=count.stage, again=again + 1, next_at=next_at)
            store.park_count(count, next_at=next_at, attempts=attempts, reason=reason)
        else:
            self._ended(replace(count, reason=reason), error.why)


def _end(count: Count, world: World, why: str | None) -> None:
    state, about = ("done" if why is None else "incomplete"), ("impact", count.id)
    try:
        with world.store.change(world.actor, f"impact.{state}", about=about, at=world.clock()) as change:
            sums = change.end_count(count, state=state)
            change.audit(**sums, **({"because": why, "list": count.stage} if why is not None else {}))
    except Stale:
        log.debug("the count %s was taken up by somebody else, or stopped", count.id)
        return
    world.store.let_go()


def _served(world: World) -> frozenset[Platform]:
    """Of which a channel carries compliance; all, where none is set up yet."""
    served = frozenset(platform for channel in world.channels for platform in channel.platforms)
    return served or frozenset(Platform) - {Platform.UNKNOWN}


def progress(count: Count) -> Mapping[str, ListRead]:
    """Each list with how far it is; those to come are not known to whoever only shows it."""
    return {stage: read for stage, read in count.lists.items() if stage != JUDGE}
