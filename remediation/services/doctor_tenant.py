"""What the doctor asks of the tenant itself: licences, who may register a device, and policies that would lock a new phone out.

What no interface tells is said as something to look at oneself. Next door: `doctor_remotes`.
"""

from collections.abc import Iterator, Sequence

from ..domain.device import Platform
from ..domain.device_policy import locks_out
from ..domain.finding import Finding, State
from ..domain.impact import Reason
from ..domain.tenant_facts import ENTRA_PLANS, SMALL_QUOTA, MayRegister
from ..errors import Refused, RemoteError
from .doctor import Doctor
from .doctor_remotes import of_error, without_token

ENTRA, INTUNE = "Entra ID P1 or P2", "Intune"


def licences(doctor: Doctor, found: Sequence[Finding]) -> Iterator[Finding]:
    no_token = without_token("licence", found)
    if no_token is not None or doctor.tenant is None:
        if no_token is not None:
            yield no_token
        return
    try:
        bought = doctor.tenant.subscriptions()
    except Refused as refused:
        yield Finding("licence", State.GOOD, "not_readable", detail={"code": refused.vendor_code or "403"})
    except RemoteError as error:
        yield of_error("licence", error)
    else:
        for about, plans in ((ENTRA, ENTRA_PLANS), (INTUNE, frozenset(doctor.intune_plans))):
            with_it = [one for one in bought if one.plans & plans and one.seats]
            seats, used = sum(one.seats for one in with_it), sum(one.used for one in with_it)
            detail = {"seats": str(seats), "used": str(used)}
            if not with_it:
                yield Finding("licence", State.BAD, "none", about)
            elif used > seats:
                yield Finding("licence", State.BAD, "too_few", about, detail)
            else:
                yield Finding("licence", State.GOOD, "there", about, detail)
    yield _people_without(doctor)


def _people_without(doctor: Doctor) -> Finding:
    """By the last count of the impact preview, which reads the whole list."""
    count = doctor.world.store.counted_last()
    if count is None:
        return Finding("licence_given", State.GOOD, "not_counted")
    lacking = int(count.by_reason.get(Reason.LICENCE.value, 0))
    detail = {"count": str(lacking), "at": f"{count.asked_at:%Y-%m-%d %H:%M} UTC"}
    return Finding("licence_given", State.BAD if lacking else State.GOOD, "people_without" if lacking else "all", detail=detail)


def registration(doctor: Doctor, found: Sequence[Finding]) -> Iterator[Finding]:
    no_token = without_token("registration", found)
    if no_token is not None or doctor.tenant is None:
        if no_token is not None:
            yield no_token
        return
    try:
        rules = doctor.tenant.registration()
    except Refused as refused:
        yield Finding("registration", State.GOOD, "not_readable", detail={"code": refused.vendor_code or "403"})
        return
    except RemoteError as error:
        yield of_error("registration", error)
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
    no_token = without_token("new_phone", found)
    if no_token is not None:
        yield no_token
        return
    try:
        names = [one.name for one in doctor.policies.policies() if locks_out(one)]
    except Refused as refused:
        yield Finding("new_phone", State.UNKNOWN, "not_readable", detail={"code": refused.vendor_code or "403"})
    except RemoteError as error:
        yield of_error("new_phone", error)
    else:
        if names:
            yield Finding("new_phone", State.BAD, "locked_out", detail={"policies": ", ".join(names)})
        else:
            yield Finding("new_phone", State.GOOD, "may_begin")


def by_hand(doctor: Doctor, _: Sequence[Finding]) -> Iterator[Finding]:
    """No interface tells these; each only where it is needed."""
    served = frozenset[Platform]().union(*(channel.platforms for channel in doctor.world.channels))
    if served & {Platform.IOS, Platform.ANDROID}:
        yield Finding("by_hand", State.GOOD, "authenticator")
    if Platform.MACOS in served:
        yield Finding("by_hand", State.GOOD, "sso_extension")
    if served:
        yield Finding("by_hand", State.GOOD, "enrollment_app")
    if doctor.syncs_groups and doctor.partner is not None and doctor.partner.groups:
        yield Finding("by_hand", State.GOOD, "group_sync")
