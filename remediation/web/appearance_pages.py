"""Where an administrator puts something in place of ours: choose what, see it as people will, store it, and go back.

The preview is a GET, so it changes nothing; what is stored are the same words once more, checked again. A logo is checked and made
anew from its pixels when it is given, so it is stored at once; one press goes back.
"""

from collections.abc import Mapping

from flask import Blueprint, Response, abort, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from ..domain import appearance as rules
from ..domain.appearance import COLOURS, DARK, HOURS, LEAST, LIGHT, LOGO, PHONE, sentence_of, shades, text_key
from ..domain.logo import MOST_BYTES, Unfit, made_anew
from ..services import appearance
from .desk import desk
from .error_pages import Interruption
from .guards import admin, anyone
from .onboarding_frame import staff
from .set_up import acting

pages = Blueprint("appearance", __name__)

HERE = "/onboarding/appearance"
MOST_SHOWN = 40  # sentences that one search shows
OURS = {LIGHT: "#0b6468", DARK: "#6ccbc6"}


@pages.get(HERE)
@admin
def show() -> str:
    texts = desk().texts
    asked = request.args.get("in", "")
    language = asked if asked in texts.for_people else texts.language()
    sentences = texts.for_people[language]
    wanted = request.args.get("q", "").strip()[:80]
    current = desk().shop.current(desk().clock())
    found = [one for one in sentences if wanted.lower() in f"{one} {_says(current, language, one)}".lower()] if wanted else []
    theirs = [one for one in current if sentence_of(one) is not None]
    return render_template(
        "onboarding/appearance.html",
        fields=[(key, current.get(key, _ours(key))) for key in (PHONE, HOURS, *COLOURS)],
        logo=LOGO in current,
        names={tag: catalogue.gettext("page.language") for tag, catalogue in texts.catalogues.items()},
        chosen=language,
        wanted=wanted,
        found=[(text_key(language, one), one, _says(current, language, one)) for one in found[:MOST_SHOWN]],
        more=len(found) - MOST_SHOWN,
        theirs=[(key, current[key]) for key in sorted(theirs)],
        staff=staff(),
    )


@pages.get(f"{HERE}/<path:key>")
@admin
def one(key: str) -> tuple[str, int]:
    """One thing: what is ours, what stands there, what is being tried, and what it was."""
    if not appearance.knows(key, desk().texts.for_people):
        raise Interruption("bad_request", 400, href=HERE)
    asked = key != LOGO and "value" in request.args
    tried, faults = appearance.checked(key, request.args.get("value", ""), desk().texts.for_people) if asked else ("", ())
    page = _page(key, faults, value=tried if asked else None, tried=asked and not faults)
    return page, 400 if faults else 200


@pages.post(f"{HERE}/<path:key>")
@admin
def put(key: str) -> AnyResponse | tuple[str, int]:
    ours = desk().texts.for_people
    if not appearance.knows(key, ours):
        raise Interruption("bad_request", 400, href=HERE)
    value = request.form.get("value", "")
    if key == LOGO:
        try:
            value = made_anew(request.files["logo"].read(MOST_BYTES + 1) if "logo" in request.files else b"")
        except Unfit as unfit:
            return _page(key, (f"logo_{unfit}",)), 400
    if "ours" in request.form:
        appearance.bring_back(desk().store, key, actor=acting(), now=desk().clock())
    elif found := appearance.put(desk().store, key, value, ours, actor=acting(), now=desk().clock()):
        return _page(key, found, value=value), 400
    return _there(key)


@pages.post("/onboarding/appearance-back")
@admin
def back() -> AnyResponse:
    """To what it was once."""
    version = desk().shop.rows.version(request.form.get("version", ""))
    ours = desk().texts.for_people
    if version is None or not appearance.knows(version.key, ours):
        raise Interruption("bad_request", 400, href=HERE)
    found = appearance.go_back(desk().store, desk().shop.rows, version.id, ours, actor=acting(), now=desk().clock())
    if found:
        raise Interruption("bad_request", 400, href=f"{HERE}/{version.key}")
    return _there(version.key)


@pages.get("/brand/<name>")
@anyone
def brand(name: str) -> Response:
    """The colours and the logo, under addresses that hold a hash of their content."""
    desk().shop.current(desk().clock())
    found = desk().shop.find(name)
    if found is None:
        abort(404)
    answer = Response(found[0], content_type=found[1])
    answer.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    return answer


def _there(key: str) -> AnyResponse:
    desk().shop.forget()
    return redirect(f"{HERE}/{key}", 303)


def _page(key: str, faults: tuple[str, ...], *, value: str | None = None, tried: bool = False) -> str:
    current, sentence = desk().shop.current(desk().clock()).get(key), sentence_of(key)
    shown = value if value is not None else current or _ours(key)
    colour = key in COLOURS and "colour" not in faults and shown != ""
    return render_template(
        "onboarding/appearance_one.html",
        key=key,
        what="text" if sentence is not None else key,
        of_language=sentence[0] if sentence is not None else None,
        ours=_ours(key),
        current=current,
        value=shown,
        tried=tried,
        faults=faults,
        made=shades(key, shown) if colour else None,
        lowest=round(rules.lowest(key, shown), 1) if colour else None,
        grounds=rules.SURFACES.get(key),
        least=LEAST,
        variables=sorted(rules.variables(_ours(key))) if sentence is not None else [],
        longest=rules.LONGEST,
        most_kilobytes=MOST_BYTES // 1024,
        history=desk().shop.rows.history(key),
        staff=staff(),
    )


def _ours(key: str) -> str:
    sentence, settings = sentence_of(key), desk().settings
    if sentence is not None:
        return desk().texts.for_people[sentence[0]][sentence[1]]
    return {PHONE: settings.helpdesk_phone, HOURS: settings.helpdesk_hours, **OURS}.get(key, "")


def _says(current: Mapping[str, str], language: str, sentence: str) -> str:
    return current.get(text_key(language, sentence)) or desk().texts.for_people[language][sentence]
