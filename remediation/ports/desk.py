"""What the pages ask of the database beside the journey: who is signed in, and what the helpdesk may read. Next door: `store`."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from ..domain.device import DeviceLink, DirectoryDevice, ManagedDevice, ManagedKey, Person, Platform
from ..domain.push import Push
from ..domain.reach import Reach
from .access import AccessRows
from .appearance import AppearanceRows
from .figures import FigureEvents
from .incidents import Incidents
from .operating import Connections, StuckRow, StuckRows
from .repairs import DeskRepairs
from .store import Actor
from .work import WorkRows


@dataclass(frozen=True)
class Session:
    """A signed-in browser. `browser` is the id that journeys are bound to; `roles` are Entra's app roles at sign-in."""

    oid: str
    name: str
    browser: str
    roles: tuple[str, ...]
    signed_in_at: datetime


class Sessions(Protocol):
    """Server-side sessions that can be ended. Tokens are random; the database holds their hashes. Expiry is checked on use."""

    def begin(self, *, oid: str, name: str, roles: Sequence[str], browser: str, at: datetime) -> str: ...

    def find(self, token: str, *, at: datetime) -> Session | None: ...

    def end(self, token: str, *, at: datetime) -> None:
        """This one. All of a person's end in a change of their own (`Change.end_sessions`)."""


class SignInStates(Protocol):
    """State, nonce and PKCE verifier of a sign-in under way: on the server, one use, ten minutes."""

    def put(self, key: str, value: str, *, until: datetime) -> None: ...

    def take(self, key: str, *, at: datetime) -> str | None:
        """The value, once: a second caller gets None, as does one who comes too late."""


@dataclass(frozen=True)
class CaseFound:
    """What stands behind a case code. `journey_id` and `oid` are None for somebody who could not sign in."""

    case_code: str
    platform: Platform
    entrance: str
    opened_at: datetime
    journey_id: str | None = None
    oid: str | None = None


@dataclass(frozen=True)
class PersonFound:
    """`device` names the device that they were found by, where it was not by themselves."""

    person: Person
    last_case_at: datetime | None
    device: str | None = None


@dataclass(frozen=True)
class PeopleFound:
    """`more`: there are others, whom another word may leave out."""

    people: Sequence[PersonFound]
    more: bool


@dataclass(frozen=True)
class Event:
    """One row of the audit or of the observations. `what` is the audit's stable id, or `<kind of subject>.<what differs>`;
    `actor` is None where it was only seen; `number` is the audit row's."""

    at: datetime
    what: str
    actor: Actor | None
    about: tuple[str, str]
    detail: Mapping[str, Any]
    number: int = 0


@dataclass(frozen=True)
class Mark:
    """A place in a person's timeline, where the next page goes on: `book` is 0 for the audit and 1 for the observations."""

    at: datetime
    book: int
    row: int


@dataclass(frozen=True)
class TimelinePage:
    """`next` is None behind the last row."""

    events: Sequence[Event]
    next: Mark | None


@dataclass(frozen=True)
class DeviceFound:
    """One device, as far as its two sides are known. `link` is the living one, else the one that ended last; `whose` are the object
    ids of everybody whom it belongs to by a link or a list."""

    directory: DirectoryDevice | None
    managed: ManagedDevice | None
    link: DeviceLink | None
    push: Push | None
    whose: frozenset[str]


@dataclass(frozen=True)
class FeedRow:
    """An audit row behind its seal. `what` is None where the row is gone, and with it all that follows: a seal stays."""

    seq: int
    digest: str
    sealed_at: datetime
    at: datetime | None = None
    what: str | None = None
    actor: tuple[str, str] | None = None
    about: tuple[str, str] | None = None
    detail: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class FeedPage:
    """`last` is the place to go on from. `gap`: rows behind the place that was asked for went by their age, unread."""

    rows: Sequence[FeedRow]
    last: int
    more: bool
    gap: bool


class LookUp(Connections, FigureEvents, DeskRepairs, Protocol):
    """What the helpdesk reads, all of it within the tenant, and of people within `reach`: whoever is not within it is not there."""

    reach: Reach

    def within(self, reach: Reach) -> "LookUp": ...

    def listed_at(self) -> Mapping[str, datetime | None]:
        """By group that limits what is seen: of when its members are known, None where they are not."""

    def stuck(self) -> StuckRows: ...

    def timeline_page(self, oid: str, after: Mark | None, *, limit: int) -> TimelinePage:
        """As `timeline`, a page at a time."""

    def device(self, device_id: str) -> DeviceFound | None: ...

    def record(self, key: ManagedKey) -> DeviceFound | None: ...

    def devices_with_serial(self, serial: str) -> Sequence[DeviceFound]: ...

    def audit_after(self, seq: int | None, *, limit: int) -> FeedPage:
        """Of everybody, in the order of the seals; None begins with the oldest that is kept."""

    access: AccessRows
    work: WorkRows
    incidents: Incidents
    appearance: AppearanceRows

    def case(self, code: str) -> CaseFound | None: ...

    def people(self, words: Sequence[str], *, limit: int) -> PeopleFound:
        """Those of whom every one of these begins a word: of their name, mail or user name, of the name of a device that is listed
        as theirs, or its serial number, UDID, device id or object id. In the order of what was found."""

    def person(self, oid: str) -> Person | None: ...

    def seen(self, oids: Collection[str]) -> frozenset[str]:
        """Those of these whose pages there are."""

    def cases_of(self, oid: str) -> Sequence[CaseFound]:
        """The person's journeys, newest first."""

    def timeline(self, oid: str, *, limit: int, kind: str | None = None, skip: int = 0) -> Sequence[Event]:
        """What was done and what was seen for this person, newest first; not who looked at it. `kind` is `person`, `staff`, `push`,
        `seen` or `pages`."""

    def acts_since(self, oid: str, seen: int, *, limit: int) -> Sequence[Event]:
        """What was done since that version (`last_act`), newest first."""

    def said_not_me(self, oid: str) -> datetime | None:
        """When the person last said *this wasn't me*, whatever happened since."""

    def signed_in(self, oid: str, now: datetime) -> Sequence[datetime]:
        """When each browser in which this person is signed in now was signed in, newest first."""

    def failing(self) -> Sequence[StuckRow]:
        """The sources, MDM connections and the directory, that give no good answers now."""
