"""What the services and the pages ask of the world, as small protocols: `remotes`, `store`, `desk`, `operating`."""

from .desk import CaseFound, Event, LookUp, PersonFound, Session, Sessions, SignInStates
from .operating import Extension, Leases, StuckRow, StuckRows
from .remotes import (
    Carried,
    Clock,
    ComplianceChannel,
    DeviceManager,
    Directory,
    LinkNoting,
    Messaging,
    Owned,
    Refreshing,
    Report,
    Sending,
)
from .store import Actor, Change, PossessionLinkFacts, Store, Wakeups

__all__ = [
    "Actor",
    "Carried",
    "CaseFound",
    "Change",
    "Clock",
    "ComplianceChannel",
    "DeviceManager",
    "Directory",
    "Event",
    "Extension",
    "Leases",
    "LinkNoting",
    "LookUp",
    "Messaging",
    "Owned",
    "PersonFound",
    "PossessionLinkFacts",
    "Refreshing",
    "Report",
    "Sending",
    "Session",
    "Sessions",
    "SignInStates",
    "Store",
    "StuckRow",
    "StuckRows",
    "Wakeups",
]
