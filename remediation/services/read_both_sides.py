"""Fresh reads of a link's two sides, each by itself: bad news from one does not wait until the other answers.

A side that is missing counts as gone only when it stays missing, in whole lists too.
Next door: `push_compliance`, which judges by what is read here.
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

from ..domain.device import DeviceLink, DirectoryDevice, ManagedDevice
from ..domain.push import Push
from ..domain.watch import DIRECTORY_SWEEP, NO_SUCH_SOURCE, sweep_of
from ..errors import Garbled, NotFound, Refused, RemoteError
from .world import World

log = logging.getLogger(__name__)

GONE_AFTER = timedelta(minutes=10)  # how long a side must stay missing before its absence counts


class BothSides:
    """What was read in this pass; None where it was not, or could not be. `not_in_directory`: it answered that there is no such
    device, which may be a replica's mistake. `gone` names the side that is no more."""

    def __init__(self, link: DeviceLink, push: Push, world: World) -> None:
        self._link, self._push, self._world = link, push, world
        self.device: ManagedDevice | None = None
        self.entra: DirectoryDevice | None = None
        self.not_in_directory = False
        self.gone: str | None = None

    def read(self) -> RemoteError | None:
        """Read both; the first error, where there was one."""
        errors = [self._reading(self.read_managed), self._reading(self.read_entra)]
        return next((error for error in errors if error is not None), None)

    def _reading(self, read: Callable[[], None]) -> RemoteError | None:
        try:
            read()
        except RemoteError as error:
            return error
        except Exception:  # a bug of ours must not let *compliant* stand beyond its lease
            log.exception("reading failed")
            return Garbled("reading failed", remote="mdm")
        return None

    def read_managed(self) -> None:
        key, world = self._link.managed, self._world
        manager = world.managers.get(key.connection)
        if manager is None:
            raise Refused("no such connection any more", remote="mdm")
        try:
            self.device = manager.device(key.record_id)
        except NotFound:
            since = world.store.observe_managed_missing(key, at=world.clock())
            if self._is_gone(since, sweep_of(key.connection), self._push.mdm_listed_at):
                self.gone = "record_gone"
            raise
        world.store.observe_managed_device(self.device, at=world.clock())

    def read_entra(self) -> None:
        """With its owner, for judging."""
        self._read_entra(self._world.directory.device, owner_asked=True)

    def read_back(self) -> None:
        """What Entra shows after a send; who owns the device was judged before it."""
        channel = self._world.channel(self._link.platform, self._link.managed.connection)
        observe = channel.observe if channel is not None else partial(self._world.directory.device, owner=False)
        self._read_entra(observe, owner_asked=False)

    def _read_entra(self, read: Callable[[str], DirectoryDevice], *, owner_asked: bool) -> None:
        device_id, world = self._link.device_id, self._world
        try:
            self.entra = read(device_id)
        except NotFound:
            self.not_in_directory = True
            since = world.store.observe_directory_missing(device_id, at=world.clock())
            if self._is_gone(since, DIRECTORY_SWEEP, self._push.directory_listed_at):
                self.gone = self.gone or "directory_device_gone"
            raise
        world.store.observe_directory_device(self.entra, at=world.clock(), owner_asked=owner_asked)

    def _is_gone(self, missing_since: datetime, sweep: str, listed_at: datetime | None) -> bool:
        """One 404 may be a lagging replica's. Two of them ten minutes apart, with no good read between, and a whole list without it
        are not; where nobody reads whole lists, the two suffice."""
        if self._world.clock() - missing_since < GONE_AFTER:
            return False
        watch = self._world.store.watch(sweep)
        if watch is None or watch.reason == NO_SUCH_SOURCE:
            return True
        round_began = watch.began_at if watch.cursor is None else missing_since
        shown = listed_at is not None and (round_began is None or listed_at >= round_began)
        return watch.done_at is not None and not shown
