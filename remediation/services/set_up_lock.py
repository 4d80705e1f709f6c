"""Set the second lock up: see that its attribute is nobody else's, and keep what was seen blocked.

Next door: `marks` (the marks afterwards), `doctor_lock` (whether the policy holds), `domain/second_lock.py`.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from ..domain.device import Mark
from ..domain.lock_policy import about_our_mark
from ..domain.second_lock import MUST_BE_BLOCKED, SecondLock, SeenBlocked, shows_blocked
from ..errors import NotFound
from ..ports import Actor, Clock, Directory, Marking, Policies, SignInRecords, Store
from .patience import Patient


@dataclass(frozen=True)
class Read:
    """How many devices the directory has, and on how many of them another value stands in the attribute, with some of their ids;
    `ours` bear our mark."""

    devices: int
    others: int
    examples: tuple[str, ...]
    ours: tuple[str, ...] = ()


@dataclass(frozen=True)
class GaveUp:
    """On how many devices our mark was taken away, and on how many it is still shown."""

    cleared: int
    left: int


class NoLock(Exception):
    """There is none, or it is not prepared."""


def read_all(directory: Directory, patiently: Patient) -> Read:
    devices = others = 0
    examples: list[str] = []
    ours: list[str] = []
    cursor: str | None = None
    while True:
        page = patiently(partial(directory.page, cursor))
        devices += len(page.rows) + len(page.unreadable)
        found = [*(row.device_id for row in page.rows if row.mark is Mark.OTHER), *page.unreadable]
        others += len(found)
        ours += [row.device_id for row in page.rows if row.mark is Mark.OURS]
        examples += found[: 5 - len(examples)]
        cursor = page.cursor
        if cursor is None:
            return Read(devices, others, tuple(examples), tuple(ours))


def prepare(store: Store, *, actor: Actor, why: str, clock: Clock, devices: int) -> None:
    """After `read_all` found nobody else's value. From now on the attribute is ours: marks are written, and what others write is
    taken away."""
    lock = _lock(store)
    with store.change(actor, "lock.prepared", about=("lock", lock.name), at=clock()) as change:
        change.audit(because=why, devices=devices)
        change.lock_prepared()


def policies_on(store: Store, policies: Policies) -> Sequence[str]:
    """Policies that still ask for our mark: with one of them on, whoever loses the mark is blocked. Refused where it cannot be
    read."""
    lock = _lock(store)
    return [one.name for one in policies.policies() if one.enforced and about_our_mark(one, lock)]


def give_up(
    store: Store, marking: Marking, directory: Directory, patiently: Patient, *, actor: Actor, why: str, clock: Clock
) -> GaveUp:
    """No mark is written from now on; each of ours is taken away and read back, and then the attribute is nobody's. Cut off
    anywhere, it is begun again: what still bears our mark is found by reading."""
    lock = _lock(store)
    bear = read_all(directory, patiently).ours
    if lock.prepared_at is not None:
        with store.change(actor, "lock.leaving", about=("lock", lock.name), at=clock()) as change:
            change.audit(because=why, attribute=lock.attribute, value=lock.value, devices=len(bear))
            change.lock_leaves()
    for device_id in bear:
        try:
            patiently(partial(marking.clear, device_id))
        except NotFound:
            continue
    left = len(read_all(directory, patiently).ours) if bear else 0
    if left == 0:
        with store.change(actor, "lock.given_up", about=("lock", lock.name), at=clock()) as change:
            change.audit(because=why, old={"attribute": lock.attribute, "value": lock.value}, new=None)
            change.lock_given_up()
    return GaveUp(len(bear), left)


def stands_in_the_way(held: SecondLock | None, number: str | None) -> bool:
    """Another attribute, or none, while marks may stand in this one: they would stay there for ever."""
    return held is not None and (number or "").strip() != str(held.attribute) and (held.prepared_at is not None or bool(number))


def confirm_blocked(store: Store, kind: str, what: str, *, actor: Actor, clock: Clock) -> SeenBlocked:
    """An administrator saw it; `what` says what."""
    return _keep(store, SeenBlocked(kind, "confirmed", what, clock(), actor.id), actor, clock)


def check_sign_in(
    store: Store, records: SignInRecords, policies: Policies, directory: Directory, record_id: str, *, actor: Actor, clock: Clock
) -> SeenBlocked | str:
    """What Entra's own record shows, kept where it shows one of the two; else why it shows neither. NotFound where the log does not
    have it (yet), Refused where it may not be read."""
    lock = _lock(store)
    record = records.record(record_id)
    names = [policy.name for policy in policies.policies() if about_our_mark(policy, lock)]
    mark = None
    if record.device_id is not None:
        try:
            mark = directory.device(record.device_id, owner=False).mark
        except NotFound:
            return "device_gone"
    shows = shows_blocked(record, names, mark)
    if shows not in MUST_BE_BLOCKED:
        return shows
    return _keep(store, SeenBlocked(shows, "sign_in_log", record.id, record.at, actor.id), actor, clock)


def _keep(store: Store, seen: SeenBlocked, actor: Actor, clock: Clock) -> SeenBlocked:
    lock = _lock(store)
    if lock.prepared_at is None:
        raise NoLock
    with store.change(actor, "lock.seen_blocked", about=("lock", lock.name), at=clock()) as change:
        change.audit(kind=seen.kind, how=seen.how, what=seen.what)
        change.saw_blocked(seen)
    return seen


def _lock(store: Store) -> SecondLock:
    lock = store.second_lock()
    if lock is None:
        raise NoLock
    return lock


def by_kind(seen: Collection[SeenBlocked]) -> Mapping[str, SeenBlocked]:
    return {one.kind: one for one in seen}
