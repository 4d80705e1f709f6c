"""How sure we are that this directory device is that managed device, and what ends a link.

Owner match proves the person, never the hardware; names, typed ids and link parameters prove nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .device import DeviceLink, DirectoryDevice, ManagedDevice


class Level(IntEnum):
    """Ordered: a higher level suffices wherever a lower one is asked for."""

    NONE = 0
    FRESH = 1
    POSSESSION = 2
    BOUND = 3
    CERTIFICATE = 4
    AGENT = 5


@dataclass(frozen=True)
class Evidence:
    """`how` is a sentence for helpdesk and audit, made by `matching`."""

    level: Level
    at: datetime
    how: str


def suffices(evidence: Evidence, minimum: Level) -> bool:
    """Whether a link on this evidence may push at all (invariant I12). A minimum of NONE is never enough."""
    return minimum > Level.NONE and evidence.level >= minimum


def to_replace(old: DeviceLink) -> Level:
    """The least evidence on which a living link gives way to another of its managed device (T1): what it rests on itself, what was
    asked for when it was made, and never less than Entra's own word on which device it is."""
    return max(Level.BOUND, old.evidence.level, old.minimum or Level.NONE)


def ends_link(link: DeviceLink, managed: ManagedDevice | None, directory: DirectoryDevice | None) -> str | None:
    """The reason why fresh reads of either side end the link, or None (invariants I2, I5, I6); None is a side that was not read.

    What either side does not say (None) ends nothing here; `compliance.decide` keeps it from counting as good.
    """
    if managed is not None and managed.posture.enrolled is False:
        return "unenrolled"
    if managed is not None and managed.generation != link.generation:
        return "enrolled_anew"
    if directory is None:
        return None
    if not directory.enabled:
        return "directory_device_disabled"
    if directory.object_id != link.object_id:
        return "directory_device_recreated"
    if directory.owner_oid is not None and directory.owner_oid != link.oid:
        return "owner_changed"
    return None
