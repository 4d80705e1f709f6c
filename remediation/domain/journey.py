"""The facts of one person bringing one device through. Facts are stored; the step is derived by `steps.next_step`."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from .calls import FailedCall
from .device import DeviceLink, DirectoryDevice, LinkState, ManagedDevice, ManagedKey, Person, Platform
from .device_certificate import ShownCertificate, claimed, decisive_certificate, wants_certificate
from .evidence import Level, to_replace
from .push import Push
from .sign_in_proof import Pair, SignIn, decisive, names_another, pair_of, pair_of_link, speaking_of, wants_sign_in
from .standing import Standing

LASTS = timedelta(hours=24)
POSSESSION_LINK_LASTS = timedelta(minutes=10)


@dataclass(frozen=True)
class Look:
    """How the worker's looking at the remotes stands. Errors hold an error's `code`, None where the last read was good.

    `owner_problem` says why no record could be called this person's: `ambiguous_owner` (two MDM users match) or `shared_user`.
    A look is due when somebody `wanted` one after the last one began; `next_at` is when the worker looks by itself. `reason` is
    `our_fault` where the last look ran into a bug of ours.
    """

    wanted_at: datetime | None = None
    done_at: datetime | None = None
    directory_read_at: datetime | None = None
    directory_error: str | None = None
    mdm_read_at: datetime | None = None
    mdm_error: str | None = None
    owner_problem: str | None = None
    refresh_wanted_at: datetime | None = None
    refreshed_at: datetime | None = None
    next_at: datetime | None = None
    attempts: int = 0
    wake: int = 0
    failed_calls: tuple[FailedCall, ...] = ()
    reason: str | None = None

    @property
    def under_way(self) -> bool:
        return self.wanted_at is not None and (self.done_at is None or self.done_at < self.wanted_at)


@dataclass(frozen=True)
class Possession:
    """How the proof stands that the person holds the managed device `key`: asked for, sent as an MDM message, tapped.

    `proven_at` is set by the button behind the link; a wipe since then (another generation) voids the proof.
    """

    key: ManagedKey
    wanted_at: datetime
    sent_at: datetime | None = None
    expires_at: datetime | None = None
    error: str | None = None
    proven_at: datetime | None = None
    proven_generation: str | None = None

    def waiting(self, now: datetime) -> bool:
        """A message that can still be tapped is on its way or in the person's hand."""
        return self.proven_at is None and (self.expires_at is None or now < self.expires_at)


@dataclass(frozen=True)
class Journey:
    """All the facts, read in one go. `managed` and `directory` are the person's devices of this platform as last seen.

    `taken` holds device ids that are linked with other managed devices; `help_why` is a stable id, set by the worker when only a
    person can decide; `still_blocked_at` when the person last said that *open* was not true, and how often. `picked` is the device
    id that the person picked among several: a hint for staff, never evidence. `sign_ins` are those that were to name a device,
    `certificates` those with which this journey's browser came back. `unproven` are MDM connections of which no message was seen to
    arrive yet, or can: what is tapped there proves nothing, and nothing is sent. `fresh`: the tenant asks for no better evidence.
    `settled` is which of several candidates the helpdesk says it is: a link by it waits until Entra itself names that device.
    `reopened_at` is when staff reopened it, without any proof of before; `shown` which page it last showed.
    `relay` is how often the MDM's maker carries compliance to Microsoft, None where we send; `in_app_at` when the person said that
    they had registered the device in the MDM's app. `locked`: the second lock holds a device back until it bears our mark.
    `tell_open_at`: when they asked for a message once it is open, until it is sent. `tries` has a word for each time that they said
    to have done what a step asks (`loops`), the last of them at `tried_at`.
    """

    id: str
    case_code: str
    person: Person
    platform: Platform
    started_at: datetime
    expires_at: datetime
    look: Look = Look()
    managed: tuple[ManagedDevice, ...] = ()
    directory: tuple[DirectoryDevice, ...] = ()
    taken: frozenset[str] = frozenset()
    possession: Possession | None = None
    links: tuple[DeviceLink, ...] = ()
    pushes: tuple[Push, ...] = ()
    help_why: str | None = None
    still_blocked_at: datetime | None = None
    still_blocked_count: int = 0
    standing: Standing | None = None
    picked: str | None = None
    sign_ins: tuple[SignIn, ...] = ()
    certificates: tuple[ShownCertificate, ...] = ()
    unproven: frozenset[str] = frozenset()
    fresh: bool = False
    relay: timedelta | None = None
    settled: str | None = None
    reopened_at: datetime | None = None
    shown: str | None = None
    in_app_at: datetime | None = None
    locked: bool = False
    tell_open_at: datetime | None = None
    tries: tuple[str, ...] = ()
    tried_at: datetime | None = None

    @property
    def in_hand(self) -> ManagedDevice | None:
        """The managed device that this journey is about: the one asked to prove itself, else the only one there is."""
        asked = next((m for m in self.managed if self.possession is not None and m.key == self.possession.key), None)
        return asked or (self.managed[0] if len(self.managed) == 1 else None)

    @property
    def reachable(self) -> tuple[ManagedDevice, ...]:
        """The managed devices that can prove themselves by a message."""
        return tuple(device for device in self.managed if device.key.connection not in self.unproven)

    @property
    def by_fresh(self) -> bool:
        """No message can prove the device in hand, it is the only one without a link, and the tenant asks for no more than that a
        directory device appeared since."""
        device = self.in_hand
        if device is None or device.enrolled_at is None or self.others_unlinked:
            return False
        return self.fresh and device.key.connection in self.unproven

    @property
    def counts_from(self) -> datetime | None:
        """From when on a new registration is this device's: since the message that proved it was sent, or, by `fresh`, since the
        journey began and the device was enrolled (what was registered before a wipe is not what is enrolled anew). None while
        neither holds."""
        if self.proven and self.possession is not None:
            return self.possession.sent_at
        enrolled_at = self.in_hand.enrolled_at if self.in_hand is not None else None
        begun_at = max(self.started_at, self.reopened_at or self.started_at)
        return max(begun_at, enrolled_at) if self.by_fresh and enrolled_at is not None else None

    @property
    def others_unlinked(self) -> bool:
        """The person holds a further managed device of this platform that no living link holds."""
        linked = {link.managed for link in self.links if link.state is not LinkState.ENDED}
        return any(device != self.in_hand and device.key not in linked for device in self.managed)

    @property
    def link(self) -> DeviceLink | None:
        """The living link of the device in hand."""
        device = self.in_hand
        if device is None:
            return None
        return next((k for k in self.links if k.managed == device.key and k.state is not LinkState.ENDED), None)

    @property
    def registered_anew(self) -> DirectoryDevice | None:
        """The entry that the phone in hand may have by now, while the one it is linked with still lives: the person says that they
        are still blocked, and there is exactly one further entry of theirs that is younger than the link and that no link holds."""
        link, said_at = self.link, self.still_blocked_at
        if link is None or link.state is not LinkState.ACTIVE or said_at is None or said_at < link.made_at:
            return None
        held = self.taken | {other.device_id for other in self.links if other.state is LinkState.ACTIVE}
        younger = [
            d
            for d in self.directory
            if d.enabled and d.registered_at is not None and d.registered_at > link.made_at and d.device_id not in held
        ]
        return younger[0] if len(younger) == 1 else None

    @property
    def push(self) -> Push | None:
        link = self.link
        return next((p for p in self.pushes if link is not None and p.link_id == link.id), None)

    @property
    def proven(self) -> bool:
        """The holder of the device in hand proved possession in this journey, and the device was neither enrolled nor registered
        anew since."""
        device, proof, anew = self.in_hand, self.possession, self.registered_anew
        return (
            device is not None
            and proof is not None
            and proof.key == device.key
            and proof.proven_at is not None
            and proof.proven_generation == device.generation
            and device.key.connection not in self.unproven
            and (anew is None or anew.registered_at is None or proof.proven_at > anew.registered_at)
        )

    @property
    def sign_in_asked(self) -> Pair | None:
        """What a second sign-in should prove now, None where none is asked for: the pair of a link that waits for it, or that of
        the sign-in which named another device, since the right one may still be named."""
        link = self.link
        if not self.proven:
            return None
        if link is not None:
            return pair_of_link(link) if wants_sign_in(link) else self._pair_to_name
        last = max((s for s in self.sign_ins if s.named), key=lambda s: s.returned_at, default=None)
        device = self.in_hand
        if last is None or device is None or not names_another(last):
            return None
        known = {(d.device_id, d.object_id) for d in self.directory}
        same = last.pair.managed == device.key and last.pair.generation == device.generation
        return last.pair if same and (last.pair.device_id, last.pair.object_id) in known else None

    @property
    def replacing(self) -> Pair | None:
        """The pair that may take the place of the living link, None where none may."""
        device, anew = self.in_hand, self.registered_anew
        return pair_of(device, anew) if device is not None and anew is not None else None

    @property
    def _pair_to_name(self) -> Pair | None:
        """Of a replacement, until Entra named its device."""
        pair = self.replacing
        sign_in = self.sign_in_of(pair) if pair is not None else None
        return None if sign_in is not None and sign_in.named and not names_another(sign_in) else pair

    def sign_in_of(self, pair: Pair) -> SignIn | None:
        """The sign-in that decides about this pair."""
        since = self._proven_at
        return decisive(self.sign_ins, pair, since=since) if since is not None else None

    @property
    def last_sign_in(self) -> SignIn | None:
        """The newest for what is asked now, whatever another one decided: its record may still come."""
        pair, since = self.sign_in_asked, self._proven_at
        if pair is None or since is None:
            return None
        return next(reversed(speaking_of(self.sign_ins, pair, since=since)), None)

    @property
    def certificate_asked(self) -> Pair | None:
        """For which pair the device's certificate should be shown now, None where none is asked for."""
        link, pair = self.link, self.replacing
        if link is None or not self.proven:
            return None
        if pair is not None:
            return pair if to_replace(link) >= Level.CERTIFICATE and claimed(self.sign_in_of(pair)) else None
        return pair_of_link(link) if wants_certificate(link, self.sign_in_of(pair_of_link(link))) else None

    def certificate_of(self, pair: Pair) -> ShownCertificate | None:
        since = self._proven_at
        return decisive_certificate(self.certificates, pair, since=since) if since is not None else None

    @property
    def _proven_at(self) -> datetime | None:
        return self.possession.proven_at if self.proven and self.possession is not None else None
