"""The tables.

Every row carries its tenant and every key begins with it. The promises that the database itself holds are here: unique living
links, foreign keys; the audit's triggers are in `migrations/`. Next door: `columns`, and `rows`, which turns rows into the
domain's facts.
"""

from .desk import DUE, GIVEN, WAITING, access_requests, incidents, work_claims
from .journeys import TROUBLED, cases, journeys, message_tests, possession_links, shown_certificates, sign_ins
from .known import directory_devices, managed_devices, people, search_terms
from .links import LIVING, MEASURED, MISMATCHED, OPEN, PENDING, UNIQUE_LINKS, device_links, pushes
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

__all__ = [
    "DUE",
    "GIVEN",
    "LIVING",
    "MEASURED",
    "MISMATCHED",
    "OPEN",
    "PENDING",
    "TROUBLED",
    "UNIQUE_LINKS",
    "WAITING",
    "access_requests",
    "alarms",
    "audit",
    "audit_seals",
    "budgets",
    "cases",
    "device_links",
    "directory_devices",
    "incidents",
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
    "work_claims",
]
