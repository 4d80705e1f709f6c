"""*What Microsoft says*: a box for a code, the block page's text or `dsregcmd /status`, and what it means in plain words.

For anybody, since many cannot sign in just then; the case keeps it of whoever is on a journey. What was pasted is in no address:
that has our own words and Microsoft's codes, so that the answer can be opened again and in another language.
"""

import re
from urllib.parse import urlencode

from flask import Blueprint, redirect, render_template, request
from werkzeug.wrappers import Response

from ..domain import block_page
from ..domain.block_page import MEANINGS, MOST, WAYS, Meaning, Way
from ..domain.journey import Journey
from ..services import microsoft_said
from .desk import desk
from .guards import anyone
from .sessions import here, signed_in_session

pages = Blueprint("microsoft_says", __name__)

COMPUTERS = ("joined", "no_token", "registered", "neither")
WHOSE = ("theirs", "another")


@pages.get("/what-microsoft-says")
@anyone
def show() -> str:
    codes = [code for code in request.args.getlist("code")[:MOST] if re.fullmatch(r"\d{4,7}", code)]
    meanings = list(dict.fromkeys(MEANINGS[code] for code in codes if code in MEANINGS))
    journey = own_journey()
    return render_template(
        "microsoft_says.html",
        aadsts="AADSTS",
        codes=codes,
        unknown=[code for code in codes if code not in MEANINGS],
        meaning=meanings[0].value if meanings else None,
        besides=[one.value for one in meanings[1:]],
        way=_way(meanings, codes),
        computer=_one_of("computer", COMPUTERS),
        whose=_one_of("device", WHOSE),
        kept=journey is not None and request.args.get("kept") == "1",
        nothing=request.args.get("nothing") == "1",
        case_code=journey.case_code if journey is not None else None,
    )


@pages.post("/what-microsoft-says")
@anyone
def tell() -> Response:
    said, journey = block_page.read(request.form.get("text", "")), own_journey()
    asked = [("code", code) for code in said.codes]
    if said.computer is not None:
        asked.append(("computer", said.computer.state))
    if journey is not None and said.found:
        microsoft_said.keep(desk().store, journey, said, oid=here().oid, now=desk().clock())
        asked += [("kept", "1"), *([("device", whose)] if (whose := microsoft_said.whose(journey, said)) else [])]
    return redirect(f"/what-microsoft-says?{urlencode(asked if said.found else [('nothing', '1')])}", 303)


def _way(meanings: list[Meaning], codes: list[str]) -> str | None:
    if meanings:
        return WAYS[meanings[0]].value
    return Way.HELPDESK.value if codes else None


def _one_of(name: str, known: tuple[str, ...]) -> str | None:
    asked = request.args.get(name)
    return asked if asked in known else None


def own_journey() -> Journey | None:
    """None for whoever is not signed in, or on no journey."""
    session = signed_in_session()
    if session is None:
        return None
    journey_id = desk().store.journey_of_browser(session.browser, session.oid, desk().clock())
    return desk().store.journey(journey_id) if journey_id is not None else None
