"""What the services ask of the database: `Change` is the inside of the one write transaction, `Store` the rest."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from ..domain.budget import Room, Woken
from ..domain.calls import FailedCall
from ..domain.compliance import Decision
from ..domain.device import DeviceLink, DirectoryDevice, ManagedDevice, ManagedKey, Person, Platform
from ..domain.journey import Journey
from ..domain.message_test import MessageTest
from ..domain.onboarding import Looked
from ..domain.partner import Told
from ..domain.push import Lane, Push
from ..domain.repairs import Mark
from ..domain.second_lock import SeenBlocked
from ..domain.sign_in_proof import Pair, SignIn
from ..domain.standing import Standing
from ..domain.turns import Turns
from .access import AccessChanges
from .alarms import Alarm
from .appearance import AppearanceChanges
from .deeds import Deeds
from .hints import Hints
from .impact import ImpactChange, ImpactRows, WaveRows
from .incidents import IncidentChanges
from .onboarding import Choice
from .partner import PartnerRows
from .second_lock import LockRows
from .set_up import SetUpChanges, SetUpRows
from .watching import Members, Watching
from .work import WorkChanges

EVERYTHING = Room()


@dataclass(frozen=True)
class Actor:
    """Who makes a change: `person:<oid>`, `worker:<executor id>` …"""

    kind: str
    id: str


class Change(SetUpChanges, ImpactChange, AccessChanges, WorkChanges, IncidentChanges, AppearanceChanges, Protocol):
    """The inside of one write transaction. Every method may raise `Stale` or `Conflict`, which roll all of it back.

    `audit` adds to the detail of the one audit row; wake-ups are enqueued in this same transaction.
    """

    def audit(self, **detail: Any) -> None: ...

    def save_person(self, person: Person) -> None: ...

    # journeys
    def start_journey(
        self, *, journey_id: str, case_code: str, oid: str, platform: Platform, browser: str, entrance: str, expires_at: datetime
    ) -> None: ...

    def bind_journey(self, journey_id: str, browser: str) -> None:
        """The person signed in again: the journey goes on in this browser."""

    def want_look(self, journey_id: str, *, refresh: bool = False) -> None:
        """Mark the journey, count its wake-up and enqueue it; `refresh` also asks the MDM to hear from the device."""

    def want_possession(self, journey_id: str, key: ManagedKey) -> None:
        """The person says that this managed device is in their hand: the worker is to send the link. Wakes the journey."""

    def mint_possession_link(self, journey_id: str, *, token_hash: str, expires_at: datetime) -> str:
        """Store a link before it is sent; returns its id. Earlier ones of the journey stay valid until they end.

        Stale where nobody waits for one any more, or where another pass is sending one: one wish, one message.
        """

    def possession_link_sent(self, link_id: str) -> None: ...

    def possession_failed(self, journey_id: str, error: str) -> None: ...

    def possession_put_off(self, journey_id: str) -> None:
        """The MDM was not asked after all: the next pass may send at once."""

    def prove_possession(self, token_hash: str, *, oid: str, browser: str) -> str:
        """Use the link up and store the proof, in this transaction; returns the journey id and wakes it.

        Raises `PossessionRefused`: a link works once, in time, for its own person, in the journey it was sent for.
        """

    def revoke_possession(self, token_hash: str, *, oid: str) -> "Revoked":
        """*This wasn't me*: no open link of that journey can be used any more."""

    def end_sessions(self, oid: str, *, but_browser: str | None = None) -> int:
        """Sign this person out in every browser but the one with this id. Returns how many of them were signed in."""

    def raise_alarm(self, alarm: Alarm) -> None:
        """With this change and never without it. It is told by whoever knows the ways of telling, each of them once."""

    # the set-up
    def choose(self, chosen: Mapping[str, Choice | None], *, seen: int | None = None) -> Mapping[str, Choice | None]:
        """Store what was typed, None for what is taken back; returns what stood there before. Raises `SetUpRefused` where the
        settings are not those any more that were `seen`."""

    def want_look_at(self, name: str) -> None:
        """The worker is to look at it."""

    def looked_at(self, looked: Looked) -> None: ...

    def make_set_up_link(self, token_hash: str, *, made_by: str, expires_at: datetime) -> None:
        """In place of all that nobody used."""

    def use_set_up_link(self, token_hash: str, *, session_hash: str, until: datetime) -> None:
        """Once, in time; else `SetUpRefused`."""

    def end_set_up_sessions(self) -> int: ...

    # tests of a connection's messages
    def ask_for_message_test(self, connection: str, *, token_hash: str, asked_by: str, expires_at: datetime) -> None:
        """Store one before its message is sent. It takes the place of the connection's last; what was proven stays."""

    def message_test_sent(self, token_hash: str) -> None: ...

    def message_seen(self, token_hash: str) -> str:
        """Use the test up, in time and once; from now on messages of its connection are proven to arrive. Returns the connection;
        raises `MessageTestRefused`."""

    def signed_in_again(self, journey_id: str, sign_in: SignIn, *, oid: str, browser: str) -> None:
        """Keep what came back, and wake the journey. Stale where it is not this person's in this browser any more."""

    def sign_in_recorded(self, sign_in: SignIn) -> None:
        """The look for its record is over: there, not to be had, or given up. Stale where it was over before."""

    def ask_for_certificate(
        self, journey_id: str, pair: Pair, *, handle_hash: str, oid: str, browser: str, expires_at: datetime
    ) -> None:
        """An address under which the device's certificate can be shown once. Stale where the journey is not this person's in this
        browser any more."""

    def certificate_shown(self, handle_hash: str, *, pem: str, fingerprint: str, back_hash: str) -> None:
        """Use the address up and keep what was shown; it counts when the journey's own browser came back. Raises
        `CertificateRefused`."""

    def came_back_with_certificate(self, back_hash: str, *, oid: str, browser: str) -> str:
        """The journey's own browser is back, once and in time: from now on it counts. Wakes the journey and returns its id. Raises
        `CertificateRefused`."""

    def still_blocked(self, journey_id: str) -> None:
        """Count it, and remember when."""

    def registered_in_app(self, journey_id: str) -> None:
        """The person says that they registered the device in the MDM's app."""

    def tried(self, journey_id: str, tries: Sequence[str]) -> None:
        """All that the person said to have done so far, a word for each time."""

    def want_told(self, journey_id: str) -> None:
        """The person asks for a message once the device is open."""

    def pick(self, journey_id: str, device_id: str) -> None:
        """Which of several directory devices the person says is in their hand."""

    def open_case(self, *, case_code: str, browser: str, platform: Platform, entrance: str) -> None:
        """A case for somebody who cannot sign in: nothing is known of them but what they did in this browser."""

    def need_help(self, journey_id: str, why: str) -> None:
        """Only a person can decide; `why` is a stable id. The next look that somebody wants forgets it."""

    # links
    def make_link(self, link: DeviceLink) -> None:
        """Insert the link and its push row, and wake it. Raises Conflict where either side has a living link already."""

    def tell_owner(self, link_id: str, *, ways: Sequence[str]) -> None:
        """That this link took another one's place, in each of these ways (`ports.Notice`)."""

    def tell_open(self, link_id: str, *, ways: Sequence[str]) -> None:
        """That the device is open, in each of these ways, where a journey of its owner on this platform asked for it; once."""

    def end_link(self, link_id: str, why: str) -> None:
        """End a living link and desire *not compliant* with it, as one. Stale where it ended already."""

    # pushes: each compares the sequence (and for `desire` the time of the posture read) before it sets
    def desire(
        self, link_id: str, *, seq: int, decision: Decision, posture_read_at: datetime, lane: Lane, again: str | None = None
    ) -> None:
        """From sequence `seq` on, Microsoft should be told this verdict: sequence `seq + 1`. `again` counts why the same is told
        once more: `flipped` or `not_applied`, as `Push` has them."""

    def about_to_send(
        self, link_id: str, *, seq: int, message_id: str, update_time: datetime, seen_before: bool | None
    ) -> None: ...

    def sent(self, link_id: str, *, seq: int) -> None: ...

    def accepted(self, link_id: str, *, seq: int) -> None: ...

    def confirmed(self, link_id: str, *, seq: int, by: str, shows_other: bool = False) -> None:
        """Entra showed what should be told; `by` is `changed` or `already_so` after our send, `relayed` where the MDM's maker
        carries, `gone` where the device is no more. `shows_other`: it shows the other value, and that is nothing of ours
        (`not_ours`)."""

    def noted(self, link_id: str) -> None:
        """The MDM's record bears the Azure device id."""

    def wake_link(self, link_id: str, *, lane: Lane) -> None: ...

    # repairs of the helpdesk
    def as_seen(self, oid: str, seen: int) -> None:
        """Raises ChangedMeanwhile where anything that staff have to know of was done for this person since that version."""

    def tell_again(self, link_id: str) -> None:
        """Microsoft is told once more what it was told last, if a fresh look still says so. Stale where it was told nothing."""

    def settle(self, journey_id: str, device_id: str) -> None:
        """Which of several candidates is meant. Wakes the journey."""

    def forget_proofs(self, link: DeviceLink) -> None:
        """Whoever wants another link like this one proves anew: in every living journey of its person on its platform."""

    def close_journey(self, journey_id: str) -> None: ...

    def reopen_journey(self, journey_id: str, *, expires_at: datetime) -> None:
        """It goes on, without any proof of before. Stale where it is not over."""

    def mark_device(self, device_id: str, mark: Mark, *, oid: str) -> None: ...

    def want_disabled(self, device_id: str) -> None:
        """The worker is to switch this entry off in the directory. Stale where it is not marked as a leftover."""

    def entry_disabled(self, device_id: str) -> None: ...

    def make_start_link(
        self, *, code: str, oid: str, platform: Platform, way: str, device: ManagedKey | None, expires_at: datetime
    ) -> None: ...

    def start_link_told(self, link_id: str) -> None: ...

    # the compliance partner
    def partner_took(self, told: Told) -> None:
        """What Microsoft last took from us."""

    def partner_leaves(self, leaving_at: datetime | None) -> None:
        """Since when devices are taken down for the partner's end; None takes it back. Stale where nothing was ever told."""

    def look_at_partner_links(self, platforms: Collection[Platform]) -> int:
        """Every active link of these platforms is due now, with the revocations where it stands; how many."""

    # the second lock
    def lock_prepared(self) -> None:
        """Nobody else's value stood in its attribute: from now on it is ours. Stale where there is no lock."""

    def lock_leaves(self) -> None:
        """No device is touched any more for the second lock."""

    def lock_given_up(self) -> None:
        """Its row goes, with what was seen blocked by it: another attribute may be chosen."""

    def saw_blocked(self, seen: SeenBlocked) -> None:
        """Takes the place of the last of its kind."""

    # operating
    def watch_soon(self, name: str) -> None:
        """A source that is read again and again: the next pulse wakes it."""

    def extend_leases(
        self, connection: str, *, outage_at: datetime, since_read: timedelta, since_check_in: timedelta
    ) -> tuple[int, datetime]:
        """Let *compliant* stand until this long after our last good read of each device, and never past its own check-in clock.
        Returns how many, and the latest end. Raises ExtensionRefused where the connection answers again, or had its extension."""

    def erase_person(self, oid: str) -> dict[str, int]:
        """Take away every row of theirs; returns how many by table. The audit stays: it holds ids alone. Raises ErasureRefused."""


class Store(Watching, Members, Hints, PartnerRows, SetUpRows, ImpactRows, WaveRows, LockRows, Deeds, Protocol):
    """The database of one tenant. `change` is for decisions, `observe_*` and `note_*` for what was seen and for timers:
    those leave observation rows where something differs, never audit rows."""

    tenant_id: str

    def change(self, actor: Actor, why: str, *, about: tuple[str, str], at: datetime) -> AbstractContextManager[Change]:
        """The one write transaction: rows, wake-ups and exactly one audit row, committed together or not at all.

        `why` is a stable id such as `journey.started`; `about` names the subject: ("journey", id), ("link", id), ("person", oid).
        """

    def take_turn(self, key: str, turns: Turns, *, at: datetime) -> datetime | None:
        """One turn of `key`'s, in a transaction of its own, shared by all processes. None if there was one, else when there is."""

    def take_turn_and_count(self, key: str, turns: Turns, *, at: datetime) -> tuple[datetime | None, int]:
        """Also how many are left to take at once."""

    # reads
    def journey(self, journey_id: str) -> Journey | None: ...

    def living_journey(self, oid: str, platform: Platform, now: datetime) -> str | None:
        """The person's newest journey on this platform that has not expired."""

    def journey_of_browser(self, browser: str, oid: str, now: datetime) -> str | None: ...

    def possession_link(self, token_hash: str, now: datetime) -> "PossessionLinkFacts | None": ...

    def message_test(self, connection: str) -> MessageTest | None: ...

    def message_test_behind(self, token_hash: str) -> MessageTest | None: ...

    def certificate_handle(self, handle_hash: str, now: datetime) -> "CertificateHandle | None": ...

    def link(self, link_id: str) -> DeviceLink | None: ...

    def push(self, link_id: str) -> Push | None: ...

    def managed_device(self, key: ManagedKey) -> ManagedDevice | None:
        """As last read, whatever became of it since."""

    def beside(self, link: DeviceLink) -> Sequence[tuple[DeviceLink, Push]]:
        """Every other link, living or ended, that has the directory device or the managed device of this one."""

    def living_links(self, key: ManagedKey, device_id: str) -> Sequence[DeviceLink]:
        """Whoever's links that have the managed device or the directory device now, pending ones too."""

    # what was seen (worker only)
    def observe_person(self, person: Person, standing: Standing, *, at: datetime) -> None: ...

    def observe_directory(self, oid: str, devices: Sequence[DirectoryDevice], *, at: datetime) -> None:
        """A complete list of the person's directory devices; those missing from it are no longer theirs."""

    def observe_directory_device(self, device: DirectoryDevice, *, at: datetime, owner_asked: bool = True) -> None:
        """One device read by itself; an owner that was not asked for stays as it is known."""

    def observe_managed(self, connection: str, oid: str, devices: Sequence[ManagedDevice], *, at: datetime) -> None:
        """A complete list of the person's records in one MDM connection."""

    def observe_managed_device(self, device: ManagedDevice, *, at: datetime) -> None: ...

    def observe_directory_missing(self, device_id: str, *, at: datetime) -> datetime:
        """The directory knows no such device. Returns since when, with no good read in between."""

    def observe_managed_missing(self, key: ManagedKey, *, at: datetime) -> datetime: ...

    # timers (worker only), guarded by the wake count so that a late worker changes nothing; no `failed_calls`: those of before stay
    def note_look(
        self,
        journey_id: str,
        *,
        wake: int,
        at: datetime,
        next_at: datetime | None,
        attempts: int,
        directory_error: str | None,
        mdm_error: str | None,
        owner_problem: str | None,
        refreshed: bool,
        found_some: bool = False,
        relay: timedelta | None = None,
        locked: bool = False,
        failed_calls: Sequence[FailedCall] = (),
    ) -> None:
        """`found_some`: at least one MDM told of devices, so they count as read though another MDM failed. `relay` and `locked` as
        `Journey` has them."""

    def waits(self, platform: Platform, now: datetime) -> Sequence[timedelta]:
        """How long the newest news of *compliant* that we told took to be seen in Entra, of a week's devices of this platform."""

    def note_shown(self, journey_id: str, before: str | None, shown: str, *, at: datetime) -> None:
        """The person was shown another page than `before`: an observation, by the web; nothing where somebody noted it already."""

    def note_sign_in(self, sign_in: SignIn) -> None:
        """Its record was looked for once more, and is not there yet."""

    def note_push(
        self,
        link_id: str,
        *,
        wake: int,
        seq: int,
        next_at: datetime | None,
        attempts: int,
        reason: str | None,
        following: bool = False,
        observed: bool | None = None,
        observed_at: datetime | None = None,
        decision: Decision | None = None,
        posture_read_at: datetime | None = None,
        failed_calls: Sequence[FailedCall] = (),
        looked: bool = True,
    ) -> None:
        """Park the row until `next_at`; `following` as `Push` has it. With an unchanged verdict, `decision` and `posture_read_at`
        renew its lease. A row that was marked as a revocation stays one until both sides were `looked` at. Where another sequence
        than `seq` is desired by now, somebody told news that this pass did not know: the row is looked at again at once."""

    def note_overtaken(self, link_id: str, *, wake: int, next_at: datetime, attempts: int) -> None:
        """This wake-up's pass ended as Stale: the row is looked at again then, unless it was woken again since or rests for
        good."""

    def note_judged(self, link_id: str, *, seq: int, decision: Decision, posture_read_at: datetime) -> None:
        """The verdict desired with `seq` was found again by this read. Stale where that is not the newest read or sequence."""

    def note_fault(self, workflow: str, row_id: str, *, wake: int, at: datetime) -> None:
        """A pass over this row ran into a bug. It says so (`our_fault`) and waits longer each time, for at most an hour."""

    def wake_due(self, now: datetime, *, limit: int = 100, room: Room = EVERYTHING) -> Woken:
        """Count up and enqueue the wake-up of rows whose time has come, as many as there is room for and at most `limit` of
        a kind. What is left stays due. Any worker's pulse may call it."""


@dataclass(frozen=True)
class Revoked:
    """`links` is how many nobody had used or revoked before: 0 where it was said already."""

    journey_id: str
    case_code: str
    links: int


@dataclass(frozen=True)
class PossessionLinkFacts:
    """What the page behind a possession link shows before anything is used up: whose journey, which device, when, and whether it
    can still be used (`refusal` is None) or why not."""

    journey_id: str
    case_code: str
    oid: str
    person_name: str
    device_name: str
    device_model: str | None
    sent_at: datetime | None
    expires_at: datetime
    refusal: str | None


@dataclass(frozen=True)
class CertificateHandle:
    """What the page shows on which a certificate is confirmed; `refusal` is why the address cannot be used any more."""

    journey_id: str
    case_code: str
    person_name: str
    device_name: str
    device_model: str | None
    expires_at: datetime
    refusal: str | None


class Wakeups(Protocol):
    """The engine's door for whoever writes rows: a wake-up enqueued in the caller's own transaction."""

    def enqueue(self, connection: Any, workflow: str, row_id: str, wake: int, *, lane: Lane) -> None:
        """`connection` is the SQLAlchemy connection of the open transaction; the id becomes `row_id:wake`."""
