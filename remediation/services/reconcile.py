"""Read the whole lists, page by page, and let each page renew leases and mark the links that want a direct look.

One wake-up reads a few pages and goes on later at the same cursor; nobody sleeps. What a list says decides nothing: a link that is
marked is looked at by `push_compliance`, and that alone changes a verdict or ends a link. Next door: `domain/watch` (when),
`domain/listing` (what a row calls for), `store/watching` (a page in a handful of statements).
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from functools import partial

from ..domain.device import Platform
from ..domain.listing import PageNews, Rules, of_directory, of_records
from ..domain.partner import HEARTBEAT, RESYNC
from ..domain.pilot import watch_of
from ..domain.watch import DIRECTORY_SWEEP, GROUP, NO_SUCH_SOURCE, Watch, poll_of, sweep_of
from ..domain.wishes import WISHES
from ..errors import Busy, RemoteError, Unreachable
from ..ports import Listing
from .heartbeat import beat, tell_again
from .marks import clear_strays, marks_of
from .members import list_members
from .pilot import drive
from .world import World

log = logging.getLogger(__name__)

ALONGSIDE: Mapping[str, Callable[[Watch, World], None]] = {HEARTBEAT: beat, RESYNC: tell_again}
"""Rows that wait like these and read no list."""


def watch(name: str, *, world: World) -> None:
    """One pass of one watch. One whose source is no longer there is put to rest."""
    found, source = world.store.watch(name), _source(name, world)
    if found is None:
        return
    alongside = list_members if name.startswith(GROUP) else _alongside(name, world)
    if alongside is not None:
        alongside(found, world)
        return
    if source is None:
        world.store.save_watch(replace(found, next_look_at=None, cursor=None, reason=NO_SUCH_SOURCE))
        return
    for _ in range(world.pace.pages):
        found = _one_page(found, source, world)
        if found is None or found.cursor is None:
            return


def _alongside(name: str, world: World) -> Callable[[Watch, World], None] | None:
    """Who attends to a row that reads no list."""
    if name == WISHES:
        return world.answer_wishes
    platform = next((one for one in Platform if watch_of(one) == name), None)
    return ALONGSIDE.get(name) if platform is None else partial(drive, platform=platform)


def _one_page(watch: Watch, source: "_Source", world: World) -> Watch | None:
    """Read and write down one page; the watch as it then stands, None where this pass is over. A list without any row says nothing
    of who is absent: a lost right or a wrong group looks like that."""
    watch = watch.begun(world.clock())
    if not world.store.save_watch(watch):
        _overtaken(watch)
        return None
    try:
        news, cursor, empty = source.read(watch.cursor, watch.since(world.pace))
    except RemoteError as error:
        world.store.save_watch(_failed(watch, error, world))
        return None
    now = world.clock()
    at = max(now, watch.began_at or now)  # on a host whose clock is behind, a page must not come before its own round
    nothing = empty and watch.cursor is None
    after = watch.whole(now, world.pace, empty=nothing) if cursor is None else watch.good(now, cursor)
    says_who_is_absent = cursor is None and not watch.polls and not nothing
    if not world.store.note_page(
        after, news, at=at, connection=source.connection, absent_since=watch.began_at if says_who_is_absent else None
    ):
        _overtaken(watch)
        return None
    return after


def _overtaken(watch: Watch) -> None:
    log.debug("%s was woken again since wake-up %d, this pass is over", watch.name, watch.wake)


def _failed(watch: Watch, error: RemoteError, world: World) -> Watch:
    """A remote that is away for a while goes on at the same page. One that answers oddly or refuses may mean the cursor, which ages
    there: the list is begun anew."""
    wait = error.retry_after if isinstance(error, Busy) else None
    keep_place = isinstance(error, Busy | Unreachable)
    reason = f"{error.remote}_{error.why}"
    ours = isinstance(error, Busy) and error.ours  # our own limit says nothing of how the remote is
    return watch.failed(world.clock(), world.pace, reason=reason, wait=wait, keep_place=keep_place, blame=not ours)


class _Records:
    """An MDM's list. `read` gives what a page calls for, where the next one is, and whether this one had no row."""

    def __init__(self, world: World, connection: str, listing: Listing) -> None:
        self.connection: str | None = connection
        self._world, self._name, self._listing = world, connection, listing

    def read(self, cursor: str | None, since: datetime | None) -> tuple[PageNews, str | None, bool]:
        page, world = self._listing.page(cursor, since=since), self._world
        ids = [*(row.key.record_id for row in page.rows), *page.unreadable]
        held = world.store.held_of_records(self._name, ids) if ids else ()
        told = world.store.partner_told()
        leaving = told is not None and told.leaving_at is not None
        rules = Rules(world.lease, world.minimum, world.recheck, leaving)
        return of_records(page.rows, held, world.clock(), rules), page.cursor, not ids


class _Devices:
    """The directory's list."""

    connection: str | None = None

    def __init__(self, world: World) -> None:
        self._world = world

    def read(self, cursor: str | None, since: datetime | None) -> tuple[PageNews, str | None, bool]:
        page = self._world.directory.page(cursor)
        ids = [*(row.device_id for row in page.rows), *page.unreadable]
        held = self._world.store.held_of_directory(ids) if ids else ()
        marks = marks_of(self._world)
        news = of_directory(page.rows, held, marks)
        if marks is not None:
            clear_strays(news.strays, self._world)
        return news, page.cursor, not ids


_Source = _Records | _Devices


def _source(name: str, world: World) -> _Source | None:
    if name == DIRECTORY_SWEEP:
        return _Devices(world)
    for connection, manager in world.managers.items():
        if name in (poll_of(connection), sweep_of(connection)) and isinstance(manager, Listing):
            return _Records(world, connection, manager)
    return None
