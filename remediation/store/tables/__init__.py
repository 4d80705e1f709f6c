"""The tables.

Every row carries its tenant and every key begins with it. The promises that the database itself holds are here: unique living
links, foreign keys; the audit's triggers are in `migrations/`. Next door: `columns`, and `rows`, which turns rows into the
domain's facts.
"""

from .journeys import cases, journeys, message_tests, possession_links, shown_certificates, sign_ins
from .known import directory_devices, managed_devices, people, search_terms
from .links import LIVING, UNIQUE_LINKS, device_links, pushes
from .metadata import metadata
from .operating import (
    alarms,
    audit,
    audit_seals,
    budgets,
    lease_extensions,
    notices,
    observations,
    partner_told,
    remotes,
    sessions,
    sign_in_states,
    turns,
    watches,
)
from .reach import api_deeds, group_members

__all__ = [
    "LIVING",
    "UNIQUE_LINKS",
    "alarms",
    "api_deeds",
    "audit",
    "audit_seals",
    "budgets",
    "cases",
    "device_links",
    "directory_devices",
    "group_members",
    "journeys",
    "lease_extensions",
    "managed_devices",
    "message_tests",
    "metadata",
    "notices",
    "observations",
    "partner_told",
    "people",
    "possession_links",
    "pushes",
    "remotes",
    "search_terms",
    "sessions",
    "shown_certificates",
    "sign_in_states",
    "sign_ins",
    "turns",
    "watches",
]
