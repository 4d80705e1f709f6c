"""The steps that a set-up from zero has, in the order that Microsoft needs. Next door: `onboarding` (what a step is)."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from .credential_ends import LOOK as CREDENTIALS
from .device import Platform
from .onboarding import DONE, GO, Facts, Outcome, Role, State, Step, all_given, of_look

PREFIX = "REMEDIATION_"
TENANT, SERVICE_APP, SIGN_IN_APP = (f"{PREFIX}{name}" for name in ("TENANT_ID", "SERVICE_CLIENT_ID", "SIGN_IN_CLIENT_ID"))
SIGN_IN_SECRET, SECRET, CERTIFICATE = (
    f"{PREFIX}{name}" for name in ("SIGN_IN_CLIENT_SECRET", "SERVICE_CLIENT_SECRET", "SERVICE_CERTIFICATE")
)
SECRET_ENDS = (f"{PREFIX}SIGN_IN_SECRET_ENDS", f"{PREFIX}SERVICE_SECRET_ENDS")
MINIMUM = f"{PREFIX}MINIMUM_EVIDENCE"
COMPANY = tuple(f"{PREFIX}{name}" for name in ("ORGANISATION", "LANGUAGE", "HELPDESK_PHONE", "HELPDESK_HOURS"))
PLATFORMS = (Platform.IOS, Platform.ANDROID, Platform.MACOS, Platform.WINDOWS)
CHANNELS: Mapping[Platform, str] = {platform: f"{PREFIX}CHANNEL_{platform.value.upper()}" for platform in PLATFORMS}
CONSENT, SIGN_IN, MDM = "consent", "sign_in", "mdm"

# Which channel a platform has where nobody chose one.
BY_ITSELF: Mapping[Platform, str] = {
    **dict.fromkeys((Platform.IOS, Platform.ANDROID, Platform.MACOS), "intune_partner"),
    Platform.WINDOWS: "none",
}

# What a refused token says, by Microsoft's code: entra-docs docs/identity-platform/reference-error-codes.md
TOKEN_CAUSES: Mapping[str, str] = {
    "AADSTS90002": "no_tenant",
    "AADSTS900023": "no_tenant",
    "AADSTS700016": "no_app",
    "AADSTS7000229": "no_consent",
    "AADSTS65001": "no_consent",
    "AADSTS7000112": "app_disabled",
    "AADSTS7000215": "wrong_secret",
    "AADSTS7000222": "expired_secret",
    "AADSTS700027": "unknown_certificate",
    "AADSTS700024": "certificate_time",
    "AADSTS500011": "no_intune",
}
# What the consent page says when it comes back: microsoft reference, section 3 (AADSTS65004: declined).
CONSENT_CAUSES: Mapping[str, str] = {"AADSTS65004": "declined", "access_denied": "declined", "permission_denied": "not_an_admin"}
LAGS: Mapping[str, timedelta] = {
    **dict.fromkeys(("no_consent", "no_app", "missing"), timedelta(seconds=60)),
    "busy": timedelta(minutes=15),
}
"""What passes by itself, and for how long it is borne with before it is told: what a consent that was given a moment ago may still
look like (how long is not public, docs/unproven.md); and calls that may not leave yet, by our own limit or the remote's word."""


def _credential(facts: Facts) -> Outcome:
    service = {SECRET, CERTIFICATE} & facts.given
    missing = [name for name, there in ((SIGN_IN_SECRET, SIGN_IN_SECRET in facts.given), (CERTIFICATE, bool(service))) if not there]
    if missing:
        return Outcome(State.OPEN, detail={"missing": missing})
    return Outcome(State.DONE, "secret" if SECRET in service else "")


def _mdm(facts: Facts) -> Outcome:
    if not facts.connections:
        return Outcome(State.OPEN)
    outcomes = {name: of_look(facts.look(f"{MDM}:{name}")) for name in facts.connections}
    for name, outcome in outcomes.items():
        if outcome.state is not State.DONE:
            return Outcome(outcome.state, outcome.why, {**outcome.detail, "connection": name})
    return DONE


def _evidence(facts: Facts) -> Outcome:
    return Outcome(State.DONE, facts.values.get(MINIMUM, "")) if MINIMUM in facts.given else Outcome(State.OPEN)


def channel(facts: Facts, platform: Platform) -> str:
    return facts.values.get(CHANNELS[platform], BY_ITSELF[platform])


def _channel(facts: Facts) -> Outcome:
    """A choice for each platform, made or at least looked at: the standing ones suit whoever is the partner."""
    chosen = [name for name in CHANNELS.values() if name in facts.given]
    if len(chosen) < len(CHANNELS):
        return Outcome(State.OPEN)
    words = {channel(facts, platform) for platform in PLATFORMS}
    return Outcome(State.WRONG, "no_channel") if words == {"none"} else DONE


def _go(facts: Facts) -> Outcome:
    return DONE if facts.gone else Outcome(State.OPEN)


def consent(facts: Facts) -> Outcome:
    if not {SECRET, CERTIFICATE} & facts.given:
        return Outcome(State.OPEN)
    return of_look(facts.look(CONSENT))


_company = Step("company", Role.OPERATOR, all_given(*COMPANY[:1], *COMPANY[2:]), fields=COMPANY)
_tenant = Step("tenant", Role.ENTRA, all_given(TENANT, SIGN_IN_APP, SERVICE_APP), fields=(TENANT, SIGN_IN_APP, SERVICE_APP))
_secrets = Step(
    "credential",
    Role.ENTRA,
    _credential,
    after=("tenant",),
    fields=(SIGN_IN_SECRET, CERTIFICATE, SECRET, *SECRET_ENDS),
    rests_on=(TENANT, SERVICE_APP, SIGN_IN_APP),
    looks=(CREDENTIALS,),
)
_sign_in = Step(
    "sign_in",
    Role.ENTRA,
    lambda facts: of_look(facts.look(SIGN_IN)),
    after=("tenant", "credential"),
)
_consent = Step(
    "consent",
    Role.ENTRA,
    consent,
    after=("tenant", "credential"),
    rests_on=(TENANT, SERVICE_APP, SECRET, CERTIFICATE, *CHANNELS.values()),
    looks=(CONSENT,),
)
_mdm_step = Step("mdm", Role.MDM, _mdm)
_evidence_step = Step("evidence", Role.SECURITY, _evidence, fields=(MINIMUM,))
_channel_step = Step("channel", Role.ENTRA, _channel, after=("mdm",), fields=tuple(CHANNELS.values()))
_go_step = Step(GO, Role.ENTRA, _go)

BEFORE_SCOPE: Sequence[Step] = (_company, _tenant, _secrets, _sign_in, _consent)
AFTER_SCOPE: Sequence[Step] = (_mdm_step, _evidence_step, _channel_step)
LAST: Sequence[Step] = (_go_step,)


def cause_of_token(code: str) -> str:
    return TOKEN_CAUSES.get(code, "refused")
