"""A repair, by somebody of the helpdesk: what is offered now, and doing one of them. No page is known here: programs use it too.

Each is one change with one audit row, by a reason of a fixed list. It is done to what `domain/repairs.py` offers at that moment and
to nothing else, and only while nobody did anything else since the version that whoever confirms has seen. The worker does what
takes a remote, and judges everything anew.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from ..domain.device import LinkState, ManagedKey, Platform
from ..domain.journey import LASTS, Journey
from ..domain.push import Lane
from ..domain.repairs import BECAUSE, REPAIRS, Mark, Repair, Situation, offer
from ..domain.turns import REPAIRED, SEARCHES
from ..errors import ChangedMeanwhile, NotOffered
from ..ports import Actor, Change, Event, LookUp, Store
from .ask import take_turn
from .start_journey import LETTERS

START_LINK_LASTS = timedelta(hours=24)
ASKED = "repair.asked"
CHANGES = 20


@dataclass(frozen=True)
class Allowed:
    """What the tenant lets the helpdesk do beside the rest."""

    mail: bool = False
    disable: bool = False


@dataclass(frozen=True)
class Order:
    """What somebody confirmed: `target` is one of the offer's, empty where there is nothing to choose; `seen` is the version of
    what they saw."""

    repair: Repair
    target: str
    because: str
    seen: int


def situation(look_up: LookUp, store: Store, oid: str, *, case_code: str = "", allowed: Allowed) -> Situation | None:
    """What repairs are offered by: of the person's newest case, or of the one with this code. None for whoever is unknown in this
    tenant. Who asks has to have their turn taken before."""
    seen = look_up.last_act(oid)  # first: what is done while the rest is read makes this version an old one
    person = look_up.person(oid)
    if person is None:
        return None
    cases = look_up.cases_of(oid)
    chosen = next((case for case in cases if case.case_code == case_code), cases[0] if cases else None)
    journey = store.journey(chosen.journey_id) if chosen is not None and chosen.journey_id is not None else None
    newest = next((case for case in cases if chosen is not None and case.platform is chosen.platform), None)
    marks = {one.device_id: one for one in look_up.marks(oid)}
    may = {"mail": allowed.mail, "may_disable": allowed.disable}
    return Situation(person, journey, latest=newest is chosen, marks=marks, seen=seen, **may)


def begin(
    look_up: LookUp, store: Store, oid: str, *, case_code: str = "", allowed: Allowed, by: str, now: datetime
) -> Situation | None:
    """What a member of staff sees before they confirm; takes one of their turns, and leaves the row that says who looked."""
    take_turn(store, f"look_up:{by}", SEARCHES, now)
    found = situation(look_up, store, oid, case_code=case_code, allowed=allowed)
    if found is not None:
        with store.change(Actor("helpdesk", by), "look_up.viewed", about=("person", oid), at=now) as change:
            change.audit(case=found.journey.case_code if found.journey is not None else None)
    return found


def repair(store: Store, found: Situation, order: Order, *, actor: Actor, now: datetime) -> None:
    """Raises ValueError for no reason of ours, NotOffered, ChangedMeanwhile or TooOften; then nothing was changed."""
    if order.because not in BECAUSE:
        raise ValueError(f"not one of the reasons: {order.because}")
    if found.seen != order.seen:
        raise ChangedMeanwhile("something was done for this person since")
    offered = offer(found, order.repair, now)
    if offered is None or not offered.takes(order.target):
        raise NotOffered(order.repair)
    take_turn(store, f"repair:{found.person.oid}", REPAIRED, now)
    about = (REPAIRS[order.repair].about, _subject(found, order))
    with store.change(actor, f"repair.{order.repair}", about=about, at=now) as change:
        change.as_seen(found.person.oid, order.seen)
        change.audit(because=order.because)
        _do(change, store, found, order, now)


def ask_now(store: Store, found: Situation, *, by: str, now: datetime) -> bool:
    """*Ask the remotes now*: a look that changes nothing by itself. False where nobody would look: a case that is over, no link."""
    journey = found.journey
    if offer(found, Repair.CHECK_AGAIN, now) is None or journey is None:
        return False
    take_turn(store, f"look_up:{by}", SEARCHES, now)
    take_turn(store, f"repair:{found.person.oid}", REPAIRED, now)
    with store.change(Actor("helpdesk", by), ASKED, about=("journey", journey.id), at=now) as change:
        _look(change, found, journey, now, refresh=False)
    return True


def changed_since(look_up: LookUp, oid: str, seen: int) -> Sequence[Event]:
    """What was done since the version that somebody saw, newest first."""
    return look_up.acts_since(oid, seen, limit=CHANGES)


def _subject(found: Situation, order: Order) -> str:
    about, journey = REPAIRS[order.repair].about, found.journey
    if about in ("link", "directory_device"):
        return order.target
    return journey.id if about == "journey" and journey is not None else found.person.oid


def _do(change: Change, store: Store, found: Situation, order: Order, now: datetime) -> None:
    journey, oid, target = found.journey, found.person.oid, order.target
    if order.repair is Repair.START_LINK:
        _start_link(change, journey, oid, target, now)
        return
    if journey is None:  # nothing else is offered then
        raise NotOffered(order.repair)
    if order.repair is Repair.CHECK_AGAIN:
        _look(change, found, journey, now, refresh=True)
    elif order.repair is Repair.RESEND:
        change.tell_again(target)
    elif order.repair is Repair.POSSESSION:
        key = _key(target)
        change.audit(connection=key.connection, record=key.record_id)
        change.want_possession(journey.id, key)
    elif order.repair is Repair.SETTLE:
        change.audit(device=target)
        change.settle(journey.id, target)
    elif order.repair is Repair.END_LINK:
        link = next(one for one in journey.links if one.id == target)
        change.audit(device=link.device_id)
        change.end_link(link.id, "by_staff")
        change.forget_proofs(link)
    elif order.repair in (Repair.KEEP_DEVICE, Repair.MARK_DEVICE):
        change.mark_device(target, Mark.KEPT if order.repair is Repair.KEEP_DEVICE else Mark.LEFTOVER, oid=oid)
    elif order.repair is Repair.DISABLE_DEVICE:
        change.want_disabled(target)
    elif order.repair is Repair.CLOSE:
        change.close_journey(journey.id)
    elif order.repair is Repair.REOPEN:
        change.reopen_journey(journey.id, expires_at=now + LASTS)


def _look(change: Change, found: Situation, journey: Journey, now: datetime, *, refresh: bool) -> None:
    if found.alive(now):
        change.want_look(journey.id, refresh=refresh)
    for link in journey.links:
        if link.state is LinkState.ACTIVE:
            change.wake_link(link.id, lane=Lane.PERSON)


def _start_link(change: Change, journey: Journey | None, oid: str, target: str, now: datetime) -> None:
    """A short code that leads to the start page, with the kind of device chosen. It opens nothing: whoever comes signs in."""
    way, _, device = target.partition(":")
    platform = journey.platform if journey is not None else Platform.UNKNOWN
    code, until = start_code(), now + START_LINK_LASTS
    change.audit(way=way)
    change.make_start_link(
        code=code, oid=oid, platform=platform, way=way, device=_key(device) if device else None, expires_at=until
    )


def start_code() -> str:
    """Eight characters to be typed from a piece of paper: 282 thousand million of them, and none opens anything."""
    return "".join(secrets.choice(LETTERS) for _ in range(8))


def _key(text: str) -> ManagedKey:
    connection, _, record_id = text.partition("/")
    return ManagedKey(connection, record_id)
