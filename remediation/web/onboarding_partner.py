"""The step about the compliance partner: who holds each platform by Intune's own list, and setting it up where that is ours to do.

Next door: `services/answer_wishes.py` (the worker's half), `services/provision_partner.py`.
"""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, redirect
from werkzeug.wrappers import Response

from ..domain.onboarding import Facts
from ..domain.onboarding_scope import PARTNER
from ..domain.wishes import Kind
from ..services.scope import wish
from ..services.set_up_facts import ERRORS, of_error
from .desk import desk
from .guards import admin
from .onboarding_frame import StepPage
from .set_up import acting

pages = Blueprint("partner", __name__)
HERE = "/onboarding/partner"
FINDINGS: tuple[str, ...] = ("ours", "whose", "taken", "missing", "not_enabled", "not_readable", "vendor", "vendor_not_enabled")
FINDINGS += ("same", "differ", "unreadable")
DIFFERS = ("not_told", "deprovisioned", "addresses", "no_policy", "intune_decides", "not_assigned", "groups", "refused")


def _more(_: Facts) -> Mapping[str, Any]:
    store, origin = desk().store, desk().settings.public_origin
    done = store.last_wish(Kind.PROVISION)
    return {
        "errors": ERRORS,
        "looked": store.last_wish(Kind.PARTNER),
        "done": done,
        "not_taken": of_error(done.failed) if done is not None and done.failed is not None else "",
        "said": store.last_wish(Kind.PARTNER_SAID),
        "told": store.partner_told(),
        "addresses": (f"{origin}/enrollment", f"{origin}/remediation"),
        "https": origin.startswith("https://") or desk().settings.demo,
    }


def _asks(_: Facts) -> Mapping[str, str]:
    groups = ", ".join(f"{one.name} ({one.id})" for one in desk().store.scope().groups)
    return {"groups": groups or "–"}


PAGE = StepPage(PARTNER, more=_more, read=lambda _: {}, asks=_asks)


@pages.post("/onboarding/partner/check")
@admin
def check() -> Response:
    return _asked(Kind.PARTNER)


@pages.post("/onboarding/partner/provision")
@admin
def provision() -> Response:
    """Safe to repeat: it goes on from what stands at Microsoft."""
    return _asked(Kind.PROVISION, Kind.PARTNER)


@pages.post("/onboarding/partner/seen")
@admin
def seen() -> Response:
    """Where Intune's list cannot be read: somebody looked for themselves."""
    return _asked(Kind.PARTNER_SAID)


def _asked(*kinds: Kind) -> Response:
    for kind in kinds:
        wish(desk().store, kind, {}, actor=acting(), now=desk().clock())
    return redirect(HERE, 303)
