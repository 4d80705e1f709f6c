"""The page behind the link that the MDM delivered to a managed device. Opening it uses nothing up, since scanners open links; its
button does. Each refusal says what it is (reliability: T1 to T11 in docs/security.md).
"""

from flask import Blueprint, redirect, render_template
from werkzeug.wrappers import Response

from ..errors import PossessionRefused
from ..ports import PossessionLinkFacts
from ..services.prove_possession import not_me, prove, see_link
from .desk import desk
from .error_pages import Interruption
from .guards import anyone, signed_in
from .sessions import here, signed_in_session

pages = Blueprint("possession", __name__)

STATUS = {"unknown": 410, "other_person": 403, "other_journey": 403, "used": 410, "too_late": 410, "revoked": 410}


@pages.get("/possession/<token>")
@anyone
def show(token: str) -> str:
    facts = see_link(desk().store, token, desk().clock())
    session = signed_in_session()
    if facts is None:
        raise refusal("unknown", token)
    if session is not None and session.oid != facts.oid:
        raise refusal("other_person", token)
    if facts.refusal is not None:
        raise refusal(facts.refusal, token)
    return _page(token, facts, signed_in=session is not None)


@pages.post("/possession/<token>")
@signed_in
def it_is_me(token: str) -> Response:
    try:
        prove(desk().store, token, oid=here().oid, browser=here().browser, now=desk().clock())
    except PossessionRefused as refused:
        raise refusal(refused.why, token) from refused
    return redirect("/journey", 303)


@pages.post("/possession/<token>/not-me")
@signed_in
def it_is_not_me(token: str) -> Response:
    try:
        not_me(desk().store, token, oid=here().oid, browser=here().browser, now=desk().clock())
    except PossessionRefused as refused:
        raise refusal(refused.why, token) from refused
    return redirect(f"/possession/{token}", 303)


def refusal(why: str, token: str) -> Interruption:
    """`other_journey` is cured by signing in here: the journey then goes on in this browser. A message that is read too late was
    somebody's wish all the same: that it wasn't theirs, its person can say of it (the guard has others sign in first)."""
    known = why if why in STATUS else "unknown"
    href = {"other_journey": f"/sign-in?possession={token}", "other_person": "/sign-out", "revoked": "/"}.get(known, "/journey")
    deny = f"/possession/{token}" if known == "too_late" else None
    return Interruption(f"possession_{known}", STATUS[known], href=href, deny=deny)


def _page(token: str, facts: PossessionLinkFacts, *, signed_in: bool) -> str:
    return render_template("possession.html", token=token, facts=facts, signed_in=signed_in, case_code=facts.case_code)
