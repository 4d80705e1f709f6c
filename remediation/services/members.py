"""List who is in the groups that limit a role of the helpdesk, each as a row of `watches`: a page at a time, by any worker.

A role is limited by what stands in our own table, so that a look-up waits for no remote; it is as old as the last round that came
whole, which pages say. Next door: `reconcile` (the rows that read other lists), `domain/reach.py` (how long a list stands).
"""

from dataclasses import replace

from ..domain.watch import NO_SUCH_SOURCE, Watch, members_of
from ..errors import Busy, RemoteError, Unreachable
from ..ports import MemberListing
from .world import World


def rows_of(world: World) -> tuple[str, ...]:
    """The watches that this deployment needs for it."""
    return tuple(members_of(group) for group in sorted(world.helpdesk_groups))


def list_members(watch: Watch, world: World) -> None:
    """One pass of one group: a few pages, and the rest later at the same cursor."""
    group = next((group for group in world.helpdesk_groups if members_of(group) == watch.name), None)
    if group is None or not isinstance(world.directory, MemberListing):
        world.store.save_watch(replace(watch, next_look_at=None, cursor=None, failing_since=None, reason=NO_SUCH_SOURCE))
        return
    found: Watch | None = watch
    for _ in range(world.pace.pages):
        found = _one_page(found, group, world.directory, world) if found is not None else None
        if found is None or found.cursor is None:
            return


def _one_page(watch: Watch, group: str, directory: MemberListing, world: World) -> Watch | None:
    """The watch as it then stands, None where this pass is over. A list is as old as its beginning: whoever joins while it is read
    may be missing from it."""
    watch = watch.begun(world.clock())
    if not world.store.save_watch(watch):
        return None
    try:
        page = directory.members(group, watch.cursor)
    except RemoteError as error:
        world.store.save_watch(_failed(watch, error, world))
        return None
    now, whole = world.clock(), page.cursor is None
    after = watch.good(now, page.cursor) if page.cursor is not None else watch.whole(now, world.pace)
    after = replace(after, checkpoint=watch.began_at if whole else watch.checkpoint)
    return after if world.store.note_members(after, group, page.rows, whole=whole) else None


def _failed(watch: Watch, error: RemoteError, world: World) -> Watch:
    wait = error.retry_after if isinstance(error, Busy) else None
    keep_place = isinstance(error, Busy | Unreachable)
    ours = isinstance(error, Busy) and error.ours
    reason = f"{error.remote}_{error.why}"
    return watch.failed(world.clock(), world.pace, reason=reason, wait=wait, keep_place=keep_place, blame=not ours)
