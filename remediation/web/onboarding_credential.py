"""The credential step: a certificate that the worker makes (its key never leaves it), or a secret that is sealed as it arrives.

A new certificate is used once somebody says that it was uploaded: the one before stays in force until then.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from ..domain.onboarding import Facts
from ..domain.onboarding_steps import BEFORE_SCOPE, CERTIFICATE, SECRET, SECRET_ENDS, SIGN_IN_SECRET
from ..errors import SetUpRefused
from ..services import onboard
from . import choices, credential_ends
from .desk import desk
from .error_pages import Interruption
from .guards import admin
from .onboarding_choices import apps
from .onboarding_frame import StepPage, Typed, secret
from .set_up import acting

pages = Blueprint("credential", __name__)
HERE = "/onboarding/credential"


@pages.post("/onboarding/credential/make")
@admin
def make() -> AnyResponse:
    """The worker makes the key pair: this process never sees the private half."""
    onboard.want_look(desk().store, onboard.NEW_CERTIFICATE, actor=acting(), now=desk().clock())
    return redirect(HERE, 303)


@pages.get("/onboarding/credential/certificate.pem")
@admin
def download() -> Response:
    """What is uploaded at Microsoft: the certificate without its key."""
    pem = choices.facts().look(onboard.NEW_CERTIFICATE).detail.get("certificate")
    if not isinstance(pem, str):
        raise Interruption("set_up_too_early", 409, href=HERE)
    attached = {"Content-Disposition": 'attachment; filename="remediation-service.pem"'}
    return Response(pem, mimetype="application/x-pem-file", headers=attached)


@pages.post("/onboarding/credential/use")
@admin
def use() -> AnyResponse:
    facts = choices.facts()
    made = facts.look(onboard.NEW_CERTIFICATE)
    sealed = made.detail.get("sealed")
    if not isinstance(sealed, str) or {CERTIFICATE, SECRET} & facts.elsewhere:
        raise Interruption("set_up_too_early", 409, href=HERE)
    try:
        onboard.use_certificate(desk().store, made, CERTIFICATE, SECRET, actor=acting(), now=desk().clock())
    except SetUpRefused as refused:
        raise Interruption("set_up_changed", 409, href=HERE) from refused
    return redirect(HERE, 303)


def _read(facts: Facts) -> Typed:
    """A secret takes the place of a certificate that was typed, and the other way round: one of them is the credential."""
    typed = {**secret(SIGN_IN_SECRET), **secret(SECRET)}
    typed |= {name: request.form[name].strip() or None for name in SECRET_ENDS if name in request.form}
    if SECRET in typed and CERTIFICATE in facts.given - facts.elsewhere:
        typed[CERTIFICATE] = None
    return {name: value for name, value in typed.items() if name not in facts.elsewhere}


def _more(facts: Facts) -> Mapping[str, Any]:
    made = facts.look(onboard.NEW_CERTIFICATE)
    return {
        "made": made,
        "made_ends": datetime.fromisoformat(made.detail["ends"]) if "ends" in made.detail else None,
        "ends": credential_ends.shown(facts),
        "ends_typed": SECRET_ENDS,
        "by": "certificate" if CERTIFICATE in facts.given else "secret" if SECRET in facts.given else "",
        "fixed": bool({CERTIFICATE, SECRET} & facts.elsewhere),
        "secret_sign_in": SIGN_IN_SECRET,
        "secret_service": SECRET,
    }


PAGE = StepPage(next(step for step in BEFORE_SCOPE if step.name == "credential"), more=_more, read=_read, asks=apps)
