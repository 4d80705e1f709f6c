"""The people and devices of both sides, and the link between them. Next door: `evidence` (what a link rests on)."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from .compliance import Posture
from .evidence import Evidence, Level


class Platform(StrEnum):
    IOS = "ios"
    ANDROID = "android"
    MACOS = "macos"
    WINDOWS = "windows"
    UNKNOWN = "unknown"


class Mark(StrEnum):
    """What stands in the extension attribute of the second lock (`second_lock`); None where nothing does, or there is no lock."""

    OURS = "ours"
    OTHER = "other"


@dataclass(frozen=True)
class Person:
    """Keyed by (tenant, oid). Names are for display and for searching the MDM, never for authority.

    `match` is the value of the directory attribute that the tenant chose for finding the person's MDM user; None where it is empty.
    """

    oid: str
    name: str
    user_name: str
    mail: str | None = None
    match: str | None = None


@dataclass(frozen=True)
class DirectoryDevice:
    """Entra's `device` object as last read. `device_id` is the Azure device id, `object_id` the directory's own id.

    `owner_enabled` is whether its owner's account is enabled, as of a read that asked for the owner; it is not kept.
    """

    device_id: str
    object_id: str
    name: str
    platform: Platform
    os_version: str | None
    model: str | None
    enabled: bool
    owner_oid: str | None
    registered_at: datetime | None
    compliant: bool | None
    managed: bool | None
    read_at: datetime
    owner_enabled: bool | None = None
    mark: Mark | None = None


@dataclass(frozen=True, order=True)
class ManagedKey:
    """Names a managed device within the tenant: which MDM connection, which record."""

    connection: str
    record_id: str


@dataclass(frozen=True)
class ManagedDevice:
    """The MDM's record of a device as last read.

    `generation` changes when the device is wiped or enrolled anew, so that a link can pin it.
    """

    key: ManagedKey
    generation: str
    name: str
    platform: Platform
    model: str | None
    os_version: str | None
    serial: str | None
    owner_user_name: str | None
    owner_mail: str | None
    posture: Posture
    enrolled_at: datetime | None = None
    udid: str | None = None


class LinkState(StrEnum):
    PENDING = "pending"  # evidence below the tenant's minimum: pushes nothing
    ACTIVE = "active"
    ENDED = "ended"


@dataclass(frozen=True)
class DeviceLink:
    """Our pairing of one directory device with one managed device, and what it rests on (invariant I2).

    `minimum` is what the tenant asked for when the link was made, None on links of before that was kept.
    """

    id: str
    device_id: str
    object_id: str
    managed: ManagedKey
    generation: str
    oid: str
    platform: Platform
    evidence: Evidence
    state: LinkState
    made_at: datetime
    ended_at: datetime | None = None
    ended_why: str | None = None
    minimum: Level | None = None
