"""Set the second lock up: see that its attribute is nobody else's, and keep what was seen blocked.

Next door: `marks` (the marks afterwards), `doctor_lock` (whether the policy holds), `domain/second_lock.py`.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import partial

from ..domain.device import Mark
from ..domain.lock_policy import about_our_mark
from ..domain.second_lock import MUST_BE_BLOCKED, SecondLock, SeenBlocked, shows_blocked
from ..errors import NotFound
from ..ports import Actor, Clock, Directory, Policies, SignInRecords, Store
from .patience import Patient


@dataclass(frozen=True)
class Read:
    """How many devices the directory has, and on how many of them another value stands in the attribute, with some of their ids."""

    devices: int
    others: int
    examples: tuple[str, ...]


class NoLock(Exception):
    """There is none, or it is not prepared."""


def read_all(directory: Directory, patiently: Patient) -> Read:
    devices = others = 0
    examples: list[str] = []
    cursor: str | None = None
    while True:
        page = patiently(partial(directory.page, cursor))
        devices += len(page.rows) + len(page.unreadable)
        found = [*(row.device_id for row in page.rows if row.mark is Mark.OTHER), *page.unreadable]
        others += len(found)
        examples += found[: 5 - len(examples)]
        cursor = page.cursor
        if cursor is None:
            return Read(devices, others, tuple(examples))


def prepare(store: Store, *, actor: Actor, why: str, clock: Clock, devices: int) -> None:
    """After `read_all` found nobody else's value. From now on the attribute is ours: marks are written, and what others write is
    taken away."""
    lock = _lock(store)
    with store.change(actor, "lock.prepared", about=("lock", lock.name), at=clock()) as change:
        change.audit(because=why, devices=devices)
        change.lock_prepared()


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
