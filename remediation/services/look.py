"""Look at the remotes for one journey, store what was seen, and do what the facts now call for. The worker's half of a journey.

Called by a wake-up and safe to begin again from the top at any moment: each part looks at what is stored before it acts.
Next door: `link_device` (the pairing), `push_compliance` (everything after the link).
"""

import secrets
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from ..domain.calls import FailedCall, last_of_each
from ..domain.compliance import decide
from ..domain.device import LinkState, Person, Platform
from ..domain.journey import POSSESSION_LINK_LASTS, Journey
from ..domain.matching import one_per_device
from ..domain.push import Lane, look_again
from ..domain.steps import Step, next_step
from ..errors import RemoteError, Stale
from ..ports import ComplianceChannel, Messaging, Refreshing, Relaying, in_lane
from .failed_calls import failed_call
from .link_device import link_device
from .prove_possession import token_hash
from .push_compliance import bring_to_rest
from .replace_link import replace_link
from .sign_in_again import look_for_record, record_due
from .world import World

# Where nothing changes unless somebody acts or a remote catches up, the worker keeps watching with the page closed.
WATCHED = {Step.LOOKING, Step.ENROLL, Step.THIS_DEVICE, Step.REGISTER, Step.CHOOSE, Step.FIX, Step.IN_APP, Step.WAIT}

BETWEEN_LOOKS = timedelta(seconds=15)  # where the log takes no call just now, its look stays due


@dataclass
class _Seen:
    """What one pass ran into; error codes are those of `errors`, None where the read was good."""

    directory_error: str | None = None
    mdm_error: str | None = None
    owner_problem: str | None = None
    refreshed: bool = False
    not_before: datetime | None = None
    uncalled: bool = False
    failed_calls: list[FailedCall] = field(default_factory=list)
    unread: set[str] = field(default_factory=set)
    """MDM connections that did not say what this person holds there."""
    found_some: bool = False

    def blame(self, error: RemoteError, now: datetime) -> str:
        self.failed_calls += failed_call(error, now)
        self.uncalled = self.uncalled or not error.called
        if error.retry_after is not None:
            self.not_before = max(self.not_before or now, _later(now, error.retry_after))
        return error.code


def look(journey_id: str, *, world: World) -> None:
    """One pass. Writes observations, a link where the facts suffice, and when to look next."""
    begun = world.clock()
    journey = world.store.journey(journey_id)
    if journey is None or begun >= journey.expires_at:
        return
    with in_lane(Lane.PERSON):
        _look(journey, world, begun)


def _look(journey: Journey, world: World, begun: datetime) -> None:
    wake, seen = journey.look.wake, _Seen()
    person = _look_at_directory(journey, world, seen)
    _look_at_mdm(journey, person, world, seen)
    journey = _again(journey, world)
    if not world.lets_in(journey.person.oid) or _unserved(journey, world):
        _note(_again(journey, world), world, seen, wake=wake, begun=begun)
        return
    if look_for_record(journey, world=world):
        journey = _again(journey, world)
    try:
        _refresh(journey, world, seen)
        _send_possession_link(journey, world, seen)
        if seen.directory_error is None:  # on a list of before, the only candidate may not be the only one any more
            if journey.replacing is None:
                link_device(journey, world=world, unread=seen.unread)
            else:
                replace_link(journey, world=world)
    except RemoteError as error:
        blame = seen.blame(error, world.clock())
        seen.mdm_error, seen.directory_error = (blame, seen.directory_error) if error.remote == "mdm" else (seen.mdm_error, blame)
    journey = _again(journey, world)
    if _tell_push(journey, world):
        journey = _again(journey, world)
    _note(journey, world, seen, wake=wake, begun=begun)


def _look_at_directory(journey: Journey, world: World, seen: _Seen) -> Person:
    """The person, as the directory knows them where it could be asked."""
    person = journey.person
    try:
        person = world.directory.person(journey.person.oid)
        standing = world.directory.standing(person.oid)
        if not world.lets_in(person.oid):
            standing = replace(standing, in_scope=False)
        world.store.observe_person(person, standing, at=world.clock())
        devices = world.directory.devices_of(person.oid)
    except RemoteError as error:
        seen.directory_error = seen.blame(error, world.clock())
        return person
    world.store.observe_directory(person.oid, devices, at=world.clock())
    return person


def _look_at_mdm(journey: Journey, person: Person, world: World, seen: _Seen) -> None:
    for connection, manager in world.managers.items():
        try:
            owned = manager.devices_of(person)
        except RemoteError as error:
            seen.mdm_error = seen.blame(error, world.clock())
            seen.unread.add(connection)
            continue
        seen.owner_problem = seen.owner_problem or owned.problem
        seen.found_some = seen.found_some or any(device.platform is journey.platform for device in owned.devices)
        world.store.observe_managed(connection, journey.person.oid, one_per_device(owned.devices), at=world.clock())


def _channel(journey: Journey, world: World) -> ComplianceChannel | None:
    """Of the device in hand; where that is not known yet, of any of this person's."""
    held = (journey.in_hand,) if journey.in_hand is not None else journey.managed
    found = (world.channel(journey.platform, device.key.connection) for device in held)
    return next((channel for channel in found if channel is not None), None) if held else world.channel(journey.platform)


def _unserved(journey: Journey, world: World) -> bool:
    """No channel of the tenant's serves this platform: that is said before any effort is asked of the person."""
    if _channel(journey, world) is not None or journey.platform is Platform.UNKNOWN:
        return False
    if journey.help_why is None:
        with world.store.change(world.actor, "journey.needs_help", about=("journey", journey.id), at=world.clock()) as change:
            change.audit(because="no_channel")
            change.need_help(journey.id, "no_channel")
    return True


def _refresh(journey: Journey, world: World, seen: _Seen) -> None:
    """Ask the MDM to hear from the device, where somebody asked for that since it was last done."""
    wanted, done, device = journey.look.refresh_wanted_at, journey.look.refreshed_at, journey.in_hand
    if wanted is None or (done is not None and done >= wanted) or device is None:
        return
    manager = world.managers.get(device.key.connection)
    if isinstance(manager, Refreshing):
        manager.refresh(device.key.record_id)
        seen.refreshed = True


def _send_possession_link(journey: Journey, world: World, seen: _Seen) -> None:
    """Have the MDM deliver a one-time link to the device in hand. The link is stored before it is sent.

    A crash between the two leaves a link that nobody got, and the next pass sends another one.
    """
    proof = journey.possession
    if proof is None or proof.proven_at is not None or (proof.sent_at is not None and proof.sent_at >= proof.wanted_at):
        return
    if proof.key.connection in journey.unproven:
        return  # no message of this connection was seen to arrive: the page says so, and none is sent
    if seen.mdm_error is not None and seen.uncalled:
        return  # the MDM takes no calls just now: a link minted all the same would be one for nobody at each look
    store, about, now = world.store, ("journey", journey.id), world.clock()
    manager = world.managers.get(proof.key.connection)
    if not isinstance(manager, Messaging):
        with store.change(world.actor, "possession.failed", about=about, at=now) as change:
            change.possession_failed(journey.id, "no_messages")
        return
    token = secrets.token_urlsafe(32)
    try:
        with store.change(world.actor, "possession.minted", about=about, at=now) as change:
            link_id = change.mint_possession_link(journey.id, token_hash=token_hash(token), expires_at=now + POSSESSION_LINK_LASTS)
    except Stale:
        return  # another pass is sending it, or the person has tapped one meanwhile
    try:
        manager.message(proof.key.record_id, world.message_text(world.possession_url(token), journey.case_code))
    except RemoteError as error:
        why = "possession.failed" if error.called else "possession.put_off"
        with store.change(world.actor, why, about=about, at=world.clock()) as change:
            if error.called:
                change.audit(client_request_id=error.client_request_id, request_id=error.request_id)
                change.possession_failed(journey.id, error.code)
            else:
                change.possession_put_off(journey.id)
        raise
    with store.change(world.actor, "possession.sent", about=about, at=world.clock()) as change:
        change.possession_link_sent(link_id)


def _tell_push(journey: Journey, world: World) -> bool:
    """A posture that calls for another verdict than Microsoft was told is news for the push. A link just made was woken by that."""
    device, link, push = journey.in_hand, journey.link, journey.push
    if device is None or link is None or push is None or link.state is not LinkState.ACTIVE or push.desired is None:
        return False
    if decide(device.posture, world.clock(), world.lease).verdict is push.desired:
        return False
    bring_to_rest(link.id, world=world)
    return True


def _note(journey: Journey, world: World, seen: _Seen, *, wake: int, begun: datetime) -> None:
    now, channel = world.clock(), _channel(journey, world)
    relaying = channel if isinstance(channel, Relaying) else None
    locked = relaying is not None and world.locks(journey.platform, relaying.connection) and world.lock_prepared()
    journey = replace(journey, relay=relaying.every if relaying is not None else None, locked=locked)
    step = next_step(journey, now)
    failed = seen.directory_error or seen.mdm_error
    carried_by_push = journey.push is not None and step in (Step.WAIT, Step.IN_APP)
    watch = step in WATCHED and not (carried_by_push and not failed)
    waiting_since = journey.look.wanted_at or journey.started_at
    next_at = None
    if watch or failed:
        attempts, in_vain = journey.look.attempts, watch and failed is not None
        next_at = look_again(now, waiting_since=waiting_since, attempts=attempts, failed=in_vain)
    due = record_due(journey)
    if due is not None:
        due = max(due, now + BETWEEN_LOOKS)
        next_at = due if next_at is None else min(next_at, due)
    if next_at is not None and seen.not_before is not None:
        next_at = max(next_at, seen.not_before)
    world.store.note_look(
        journey.id,
        wake=wake,
        at=begun,
        next_at=next_at,
        attempts=journey.look.attempts + (not seen.uncalled),
        directory_error=seen.directory_error,
        mdm_error=seen.mdm_error,
        owner_problem=seen.owner_problem,
        refreshed=seen.refreshed,
        found_some=seen.found_some,
        relay=journey.relay,
        locked=locked,
        failed_calls=last_of_each(journey.look.failed_calls, seen.failed_calls),
    )


def _again(journey: Journey, world: World) -> Journey:
    """The same journey with what has been stored meanwhile."""
    return world.store.journey(journey.id) or journey


def _later(now: datetime, seconds: float) -> datetime:
    return now if seconds <= 0 else datetime.fromtimestamp(now.timestamp() + seconds, now.tzinfo)
