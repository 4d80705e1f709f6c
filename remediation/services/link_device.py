"""Pair the device in hand with its directory device, where the evidence allows it and both sides, read afresh, agree.

The database decides races (unique indexes); this decides meaning. Next door: `domain/matching.py`, `domain/evidence.py`, and
`replace_link`, where a living link is in the way.
"""

from collections.abc import Collection
from contextlib import suppress
from datetime import datetime
from uuid import uuid4

from ..domain.device import DeviceLink, DirectoryDevice, LinkState, ManagedDevice
from ..domain.device_certificate import wants_certificate, with_certificate
from ..domain.evidence import Evidence, Level, ends_link, suffices
from ..domain.identifiers import identifier
from ..domain.journey import Journey
from ..domain.matching import Match, match
from ..domain.sign_in_proof import Pair, SignIn, names_another, pair_of, pair_of_link, refutes, wants_sign_in, with_sign_in
from ..domain.steps import candidates
from ..errors import Conflict, Stale
from .device_certificate import judge_certificate
from .world import World


def link_device(journey: Journey, *, world: World, unread: Collection[str] = ()) -> None:
    """Make the link, or leave things as they are. Raises the errors of the remotes; the journey is looked at again after them.

    `unread` are MDM connections that did not answer: a further phone of this person's may be there, and be the registered one.
    """
    device = journey.in_hand
    if journey.link is not None and not _is_over(journey, journey.link, device, world):
        if journey.link.state is LinkState.PENDING and journey.help_why is None and not wants_sign_in(journey.link):
            _say_what_is_missing(journey, device, world)
        return
    if device is None or journey.counts_from is None:
        return
    if _end_earlier_enrollments(journey, device, world):
        journey = world.store.journey(journey.id) or journey
    others = journey.others_unlinked or any(connection != device.key.connection for connection in unread)
    found = _match(journey, device, list(journey.directory), others=others)
    if found is None or found.chosen is None:
        return
    sign_in = journey.sign_in_of(pair_of(device, found.chosen))
    if names_another(sign_in):
        refuse(journey, sign_in, world)
        return
    directory_device = world.directory.device(found.chosen.device_id)
    managed = world.managers[device.key.connection].device(device.key.record_id)
    world.store.observe_directory_device(directory_device, at=world.clock())
    world.store.observe_managed_device(managed, at=world.clock())
    if directory_device.owner_oid is None or managed.generation != device.generation or managed.posture.enrolled is not True:
        return
    if directory_device.owner_oid != journey.person.oid:
        ask_for_help(journey, world, "owned_by_another")
        return
    again = _match(journey, managed, [directory_device], others=others)
    if again is not None and again.chosen is not None:
        _end_what_no_longer_holds(managed, again.chosen, world)
        _make(journey, managed, again.chosen, found, world)


def _is_over(journey: Journey, link: DeviceLink, device: ManagedDevice | None, world: World) -> bool:
    """A living link ends where Entra itself contradicts it. A pending one, which has no looks of its own, ends here also with the
    enrollment it pinned, or once it would be made in another way: its evidence would be enough, or more, or more is asked of it."""
    sign_in = journey.sign_in_of(pair_of_link(link))
    why = "named_another" if refutes(sign_in, link) else None
    if why is None and link.state is LinkState.PENDING:
        evidence = evidence_of(journey, pair_of_link(link), link.evidence, device, world)
        found = candidates(journey)
        asked = _asked(found is not None and found.settled and found.chosen is not None and _is_of(link, found.chosen), world)
        why = ends_link(link, device, None) or ("evidence_suffices_now" if suffices(evidence, asked) else None)
        if why is None and journey.proven and (evidence.level > link.evidence.level or link.minimum is not asked):
            why = "evidence_changed"
    if why is not None:
        _end(link, why, world)
    return why is not None


def _asked(settled: bool, world: World) -> Level:
    """Staff settle which one is meant, and can be talked into it: such a link waits until Entra itself names the device."""
    return max(world.minimum, Level.BOUND) if settled else world.minimum


def _is_of(link: DeviceLink, device: DirectoryDevice) -> bool:
    return (link.device_id, link.object_id) == (device.device_id, device.object_id)


def _end_earlier_enrollments(journey: Journey, device: ManagedDevice, world: World) -> bool:
    """This very phone was enrolled anew under another record, while the MDM keeps the earlier one as enrolled: what was linked with
    that one ends (I6), and so its directory device is free for the phone that it is in."""
    serial, ended = identifier(device.serial), False
    for link in journey.links:
        if link.managed == device.key or link.state is LinkState.ENDED:
            continue
        before = world.store.managed_device(link.managed)
        if before is None or serial is None or identifier(before.serial) != serial or before.platform is not device.platform:
            continue
        if before.enrolled_at is not None and device.enrolled_at is not None and before.enrolled_at < device.enrolled_at:
            _end(link, "enrolled_anew", world)
            ended = True
    return ended


def _end_what_no_longer_holds(managed: ManagedDevice, device: DirectoryDevice, world: World) -> None:
    """Links that these fresh reads end, the holder's before perhaps: their own looks come later, and would keep this person out."""
    for link in world.store.living_links(managed.key, device.device_id):
        of_record = managed if link.managed == managed.key else None
        why = ends_link(link, of_record, device if link.device_id == device.device_id else None)
        if why is not None:
            _end(link, why, world)


def _end(link: DeviceLink, why: str, world: World) -> None:
    with suppress(Stale), world.store.change(world.actor, "link.ended", about=("link", link.id), at=world.clock()) as change:
        change.audit(because=why)
        change.end_link(link.id, why)


def _match(journey: Journey, managed: ManagedDevice, devices: list[DirectoryDevice], *, others: bool) -> Match | None:
    since, only_new = journey.counts_from, not journey.proven
    if since is None:
        return None
    oid, taken = journey.person.oid, journey.taken
    settled = journey.settled
    return match(managed, devices, oid=oid, proof_sent_at=since, taken=taken, others=others, only_new=only_new, settled=settled)


def _make(journey: Journey, managed: ManagedDevice, device: DirectoryDevice, found: Match, world: World) -> None:
    now, pair = world.clock(), pair_of(managed, device)
    evidence, asked = evidence_of(journey, pair, _shown(journey, found, now), managed, world), _asked(found.settled, world)
    enough = suffices(evidence, asked)
    link = DeviceLink(
        id=str(uuid4()),
        device_id=device.device_id,
        object_id=device.object_id,
        managed=managed.key,
        generation=managed.generation,
        oid=journey.person.oid,
        platform=managed.platform,
        evidence=evidence,
        state=LinkState.ACTIVE if enough else LinkState.PENDING,
        made_at=now,
        minimum=asked,
    )
    try:
        with world.store.change(world.actor, "link.made", about=("link", link.id), at=now) as change:
            change.audit(journey=journey.id, device=device.device_id, state=link.state.value, evidence=evidence.level.name)
            change.audit(how=evidence.how, refused=[f"{refusal.device_id} {refusal.why}" for refusal in found.refused])
            change.make_link(link)
            if not enough and not wants_sign_in(link) and not wants_certificate(link, journey.sign_in_of(pair)):
                change.need_help(journey.id, "evidence")
    except Conflict:
        same = (link.managed, link.device_id, link.oid)
        there = world.store.living_links(link.managed, link.device_id)
        if [(other.managed, other.device_id, other.oid) for other in there] != [same]:  # else another pass made this very link
            ask_for_help(journey, world, "conflict")


def _shown(journey: Journey, found: Match, now: datetime) -> Evidence:
    """What the link rests on, before anything else adds to it."""
    proof = journey.possession if journey.proven else None
    if proof is not None:
        return Evidence(Level.POSSESSION, proof.proven_at or now, f"link opened on the managed device; {found.how}")
    return Evidence(Level.FRESH, now, f"nothing shows which device is in the hand; {found.how}")


def evidence_of(journey: Journey, pair: Pair, so_far: Evidence, managed: ManagedDevice | None, world: World) -> Evidence:
    """What a second sign-in and a certificate add to it."""
    sign_in = journey.sign_in_of(pair)
    evidence = with_sign_in(so_far, sign_in)
    if managed is None:
        return evidence
    return with_certificate(evidence, sign_in, judge_certificate(journey, pair, managed, world).counts)


def _say_what_is_missing(journey: Journey, device: ManagedDevice | None, world: World) -> None:
    """Nothing where the page asks for the certificate; otherwise why a pending link stays what it is."""
    pair = journey.certificate_asked
    if pair is None or device is None:
        ask_for_help(journey, world, "evidence")
        return
    judged = judge_certificate(journey, pair, device, world)
    if judged.problem is not None:
        ask_for_help(journey, world, judged.problem, **judged.detail)


def refuse(journey: Journey, sign_in: SignIn | None, world: World) -> None:
    """Entra named another device than the candidate: no link, and the audit says which two."""
    if sign_in is None or journey.help_why == "named_another":
        return
    with world.store.change(world.actor, "journey.needs_help", about=("journey", journey.id), at=world.clock()) as change:
        change.audit(because="named_another", device=sign_in.pair.device_id, named=", ".join(sorted(sign_in.named)))
        change.need_help(journey.id, "named_another")


def ask_for_help(journey: Journey, world: World, why: str, **detail: str) -> None:
    with world.store.change(world.actor, "journey.needs_help", about=("journey", journey.id), at=world.clock()) as change:
        change.audit(because=why, **detail)
        change.need_help(journey.id, why)
