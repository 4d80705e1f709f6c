"""The tables.

Every row carries its tenant and every key begins with it. The promises that the database itself holds are here: unique living
links, foreign keys; the audit's triggers are in `migrations/`. Next door: `columns`, and `rows`, which turns rows into the
domain's facts.
"""

from .desk import DUE, GIVEN, WAITING, access_requests, appearance, incidents, work_claims
from .impact import (
    impact_counts,
    impact_managed,
    impact_missing,
    impact_names,
    impact_people,
    impact_registered,
    start_messages,
    start_waves,
)
from .journeys import TROUBLED, UNDER_WAY, cases, journeys, message_tests, possession_links, shown_certificates, sign_ins
from .known import directory_devices, managed_devices, people, search_terms
from .links import ERRING, LIVING, MEASURED, MISMATCHED, OPEN, PENDING, UNIQUE_LINKS, device_links, pushes
from .metadata import metadata
from .onboarding import DEPLOYMENT, choices, set_up_links, set_up_looks
from .operating import (
    alarms,
    audit,
    audit_seals,
    budgets,
    dependents,
    lease_extensions,
    notices,
    observations,
    partner_slots,
    partner_told,
    remotes,
    second_lock,
    seen_blocked,
    sessions,
    sign_in_states,
    throttlings,
    turns,
    watches,
)
from .reach import api_deeds, group_members
from .repairs import device_marks, start_links
from .set_up import arrival_tests, pilots, scopes, set_up_wishes

__all__ = [
    "DEPLOYMENT",
    "DUE",
    "ERRING",
    "GIVEN",
    "LIVING",
    "MEASURED",
    "MISMATCHED",
    "OPEN",
    "PENDING",
    "TROUBLED",
    "UNDER_WAY",
    "UNIQUE_LINKS",
    "WAITING",
    "access_requests",
    "alarms",
    "api_deeds",
    "appearance",
    "arrival_tests",
    "audit",
    "audit_seals",
    "budgets",
    "cases",
    "choices",
    "dependents",
    "device_links",
    "device_marks",
    "directory_devices",
    "group_members",
    "impact_counts",
    "impact_managed",
    "impact_missing",
    "impact_names",
    "impact_people",
    "impact_registered",
    "incidents",
    "journeys",
    "lease_extensions",
    "managed_devices",
    "message_tests",
    "metadata",
    "notices",
    "observations",
    "partner_slots",
    "partner_told",
    "people",
    "pilots",
    "possession_links",
    "pushes",
    "remotes",
    "scopes",
    "search_terms",
    "second_lock",
    "seen_blocked",
    "sessions",
    "set_up_links",
    "set_up_looks",
    "set_up_wishes",
    "shown_certificates",
    "sign_in_states",
    "sign_ins",
    "start_links",
    "start_messages",
    "start_waves",
    "throttlings",
    "turns",
    "watches",
    "work_claims",
]
