"""The steps that are nothing but choices: company, tenant, the first sign-in, the evidence minimum, channels, and *go*."""

from collections.abc import Mapping
from typing import Any

from ..domain.channel import RELAYED, SERVES
from ..domain.onboarding import Facts
from ..domain.onboarding_steps import (
    AFTER_SCOPE,
    BEFORE_SCOPE,
    CHANNELS,
    LAST,
    MINIMUM,
    PLATFORMS,
    SERVICE_APP,
    SIGN_IN_APP,
    TENANT,
)
from ..domain.onboarding_steps import channel as chosen_channel
from .desk import desk
from .onboarding_frame import StepPage
from .set_up import set_up

_STEPS = {step.name: step for step in (*BEFORE_SCOPE, *AFTER_SCOPE, *LAST)}
LEVELS = ("fresh", "possession", "bound", "certificate")


def apps(facts: Facts) -> Mapping[str, str]:
    """What a change request about the apps names; none of it is a secret."""
    names = {"tenant": TENANT, "app_service": SERVICE_APP, "app_sign_in": SIGN_IN_APP}
    known = {word: facts.values.get(name, "…") for word, name in names.items()}
    origin = desk().settings.public_origin
    return {**known, "redirect_sign_in": f"{origin}/signed-in", "redirect_consent": f"{origin}/onboarding/consent/back"}


def _evidence(facts: Facts) -> Mapping[str, Any]:
    return {"levels": LEVELS, "minimum": facts.values.get(MINIMUM, ""), "field": MINIMUM}


def _channels(facts: Facts) -> Mapping[str, Any]:
    """For each platform what could serve it, and what does."""
    offered = []
    for platform in PLATFORMS:
        words = [kind.value for kind, serves in SERVES.items() if platform in serves]
        words += [f"mdm_relay:{name}" for name, kind in facts.connections.items() if platform in RELAYED.get(kind, ())]
        name = CHANNELS[platform]
        offered.append((platform.value, name, [*words, "none"], chosen_channel(facts, platform), name in facts.elsewhere))
    return {"offered": offered}


def _sign_in(_: Facts) -> Mapping[str, Any]:
    return {"can_sign_in": set_up().can_sign_in, "redirect": f"{desk().settings.public_origin}/signed-in"}


COMPANY = StepPage(_STEPS["company"])
TENANT_PAGE = StepPage(_STEPS["tenant"], asks=apps)
SIGN_IN = StepPage(_STEPS["sign_in"], more=_sign_in, asks=apps)
EVIDENCE = StepPage(_STEPS["evidence"], more=_evidence)
CHANNEL = StepPage(_STEPS["channel"], more=_channels)
