"""Fresh reads of a link's two sides, each by itself: bad news from one does not wait until the other answers.

A side that is missing counts as gone only when it stays missing. Next door: `push_compliance`, which judges by what is read here.
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

from ..domain.device import DeviceLink, DirectoryDevice, ManagedDevice
from ..errors import Garbled, NotFound, Refused, RemoteError
from .world import World

log = logging.getLogger(__name__)

GONE_AFTER = timedelta(minutes=10)  # how long a side must stay missing before its absence counts


class BothSides:
    """What was read in this pass; None where it was not, or could not be. `gone` names the side that is no more."""

    def __init__(self, link: DeviceLink, world: World) -> None:
        self._link, self._world = link, world
        self.device: ManagedDevice | None = None
        self.entra: DirectoryDevice | None = None
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
            self.gone = _gone_for_good(world.store.observe_managed_missing(key, at=world.clock()), world.clock(), "record_gone")
            raise
        world.store.observe_managed_device(self.device, at=world.clock())

    def read_entra(self) -> None:
        """With its owner, for judging."""
        self._read_entra(self._world.directory.device, owner_asked=True)

    def read_back(self) -> None:
        """What Entra shows after a send; who owns the device was judged before it."""
        channel = self._world.channel(self._link.platform)
        observe = channel.observe if channel is not None else partial(self._world.directory.device, owner=False)
        self._read_entra(observe, owner_asked=False)

    def _read_entra(self, read: Callable[[str], DirectoryDevice], *, owner_asked: bool) -> None:
        device_id, world = self._link.device_id, self._world
        try:
            self.entra = read(device_id)
        except NotFound:
            since = world.store.observe_directory_missing(device_id, at=world.clock())
            self.gone = self.gone or _gone_for_good(since, world.clock(), "directory_device_gone")
            raise
        world.store.observe_directory_device(self.entra, at=world.clock(), owner_asked=owner_asked)


def _gone_for_good(missing_since: datetime, now: datetime, why: str) -> str | None:
    """One 404 may be a lagging replica's; two of them ten minutes apart, and no good read between, are not."""
    return why if now - missing_since >= GONE_AFTER else None
