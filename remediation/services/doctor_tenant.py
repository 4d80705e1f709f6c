"""What the doctor asks of the tenant itself: licences, who may register a device, and policies that would lock a new phone out.

What no interface tells is said as something to look at oneself. Next door: `doctor_remotes`.
"""

from collections.abc import Iterator, Sequence

from ..domain.device import Platform
from ..domain.device_policy import locks_out
from ..domain.finding import BY_HAND, Finding, State
from ..domain.impact import Reason
from ..domain.tenant_facts import ENTRA_PLANS, SMALL_QUOTA, MayRegister, Subscription
from .doctor import Doctor
from .doctor_asks import read

ENTRA, INTUNE = "Entra ID P1 or P2", "Intune"


def licences(doctor: Doctor, found: Sequence[Finding]) -> Iterator[Finding]:
    bought = read("licence", doctor.tenant.subscriptions, found)
    if isinstance(bought, Finding):
        yield bought
    else:
        for about, plans in ((ENTRA, ENTRA_PLANS), (INTUNE, frozenset(doctor.intune_plans))):
            yield _seats(bought, about, plans)
    yield _people_without(doctor)


def _seats(bought: Sequence[Subscription], about: str, plans: frozenset[str]) -> Finding:
    with_it = [one for one in bought if one.plans & plans and one.seats]
    seats, used = sum(one.seats for one in with_it), sum(one.used for one in with_it)
    detail = {"seats": str(seats), "used": str(used)}
    if not with_it:
        return Finding("licence", State.BAD, "none", about)
    if used > seats:
        return Finding("licence", State.BAD, "too_few", about, detail)
    return Finding("licence", State.GOOD, "there", about, detail)


def _people_without(doctor: Doctor) -> Finding:
    """By the last count of the impact preview, which reads the whole list."""
    count = doctor.world.store.counted_last()
    if count is None:
        return Finding("licence_given", State.UNKNOWN, "not_counted")
    lacking = int(count.by_reason.get(Reason.LICENCE.value, 0))
    detail = {"count": str(lacking), "at": f"{count.asked_at:%Y-%m-%d %H:%M} UTC"}
    return Finding("licence_given", State.BAD if lacking else State.GOOD, "people_without" if lacking else "all", detail=detail)


def registration(doctor: Doctor, found: Sequence[Finding]) -> Iterator[Finding]:
    rules = read("registration", doctor.tenant.registration, found)
    if isinstance(rules, Finding):
        yield rules
        return
    detail = {"quota": str(rules.quota) if rules.quota is not None else "-"}
    if rules.who is MayRegister.NOBODY:
        yield Finding("registration", State.BAD, "nobody", detail=detail)
    elif rules.who is not MayRegister.EVERYBODY:
        yield Finding("registration", State.UNKNOWN, "some", detail=detail)
    elif rules.quota is not None and rules.quota < SMALL_QUOTA:
        yield Finding("registration", State.BAD, "small_quota", detail=detail)
    else:
        yield Finding("registration", State.GOOD, "everybody", detail=detail)


def deadlock(doctor: Doctor, found: Sequence[Finding]) -> Iterator[Finding]:
    """A new phone is not compliant yet when it is registered: a policy that asks for that first lets nobody begin."""
    known = read("new_phone", doctor.policies.policies, found)
    if isinstance(known, Finding):
        yield known
    elif names := [one.name for one in known if locks_out(one)]:
        yield Finding("new_phone", State.BAD, "locked_out", detail={"policies": ", ".join(names)})
    else:
        yield Finding("new_phone", State.GOOD, "may_begin")


def by_hand(doctor: Doctor, _: Sequence[Finding]) -> Iterator[Finding]:
    """No interface tells these, so nobody has looked; each only where it is needed."""
    served = frozenset[Platform]().union(*(channel.platforms for channel in doctor.world.channels))
    if served & {Platform.IOS, Platform.ANDROID}:
        yield Finding(BY_HAND, State.UNKNOWN, "authenticator")
    if Platform.MACOS in served:
        yield Finding(BY_HAND, State.UNKNOWN, "sso_extension")
    if served:
        yield Finding(BY_HAND, State.UNKNOWN, "enrollment_app")
    if doctor.syncs_groups and doctor.partner is not None and doctor.partner.groups:
        yield Finding(BY_HAND, State.UNKNOWN, "group_sync")
