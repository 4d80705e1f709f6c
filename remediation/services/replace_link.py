"""The phone in hand was registered anew while the link of its former entry lives: the new entry takes its place.

That takes better evidence than a first link (T1, `domain/evidence.py: to_replace`). The old device goes down before the new one
goes up: the old link ends in the transaction that makes the new one, and `carry` holds *compliant* until that end is confirmed. The
owner is told in another way than this page, since whoever does this may not be the owner.
"""

from uuid import uuid4

from ..domain.device import DeviceLink, LinkState
from ..domain.evidence import Evidence, Level, suffices, to_replace
from ..domain.journey import Journey
from ..domain.matching import match
from ..domain.sign_in_proof import names_another
from ..errors import Conflict, Stale
from .device_certificate import judge_certificate
from .link_device import ask_for_help, evidence_of, refuse
from .world import World

HOW = "link opened on the managed device after it was registered anew"


def replace_link(journey: Journey, *, world: World) -> None:
    """One look at it. Leaves things as they are while the evidence does not suffice: the page then asks for what is missing.

    Raises the errors of the remotes.
    """
    old, device, proof, pair = journey.link, journey.in_hand, journey.possession, journey.replacing
    if old is None or device is None or proof is None or proof.sent_at is None or pair is None or not journey.proven:
        return
    sign_in = journey.sign_in_of(pair)
    if names_another(sign_in):
        refuse(journey, sign_in, world)
        return
    now = world.clock()
    possession = Evidence(Level.POSSESSION, proof.proven_at or now, HOW)
    evidence = evidence_of(journey, pair, possession, device, world)
    if not suffices(evidence, max(to_replace(old), world.minimum)):
        _say_what_is_wrong(journey, world)
        return
    directory_device = world.directory.device(pair.device_id)
    managed = world.managers[device.key.connection].device(device.key.record_id)
    world.store.observe_directory_device(directory_device, at=world.clock())
    world.store.observe_managed_device(managed, at=world.clock())
    if directory_device.owner_oid is None or managed.generation != proof.proven_generation or managed.posture.enrolled is not True:
        return
    if directory_device.owner_oid != journey.person.oid:
        ask_for_help(journey, world, "owned_by_another")
        return
    found = match(managed, [directory_device], oid=journey.person.oid, proof_sent_at=proof.sent_at, taken=journey.taken)
    if found.chosen is None or found.chosen.object_id != pair.object_id:
        ask_for_help(journey, world, "conflict", how=found.how)
        return
    link = DeviceLink(
        id=str(uuid4()),
        device_id=pair.device_id,
        object_id=pair.object_id,
        managed=managed.key,
        generation=managed.generation,
        oid=journey.person.oid,
        platform=managed.platform,
        evidence=evidence,
        state=LinkState.ACTIVE,
        made_at=now,
        minimum=world.minimum,
    )
    try:
        with world.store.change(world.actor, "link.replaced", about=("link", link.id), at=now) as change:
            change.audit(journey=journey.id, device=link.device_id, evidence=evidence.level.name, how=evidence.how)
            change.audit(link=old.id, old=old.device_id)
            change.end_link(old.id, "replaced")
            change.make_link(link)
            change.tell_owner(link.id, ways=world.tell_owner_by)
    except (Conflict, Stale):
        return  # another pass did it, or one of the two ended meanwhile: the next look sees what there is


def _say_what_is_wrong(journey: Journey, world: World) -> None:
    """Nothing while something is still asked for; otherwise why what was shown does not suffice."""
    pair, device = journey.certificate_asked, journey.in_hand
    if pair is not None and device is not None:
        judged = judge_certificate(journey, pair, device, world)
        if judged.problem is not None:
            ask_for_help(journey, world, judged.problem, **judged.detail)
    elif journey.sign_in_asked is None and journey.help_why is None:
        ask_for_help(journey, world, "evidence")
