"""What repairs of the helpdesk ask of the database: what the pages read of them, and what is left for the worker."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from ..domain.device import ManagedKey, Platform
from ..domain.repairs import Marked
from ..domain.tenant_facts import DeviceQuota, GoneEntry


@dataclass(frozen=True)
class StartLink:
    """A way to the start page that staff made: shown, sent by `mail` or to a `device`. It opens nothing by itself."""

    code: str
    platform: Platform
    way: str
    at: datetime
    expires_at: datetime
    told_at: datetime | None
    reason: str | None


@dataclass(frozen=True)
class StartLinkDue:
    id: str
    oid: str
    code: str
    way: str
    device: ManagedKey | None
    mail: str | None
    at: datetime
    expires_at: datetime
    attempts: int


@dataclass(frozen=True)
class ToDisable:
    """An entry of the directory that staff want switched off, as one of this person's."""

    device_id: str
    oid: str
    wanted_at: datetime
    attempts: int


class DeskRepairs(Protocol):
    """Within the tenant, of one person."""

    def marks(self, oid: str) -> Sequence[Marked]: ...

    def start_links(self, oid: str, now: datetime) -> Sequence[StartLink]:
        """The newest that still lead somewhere."""

    def start_link(self, code: str, now: datetime) -> Platform | None:
        """Which platform it was made for; None where there is none, or no longer."""

    def registered(self, oid: str) -> int:
        """How many entries the directory listed as theirs, of whatever platform."""

    def gone(self, oid: str, since: datetime) -> Sequence[GoneEntry]:
        """Entries that went from their list since then, the newest first."""

    def device_quota(self) -> DeviceQuota | None:
        """As a worker last read it; None where none has."""

    def last_act(self, oid: str) -> int:
        """The version of what staff see of this person: it rises with everything that people and staff do, and with what the worker
        decides about links."""


class RepairWork(Protocol):
    """What is due is for one caller only, and again after minutes should that one vanish. No time to try next means never."""

    def start_links_due(self, now: datetime) -> Sequence[StartLinkDue]: ...

    def start_link_not_told(self, link_id: str, *, reason: str, next_try_at: datetime | None) -> None: ...

    def to_disable(self, now: datetime) -> Sequence[ToDisable]: ...

    def not_disabled(self, device_id: str, *, reason: str, next_try_at: datetime | None) -> None: ...
