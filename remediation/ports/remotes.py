"""What the services ask of the remotes: Entra's directory, an MDM, a channel to Microsoft. Small protocols; an ability that only
some have is a further protocol, asked for with `isinstance`.

Every call to a remote may raise the five errors of `errors.py` (NotFound, Refused, Busy, Unreachable, Garbled) and nothing else.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic, Literal, Protocol, TypeVar, runtime_checkable

from ..domain.channel import ChannelKind
from ..domain.device import DirectoryDevice, ManagedDevice, Person, Platform
from ..domain.standing import Standing

Clock = Callable[[], datetime]
"""The present moment, aware, in UTC."""

T = TypeVar("T")


@dataclass(frozen=True)
class Page(Generic[T]):
    """One page of a list. `unreadable` are the ids of rows that are there but could not be read whole; `cursor` asks for the next
    page, and is None after the last: only then was the list whole."""

    rows: tuple[T, ...]
    cursor: str | None
    unreadable: tuple[str, ...] = ()


class Directory(Protocol):
    """Entra's directory, read through Graph."""

    def person(self, oid: str) -> Person: ...

    def standing(self, oid: str) -> Standing:
        """Account, licence and chosen groups of this person; what may not be read (403) is None."""

    def devices_of(self, oid: str) -> Sequence[DirectoryDevice]:
        """All devices registered by this person, every page; `owner_oid` may be None here (not asked)."""

    def device(self, device_id: str, *, owner: bool = True) -> DirectoryDevice:
        """One device by the Azure device id. Its registered owner costs a call of its own; not asked for, `owner_oid` is None."""

    def page(self, cursor: str | None) -> Page[DirectoryDevice]:
        """The tenant's devices, page by page; `owner_oid` is None where the list does not tell it."""


class DirectoryWriting(Protocol):
    """What a tenant may permit beside reading."""

    def disable(self, object_id: str) -> None:
        """Switch this entry off. Refused where the app lacks the permission, or where Graph takes it from no app."""


class SignInLog(Protocol):
    """Entra's log of sign-ins, which not every tenant lets us read (Refused), and which tells of each some minutes late."""

    def devices(self, correlation_id: str, *, oid: str, app_id: str, since: datetime, until: datetime) -> Sequence[str] | None:
        """The Azure device ids in the records of this person's good sign-ins to this app under this correlation id, begun between
        the two moments; None while there is no such record, nothing where it names no device."""


@dataclass(frozen=True)
class Owned:
    """A person's records in one MDM. `problem` is `ambiguous_owner` where two MDM users match, which counts as none, or
    `shared_user` where the one that matches is a staging or shared account; both go to the helpdesk, never to *enroll*."""

    devices: tuple[ManagedDevice, ...]
    problem: str | None = None


class DeviceManager(Protocol):
    """One MDM connection."""

    connection: str

    def devices_of(self, person: Person) -> Owned:
        """The enrolled devices of this person, every page; the owner compared exactly by us, on the attributes the tenant chose."""

    def device(self, record_id: str) -> ManagedDevice:
        """One record with its posture, read afresh."""


@runtime_checkable
class Listing(Protocol):
    def page(self, cursor: str | None, *, since: datetime | None) -> Page[ManagedDevice]:
        """All records, or those of devices seen since then by the MDM's clock, page by page in a steady order. A row is older than
        a single read and does not say which rules fail: `posture.failing` is empty."""


@runtime_checkable
class MemberListing(Protocol):
    def members(self, group_id: str, cursor: str | None) -> Page[str]:
        """Object ids of the people in a directory group, of groups within it too, page by page. NotFound where there is no such
        group."""


@runtime_checkable
class Refreshing(Protocol):
    def refresh(self, record_id: str) -> None:
        """Ask the device to report to its MDM now; returns when the MDM took the request, not when the device answered."""


@runtime_checkable
class Messaging(Protocol):
    def message(self, record_id: str, text: str) -> None:
        """Show `text` on that managed device, through the MDM's own agent."""


@runtime_checkable
class LinkNoting(Protocol):
    def note_link(self, record_id: str, device_id: str) -> None:
        """Write the Azure device id onto the record, for look-up only: it proves nothing and pushes nothing."""


@runtime_checkable
class Searching(Protocol):
    def find(self, identifier: str) -> Page[ManagedDevice]:
        """Every record that bears this as serial number, UDID or the MDM's own id of it, however it is written (case, dashes,
        blanks), enrolled or not, each read afresh. One page; its cursor is always None. Where an MDM cannot search by it, its whole
        list is read, so this is for staff, never for a visitor."""


@dataclass(frozen=True)
class MdmGroup:
    """`holds` is what its members are, where the MDM says so; `members` is None where it does not tell how many."""

    id: str
    name: str
    holds: Literal["users", "devices", "either"]
    members: int | None


@runtime_checkable
class Grouping(Protocol):
    def groups(self) -> Iterator[MdmGroup]:
        """Every group, each once, as the MDM lists them. Counting members may cost a call for each."""


@dataclass(frozen=True)
class LookupValue:
    """`key` as it is written into the address of a managed web clip; `names_device` where it alone names the device."""

    key: str
    meaning: str
    names_device: bool = False


@runtime_checkable
class Personalising(Protocol):
    def lookup_values(self) -> Sequence[LookupValue]:
        """What the MDM replaces in the address of a managed web clip. People see and change addresses: nothing in one is
        evidence."""


@dataclass(frozen=True)
class Report:
    """One verdict on its way to Microsoft. `message_id` and `update_time` come from `domain.push`, stored before the first send.

    `managed` is False once the link ended; what describes the device is then the last that is known of it.
    """

    message_id: str
    update_time: datetime
    compliant: bool
    managed: bool
    device_id: str
    oid: str
    name: str
    platform: Platform
    os_version: str | None
    last_seen: datetime | None


@dataclass(frozen=True)
class Sent:
    """The ids of the call that handed a report over, for whoever has to ask Microsoft about it."""

    client_request_id: str
    request_id: str | None = None


@dataclass(frozen=True)
class Carried:
    """What became of a report, as the channel tells it. `failed` holds the channel's own code."""

    accepted: bool
    failed: str | None = None


class ComplianceChannel(Protocol):
    """One way in which compliance reaches Microsoft. Every channel can observe. `platforms` are those that the tenant gave it."""

    kind: ChannelKind
    platforms: frozenset[Platform]

    def observe(self, device_id: str) -> DirectoryDevice:
        """What Entra itself shows now: the only thing that decides success. `owner_oid` may be None here (not asked)."""


@runtime_checkable
class Sending(ComplianceChannel, Protocol):
    def send(self, report: Report) -> Sent:
        """Hand the report over. Safe to repeat under the same message id."""

    def carried(self, message_id: str) -> Carried:
        """What became of it; NotFound where the channel never got it."""


class Marking(Protocol):
    """The second lock's mark on directory devices of these platforms: no channel, it tells Microsoft nothing of compliance."""

    platforms: frozenset[Platform]

    def send(self, report: Report) -> Sent:
        """Set it where the report says *compliant* of a managed device, else clear it. Safe to repeat."""

    def clear(self, device_id: str) -> Sent: ...


@runtime_checkable
class Relaying(ComplianceChannel, Protocol):
    """The maker of the MDM `connection` carries what its own record says, about devices whose registration began in its app, every
    so often: `every`. We send nothing here and can take nothing back."""

    connection: str
    every: timedelta
