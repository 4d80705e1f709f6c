"""The headers on every answer, errors and static files included.

`form-action 'self'` also stops a form whose answer redirects away, so whatever leaves the site is a link. The one exception is the
button on the second host name, whose answer leads back to the first.
"""

import secrets
from urllib.parse import urlsplit

from flask import Flask, Response, g

from . import second_host
from .desk import desk

POLICY = (
    "default-src 'none'; style-src 'self' 'nonce-{nonce}'; script-src 'self' 'nonce-{nonce}'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'{and_back}; frame-ancestors 'none'; base-uri 'none'; object-src 'none'"
)
ALWAYS = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
TWO_YEARS = "max-age=63072000; includeSubDomains"


def nonce() -> str:
    """One for each answer; templates write it on the style and script tags."""
    if "nonce" not in g:
        g.nonce = secrets.token_urlsafe(16)
    return str(g.nonce)


def install(app: Flask) -> None:
    app.jinja_env.globals["nonce"] = nonce
    app.after_request(_dress)


def _and_back() -> str:
    return f" {desk().settings.public_origin}" if second_host.is_here() else ""


def _dress(answer: Response) -> Response:
    answer.headers["Content-Security-Policy"] = POLICY.format(nonce=nonce(), and_back=_and_back())
    for name, value in ALWAYS.items():
        answer.headers[name] = value
    if urlsplit(desk().settings.public_origin).scheme == "https":
        answer.headers["Strict-Transport-Security"] = TWO_YEARS
    # Personal pages in a proxy's cache were two of Flask's own advisories; only fingerprinted files say otherwise.
    answer.headers.setdefault("Cache-Control", "no-store")
    return answer
