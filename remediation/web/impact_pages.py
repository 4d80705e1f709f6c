"""The impact preview: count whom a policy about compliant devices would stop, see it drawn, and tell those people to begin.

Wishes and reads only: the worker counts and sends. The people behind a number are for `Admin` alone, and each look at them leaves
an audit row. Next door: `impact_shown` (what is drawn), `preview_pages` (each step as a person sees it).
"""

from datetime import timedelta
from typing import Any

from flask import Blueprint, Response, jsonify, make_response, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from ..domain.impact import TOLD_TO_BEGIN, Reason
from ..errors import ImpactRefused
from ..ports import Actor, Count
from ..services import csv_table, impact, impact_tables, waves
from ..services.tell_owner import MAIL
from . import impact_shown
from .desk import desk
from .error_pages import Interruption
from .figures_shown import number
from .guards import NotSignedIn, admin
from .journey_pages import etag_of
from .names import shown
from .sessions import here, signed_in_session

pages = Blueprint("impact", __name__)

MOST = 500  # people on a page; CSV has all
SIZES, PAUSES = (25, 100, 500), (15, 60, 240, 1440)
HOME = "/onboarding/impact"
REFUSALS = {"counting_already", "sending_already", "counted_anew", "nobody", "over"}


@pages.get("/onboarding/impact")
@admin
def show() -> str:
    seen = _seen()
    etag = etag_of(render_template("impact/panel.html", **seen))
    return render_template("impact/impact.html", **seen, etag=etag, staff=_staff())


@pages.get("/onboarding/impact/status")
@admin
def status() -> Response:
    """The live part alone, for the script: 204 while nothing changed, `X-Watch: stop` when nothing more will."""
    _actor()
    seen = _seen()
    fragment = render_template("impact/panel.html", **seen)
    etag = etag_of(fragment)
    unchanged = etag in request.if_none_match
    answer = make_response("" if unchanged else fragment, 204 if unchanged else 200)
    answer.set_etag(etag)
    answer.headers["X-Watch"] = "on" if seen["moves"] else "stop"
    return answer


def _seen() -> dict[str, Any]:
    """Numbers, how far a count and the waves are, and whether any of it moves."""
    newest, counted = desk().store.newest_count(), desk().store.counted_last()
    sending = impact_shown.waves(desk().store.waves())
    other = newest if newest is not None and (counted is None or newest.id != counted.id) else None
    return {
        "newest": other,
        "lists": impact_shown.lists(other) if other is not None else [],
        "moves": (other is not None and other.state == "counting") or any(one.state == "sending" for one in sending),
        "counted": impact_shown.numbers(counted) if counted is not None else None,
        "waves": sending,
    }


@pages.post("/onboarding/impact/count")
@admin
def count() -> AnyResponse:
    try:
        impact.ask_for_count(desk().store, actor=_actor(), now=desk().clock())
    except ImpactRefused as refused:
        raise _refusal(refused) from refused
    return redirect(HOME, 303)


@pages.post("/onboarding/impact/stop")
@admin
def stop() -> AnyResponse:
    try:
        impact.stop_count(desk().store, request.form.get("count", ""), actor=_actor(), now=desk().clock())
    except ImpactRefused as refused:
        raise _refusal(refused) from refused
    return redirect(HOME, 303)


@pages.get("/onboarding/impact.csv")
@admin
def as_csv() -> Response:
    table = impact_tables.by_platform(_counted())
    return _download(csv_table.written(table.columns, table.rows), "impact.csv")


@pages.get("/onboarding/impact.json")
@admin
def as_json() -> Response:
    answer = jsonify(impact_tables.as_json(_counted()))
    answer.headers["Content-Disposition"] = 'attachment; filename="impact.json"'
    return answer


@pages.get("/onboarding/impact/people")
@admin
def people() -> str:
    found, reason, platform = _group()
    listed = desk().store.people_missing(found, reason, platform, limit=MOST + 1)
    _looked_at(found, reason, platform)
    return render_template(
        "impact/people.html",
        reason=reason,
        platform=platform or "all",
        people=[(shown(one.name), shown(one.user_name)) for one in listed[:MOST]],
        more=len(listed) > MOST,
        most=number(MOST),
        query=request.query_string.decode("ascii", "replace"),
        count=found,
        staff=_staff(),
    )


@pages.get("/onboarding/impact/people.csv")
@admin
def people_as_csv() -> Response:
    found, reason, platform = _group()
    listed = desk().store.people_missing(found, reason, platform)
    _looked_at(found, reason, platform)
    rows = [(one.name, one.user_name, one.mail, reason, platform or "all") for one in listed]
    return _download(csv_table.written(("name", "user_name", "mail", "reason", "platform"), rows), f"people-{reason}.csv")


@pages.get("/onboarding/impact/tell")
@admin
def ask_to_tell() -> str:
    """What a wave would be: whom, how many, in which way, so many at once and how long between."""
    found, reason, platform = _group()
    if platform is None or reason not in {one.value for one in TOLD_TO_BEGIN}:
        raise Interruption("impact_unknown", 404, href=HOME)
    return render_template(
        "impact/tell.html",
        reason=reason,
        platform=platform,
        people=number(found.by_platform.get((reason, platform), 0)),
        count=found,
        ways=[MAIL] if reason == Reason.ENROLLMENT else list(waves.WAYS),
        sizes=SIZES,
        pauses=PAUSES,
        staff=_staff(),
    )


@pages.post("/onboarding/impact/tell")
@admin
def tell() -> AnyResponse:
    form = request.form
    pause = timedelta(minutes=_whole(form.get("pause")))
    group = form.get("count", ""), form.get("reason", ""), form.get("platform", "")
    asked = waves.WaveAsked(*group, form.get("way", ""), _whole(form.get("size")), pause)
    try:
        waves.begin_wave(desk().store, asked, actor=_actor(), now=desk().clock())
    except ImpactRefused as refused:
        raise _refusal(refused) from refused
    return redirect(f"{HOME}#waves", 303)


@pages.post("/onboarding/impact/waves/<wave>/stop")
@admin
def stop_wave(wave: str) -> AnyResponse:
    try:
        waves.stop_wave(desk().store, wave, actor=_actor(), now=desk().clock())
    except ImpactRefused as refused:
        raise _refusal(refused) from refused
    return redirect(f"{HOME}#waves", 303)


def _counted() -> Count:
    found = desk().store.counted_last()
    if found is None:
        raise Interruption("impact_never", 404, href=HOME)
    return found


def _group() -> tuple[Count, str, str | None]:
    """The number that was asked about; one of an older count is not shown as if it were the newest."""
    found, reason, platform = _counted(), request.args.get("reason", ""), request.args.get("platform")
    if request.args.get("count") != found.id:
        raise Interruption("impact_counted_anew", 409, href=HOME)
    if reason not in list(Reason) or (platform is not None and not impact_shown.platform_known(platform)):
        raise Interruption("impact_unknown", 404, href=HOME)
    return found, reason, platform


def _looked_at(found: Count, reason: str, platform: str | None) -> None:
    about = ("impact", found.id)
    with desk().store.change(_actor(), "impact.people_listed", about=about, at=desk().clock()) as change:
        change.audit(reason=reason, platform=platform or "all")


def _refusal(refused: ImpactRefused) -> Interruption:
    known = refused.why in REFUSALS
    return Interruption(f"impact_{refused.why if known else 'unclear'}", 409 if known else 400, href=HOME)


def _whole(text: str | None) -> int:
    return int(text) if text is not None and text.isascii() and text.isdigit() and len(text) < 7 else -1


def _download(text: str, name: str) -> Response:
    answer = Response(text, content_type="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _actor() -> Actor:
    """Whoever came by a link that signs nobody in sees no names of people, and tells nobody anything."""
    if signed_in_session() is None:
        raise NotSignedIn
    return Actor("admin", here().oid)


def _staff() -> str:
    _actor()
    return shown(here().name)
