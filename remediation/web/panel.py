"""From the facts of a journey to what its page shows. Next door: `cards` (devices and rules).

What is claimed is what was observed and when. The step and the chain come from `domain.steps`; sentences are in `translations/`.
"""

from dataclasses import dataclass
from datetime import datetime

from ..domain.journey import Journey
from ..domain.loops import Rung, rung
from ..domain.noticed import noticed
from ..domain.promise import DOCUMENTED, Promise
from ..domain.relay import relay_of
from ..domain.sign_in_proof import RECORD_LOOKS, names_another
from ..domain.standing import not_for_you
from ..domain.steps import ChainLink, ChainState, Step, already_open, chain, help_why, next_step, only_disabled
from . import cards
from .cards import DeviceCard, RuleCard
from .names import shown

FINAL = {Step.OPEN, Step.HELP}
# Reasons of a verdict that a person can do something about, or should know of; the rest is ours to wait for.
SAID = {"not_seen_lately", "never_checked_in", "mdm_pending", "mdm_unclear", "old_link_first", "pilot"}
HELP = {
    "evidence",
    "conflict",
    "owned_by_another",
    "ambiguous_owner",
    "shared_user",
    "loop",
    "no_channel",
    "disabled_device",
    "named_another",
    "certificate_another",
    "certificate_refused",
    "possession_off",
}
NOT_FOR_YOU = {"account_disabled", "guest", "not_in_group", "no_licence"}


@dataclass(frozen=True)
class Message:
    """How the possession link stands: `wanted`, `failed`, `sent` or `over`."""

    state: str
    sent_at: datetime | None
    expires_at: datetime | None


@dataclass(frozen=True)
class SecondSignIn:
    """How *sign in once more* stands: `asked`, `waiting` for Entra's record, `unnamed`, `failed` (with Entra's code), `another`."""

    state: str
    returned_at: datetime | None = None
    until: datetime | None = None
    code: str | None = None


@dataclass(frozen=True)
class RelayCard:
    """The MDM's maker tells Microsoft. `linked`: it is the turn of this device that we wait for; `by` and `missed` as `Relay` has
    them."""

    linked: bool
    by: datetime | None = None
    missed: bool = False


@dataclass(frozen=True)
class Panel:
    step: str
    person: str
    case_code: str
    platform: str
    chain: tuple[ChainLink, ...]
    now_at: str  # the link of the chain that is being worked on
    device: DeviceCard | None
    cards: tuple[DeviceCard, ...]
    registered: tuple[DeviceCard, ...]
    again: DeviceCard | None
    anew: bool  # registered anew beside the entry that is linked: what is asked for is about the new one
    switched_off: bool  # all that Microsoft knows of this person's on this platform
    rules: tuple[RuleCard, ...]
    checked_at: datetime | None
    message: Message | None
    second: SecondSignIn | None
    certificate: str | None
    relay: RelayCard | None
    slow: tuple[str, ...]
    looking: bool
    read_at: datetime | None
    since: datetime
    usual_by: datetime
    worst_by: datetime
    pace: str  # `usual`, `longer` or `late`
    measured: int  # waits that speak for it, 0 where it is documented
    entries: tuple[DeviceCard, ...]  # of the linked device, the one in use first, where there are several
    said: str | None
    opened_by: str | None
    opened_at: datetime | None
    still_blocked_at: datetime | None
    help_why: str | None
    not_for_you: str | None
    noticed: tuple[str, ...]  # what the records show beside the step
    rung: str  # which of its instructions the step gives
    tell: str | None  # a message once it is open: `offered`, or `wanted`

    @property
    def title(self) -> str:
        return "relay" if self.step == Step.WAIT and self.relay is not None and self.relay.linked else self.step

    @property
    def final(self) -> bool:
        return self.step in FINAL


def panel(
    journey: Journey, now: datetime, *, browser: str, usual: bool = False, promise: Promise = DOCUMENTED, full: bool = False
) -> Panel:
    """`usual`: the person wants the usual instruction once more, though it did not help before. `promise` is how long the wait
    takes here; `full`: this person has as many entries in the directory as they may have."""
    step, links = next_step(journey, now), chain(journey, now)
    device, since = journey.in_hand, _since(journey)
    opened_by, opened_at = _opened(journey) if step is Step.OPEN else (None, None)
    return Panel(
        step=step.value,
        person=shown(journey.person.name),
        case_code=journey.case_code,
        platform=journey.platform.value,
        chain=links,
        now_at=next((link.name for link in links if link.state is not ChainState.DONE), "open"),
        device=cards.in_hand(journey),
        cards=cards.managed(journey, browser),
        registered=cards.registered(journey, browser),
        again=cards.to_register_again(journey, browser, now),
        anew=journey.replacing is not None,
        switched_off=only_disabled(journey),
        rules=cards.rules(device),
        checked_at=device.posture.read_at if device is not None else None,
        message=_message(journey, now),
        second=_second(journey),
        certificate=_certificate(journey),
        relay=_relay(journey, now),
        slow=_slow(journey),
        looking=journey.look.under_way,
        read_at=min((at for at in (journey.look.mdm_read_at, journey.look.directory_read_at) if at is not None), default=None),
        since=since,
        usual_by=since + promise.usual,
        worst_by=since + promise.worst,
        pace="usual" if now <= since + promise.usual else "longer" if now <= since + promise.worst else "late",
        measured=promise.measured,
        entries=cards.entries(journey),
        said=_said(journey),
        opened_by=opened_by,
        opened_at=opened_at,
        still_blocked_at=None if _mended(journey) else journey.still_blocked_at,
        help_why=_known(help_why(journey, now), HELP),
        not_for_you=_known(not_for_you(journey.standing) if journey.standing is not None else None, NOT_FOR_YOU),
        noticed=tuple(one.value for one in noticed(journey, now, full=full)),
        rung=Rung.USUAL.value if usual else rung(journey, now).value,
        tell="wanted" if journey.tell_open_at is not None else "offered" if device in journey.reachable else None,
    )


def _known(why: str | None, known: set[str]) -> str | None:
    """None for a reason that this version has no words for, and where there is none: the page then speaks in general."""
    return why if why in known else None


def _message(journey: Journey, now: datetime) -> Message | None:
    """The message to the device in hand; one to an earlier phone, or from before a wipe, is no news for this one."""
    proof, device = journey.possession, journey.in_hand
    if proof is None or device is None or proof.key != device.key or proof.proven_at is not None:
        return None
    if not proof.waiting(now):
        state = "over"
    elif proof.error is not None:
        state = "failed"
    else:
        state = "sent" if proof.sent_at is not None else "wanted"
    return Message(state=state, sent_at=proof.sent_at, expires_at=proof.expires_at)


def _second(journey: Journey) -> SecondSignIn | None:
    """None where no second sign-in is asked for."""
    if journey.sign_in_asked is None:
        return None
    last = journey.last_sign_in
    if last is None:
        return SecondSignIn("asked")
    if names_another(last):
        return SecondSignIn("another", last.returned_at)
    if last.error is not None:
        return SecondSignIn("failed", last.returned_at, code=last.error if last.error.startswith("AADSTS") else None)
    if last.record_due is not None or last.named:
        return SecondSignIn("waiting", last.returned_at, last.returned_at + RECORD_LOOKS[-1])
    return SecondSignIn("unnamed", last.returned_at)


def _certificate(journey: Journey) -> str | None:
    """`asked` or `shown`; None where no certificate is asked for."""
    pair = journey.certificate_asked
    return None if pair is None else "shown" if journey.certificate_of(pair) is not None else "asked"


def _relay(journey: Journey, now: datetime) -> RelayCard | None:
    if journey.relay is None:
        return None
    relay = relay_of(journey, now)
    return RelayCard(False) if relay is None else RelayCard(True, relay.by if relay.since is not None else None, relay.missed)


def _slow(journey: Journey) -> tuple[str, ...]:
    """The sides that did not give what we asked for when last asked. A push's `reason` is `<remote>_<error>`, `failed_<code>`, or
    a reason of the verdict, which `_said` tells."""
    look, push = journey.look, journey.push
    reason = (push.reason if push is not None else None) or ""
    stuck = reason if reason not in SAID else ""
    found = {
        "mdm": look.mdm_error is not None or stuck.startswith("mdm_"),
        "directory": look.directory_error is not None or stuck.startswith(("directory_", "lock_")),
        "channel": stuck.startswith(("channel_", "failed_")),
    }
    return tuple(side for side, slow in found.items() if slow)


def _since(journey: Journey) -> datetime:
    """When the wait began that the person sees now: with the news that is on its way, else with the link, the proof, the start."""
    link, push, proof = journey.link, journey.push, journey.possession
    if push is not None and push.desired_at is not None:
        return push.desired_at
    if link is not None:
        return link.made_at
    return proof.proven_at if proof is not None and proof.proven_at is not None else journey.started_at


def _said(journey: Journey) -> str | None:
    push = journey.push
    reasons = ((push.reason,) if push is not None else ()) + (push.reasons if push is not None else ())
    return next((reason for reason in reasons if reason in SAID), None)


def _mended(journey: Journey) -> bool:
    """Since they said *still blocked*, what Entra shows was changed by us: the usual instruction is worth another try."""
    push, said_at = journey.push, journey.still_blocked_at
    changed_at = push.confirmed_at if push is not None and push.confirmed_by == "changed" else None
    return said_at is not None and changed_at is not None and changed_at > said_at


def _opened(journey: Journey) -> tuple[str, datetime | None]:
    """What *open* rests on: `changed` after our send, `already_so` then, `relayed` by the MDM's maker, or `found` compliant without
    any doing of ours."""
    push = journey.push
    if push is not None and push.desired_seq > 0:
        return (push.confirmed_by if push.confirmed_by in ("already_so", "relayed") else "changed"), push.observed_at
    already = already_open(journey)
    return "found", already.read_at if already is not None else None
