"""What the doctor looks at of the second lock: is it set up, is there a policy that asks for our mark, and does that policy hold?

Next door: `doctor_remotes` (our sign-in and the policies), `domain/lock_policy.py` (what fails open).
"""

from collections.abc import Iterator, Sequence

from ..domain.finding import Finding, State
from ..domain.lock_policy import about_our_mark, faults
from ..domain.second_lock import SecondLock, missing_before_go
from .doctor import Doctor
from .doctor_asks import read


def lock(doctor: Doctor, found: Sequence[Finding]) -> Iterator[Finding]:
    held = doctor.world.store.second_lock()
    if doctor.world.lock is None or held is None:
        return
    if held.prepared_at is None:
        yield Finding("lock", State.BAD, "not_prepared", detail={"name": held.name})
        return
    yield Finding("lock", State.GOOD, "prepared", detail={"name": held.name, "at": f"{held.prepared_at:%Y-%m-%d %H:%M} UTC"})
    yield from _policies(doctor, found, held)
    missing = missing_before_go(held, doctor.world.store.seen_blocked())
    for why in missing:
        yield Finding("lock_blocks", State.BAD, why)
    if not missing:
        yield Finding("lock_blocks", State.GOOD, "seen")


def _policies(doctor: Doctor, found: Sequence[Finding], held: SecondLock) -> Iterator[Finding]:
    listed = read("lock_policy", doctor.policies.policies, found)
    if isinstance(listed, Finding):
        yield listed
        return
    known = [policy for policy in listed if about_our_mark(policy, held)]
    if not known:
        yield Finding("lock_policy", State.BAD, "none", detail={"name": held.name})
    platforms = sorted(doctor.world.lock.platforms) if doctor.world.lock is not None else []
    for policy in known:
        wrong = faults(policy, held, platforms)
        for why in wrong:
            yield Finding("lock_policy", State.BAD, why, policy.name)
        if not wrong:
            yield Finding("lock_policy", State.GOOD, "holds", policy.name)
