"""Each page of the journey as a person on a platform sees it, from invented facts: the page's own template, made inert.

GET only, and nothing is stored, wished or asked of anybody. Next door: `domain/invented` (the facts), `inert`, `journey_pages` (the
page itself).
"""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from flask import Blueprint, g, render_template

from ..domain.device import Platform
from ..domain.invented import CASE_CODE, PLATFORMS, at_step
from ..domain.steps import Step
from ..ports import PossessionLinkFacts, Session
from . import device_app
from .desk import desk
from .entrances import CHOICES
from .error_pages import Interruption
from .guards import NotSignedIn, admin
from .inert import inert
from .names import shown
from .panel import panel
from .sessions import here, signed_in_session

pages = Blueprint("preview", __name__)

NAME = "Alex Sample"
WELCOME, POSSESSION = "welcome", "possession"
STEPS = (WELCOME, *(step.value for step in Step if step is not Step.HELP), POSSESSION, Step.HELP.value)
HOME = "/onboarding/preview"


@pages.get("/onboarding/preview")
@admin
def steps() -> str:
    if signed_in_session() is None:
        raise NotSignedIn
    platforms = [platform.value for platform in PLATFORMS]
    return render_template("impact/preview.html", steps=STEPS, platforms=platforms, staff=shown(here().name))


@pages.get("/onboarding/preview/<step>/<platform>")
@admin
def step(step: str, platform: str) -> str:
    if step not in STEPS or platform not in PLATFORMS:
        raise Interruption("preview_unknown", 404, href=HOME)
    of = Platform(platform)
    places = STEPS.index(step)
    beside = {"before": STEPS[places - 1] if places else None, "after": STEPS[places + 1] if places + 1 < len(STEPS) else None}
    preview = {"step": step, "platform": platform, **beside}
    template, values = _OTHERS[step](of) if step in _OTHERS else _journey(Step(step), of)
    person = Session("preview", NAME, "preview", (), desk().clock()) if step != WELCOME else None
    g.signed_in = person  # whose page it would be
    return inert(render_template(template, **values, preview=preview))


def _journey(step: Step, platform: Platform) -> tuple[str, Mapping[str, Any]]:
    journey = at_step(step, platform, desk().clock(), name=NAME)
    device_app.shows(journey)
    seen = panel(journey, desk().clock(), browser="preview")
    return "journey.html", {"panel": seen, "etag": "", "case_code": seen.case_code}


def _welcome(platform: Platform) -> tuple[str, Mapping[str, Any]]:
    return "welcome.html", {"entrance": "start", "platform": platform.value, "platforms": [choice.value for choice in CHOICES]}


def _possession(platform: Platform) -> tuple[str, Mapping[str, Any]]:
    now = desk().clock()
    device = at_step(Step.THIS_DEVICE, platform, now, name=NAME).managed[0]
    facts = PossessionLinkFacts(
        journey_id="preview",
        case_code=CASE_CODE,
        oid="preview",
        person_name=NAME,
        device_name=device.name,
        device_model=device.model,
        sent_at=now - timedelta(minutes=1),
        expires_at=now + timedelta(minutes=9),
        refusal=None,
    )
    return "possession.html", {"token": "preview", "facts": facts, "signed_in": True, "case_code": CASE_CODE}


_OTHERS: Mapping[str, Callable[[Platform], tuple[str, Mapping[str, Any]]]] = {WELCOME: _welcome, POSSESSION: _possession}
