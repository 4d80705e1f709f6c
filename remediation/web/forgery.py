"""No form but our own, in this session, changes anything: a token in every form, and a look at where the request came from."""

from urllib.parse import urlsplit

from flask import Flask, request
from flask_wtf.csrf import CSRFProtect

from . import second_host
from .desk import desk
from .guards import Who, who_may

SAFE = {"GET", "HEAD", "OPTIONS"}


class FromElsewhere(Exception):
    """A form was sent from another site."""


def install(app: Flask) -> None:
    app.before_request(_same_site)
    CSRFProtect(app)


def let_machines_in(app: Flask) -> None:
    """What a machine sends comes out of no form of ours, and rests on no cookie: its guard asks for proof each time."""
    for endpoint, view in app.view_functions.items():
        if who_may(app, endpoint) in (Who.MACHINE, Who.BEARER):
            app.extensions["csrf"].exempt(view)


def _same_site() -> None:
    """Our pages send no referrer, and so browsers write `Origin: null` on our own forms; Sec-Fetch-Site still tells the truth.
    A browser too old to send that is left to the token and to SameSite.
    """
    if request.method in SAFE:
        return
    if request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
        raise FromElsewhere
    origin = request.headers.get("Origin", "null")
    if origin != "null" and urlsplit(origin)[:2] != _own_origin():
        raise FromElsewhere


def _own_origin() -> tuple[str, str]:
    settings = desk().settings
    there = settings.certificate_origin if second_host.is_here() else None
    parts = urlsplit(there or settings.public_origin)
    return parts.scheme, parts.netloc
