"""What the doctor looks at of our place as compliance partner: who holds each platform, whether Microsoft hears from us, which
addresses it took, and whether the same people are meant on every side.

Next door: `doctor_remotes` (whether the service answers at all), `provision_partner` (which mends what differs).
"""

from collections.abc import Iterator, Sequence
from datetime import timedelta

from ..domain.device import Platform
from ..domain.finding import Finding, State
from ..domain.partner import ALL_USERS, ENABLED, HEARTBEAT, CompliancePartner, slot
from ..ports import Beating, PartnerList, Relaying
from .doctor import Doctor
from .doctor_asks import read
from .heartbeat import beating
from .provision_partner import Wanted
from .world import World

LATE = 3  # heartbeats that did not come


def slots(doctor: Doctor, found: Sequence[Finding]) -> Iterator[Finding]:
    """By Intune's own list; then the groups, which stand in the same list."""
    wanted, listed = doctor.partner, doctor.world.partners
    if wanted is None or listed is None or not any(isinstance(one, Beating | Relaying) for one in doctor.world.channels):
        return
    yield from slots_of(doctor.world, listed, wanted, found)


def slots_of(world: World, listed: PartnerList, wanted: Wanted, found: Sequence[Finding] = ()) -> Iterator[Finding]:
    partners = read("partner_slot", listed.partners, found)
    if isinstance(partners, Finding):
        yield partners
        return
    for platform in wanted.platforms:
        channel = world.channel(platform)
        if isinstance(channel, Beating):
            yield from _slot(partners, platform, world.partner_name, wanted)
        elif isinstance(channel, Relaying):
            yield _vendors(partners, platform, channel.connection)


def _slot(partners: Sequence[CompliancePartner], platform: Platform, name: str | None, wanted: Wanted) -> Iterator[Finding]:
    held = slot(partners, platform, name)
    holder = held.holder
    detail = {"holder": holder.name if holder else "", "word": holder.state if holder else ""}
    state = {"ours": State.GOOD, "whose": State.UNKNOWN}.get(held.why, State.BAD)
    yield Finding("partner_slot", state, held.why, platform.value, detail)
    if held.why in ("ours", "not_enabled") and holder is not None:
        yield _groups(holder.groups.get(platform), platform, wanted)


def _vendors(partners: Sequence[CompliancePartner], platform: Platform, connection: str) -> Finding:
    """Where the MDM's maker carries, the slot has to be its own; under which name it stands there is not public."""
    holder = slot(partners, platform, None).holder
    if holder is None:
        return Finding("partner_slot", State.BAD, "missing", platform.value)
    detail = {"holder": holder.name, "word": holder.state, "connection": connection}
    well = holder.state == ENABLED
    return Finding(
        "partner_slot", State.GOOD if well else State.BAD, "vendor" if well else "vendor_not_enabled", platform.value, detail
    )


def _groups(given: frozenset[str] | None, platform: Platform, wanted: Wanted) -> Finding:
    """Whom an Intune administrator gave to us, beside those whom we were told to serve."""
    ours = frozenset(wanted.groups or (ALL_USERS,))
    if given is None:
        return Finding("partner_groups", State.UNKNOWN, "unreadable", platform.value)
    if wanted.everybody in given:
        given = given - {wanted.everybody} | {ALL_USERS}
    if given == ours:
        if not wanted.groups:
            return Finding("partner_groups", State.GOOD, "same_all", platform.value)
        return Finding("partner_groups", State.GOOD, "same", platform.value, {"count": str(len(wanted.groups))})
    detail = {"there": ", ".join(sorted(given - ours)) or "–", "here": ", ".join(sorted(ours - given)) or "–"}
    return Finding("partner_groups", State.BAD, "differ", platform.value, detail)


def addresses(doctor: Doctor, _: Sequence[Finding]) -> Iterator[Finding]:
    """As Microsoft last took them: no public source shows a way to read them back."""
    wanted, told = doctor.partner, doctor.world.store.partner_told()
    if wanted is None or beating(doctor.world.channels) is None:
        return
    if told is None:
        yield Finding("partner_addresses", State.UNKNOWN, "never_told")
        return
    detail = {"at": f"{told.told_at:%Y-%m-%d %H:%M} UTC", "enrollment": told.enrollment_url, "by": told.told_by}
    if not told.provisioned:
        yield Finding("partner_addresses", State.BAD, "deprovisioned", detail=detail)
    elif told.leaving_at is not None:
        yield Finding("partner_addresses", State.BAD, "leaving", detail={"since": f"{told.leaving_at:%Y-%m-%d %H:%M} UTC"})
    elif (told.enrollment_url, told.remediation_url) != (wanted.enrollment_url, wanted.remediation_url):
        yield Finding("partner_addresses", State.BAD, "differ", detail=detail)
    elif frozenset(told.groups) != wanted.assigned:
        yield Finding("partner_addresses", State.BAD, "other_groups", detail=detail)
    else:
        yield Finding("partner_addresses", State.GOOD, "told", detail=detail)


def heartbeat(doctor: Doctor, _: Sequence[Finding]) -> Iterator[Finding]:
    if beating(doctor.world.channels) is None:
        return
    watch, now = doctor.world.store.watch(HEARTBEAT), doctor.world.clock()
    if watch is None or (watch.good_at is None and watch.failing_since is None):
        yield Finding("heartbeat", State.UNKNOWN, "none_yet")
        return
    ago = now - (watch.good_at or watch.failing_since or now)
    detail = {"ago": _hours(ago), "code": watch.reason or "-"}
    if watch.failing_since is not None and not (watch.reason or "").startswith("partner_"):
        yield Finding("heartbeat", State.BAD, "failing", detail=detail)
    elif watch.next_look_at is None:
        yield Finding("heartbeat", State.UNKNOWN, "rests", detail=detail)
    elif ago > LATE * doctor.world.pace.heartbeat:
        yield Finding("heartbeat", State.BAD, "old", detail=detail)
    else:
        yield Finding("heartbeat", State.GOOD, "fresh", detail=detail)


def _hours(time: timedelta) -> str:
    minutes = max(int(time.total_seconds() // 60), 0)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h"
