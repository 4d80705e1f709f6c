"""Every prerequisite, as the worker found it when somebody last asked; the same checks as `remediation doctor`.

Next door: `doctor_words` (the words), `look_wiring` (the look).
"""

from flask import Blueprint, redirect, render_template
from werkzeug.wrappers import Response

from ..domain.finding import DOCTOR
from ..services import onboard
from . import choices
from .desk import desk
from .doctor_words import by_state
from .guards import admin
from .onboarding_frame import staff
from .set_up import acting

pages = Blueprint("doctor", __name__)
HERE = "/onboarding/doctor"


@pages.get(HERE)
@admin
def show() -> str:
    looked = choices.facts().look(DOCTOR)
    found = by_state(looked.detail.get("findings", []))
    return render_template("onboarding/doctor.html", looked=looked, found=found, step={"name": DOCTOR}, staff=staff())


@pages.post(f"{HERE}/look")
@admin
def look() -> Response:
    """The worker makes the calls."""
    onboard.want_look(desk().store, DOCTOR, actor=acting(), now=desk().clock())
    return redirect(HERE, 303)
