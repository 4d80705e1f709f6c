"""Figures for everyone who answers for this: one page, and each of its tables as CSV and JSON. Nothing here names a person.

Next door: `figure_list_pages` (what is behind a number), `figures_shown` (cells in words), `services/figures.py` (what is counted).
"""

from urllib.parse import parse_qsl, urlencode

from flask import Blueprint, Response, jsonify, render_template, request

from ..domain.device import Platform
from ..domain.turns import FIGURES as FIGURE_TURNS
from ..errors import TooOften
from ..services import figures
from ..services.csv_table import written
from ..services.figure_tables import NAMES
from . import error_pages, guards
from .desk import desk
from .figures_shown import number, shown_tables, tiles
from .names import shown
from .sessions import here

pages = Blueprint("figures", __name__)


@pages.get("/helpdesk/figures")
@guards.staff
def show() -> tuple[str, int]:
    counted, connections = counted_now()
    page = render_template(
        "helpdesk/figures.html",
        choice=counted.choice,
        too_many=counted.too_many,
        most=number(figures.MOST),
        tables=shown_tables(counted),
        tiles=tiles(counted),
        platforms=[platform.value for platform in Platform],
        connections=[shown(name) for name in connections],
        staff=shown(here().name),
        leads=guards.Who.HELPDESK in here().roles,
    )
    return page, 400 if counted.choice.faults else 200


@pages.get("/helpdesk/figures.csv")
@guards.staff
def as_csv() -> Response:
    """One table."""
    name, counted = request.args.get("table", ""), counted_now()[0]
    wrong = wrong_with(counted, name)
    if wrong is not None:
        return Response(wrong[0] + "\n", wrong[1], content_type="text/plain; charset=utf-8")
    text = written(counted.tables[name].columns, counted.tables[name].rows)
    return as_download(Response(text, content_type="text/csv; charset=utf-8"), f"{name}.csv", counted)


@pages.get("/helpdesk/figures.json")
@guards.staff
def as_json() -> Response:
    """One table, or all of them."""
    name, counted = request.args.get("table", ""), counted_now()[0]
    wrong = wrong_with(counted, name or NAMES[0])
    if wrong is not None:
        answer = jsonify(error=wrong[0])
        answer.status_code = wrong[1]
        return answer
    told = figures.as_json(counted, [name] if name else NAMES)
    return as_download(jsonify(most_rows_read=figures.MOST, **told), f"{name or 'all'}.json", counted)


def place_of(text: str) -> str:
    """Of what `error_pages.figures_asked_for` kept through a sign-in. Never an address: values in a route of ours."""
    asked = {name: value for name, value in parse_qsl(text) if name in error_pages.FIGURES}
    page = "/helpdesk/figures/list" if asked.get("of") else "/helpdesk/figures"
    return page + (f"?{urlencode(asked)}" if asked else "")


def counted_now() -> tuple[figures.Counted, list[str]]:
    now, look_up = desk().clock(), desk().look_up
    again_at = desk().store.take_turn(f"figures:{here().oid}", FIGURE_TURNS, at=now)
    if again_at is not None:
        raise TooOften(again_at)
    connections = look_up.connection_names()
    return figures.count(look_up, figures.choose(request.args, connections, now), now), connections


def wrong_with(counted: figures.Counted, name: str) -> tuple[str, int] | None:
    """A sentence and a status."""
    say = desk().texts.gettext
    if counted.choice.faults:
        return " ".join(say(f"figures.fault.{fault}") for fault in counted.choice.faults), 400
    if name not in NAMES:
        return say("figures.fault.table") % {"tables": ", ".join(NAMES)}, 400
    return (say("figures.too_many_text") % {"most": number(figures.MOST)}, 413) if counted.too_many else None


def as_download(answer: Response, name: str, counted: figures.Counted) -> Response:
    choice = counted.choice
    answer.headers["Content-Disposition"] = f'attachment; filename="figures-{choice.first}-{choice.last}-{name}"'
    return answer
