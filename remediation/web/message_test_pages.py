"""The page behind a test message (`remediation doctor possession`): it arrived, says whoever holds the device, and nothing else.

Nobody signs in for it: the tap opens nothing, links nothing, and is asked of a pilot device that may have no person. Opening it
uses nothing up, since scanners open links; its button does. Next door: `possession_pages` (a person's own message).
"""

from flask import Blueprint, redirect, render_template
from werkzeug.wrappers import Response

from ..errors import MessageTestRefused
from ..services.message_test import arrived, see_test
from .desk import desk
from .error_pages import Interruption
from .guards import anyone
from .sessions import browser_id

pages = Blueprint("message_test", __name__)


@pages.get("/message-test/<test>")
@anyone
def show(test: str) -> str:
    now, facts = desk().clock(), see_test(desk().store, test)
    if facts is None:
        raise Interruption("message_test_unknown", 410)
    if facts.state(now) == "too_late":
        raise Interruption("message_test_too_late", 410)
    return render_template("message_test.html", token=test, facts=facts, seen=facts.seen_at is not None)


@pages.post("/message-test/<test>")
@anyone
def it_arrived(test: str) -> Response:
    """Pressed twice is seen once."""
    try:
        arrived(desk().store, test, browser=browser_id(), now=desk().clock())
    except MessageTestRefused as refused:
        if refused.why == "too_late":
            raise Interruption("message_test_too_late", 410) from refused
        if refused.why != "used":
            raise Interruption("message_test_unknown", 410) from refused
    return redirect(f"/message-test/{test}", 303)
