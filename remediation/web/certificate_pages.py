"""*Show this device's certificate*: from the journey to the second host name and back.

Cookies do not cross host names. On the way there a handle is the binding, which works once and for ten minutes; on the way back it
is a token that only counts in the journey's own browser, so that somebody who was sent the handle brings its sender nothing back.
What is stored decides nothing: the worker checks it all again. Next door: `second_host`, `services/device_certificate.py`.
"""

import logging

from flask import Blueprint, redirect, render_template
from werkzeug.wrappers import Response

from ..domain.device_certificate import CertificateSays
from ..errors import CertificateRefused
from ..ports import CertificateHandle
from ..services import device_certificate as service
from . import second_host
from .desk import desk
from .error_pages import Interruption
from .guards import anyone, signed_in
from .journey_pages import own_journey
from .sessions import here

pages = Blueprint("certificate", __name__)
log = logging.getLogger(__name__)

OVER = {"unknown", "used", "too_late"}


@pages.get("/certificate")
@signed_in
def begin() -> Response:
    """A link and no form, since it leads off the site. Which enrollment it is about, the server says."""
    journey, origin = own_journey(), desk().settings.certificate_origin
    pair = journey.certificate_asked
    if pair is None or origin is None:
        return redirect("/journey", 303)
    handle = service.ask_for_certificate(desk().store, journey, pair, browser=here().browser, now=desk().clock())
    return redirect(f"{origin}/certificate/{handle}", 303)


@pages.get("/certificate-refused")
@anyone
def refused() -> Response:
    """Where the web server in front sends a browser that showed it no certificate, or none that it takes."""
    raise _refusal("refused_in_front")


@pages.get("/certificate/<handle>")
@anyone
def show(handle: str) -> str:
    """Opening it uses nothing up, since scanners open links; its button does."""
    facts, says = _usable(handle), _read()
    return render_template("certificate.html", handle=handle, facts=facts, says=says, case_code=facts.case_code)


@pages.post("/certificate/<handle>")
@anyone
def confirm(handle: str) -> Response:
    facts, says = _usable(handle), _read()
    pem, now = second_host.certificate(), desk().clock()
    try:
        back = service.certificate_shown(desk().store, handle, facts.journey_id, pem, says, now=now)
    except CertificateRefused as refused:
        raise _refusal(refused.why) from refused
    return redirect(f"{desk().settings.public_origin}/certificate/back/{back}", 303)


@pages.get("/certificate/back/<back>")
@signed_in
def came_back(back: str) -> Response:
    try:
        service.came_back(desk().store, back, oid=here().oid, browser=here().browser, now=desk().clock())
    except CertificateRefused as refused:
        raise _refusal(refused.why) from refused
    return redirect("/journey", 303)


def _usable(handle: str) -> CertificateHandle:
    facts = service.see_handle(desk().store, handle, desk().clock())
    if facts is None or facts.refusal is not None:
        raise _refusal("unknown" if facts is None else facts.refusal or "")
    return facts


def _read() -> CertificateSays:
    certificates = desk().certificates
    if certificates is None:
        raise _refusal("not_set_up")
    try:
        return certificates.read(second_host.certificate(), at=desk().clock())
    except CertificateRefused as refused:
        log.warning("a device's certificate was refused: %s", refused.why)
        raise _refusal(refused.why) from refused


def _refusal(why: str) -> Interruption:
    """Why a certificate was refused stands in the log: a person can do the same about each reason."""
    href = f"{desk().settings.public_origin}/journey"
    if why in OVER:
        return Interruption("certificate_over", 410, href=href)
    if why == "other_journey":
        return Interruption("certificate_other_journey", 403, href=href)
    return Interruption("certificate_refused", 403, href=href)
