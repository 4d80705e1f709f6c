"""What the worker looks at while a tenant is set up: each look makes the calls that its step is about.

Next door: `onboard_wiring` (when they are made), `doctor_wiring` (the same checks for the doctor).
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress

from requests.adapters import BaseAdapter

from . import wiring
from .adapters import certificate_maker, sealing
from .doctor_wiring import Examination
from .domain import onboarding_lock
from .domain.credential_ends import LOOK as CREDENTIALS
from .domain.finding import DOCTOR
from .errors import Refused, RemoteError
from .lock_wiring import Lock
from .ports import Clock
from .services import credential_ends, doctor_lock, doctor_remotes, look_at_set_up, onboard
from .services.look_at_set_up import Found, Look
from .settings import WorkerSettings
from .settings.names import env_name

# What the doctor's findings of the second lock are called on the page; any other that is bad is about its policy.
LOCK_CAUSES = {
    "not_prepared": "lock_not_prepared",
    "unregistered_not_seen_blocked": "lock_not_seen",
    "unmarked_not_seen_blocked": "lock_not_seen",
    "no_token": "no_token",
    **{why: why for why in ("busy", "unreachable", "garbled")},
}


def looks(
    settings: WorkerSettings,
    missing: set[str],
    keys: Sequence[str] = (),
    *,
    sign_in_app: str | None = None,
    transport: BaseAdapter | None = None,
    clock: Clock = wiring.now,
) -> Mapping[str, Look]:
    """By the word before the colon; `keys` open what is sealed for the worker. Each makes the calls that the step is about, anew
    and with nothing that was kept."""

    def consent(_: str) -> Found:
        if {env_name("tenant_id"), env_name("service_client_id"), "REMEDIATION_…"} & missing:
            return Found("too_early")
        with Examination(settings, transport=transport, clock=clock) as examination:
            found = look_at_set_up.of_findings(list(examination.findings_of(doctor_remotes.tokens, doctor_remotes.directory)))
            roles = examination.roles()
        too_many = [one["permissions"] for one in found.detail["found"] if one["why"] == "too_many"]
        cause = None if found.cause == "too_many" else found.cause
        return Found(cause, {**found.detail, "roles": roles, "too_many": too_many})

    def doctor(_: str) -> Found:
        if {env_name("tenant_id"), env_name("service_client_id")} & missing:
            return Found("too_early")
        with Examination(settings, sign_in_app=sign_in_app, transport=transport, clock=clock) as examination:
            return Found(None, {"findings": [look_at_set_up.kept(one) for one in examination.findings()]})

    def credentials(_: str) -> Found:
        try:
            with Examination(settings, sign_in_app=sign_in_app, transport=transport, clock=clock) as examination:
                found = examination.ends()
        except RemoteError as error:
            return Found(error.code)
        return Found(None, credential_ends.plain(found))

    def mdm(name: str) -> Found:
        if name not in settings.mdm:
            return Found("not_started")
        only = settings.model_copy(update={"mdm": {name: settings.mdm[name]}})
        with Examination(only, transport=transport, clock=clock) as examination:
            return look_at_set_up.of_findings(list(examination.findings_of(doctor_remotes.mdm)))

    def certificate(_: str) -> Found:
        if not keys:
            return Found("no_key")
        made = certificate_maker.make(f"remediation {settings.public_origin.partition('//')[2]}", clock())
        sealed = sealing.seal(env_name("service_certificate"), made.pem, sealing.public_half(keys[0]))
        told = {"certificate": made.certificate, "ends": made.ends.isoformat(), "thumbprint": made.thumbprint}
        return Found(None, {"sealed": sealed, **told})

    def lock(_: str) -> Found:
        if settings.second_lock_attribute is None:
            return Found("lock_not_started")
        with Examination(settings, transport=transport, clock=clock) as examination:
            found = look_at_set_up.of_findings(list(examination.findings_of(doctor_lock.lock)))
        return Found(LOCK_CAUSES.get(found.cause or "", found.cause and "lock_policy"), found.detail)

    def lock_prepare(_: str) -> Found:
        if settings.second_lock_attribute is None:
            return Found("lock_not_started")
        prepared = Lock(settings, transport=transport, clock=clock)
        try:
            read = prepared.read_all()
            if read.others:
                return Found("lock_taken", {"others": read.others, "devices": read.devices})
            prepared.prepare(settings.executor_id, read, why="set-up", kind="worker")
        except RemoteError as error:
            return Found("refused" if error.why == "refused" else error.code)
        finally:
            prepared.close()
        return Found(None, {"devices": read.devices})

    def lock_give_up(_: str) -> Found:
        """Somebody signed in anew for it, and said that the policy is off; where it can be read, it is looked at all the same."""
        if settings.second_lock_attribute is None:
            return Found("lock_not_started")
        held = Lock(settings, transport=transport, clock=clock)
        try:
            with suppress(Refused):
                if on := held.policies_on():
                    return Found("lock_policy_on", {"policies": ", ".join(on)})
            done = held.give_up(settings.executor_id, why="set-up", kind="worker")
        except RemoteError as error:
            return Found("refused" if error.why == "refused" else error.code)
        finally:
            held.close()
        return Found("lock_still_shown" if done.left else None, {"devices": done.cleared, "left": done.left})

    found: dict[str, Look] = {"consent": consent, "mdm": mdm, DOCTOR: doctor}
    found |= {CREDENTIALS: credentials, onboard.NEW_CERTIFICATE: certificate}
    return found | {onboarding_lock.LOOK: lock, onboarding_lock.PREPARE: lock_prepare, onboarding_lock.GIVE_UP: lock_give_up}
