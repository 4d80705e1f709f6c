"""Changing the language: links on every page, each in its language's own name, to the same page. A cookie remembers the choice.

The link is made from the route that answered, never from the address as it came, so that it cannot lead off the site.
"""

from urllib.parse import urlsplit

from flask import Flask, Response, g, request, url_for
from werkzeug.routing import BuildError

from .bearer import asked_by_a_program
from .desk import desk
from .entrances import platform_asked_for
from .texts import ASKED, COOKIE

YEAR = 365 * 24 * 3600
# Addresses that only pass a browser on, or hold what works once: their error pages are found again elsewhere (`keep_at`).
PASSING = {"sign_in.sign_in", "sign_in.signed_in"}


def keep_at(address: str) -> None:
    """Where the page that is being answered can be had again, where its own address cannot be opened twice."""
    g.kept_at = address


def install(app: Flask) -> None:
    app.jinja_env.globals.update(languages=languages, every_language=every_language)
    app.after_request(_remember)


def languages() -> list[tuple[str, str, str]]:
    """The other languages that this page can be had in: tag, own name, address of this page in it."""
    texts, here = desk().texts, _here()
    mark = "&" if "?" in here else "?"
    others = [tag for tag in texts.offered() if tag != texts.language()]
    return [(tag, texts.catalogues[tag].gettext("page.language"), f"{here}{mark}{ASKED}={tag}") for tag in others]


def every_language() -> list[tuple[str, str]]:
    """What the setting takes: tag, own name."""
    return [(tag, catalogue.gettext("page.language")) for tag, catalogue in desk().texts.catalogues.items()]


def _here() -> str:
    kept: str | None = g.get("kept_at")
    if kept is not None:
        return kept
    if request.endpoint is None or request.endpoint in PASSING or request.method != "GET":
        return "/"
    try:
        platform = platform_asked_for()
        return url_for(request.endpoint, **{**(request.view_args or {}), **({"platform": platform.value} if platform else {})})
    except BuildError:
        return "/"


def _remember(answer: Response) -> Response:
    asked = request.args.get(ASKED)
    if asked_by_a_program():
        return answer
    if asked is not None and asked in desk().texts.offered() and request.cookies.get(COOKIE) != asked:
        secure = urlsplit(desk().settings.public_origin).scheme == "https"
        answer.set_cookie(COOKIE, asked, max_age=YEAR, httponly=True, secure=secure, samesite="Lax")
    return answer
