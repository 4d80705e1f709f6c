"""Whoever arrives at an entrance while an administrator tests how people get here: that is recorded, once.

Before anything else of the request: the tap counts also while the pages are not open yet. Next door: `entrances`,
`onboarding_arrival` (where a test is opened).
"""

from urllib.parse import urlsplit

from flask import Flask, request

from ..domain.arrival import way_of
from ..services.arrival import arrived
from .browsers import platform_of
from .desk import desk


def install(app: Flask) -> None:
    app.before_request(_record)


def _record() -> None:
    """Without an open test that is one read. What comes below an entrance is led there, and recorded as the way that it is."""
    if request.blueprint != "entrances" or request.method != "GET":
        return
    entrance = request.path.strip("/").split("/")[0].casefold() or "start"
    arrived(
        desk().store,
        entrance=entrance,
        way=way_of(request.path),
        platform=platform_of(request.headers),
        came_from=_host(request.referrer or ""),
        own_host=_host(desk().settings.public_origin),
        now=desk().clock(),
    )


def _host(address: str) -> str | None:
    try:
        return urlsplit(address).hostname
    except ValueError:  # whatever a browser says led here may be no address at all
        return None
