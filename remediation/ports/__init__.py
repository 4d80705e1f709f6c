"""What the services and the pages ask of the world, as small protocols: `remotes`, `store`, `watching`, `desk`."""

from .desk import CaseFound, Event, LookUp, PersonFound, Session, Sessions, SignInStates
from .remotes import (
    Carried,
    Clock,
    ComplianceChannel,
    DeviceManager,
    Directory,
    LinkNoting,
    Listing,
    Messaging,
    Owned,
    Page,
    Refreshing,
    Report,
    Sending,
)
from .store import Actor, Change, PossessionLinkFacts, Store, Wakeups
from .watching import Watching

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
    "LinkNoting",
    "Listing",
    "LookUp",
    "Messaging",
    "Owned",
    "Page",
    "PersonFound",
    "PossessionLinkFacts",
    "Refreshing",
    "Report",
    "Sending",
    "Session",
    "Sessions",
    "SignInStates",
    "Store",
    "Wakeups",
    "Watching",
]
