"""A finding of the doctor's as its page and `remediation doctor` show it: ids of our texts, and what fills them.

What a remote said passes `names.shown` on a page. Next door: `onboarding_doctor` (the page); `connection_words`, of which this is
the twin.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..domain.device import Platform
from ..domain.finding import Finding, State
from .names import shown

ANY = "any"
"""Stands for every check."""
NOBODY = ""
ENTRA, INTUNE, ACCESS, MDM, OPERATOR, SECURITY, TIME = "entra", "intune", "access", "mdm", "operator", "security", "time"
_BY_CHECK: Mapping[str, Mapping[str | None, str]] = {
    "settings": {None: "read"},
    "database": {OPERATOR: "not_ready not_writable", None: "writable"},
    "any": {
        OPERATOR: "unreadable ended ends_soon refused unreachable garbled not_found",
        None: "in_force",
        ENTRA: "no_consent",
        NOBODY: "no_token",
        TIME: "busy",
    },
    "mdm": {None: "read", MDM: "empty refused", OPERATOR: "unreadable", NOBODY: "no_list"},
    "messages": {None: "proven", OPERATOR: "never_tried waiting not_seen", SECURITY: "impossible", MDM: "not_sent"},
    "evidence": {OPERATOR: "unproven", SECURITY: "no_messages by_fresh no_certificates by_claim", None: "by_log reachable"},
    "pilot": {
        None: "proven",
        TIME: "running",
        OPERATOR: "never other_channel not_seen_compliant not_seen_not_compliant not_seen_again link_ended",
    },
    "clock": {None: "agrees", NOBODY: "no_answer", OPERATOR: "ahead behind"},
    "worker": {None: "works", OPERATOR: "never gone"},
    "queue": {None: "moves", OPERATOR: "our_fault"},
    "token": {None: "given", ENTRA: "refused"},
    "permissions": {None: "right", ENTRA: "not_told missing too_many without"},
    "credential": {None: "lasts", ENTRA: "nearly_over over not_known", TIME: "not_told"},
    "licence": {None: "there", ENTRA: "none too_few not_readable"},
    "licence_given": {OPERATOR: "not_counted", None: "all", ENTRA: "people_without"},
    "registration": {None: "everybody", ENTRA: "some nobody small_quota not_readable"},
    "new_phone": {None: "may_begin", ACCESS: "locked_out not_readable"},
    "by_hand": {MDM: "authenticator sso_extension group_sync", ACCESS: "enrollment_app"},
    "headroom": {
        TIME: "told_to_wait",
        OPERATOR: "slowed_down used_up above_smallest above_published",
        None: "not_slowed_down room below_published",
    },
    "directory": {None: "answers", ENTRA: "refused"},
    "partner": {None: "answers", INTUNE: "not_set_up refused"},
    "partner_slot": {
        None: "ours vendor",
        OPERATOR: "whose",
        INTUNE: "taken missing not_enabled vendor_not_enabled",
        ENTRA: "not_readable",
    },
    "partner_groups": {None: "same same_all", INTUNE: "differ unreadable"},
    "partner_addresses": {None: "told", OPERATOR: "never_told deprovisioned leaving differ other_groups"},
    "heartbeat": {None: "fresh", OPERATOR: "none_yet rests old", INTUNE: "failing"},
    "channel": {None: "intune_partner graph_device mdm_relay", ENTRA: "none"},
    "sign_in_log": {None: "readable", ENTRA: "not_readable refused"},
    "policy": {OPERATOR: "which_app", ACCESS: "not_readable caught unclear", None: "excluded"},
    "temporary_access": {ACCESS: "not_readable still_asked left_out_elsewhere", None: "left_out answers"},
    "lock": {None: "prepared", OPERATOR: "not_prepared"},
    "lock_policy": {
        ACCESS: "not_readable none not_on does_not_block includes platforms clients every_app unreadable negative any_of loose "
        "operator claimed mark_alone other_value",
        None: "holds",
    },
    "lock_blocks": {None: "seen", ACCESS: "unregistered_not_seen_blocked unmarked_not_seen_blocked"},
    "writers": {None: "one", ENTRA: "two"},
}
SAID: Mapping[str, str | None] = {
    f"{check}.{why}": who for check, by_who in _BY_CHECK.items() for who, whys in by_who.items() for why in whys.split()
}
"""Who can act, by check and `why`; None where nothing is to be done."""
CHECKS = (
    "settings",
    "database",
    "service_certificate",
    "certificate_authorities",
    "revocation_lists",
    "trusted_authorities",
    "token",
    "permissions",
    "credential",
    "directory",
    "licence",
    "licence_given",
    "registration",
    "new_phone",
    "by_hand",
    "channel",
    "partner",
    "partner_slot",
    "partner_groups",
    "partner_addresses",
    "heartbeat",
    "mdm",
    "messages",
    "sign_in_log",
    "evidence",
    "policy",
    "temporary_access",
    "pilot",
    "lock",
    "lock_policy",
    "lock_blocks",
    "clock",
    "headroom",
    "worker",
    "queue",
    "writers",
)
ABOUT = frozenset({"service_app", "sign_in_app", "people", "devices", "graph", "intune", "directory", "channel", "entra"})


def key(finding: Finding) -> str:
    own = f"{finding.check}.{finding.why}"
    return own if own in SAID else f"{ANY}.{finding.why}"


@dataclass(frozen=True)
class Shown:
    """`about` is an id where ours is one of a few, else as it came. `do` and `who` are ids, None where there is nothing to do."""

    name: str
    about_id: str | None
    about: str
    seen: str
    do: str | None
    who: str | None
    lost: str | None
    values: Mapping[str, str]


def in_ids(kept: Mapping[str, Any]) -> Shown:
    finding = Finding(kept["check"], State(kept["state"]), kept["why"], kept["about"], kept["detail"])
    said, about = key(finding), finding.about.replace("mdm:", "")
    who, word = SAID.get(said), about.lower().replace(" ", "_").replace("-", "_")
    known = f"onboarding.doctor.about.{word}" if word in ABOUT else f"platform.{word}" if word in set(Platform) else None
    lost = f"onboarding.doctor.lost.{finding.detail['permission']}" if said == "permissions.without" else None
    return Shown(
        f"onboarding.doctor.name.{finding.check}",
        known,
        shown(about),
        f"onboarding.doctor.seen.{said}",
        f"onboarding.doctor.do.{said}" if who is not None else None,
        f"onboarding.doctor.who.{who}" if who else None,
        lost,
        {"about": shown(about), **{name: shown(str(value), 200) for name, value in finding.detail.items()}},
    )


def by_state(kept: Sequence[Mapping[str, Any]]) -> Mapping[str, Sequence[Shown]]:
    """What needs attention first; a row of another version, whose words are not known here, is left out."""
    known = [one for one in kept if f"{one['check']}.{one['why']}" in SAID or f"{ANY}.{one['why']}" in SAID]
    return {state: [in_ids(one) for one in known if one["state"] == state] for state in ("bad", "unknown", "good")}
