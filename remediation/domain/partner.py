"""The tenant's compliance partner: what Microsoft last took from us, and how Intune lists who holds which platform.

One partner holds a platform in a tenant. Pure; next door: `watch` (the heartbeat's row), `services/provision_partner.py`.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from .device import Platform

MOST_GROUPS = 10
HEARTBEAT, RESYNC = "partner/heartbeat", "partner/resync"  # rows of `watches`
ENABLED = "enabled"  # `partnerState`: graph-docs resources/intune-onboarding-compliancemanagementpartner.md
ALL_USERS = "all users"
"""Stands among groups where everybody is meant."""


@dataclass(frozen=True)
class Told:
    """What Microsoft last took from us. `groups` are those that the policies were assigned to, `policies` their ids by platform."""

    provisioned: bool
    enrollment_url: str
    remediation_url: str
    groups: tuple[str, ...]
    policies: Mapping[str, str]
    told_at: datetime
    told_by: str
    leaving_at: datetime | None = None
    """Since when devices are taken down, before or after we are no partner any more; None while we mean to be one."""


@dataclass(frozen=True)
class CompliancePartner:
    """A row of Intune's list. `groups` are those whose members an administrator gave to this partner, by platform; None where a
    target could not be read."""

    id: str
    name: str
    state: str
    heartbeat_at: datetime | None
    platforms: frozenset[Platform]
    groups: Mapping[Platform, frozenset[str] | None]


@dataclass(frozen=True)
class Slot:
    """Who holds a platform. `why`: `ours`; `not_enabled` (ours, and its `state` is another word); `taken` (by `holder`, who is not
    us); `missing` (nobody was added); `whose` (by somebody, and nobody told us our own name there)."""

    platform: Platform
    why: str
    holder: CompliancePartner | None = None


def slot(partners: Collection[CompliancePartner], platform: Platform, our_name: str | None) -> Slot:
    holders = [partner for partner in partners if platform in partner.platforms]
    if not holders:
        return Slot(platform, "missing")
    if our_name is None:
        return Slot(platform, "whose", holders[0])
    ours = next((partner for partner in holders if partner.name.strip().casefold() == our_name.strip().casefold()), None)
    if ours is None:
        return Slot(platform, "taken", holders[0])
    return Slot(platform, "ours" if ours.state == ENABLED else "not_enabled", ours)


@dataclass(frozen=True)
class KnownSlot:
    """A slot as Intune's list last showed it, kept for whoever may not ask. `holder` is empty where nobody holds it."""

    platform: str
    why: str
    holder: str
    state: str
    read_at: datetime


def known(slots: Collection[Slot], at: datetime) -> tuple[KnownSlot, ...]:
    return tuple(
        KnownSlot(one.platform.value, one.why, one.holder.name if one.holder else "", one.holder.state if one.holder else "", at)
        for one in slots
    )


LEAVING = "partner_leaving"
"""Why a device is taken down that is well: we are about to be nobody's compliance partner, and nobody could take it down then."""


def trouble(slots: Collection[Slot]) -> str | None:
    """Why verdicts do not count on some platform, as a stable id; None where none is known."""
    found = {slot.why for slot in slots}
    return next((f"partner_{why}" for why in ("taken", "missing", "not_enabled") if why in found), None)
