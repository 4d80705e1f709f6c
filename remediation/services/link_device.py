"""Pair the device in hand with its directory device, where the evidence allows it and both sides, read afresh, agree.

The database decides races (unique indexes); this decides meaning. Next door: `domain/matching.py`, `domain/evidence.py`.
"""

from uuid import uuid4

from ..domain.device import DeviceLink, DirectoryDevice, LinkState, ManagedDevice
from ..domain.evidence import Evidence, Level, suffices
from ..domain.journey import Journey, Possession
from ..domain.matching import Match, match
from ..errors import Conflict
from .world import World


def link_device(journey: Journey, *, world: World) -> None:
    """Make the link, or leave things as they are. Raises the errors of the remotes; the journey is looked at again after them."""
    device, proof = journey.in_hand, journey.possession
    if journey.link is not None:
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
        _make(journey, managed, again.chosen, found.how, proof, world)


def _match(journey: Journey, managed: ManagedDevice, devices: list[DirectoryDevice], proof: Possession) -> Match | None:
    if proof.sent_at is None:
        return None
    return match(managed, devices, oid=journey.person.oid, proof_sent_at=proof.sent_at, taken=journey.taken)


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
        _ask_for_help(journey, world, "conflict")


def _ask_for_help(journey: Journey, world: World, why: str) -> None:
    with world.store.change(world.actor, "journey.needs_help", about=("journey", journey.id), at=world.clock()) as change:
        change.audit(because=why)
        change.need_help(journey.id, why)
