"""Let Microsoft hear from us, and tell it everything again where it asks for that.

The heartbeat is a row of `watches`, so any worker's pulse wakes it and one of them makes it. A resync is another: each pass marks
a few links, as fast as the pulse gets through them, and `push_compliance` tells a marked link anew, once, on evidence that it read
itself. Next door: `reconcile` (the rows that read lists), `domain/partner.py`.
"""

import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from ..domain.device import Platform
from ..domain.partner import HEARTBEAT, RESYNC, Slot, known, slot, trouble
from ..domain.push import Lane
from ..domain.watch import NO_SUCH_SOURCE, Watch
from ..errors import RemoteError
from ..ports import Beating, ComplianceChannel, in_lane
from .world import World

log = logging.getLogger(__name__)

AT_A_TIME = 100  # links marked by one pass; no more are, until the pulse has taken these up
A_BREATH = timedelta(seconds=5)


def beating(channels: Sequence[ComplianceChannel]) -> Beating | None:
    return next((channel for channel in channels if isinstance(channel, Beating)), None)


def rows_of(world: World) -> tuple[str, ...]:
    """The watches that this deployment needs for it."""
    return (HEARTBEAT, RESYNC) if beating(world.channels) is not None else ()


def beat(watch: Watch, world: World) -> None:
    channel, told = beating(world.channels), world.store.partner_told()
    if channel is None or (told is not None and not told.provisioned):
        reason = NO_SUCH_SOURCE if channel is None else None  # what an operator ended is no trouble
        world.store.save_watch(replace(watch, next_look_at=None, failing_since=None, attempts=0, reason=reason))
        return
    watch = watch.begun(world.clock())
    if not world.store.save_watch(watch):
        return
    try:
        with in_lane(Lane.PERSON):  # a backlog of sweeps must not make us look dead
            answer = channel.beat()
    except RemoteError as error:
        world.store.save_watch(_failed(watch, error, world))
        return
    now = world.clock()
    asked = answer.resync
    if asked is not None and watch.checkpoint is not None and asked <= watch.checkpoint:
        asked = None  # Microsoft may show one request with every answer; only a later one is another
    if asked is not None:
        log.warning("Microsoft wants to be told everything again, since %s", asked.isoformat())
    slots = _slots(world)
    after = watch.beaten(now, world.pace, asked_at=asked, trouble=trouble(slots or ()))
    world.store.note_beat(after, resync=asked, at=now, slots=known(slots, now) if slots is not None else None)


def tell_again(watch: Watch, world: World) -> None:
    """One pass of telling everything again. `cursor` is the last link that was marked, None where nothing is to be done."""
    now = world.clock()
    if watch.cursor is None or watch.began_at is None:
        world.store.save_watch(replace(watch, next_look_at=None))
        return
    if world.store.waiting_to_be_told_again(now, limit=AT_A_TIME) >= AT_A_TIME:
        world.store.save_watch(replace(watch, next_look_at=now + A_BREATH))
        return
    links = world.store.links_to_tell_again(watch.cursor, told_before=watch.began_at, limit=AT_A_TIME)
    if len(links) < AT_A_TIME:
        after = replace(watch, cursor=None, done_at=now, good_at=now, next_look_at=None)
    else:
        after = replace(watch, cursor=links[-1], good_at=now, next_look_at=now + A_BREATH)
    world.store.tell_again(after, links, at=now)


def _failed(watch: Watch, error: RemoteError, world: World) -> Watch:
    """Whatever the cause, Microsoft does not hear from us: our own limit counts as well."""
    reason = f"{error.remote}_{error.why}"
    return watch.failed(world.clock(), world.pace, reason=reason, wait=error.retry_after, keep_place=True, blame=True)


def _slots(world: World) -> Sequence[Slot] | None:
    """Who holds each platform that we serve: a heartbeat is taken from whoever holds none, too. None where nobody may read it,
    which is no trouble."""
    if world.partners is None:
        return None
    try:
        listed = world.partners.partners()
    except RemoteError as error:
        log.debug("Intune's list of partners was not read: %s", error.code)
        return None
    served = [platform for platform in Platform if isinstance(world.channel(platform), Beating)]
    return [slot(listed, platform, world.partner_name) for platform in served]
