"""The ids of texts that the pages of the set-up put together: their beginnings, and what may follow."""

from remediation.domain import powers
from remediation.domain.channel import NONE, ChannelKind
from remediation.domain.onboarding import Role, State
from remediation.domain.onboarding_steps import CHANNELS, CONSENT_CAUSES, SERVICE_APP, SIGN_IN_APP, TENANT, TOKEN_CAUSES
from remediation.settings.mdm import KINDS
from remediation.web.onboarding_choices import LEVELS
from remediation.web.onboarding_mdm import FIELDS
from remediation.web.onboarding_pages import STEPS

NAMES = {step.name for step in STEPS}
COMPANY = {f"REMEDIATION_{name}" for name in ("ORGANISATION", "LANGUAGE", "HELPDESK_PHONE", "HELPDESK_HOURS")}
SECRETS = {f"REMEDIATION_{name}" for name in ("SIGN_IN_CLIENT_SECRET", "SERVICE_CLIENT_SECRET")}
TYPED = {*COMPANY, *SECRETS, TENANT, SIGN_IN_APP, SERVICE_APP}
CHANGED = {*CHANNELS.values(), *(f"REMEDIATION_{name}" for name in ("SERVICE_CERTIFICATE", "MINIMUM_EVIDENCE", "GROUPS")), "go"}
CAUSES = {
    *TOKEN_CAUSES.values(),
    *CONSENT_CAUSES.values(),
    *("unknown", "refused", "missing", "not_given", "other_tenant", "too_early", "busy", "unreachable", "garbled", "not_found"),
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
    "onboarding.field.": TYPED | CHANGED,
    "onboarding.hint.": TYPED,
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
}
