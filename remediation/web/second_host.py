"""The second host name, behind mutual TLS: which requests came over that hop, and what may be asked there.

The web server in front has the handshake and hands the certificate on in a header. A header is worth what its sender is worth, so
it is believed from that hop alone: on that host name, with the secret that only that server adds. From anywhere else it is refused
and logged, also where it came along with something harmless (T16 in docs/security.md; docs/nginx.conf).
"""

import hmac
import logging
from urllib.parse import unquote, urlsplit

from flask import Flask, redirect, request
from werkzeug.wrappers import Response

from ..settings import WebSettings
from .desk import desk

log = logging.getLogger(__name__)

CERTIFICATE, SECRET = "X-Device-Certificate", "X-Device-Certificate-Hop"  # the header's name
THERE = {"certificate.show", "certificate.confirm", "assets.static_file"}


class NotOverTheHop(Exception):
    """What only the hop behind mutual TLS may send, sent by somebody else; or that host name, reached past it."""


def hosts(settings: WebSettings) -> list[str]:
    name = urlsplit(settings.certificate_origin or "").hostname
    return [name] if name else []


def is_here() -> bool:
    """By the raw header, since what parses it raises for a foreign one: also the page that says so is dressed with headers."""
    return request.environ.get("HTTP_HOST", "").partition(":")[0].lower() in hosts(desk().settings)


def certificate() -> str:
    """The PEM of the handshake's certificate; `_check` has let this request through."""
    return unquote(request.headers.get(CERTIFICATE, ""))


def install(app: Flask) -> None:
    app.before_request(_check)


def _check() -> Response | None:
    told = CERTIFICATE in request.headers or SECRET in request.headers
    if not is_here():
        if told:
            log.warning("a certificate's header came from elsewhere than the second host name: refused")
            raise NotOverTheHop
        if request.endpoint in THERE - {"assets.static_file"}:
            return redirect("/journey", 303)
        return None
    if not _over_the_hop():
        log.warning("a request for the second host name did not come over its hop: refused")
        raise NotOverTheHop
    if request.endpoint not in THERE:
        return redirect(desk().settings.public_origin + "/journey", 303)
    return None


def _over_the_hop() -> bool:
    secret = desk().settings.certificate_hop_secret
    given = request.headers.getlist(SECRET)
    return secret is not None and len(given) == 1 and hmac.compare_digest(given[0].encode(), secret.get_secret_value().encode())
