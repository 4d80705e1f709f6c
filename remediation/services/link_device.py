"""Pair the device in hand with its directory device, where the evidence allows it and both sides, read afresh, agree.

The database decides races (unique indexes); this decides meaning. Next door: `domain/matching.py`, `domain/evidence.py`.
"""

from contextlib import suppress
from uuid import uuid4

from ..domain.device import DeviceLink, DirectoryDevice, LinkState, ManagedDevice
from ..domain.evidence import Evidence, Level, ends_link, suffices
from ..domain.journey import Journey, Possession
from ..domain.matching import Match, match
from ..errors import Conflict, Stale
from .world import World


def link_device(journey: Journey, *, world: World) -> None:
    """Make the link, or leave things as they are. Raises the errors of the remotes; the journey is looked at again after them."""
    device, proof = journey.in_hand, journey.possession
    if journey.link is not None and not _pending_is_over(journey.link, device, world):
        if journey.link.state is LinkState.PENDING and journey.help_why is None:
            _ask_for_help(journey, world, "evidence")
        return
    if device is None or proof is None or not journey.proven:
        return
    found = _match(journey, device, list(journey.directory), proof)
    if found is None or found.chosen is None:
        return
    directory_device = world.directory.device(found.chosen.device_id)
    managed = world.managers[device.key.connection].device(device.key.record_id)
    world.store.observe_directory_device(directory_device, at=world.clock())
    world.store.observe_managed_device(managed, at=world.clock())
    if directory_device.owner_oid is None or managed.generation != proof.proven_generation or managed.posture.enrolled is not True:
        return
    if directory_device.owner_oid != journey.person.oid:
        _ask_for_help(journey, world, "owned_by_another")
        return
    again = _match(journey, managed, [directory_device], proof)
    if again is not None and again.chosen is not None:
        _end_what_no_longer_holds(managed, again.chosen, world)
        _make(journey, managed, again.chosen, found.how, proof, world)


def _pending_is_over(link: DeviceLink, device: ManagedDevice | None, world: World) -> bool:
    """A pending link has no looks of its own: it ends here, with the enrollment it pinned, or once its evidence would be enough."""
    if link.state is not LinkState.PENDING:
        return False
    why = ends_link(link, device, None) or ("evidence_suffices_now" if suffices(link.evidence, world.minimum) else None)
    if why is not None:
        _end(link, why, world)
    return why is not None


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


def _match(journey: Journey, managed: ManagedDevice, devices: list[DirectoryDevice], proof: Possession) -> Match | None:
    if proof.sent_at is None:
        return None
    others = journey.others_unlinked
    return match(managed, devices, oid=journey.person.oid, proof_sent_at=proof.sent_at, taken=journey.taken, others=others)


def _make(journey: Journey, managed: ManagedDevice, device: DirectoryDevice, how: str, proof: Possession, world: World) -> None:
    now = world.clock()
    evidence = Evidence(Level.POSSESSION, proof.proven_at or now, f"link opened on the managed device; {how}")
    enough = suffices(evidence, world.minimum)
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
    )
    try:
        with world.store.change(world.actor, "link.made", about=("link", link.id), at=now) as change:
            change.audit(journey=journey.id, device=device.device_id, state=link.state.value, evidence=evidence.level.name)
            change.make_link(link)
            if not enough:
                change.need_help(journey.id, "evidence")
    except Conflict:
        same = (link.managed, link.device_id, link.oid)
        there = world.store.living_links(link.managed, link.device_id)
        if [(other.managed, other.device_id, other.oid) for other in there] != [same]:  # else another pass made this very link
            _ask_for_help(journey, world, "conflict")


def _ask_for_help(journey: Journey, world: World, why: str) -> None:
    with world.store.change(world.actor, "journey.needs_help", about=("journey", journey.id), at=world.clock()) as change:
        change.audit(because=why)
        change.need_help(journey.id, why)
