"""The safe repairs of the helpdesk: their names, who may, when each is offered and for which devices.

One table for the pages, the command line and programs. None of them says *compliant*: each asks for a look, sends a message, takes
something down, or settles which of several is meant, after which Entra itself has to name that one. What is missing stays missing.
Next door: `services/repair.py` does them.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from .device import DeviceLink, DirectoryDevice, LinkState, ManagedDevice, Person
from .journey import Journey
from .steps import Step, candidates, next_step

YOUNG = timedelta(days=21)
"""Entra's stamp of the last sign-in moves after 14 days and up to 5 more: before 21 days, nothing tells an entry that is in
use from one that is not (entra-docs manage-stale-devices.md)."""


class Repair(StrEnum):
    CHECK_AGAIN = "check_again"
    RESEND = "resend"
    START_LINK = "start_link"
    POSSESSION = "possession"
    SETTLE = "settle"
    END_LINK = "end_link"
    KEEP_DEVICE = "keep_device"
    MARK_DEVICE = "mark_device"
    DISABLE_DEVICE = "disable_device"
    CLOSE = "close"
    REOPEN = "reopen"


class Mark(StrEnum):
    """What staff say of one of a person's entries in the directory."""

    KEPT = "kept"
    LEFTOVER = "leftover"


BECAUSE = ("asked", "stuck", "wrong_device", "lost", "too_many", "mistake", "support")
"""Why staff do it, as they choose it: the audit holds nothing that somebody typed."""


@dataclass(frozen=True)
class Marked:
    """A mark, and what became of the wish to switch the entry off: `reason` is an error's code, or why it was not done."""

    device_id: str
    mark: Mark
    at: datetime
    disable_wanted_at: datetime | None = None
    disabled_at: datetime | None = None
    reason: str | None = None


@dataclass(frozen=True)
class Situation:
    """What repairs are offered by. `latest`: no other case of this person and platform is younger or alive. `mail`: the tenant
    sends start links by mail. `may_disable`: it lets us switch entries of the directory off. `seen` is the version of what staff
    see."""

    person: Person
    journey: Journey | None = None
    latest: bool = True
    marks: Mapping[str, Marked] = field(default_factory=dict)
    mail: bool = False
    may_disable: bool = False
    seen: int = 0

    def alive(self, now: datetime) -> bool:
        return self.journey is not None and now < self.journey.expires_at


@dataclass(frozen=True)
class Target:
    """One of those a repair can be done to. `id` is what is sent back; `name` is a remote's own text; `word` says what it is."""

    id: str
    name: str = ""
    word: str = ""
    at: datetime | None = None


@dataclass(frozen=True)
class Offer:
    """`targets`: one of them has to be chosen. None: there is nothing to choose."""

    repair: Repair
    targets: tuple[Target, ...] = ()

    def takes(self, target: str) -> bool:
        return target in {one.id for one in self.targets} if self.targets else target == ""


@dataclass(frozen=True)
class Described:
    """`about` is what its audit row is about. `found` lists what it can be done to: None where it is not offered."""

    repair: Repair
    about: str
    found: Callable[[Situation, Journey, datetime], tuple[Target, ...] | None]
    role: str = "Helpdesk.Act"


def offers(situation: Situation, now: datetime) -> tuple[Offer, ...]:
    """What can be done now, in the order of the table."""
    if situation.journey is None:
        return (Offer(Repair.START_LINK, _ways(situation)),)
    found = ((one.repair, one.found(situation, situation.journey, now)) for one in REPAIRS.values())
    return tuple(Offer(repair, targets) for repair, targets in found if targets is not None)


def offer(situation: Situation, repair: Repair, now: datetime) -> Offer | None:
    return next((one for one in offers(situation, now) if one.repair is repair), None)


def suggested(situation: Situation, now: datetime) -> Repair | None:
    """The one that helps most likely; None where it is somebody else's turn, or time's."""
    offered = {one.repair for one in offers(situation, now)}
    wanted = (repair for repair in _wanted(situation, now) if repair in offered)
    return next(wanted, None)


def _wanted(situation: Situation, now: datetime) -> Iterable[Repair]:
    journey = situation.journey
    if journey is None:
        yield Repair.START_LINK
        return
    if not situation.alive(now):
        yield Repair.REOPEN
        return
    step, proof, push = next_step(journey, now), journey.possession, journey.push
    yield Repair.SETTLE
    failed = proof is not None and not journey.proven and (proof.error is not None or not proof.waiting(now))
    if step is Step.THIS_DEVICE and failed:
        yield Repair.POSSESSION
    if push is not None and push.reason in ("accepted_not_applied", "sent_again"):
        yield Repair.RESEND
    if step is Step.LOOKING or journey.look.directory_error is not None or journey.look.mdm_error is not None:
        yield Repair.CHECK_AGAIN


def _ways(situation: Situation) -> tuple[Target, ...]:
    """How a start link can reach the person. A device is the person's own by the MDM's word."""
    person, journey = situation.person, situation.journey
    ways = [Target("show", word="show")]
    if situation.mail and person.mail:
        ways.append(Target("mail", person.mail, "mail"))
    devices = journey.reachable if journey is not None else ()
    ways += [Target(f"device:{_named(one)}", one.name, "device", one.enrolled_at) for one in devices]
    return tuple(ways)


def _named(device: ManagedDevice) -> str:
    return f"{device.key.connection}/{device.key.record_id}"


def _check_again(situation: Situation, journey: Journey, now: datetime) -> tuple[Target, ...] | None:
    return () if situation.alive(now) or _active(journey) else None


def _resend(situation: Situation, journey: Journey, now: datetime) -> tuple[Target, ...] | None:
    """Of what was told. News that is still to be sent tells by itself; where the MDM's maker carries, nothing is ours to send."""
    told = {one.link_id for one in journey.pushes if one.sent_seq == one.desired_seq > 0}
    return _some(_of_link(link, journey) for link in _active(journey) if link.id in told and journey.relay is None)


def _start_link(situation: Situation, journey: Journey, now: datetime) -> tuple[Target, ...] | None:
    return _ways(situation)


def _possession(situation: Situation, journey: Journey, now: datetime) -> tuple[Target, ...] | None:
    """Not where the person said *this wasn't me*: whoever began that journey may be somebody else."""
    proof, link = journey.possession, journey.link
    waits = link is None or link.state is LinkState.PENDING or journey.replacing is not None
    denied = proof is not None and proof.error == "revoked"
    if not situation.alive(now) or journey.proven or denied or not waits:
        return None
    return _some(Target(_named(one), one.name, "managed", one.enrolled_at) for one in journey.reachable)


def _settle(situation: Situation, journey: Journey, now: datetime) -> tuple[Target, ...] | None:
    """Which of several is meant. Only where possession is proven, nothing is linked, and nothing speaks against the one chosen."""
    found = candidates(journey)
    unsettled = found is not None and len(found.candidates) > 1 and (found.chosen is None or found.settled)
    if not situation.alive(now) or found is None or not unsettled or not journey.proven or journey.link is not None:
        return None
    others = (one for one in found.candidates if one.device_id != journey.settled)
    return _some(_of_device(one) for one in others if _would_do(journey, one))


def _would_do(journey: Journey, device: DirectoryDevice) -> bool:
    found = candidates(replace(journey, settled=device.device_id))
    return found is not None and found.settled


def _end_link(situation: Situation, journey: Journey, now: datetime) -> tuple[Target, ...] | None:
    return _some(_of_link(link, journey) for link in journey.links if link.state is not LinkState.ENDED)


def _keep_device(situation: Situation, journey: Journey, now: datetime) -> tuple[Target, ...] | None:
    kept = {one.device_id for one in situation.marks.values() if one.mark is Mark.KEPT}
    return _duplicates(journey, lambda one: one.device_id not in kept)


def _mark_device(situation: Situation, journey: Journey, now: datetime) -> tuple[Target, ...] | None:
    marked, held = {one.device_id for one in situation.marks.values() if one.mark is Mark.LEFTOVER}, _held(journey)
    return _duplicates(journey, lambda one: one.device_id not in marked | held)


def _disable_device(situation: Situation, journey: Journey, now: datetime) -> tuple[Target, ...] | None:
    """One that staff called a leftover, that is old enough, and whose absence decides nothing: every managed device of this
    person's is linked already. Switching off the right one would else leave the wrong one as the only candidate."""
    if not situation.may_disable or decides(journey):
        return None
    return _duplicates(journey, lambda one: may_be_disabled(one, situation.marks.get(one.device_id), _held(journey), now))


def decides(journey: Journey) -> bool:
    """Whether one entry more or less in the directory could settle which is meant."""
    link = journey.link
    return link is None or link.state is not LinkState.ACTIVE or journey.others_unlinked


def may_be_disabled(device: DirectoryDevice, marked: Marked | None, held: frozenset[str], now: datetime) -> bool:
    old = device.registered_at is not None and now - device.registered_at >= YOUNG
    leftover = marked is not None and marked.mark is Mark.LEFTOVER and marked.disabled_at is None
    return old and leftover and device.enabled and device.device_id not in held


def _close(situation: Situation, journey: Journey, now: datetime) -> tuple[Target, ...] | None:
    return () if situation.alive(now) else None


def _reopen(situation: Situation, journey: Journey, now: datetime) -> tuple[Target, ...] | None:
    return () if not situation.alive(now) and situation.latest else None


def _held(journey: Journey) -> frozenset[str]:
    """Entries that a living link holds, whoever's."""
    return journey.taken | {link.device_id for link in journey.links if link.state is not LinkState.ENDED}


def _duplicates(journey: Journey, which: Callable[[DirectoryDevice], bool]) -> tuple[Target, ...] | None:
    several = journey.directory if len(journey.directory) > 1 else ()
    return _some(_of_device(one) for one in several if which(one))


def _active(journey: Journey) -> tuple[DeviceLink, ...]:
    return tuple(link for link in journey.links if link.state is LinkState.ACTIVE)


def _of_link(link: DeviceLink, journey: Journey) -> Target:
    name = next((device.name for device in journey.managed if device.key == link.managed), "")
    return Target(link.id, name, link.state.value, link.made_at)


def _of_device(device: DirectoryDevice) -> Target:
    return Target(device.device_id, device.name, "registered", device.registered_at)


def _some(targets: Iterable[Target]) -> tuple[Target, ...] | None:
    return tuple(targets) or None


REPAIRS: Mapping[Repair, Described] = {
    one.repair: one
    for one in (
        Described(Repair.CHECK_AGAIN, "journey", _check_again),
        Described(Repair.RESEND, "link", _resend),
        Described(Repair.START_LINK, "person", _start_link),
        Described(Repair.POSSESSION, "journey", _possession),
        Described(Repair.SETTLE, "journey", _settle),
        Described(Repair.KEEP_DEVICE, "directory_device", _keep_device),
        Described(Repair.MARK_DEVICE, "directory_device", _mark_device),
        Described(Repair.DISABLE_DEVICE, "directory_device", _disable_device),
        Described(Repair.END_LINK, "link", _end_link),
        Described(Repair.CLOSE, "journey", _close),
        Described(Repair.REOPEN, "journey", _reopen),
    )
}
