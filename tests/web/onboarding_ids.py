"""The ids of texts that the pages of the set-up put together: their beginnings, and what may follow."""

from remediation.domain import onboarding_lock, powers
from remediation.domain.arrival import TESTED
from remediation.domain.channel import NONE, ChannelKind
from remediation.domain.credential_ends import App, How
from remediation.domain.finding import State as Found
from remediation.domain.onboarding import Role, State
from remediation.domain.onboarding_steps import (
    CHANNELS,
    CONSENT_CAUSES,
    SECRET_ENDS,
    SERVICE_APP,
    SIGN_IN_APP,
    TENANT,
    TOKEN_CAUSES,
)
from remediation.domain.pilot import Down, PilotStep
from remediation.domain.second_lock import MUST_BE_BLOCKED
from remediation.services.set_up_facts import ERRORS
from remediation.settings.mdm import KINDS
from remediation.web import (
    doctor_words,
    onboarding_arrival,
    onboarding_confirm,
    onboarding_partner,
    onboarding_pilot,
    onboarding_scope,
)
from remediation.web.onboarding_choices import LEVELS
from remediation.web.onboarding_mdm import FIELDS
from remediation.web.onboarding_pages import STEPS
from tests.test_typed_settings import FAULTS

NAMES = {step.name for step in STEPS}
LOCK = {onboarding_lock.ATTRIBUTE, onboarding_lock.PLATFORMS}
COMPANY = {f"REMEDIATION_{name}" for name in ("ORGANISATION", "LANGUAGE", "HELPDESK_PHONE", "HELPDESK_HOURS")}
SECRETS = {f"REMEDIATION_{name}" for name in ("SIGN_IN_CLIENT_SECRET", "SERVICE_CLIENT_SECRET")}
ENDS = set(SECRET_ENDS)
TYPED = {*ENDS, *COMPANY, *SECRETS, TENANT, SIGN_IN_APP, SERVICE_APP}
CHANGED = {
    *CHANNELS.values(),
    *(f"REMEDIATION_{name}" for name in ("SERVICE_CERTIFICATE", "MINIMUM_EVIDENCE")),
    "go",
    "first",
    onboarding_lock.GIVE_UP,
    onboarding_confirm.SCOPE,
}
CAUSES = {
    *TOKEN_CAUSES.values(),
    *CONSENT_CAUSES.values(),
    *("unknown", "refused", "missing", "not_given", "other_tenant", "too_early", "busy", "unreachable", "garbled", "not_found"),
    *(f"asked_{why}" for why in ERRORS),
    *(f"slot_{why}" for why in (set(onboarding_partner.FINDINGS) - {"ours", "vendor", "same"}) | {"differs"}),
    *(f"policy_{why}" for why in set(onboarding_arrival.FINDINGS) - {"excluded"}),
    *("arrival_button", "arrival_nobody", *(f"pilot_{why}" for why in set(onboarding_pilot.ENDS) - {"by_hand"})),
    *(f"lock_{why}" for why in ("not_started", "taken", "not_prepared", "policy", "not_seen", "policy_on", "still_shown")),
    *("no_token", "not_set_up", "unreadable", "not_started", "no_key", "no_channel"),
}
FIELD_NAMES = {field for fields in FIELDS.values() for field in fields}
PERMISSIONS = {
    *powers.GRAPH,
    *powers.OPTIONAL,
    *(name for needed in powers.OF_CHANNEL.values() for names in needed.values() for name in names),
}

MADE_UP: dict[str, set[str]] = {
    **{f"onboarding.{part}.": NAMES for part in ("step", "why", "done", "request")},
    **{f"onboarding.{part}.": {role.value for role in Role} for part in ("role", "who")},
    "onboarding.state.": {state.value for state in State},
    "onboarding.field.": TYPED | CHANGED | LOCK,
    "onboarding.hint.": TYPED | LOCK,
    "onboarding.fault.": {*FAULTS, "lock_held"},
    "onboarding.ends.app.": set(App),
    "onboarding.ends.due.": set(App),
    "onboarding.ends.how.": set(How),
    "onboarding.lock.click.": set("12345"),
    "onboarding.lock.kind.": set(MUST_BE_BLOCKED),
    "onboarding.cause.": CAUSES,
    "onboarding.do.": CAUSES,
    "onboarding.granted.": {"granted", "missing", "unknown"},
    "onboarding.resource.": {"graph", "intune"},
    "onboarding.permission.": PERMISSIONS,
    "onboarding.evidence.": set(LEVELS),
    "onboarding.channel.": {*(kind.value for kind in ChannelKind), NONE},
    "onboarding.mdm.kind.": set(KINDS),
    "onboarding.mdm.lead.": set(KINDS),
    "onboarding.mdm.field.": FIELD_NAMES,
    "onboarding.mdm.hint.": FIELD_NAMES,
    "onboarding.scope.note.": set(onboarding_scope.NOTES),
    "onboarding.scope.refused.": set(onboarding_scope.REFUSED),
    "onboarding.partner.found.": set(onboarding_partner.FINDINGS),
    "onboarding.partner.differs.": set(onboarding_partner.DIFFERS),
    "onboarding.partner.why.": {"no_group", "no_partner_channel", "refused"},
    "onboarding.partner.click.": set("12345"),
    "onboarding.arrival.way.": set(TESTED),
    "onboarding.arrival.how.": set(TESTED),
    "onboarding.arrival.state.": {*onboarding_arrival.STATES, "button_nobody", "button_elsewhere"},
    "onboarding.arrival.text.": {"nobody", "button_nobody"},
    "onboarding.arrival.entrance.": set(onboarding_arrival.ENTRANCES),
    "onboarding.arrival.referrer.": {"microsoft", "other", "none"},
    "onboarding.excluded.found.": set(onboarding_arrival.FINDINGS),
    "onboarding.excluded.click.": set("1234"),
    "onboarding.doctor.name.": set(doctor_words.CHECKS),
    "onboarding.doctor.about.": set(doctor_words.ABOUT),
    "onboarding.doctor.seen.": set(doctor_words.SAID),
    "onboarding.doctor.do.": {said for said, who in doctor_words.SAID.items() if who is not None},
    "onboarding.doctor.who.": {who for who in doctor_words.SAID.values() if who},
    "onboarding.doctor.lost.": set(powers.OPTIONAL),
    "onboarding.doctor.state.": {state.value for state in Found},
    "onboarding.pilot.step.": {step.value for step in PilotStep},
    "onboarding.pilot.by.": {down.value for down in Down},
    "onboarding.pilot.proven.": {kind.value for kind in ChannelKind},
    "onboarding.pilot.ended.": set(onboarding_pilot.ENDS),
    "onboarding.pilot.refused.": set(onboarding_pilot.REFUSED),
    "onboarding.pilot.nobody.": set(onboarding_pilot.NOBODY),
}
