"""What the services and the pages ask of the world, as small protocols: `remotes`, `store`, `desk`, `budgets`."""

from .budgets import Budgets, in_lane, lane_now
from .desk import CaseFound, Event, LookUp, PersonFound, Session, Sessions, SignInStates
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
    Sent,
)
from .store import Actor, Change, PossessionLinkFacts, Store, Wakeups

__all__ = [
    "Actor",
    "Budgets",
    "Carried",
    "CaseFound",
    "Change",
    "Clock",
    "ComplianceChannel",
    "DeviceManager",
    "Directory",
    "Event",
    "LinkNoting",
    "LookUp",
    "Messaging",
    "Owned",
    "PersonFound",
    "PossessionLinkFacts",
    "Refreshing",
    "Report",
    "Sending",
    "Sent",
    "Session",
    "Sessions",
    "SignInStates",
    "Store",
    "Wakeups",
    "in_lane",
    "lane_now",
]
