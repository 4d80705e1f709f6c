"""From the facts of a journey to the one step a person sees now, and to the chain drawn beside it.

The first true line of `next_step` wins. Steps never know each other; pages return to the dispatcher that asks here.
*Welcome* is shown to whoever is not signed in and has no journey, so it is not derived here.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from .compliance import MdmWord, Verdict
from .device import DirectoryDevice, LinkState, Mark
from .journey import Journey
from .matching import Match, match
from .partner import LEAVING
from .push import Push
from .relay import known_to_mdm, relay_of
from .sign_in_proof import names_another, pair_of, wants_sign_in
from .standing import not_for_you


class Step(StrEnum):
    LOOKING = "looking"
    NOT_FOR_YOU = "not_for_you"
    ENROLL = "enroll"
    THIS_DEVICE = "this_device"
    REGISTER = "register"
    CHOOSE = "choose"
    SIGN_IN = "sign_in"
    CERTIFICATE = "certificate"
    FIX = "fix"
    IN_APP = "in_app"
    WAIT = "wait"
    OPEN = "open"
    HELP = "help"


LISTED_WITHIN = timedelta(seconds=25)  # the looks after *I've done it* are 2, 6, 14 and 30 s later
LOOP = 2  # times that a person said *still blocked* before the same instruction is not given again


def next_step(journey: Journey, now: datetime) -> Step:
    """What this person should see now."""
    if help_why(journey, now) is not None:
        return Step.HELP
    if journey.replacing is not None:
        return _before_replacement(journey)
    if is_open(journey, now):
        return Step.LOOKING if _not_looked_since_still_blocked(journey) else Step.OPEN
    if journey.look.mdm_read_at is None or journey.look.directory_read_at is None:
        return Step.LOOKING
    if journey.standing is not None and not_for_you(journey.standing) is not None:
        return Step.NOT_FOR_YOU
    if not journey.managed:
        return Step.ENROLL
    link = journey.link
    if link is None or link.state is LinkState.PENDING:
        return _before_link(journey)
    if _posture_fails(journey) or _not_seen(journey):
        return Step.FIX
    return Step.IN_APP if _begins_in_app(journey, now) else Step.WAIT


def _begins_in_app(journey: Journey, now: datetime) -> bool:
    relay = relay_of(journey, now)
    return relay is not None and relay.begins_in_app


def help_why(journey: Journey, now: datetime) -> str | None:
    """Why only a person can help, as a stable id: what the worker found, or what the facts say by themselves."""
    if journey.help_why is not None and not _over(journey, journey.help_why, now):
        return journey.help_why
    if journey.look.owner_problem is not None:
        return journey.look.owner_problem
    if journey.push is not None and not journey.push.says_compliant and LEAVING in journey.push.reasons:
        return "no_channel"
    if (pair := journey.replacing) is not None:
        if names_another(journey.sign_in_of(pair)):
            return "named_another"
        return None if journey.in_hand in journey.reachable else "possession_off"  # a fresh proof is asked for
    if journey.still_blocked_count >= LOOP and is_open(journey, now):
        return "loop"
    if journey.link is None and only_disabled(journey) and _says_registered(journey):
        return "disabled_device"
    if journey.link is None and _named_another(journey):
        return "named_another"
    return "possession_off" if _possession_off(journey, now) else None


def _possession_off(journey: Journey, now: datetime) -> bool:
    """Nothing of this person's can prove itself, since no message of its MDM connection was seen to arrive yet. What is linked
    already stays, and whoever is kept out for another reason is told that one."""
    look, link, standing = journey.look, journey.link, journey.standing
    if not journey.managed or journey.reachable or journey.by_fresh or (link is not None and link.state is LinkState.ACTIVE):
        return False
    read = look.mdm_read_at is not None and look.directory_read_at is not None
    welcome = standing is None or not_for_you(standing) is None
    return read and welcome and not is_open(journey, now)


def _over(journey: Journey, why: str, now: datetime) -> bool:
    """What the worker found once, and facts have answered since."""
    if why == "named_another":
        pair = journey.replacing
        if pair is not None:
            return not names_another(journey.sign_in_of(pair))
        return journey.link is not None or not _named_another(journey)
    return why == "no_channel" and is_open(journey, now)


def _named_another(journey: Journey) -> bool:
    """In a sign-in that was to prove the only candidate, Entra named another device."""
    found, device = candidates(journey), journey.in_hand
    if found is None or found.chosen is None or device is None:
        return False
    return names_another(journey.sign_in_of(pair_of(device, found.chosen)))


def only_disabled(journey: Journey) -> bool:
    """All that the directory has of this platform is switched off there: an old device, or this very one."""
    of_platform = [d for d in journey.directory if d.platform is journey.platform]
    return bool(of_platform) and not any(d.enabled for d in of_platform)


def _says_registered(journey: Journey) -> bool:
    """Since the proof, or where none can be had since they came, the person said *I've done it*, and so it is not an old device
    that is switched off: not until the directory was read long enough afterwards, since it lists what is new some seconds late."""
    proof, said_at, read_at = journey.possession, journey.look.refresh_wanted_at, journey.look.directory_read_at
    since = proof.proven_at if journey.proven and proof is not None else journey.counts_from
    if since is None or said_at is None or read_at is None:
        return False
    return said_at > since and read_at - said_at >= LISTED_WITHIN


def _not_looked_since_still_blocked(journey: Journey) -> bool:
    """Whoever says *still blocked* is not told *open* again by what was known before."""
    said_at, looked_at = journey.still_blocked_at, journey.look.done_at
    return said_at is not None and (looked_at is None or looked_at < said_at)


def _before_link(journey: Journey) -> Step:
    if wants_sign_in(journey.link) and journey.proven:
        return Step.SIGN_IN
    if journey.certificate_asked is not None:
        return Step.CERTIFICATE
    found = candidates(journey)
    if found is None:
        return Step.THIS_DEVICE
    if found.chosen is not None:
        return Step.WAIT
    if len(found.candidates) > 1 and journey.picked not in {d.device_id for d in found.candidates}:
        return Step.CHOOSE
    return Step.REGISTER


def _before_replacement(journey: Journey) -> Step:
    """The phone was registered anew while its former entry's link lives: the way to the higher evidence that this takes."""
    if _not_looked_since_still_blocked(journey):
        return Step.LOOKING
    if not journey.proven:
        return Step.THIS_DEVICE
    if journey.sign_in_asked is not None:
        return Step.SIGN_IN
    return Step.CERTIFICATE if journey.certificate_asked is not None else Step.WAIT


def candidates(journey: Journey) -> Match | None:
    """The directory devices that could be the device in hand; None before possession is proven, unless `fresh` is enough.

    A person's pick among several settles nothing by itself (evidence: a person could pick a device that nobody manages). After it,
    and where there is doubt about the only one, registering it anew settles it: *register* is shown, with candidates left.
    """
    device, since = journey.in_hand, journey.counts_from
    if device is None or since is None:
        return None
    return match(
        device,
        journey.directory,
        oid=journey.person.oid,
        proof_sent_at=since,
        taken=journey.taken,
        others=journey.others_unlinked,
        only_new=not journey.proven,
        settled=journey.settled,
    )


def is_open(journey: Journey, now: datetime) -> bool:
    """Entra itself shows the device compliant: after our send, or already so and the person has not said otherwise."""
    push = journey.push
    if push is not None and push.desired_seq > 0:
        return push.open_at(now) and not _registered_anew(journey) and _let_through(journey, _registered(journey))
    return already_open(journey) is not None


def _let_through(journey: Journey, device: DirectoryDevice | None) -> bool:
    """By the second lock, where there is one: it holds back whatever bears no mark of ours."""
    return not journey.locked or (device is not None and device.mark is Mark.OURS)


def _registered_anew(journey: Journey) -> bool:
    """The directory holds another entry under the linked id: what was shown of the old one says nothing of this one."""
    link, device = journey.link, _registered(journey)
    return link is not None and device is not None and device.object_id != link.object_id


def already_open(journey: Journey) -> DirectoryDevice | None:
    """The person's only directory device of this platform, where Entra shows it compliant without any doing of ours."""
    if journey.link is not None or journey.still_blocked_at is not None or len(journey.directory) != 1:
        return None
    device = journey.directory[0]
    return device if device.enabled and device.compliant is True and _let_through(journey, device) else None


def _posture_fails(journey: Journey) -> bool:
    device = journey.in_hand
    return device is not None and (device.posture.word is MdmWord.NOT_COMPLIANT or device.posture.compromised is True)


def _not_seen(journey: Journey) -> bool:
    """The device has not spoken to its MDM for so long that *compliant* ended: only its holder can wake it."""
    push = journey.push
    return push is not None and push.desired is Verdict.NOT_COMPLIANT and "not_seen_lately" in push.reasons


class ChainState(StrEnum):
    DONE = "done"
    CURRENT = "current"
    BROKEN = "broken"
    TO_COME = "to_come"


@dataclass(frozen=True)
class ChainLink:
    """One of the links that people see; `at` is when it was observed, never when we hoped for it."""

    name: str
    state: ChainState
    at: datetime | None


CHAIN = ("managed", "registered", "linked", "compliant", "sent", "accepted", "open")
RELAYED = ("managed", "registered", "linked", "compliant", "relayed", "open")
"""Where the MDM's maker carries, we send nothing, and nobody tells us what was accepted."""


def chain(journey: Journey, now: datetime) -> tuple[ChainLink, ...]:
    """The links in order: done ones first, then the one that is being worked on or broken, then those to come."""
    done = _observed(journey, now)
    links: list[ChainLink] = []
    reached = True
    for name, (holds, at) in done.items():
        if reached and holds:
            links.append(ChainLink(name, ChainState.DONE, at))
            continue
        state = ChainState.TO_COME
        if reached:
            state = ChainState.BROKEN if _needs_person(journey, name, now) else ChainState.CURRENT
        links.append(ChainLink(name, state, None))
        reached = False
    return tuple(links)


def _observed(journey: Journey, now: datetime) -> dict[str, tuple[bool, datetime | None]]:
    already, names = already_open(journey), CHAIN if journey.relay is None else RELAYED
    if already is not None and is_open(journey, now):
        return {name: (True, already.registered_at if name == "registered" else already.read_at) for name in names}
    device, registered = journey.in_hand, _registered(journey)
    link, push = journey.link, journey.push or Push(link_id="")
    if link is None and next_step(journey, now) is Step.REGISTER:  # who is asked to register has none that could be this device
        registered = None
    if journey.replacing is not None:  # what was seen of the entry before says nothing of this one
        link, push, registered = None, Push(link_id=""), journey.registered_anew
    carried = push.says_compliant and push.desired_seq > 0
    known = registered if registered is not None and known_to_mdm(registered) else None
    seen = {
        "managed": (bool(journey.managed), device.posture.read_at if device else journey.look.mdm_read_at),
        "registered": (registered is not None, registered.registered_at or registered.read_at if registered else None),
        "linked": (link is not None and link.state is LinkState.ACTIVE, link.made_at if link else None),
        "compliant": (carried and not _posture_fails(journey), push.posture_read_at),
        "relayed": (known is not None, known.read_at if known else None),
        "sent": (carried and push.sent_seq >= push.desired_seq, push.sent_at),
        "accepted": (carried and push.accepted_seq >= push.desired_seq, push.accepted_at),
        "open": (is_open(journey, now), push.observed_at),
    }
    return {name: seen[name] for name in names}


def _registered(journey: Journey) -> DirectoryDevice | None:
    """The linked directory device; before a link, the enabled one registered last."""
    link = journey.link
    if link is not None:
        return next((d for d in journey.directory if d.device_id == link.device_id), None)
    enabled = [d for d in journey.directory if d.enabled]
    return max(enabled, key=lambda d: d.registered_at or d.read_at, default=None)


def _needs_person(journey: Journey, name: str, now: datetime) -> bool:
    broken = _posture_fails(journey) or _not_seen(journey)
    in_app = name == "relayed" and _begins_in_app(journey, now)
    return (name == "compliant" and broken) or in_app or help_why(journey, now) is not None
