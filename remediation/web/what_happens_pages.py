"""*What is happening?*: one question for what no record tells, and for each answer one sentence and the one thing that helps.

For anybody, since many cannot sign in just then; the case keeps the answer of whoever is on a journey. An answer's page has an
address of its own, so that it can be read again, sent on, and changed to another language.
"""

from flask import Blueprint, redirect, render_template, request
from werkzeug.wrappers import Response

from ..domain.device import Platform
from ..domain.journey import Journey
from ..domain.troubles import ADVICE, Trouble, asked, trouble_of
from ..services import trouble_told
from .browsers import family_of, platform_of
from .desk import desk
from .entrances import platform_asked_for
from .guards import anyone
from .microsoft_says_pages import own_journey
from .sessions import here

pages = Blueprint("what_happens", __name__)


@pages.get("/what-happens")
@anyone
def ask() -> str:
    journey = own_journey()
    platform = _platform(journey)
    return render_template(
        "what_happens.html",
        parts_of={part.value: [one.value for one in troubles] for part, troubles in asked(platform).items()},
        platform=platform.value,
        guessed=_guessed(),
        case_code=journey.case_code if journey is not None else None,
    )


@pages.post("/what-happens")
@anyone
def tell() -> Response:
    trouble, journey = trouble_of(request.form.get("trouble", "")), own_journey()
    if trouble is None:
        return redirect("/what-happens", 303)
    if journey is None:
        return redirect(f"/what-happens/{trouble.value}", 303)
    told = {"browser": family_of(request.headers), "system": platform_of(request.headers).value}
    trouble_told.keep(desk().store, journey, trouble, **told, oid=here().oid, now=desk().clock())
    return redirect(f"/what-happens/{trouble.value}?kept=1", 303)


@pages.get("/what-happens/<path:word>")
@anyone
def answer(word: str) -> str | Response:
    trouble, journey = trouble_of(word), own_journey()
    if trouble is None:
        return redirect("/what-happens", 303)
    return render_template(
        "what_happens_answer.html",
        trouble=trouble.value,
        way=ADVICE[trouble].way.value,
        platform=_platform(journey).value,
        now=desk().clock(),
        kept=journey is not None and request.args.get("kept") == "1",
        case_code=journey.case_code if journey is not None else None,
    )


def _platform(journey: Journey | None) -> Platform:
    """The journey's, which the person chose; else what this address or the browser names."""
    return journey.platform if journey is not None else platform_asked_for() or platform_of(request.headers)


def _guessed() -> str | None:
    """What the browser seems to answer by itself: offered first, and never taken as said."""
    return Trouble.INSIDE_APP.value if family_of(request.headers) == "in_app" else None
