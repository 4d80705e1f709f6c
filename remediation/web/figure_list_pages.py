"""What is behind one number of the figures: a page, CSV and JSON, each with the way to the next part of the list.

Whoever reads about people (`Helpdesk.Read`) is shown the way to theirs, within what they may see; nobody else is. No row has a
name. Next door: `figures_pages` (the numbers), `services/figure_lists.py` (the list).
"""

from urllib.parse import urlencode

from flask import Blueprint, Response, jsonify, render_template, request

from ..services import figure_lists
from ..services.csv_table import written
from ..services.figure_lists import Listed, Number
from ..services.figures import Counted
from . import guards
from .desk import desk
from .figures_pages import as_download, counted_now, wrong_with
from .figures_shown import item_cells, words_of
from .names import shown
from .sessions import here

pages = Blueprint("figure_lists", __name__)

PAGE, EXPORTED = 100, 1000
"""Rows of a page, and of a file."""
Wrong = tuple[str, int]


@pages.get("/helpdesk/figures/list")
@guards.staff
def show() -> tuple[str, int]:
    counted, number, wrong = _asked()
    leads = guards.Who.HELPDESK in here().roles
    page = {"leads": leads, "choice": counted.choice, "staff": shown(here().name), "exported": EXPORTED}
    page |= {"fault": wrong[0] if wrong else None}
    if number is None:
        return render_template("helpdesk/figure_list.html", **page), wrong[1] if wrong else 400
    found, asked = _listed(counted, number, PAGE), _columns(number)
    columns = [name for name in asked if name != "oid"]
    page |= {
        "number": number,
        "words": words_of(counted.tables[number.table], number),
        "columns": columns,
        "to_people": "oid" in asked,
        "rows": [(item.at, item_cells(item, columns[1:]), item.oid) for item in found.items],
        "total": found.total,
        "first": "after" not in request.args,
        "asked": _address(counted, number),
        "here": _address(counted, number, request.args.get("after")),
        "more": _address(counted, number, found.next) if found.next is not None else None,
    }
    return render_template("helpdesk/figure_list.html", **page), 200


@pages.get("/helpdesk/figures/list.csv")
@guards.staff
def as_csv() -> Response:
    """Where there is more, the header `Link` has the way on, as RFC 8288 says it."""
    counted, number, wrong = _asked()
    if number is None or wrong is not None:
        said, status = wrong or ("", 400)
        return Response(said + "\n", status, content_type="text/plain; charset=utf-8")
    found, columns = _listed(counted, number, EXPORTED), _columns(number)
    text = written(columns, ([item.cell(name) for name in columns] for item in found.items))
    answer = as_download(Response(text, content_type="text/csv; charset=utf-8"), f"{number.table}-list.csv", counted)
    if found.next is not None:
        answer.headers["Link"] = f'</helpdesk/figures/list.csv?{_address(counted, number, found.next)}>; rel="next"'
    return answer


@pages.get("/helpdesk/figures/list.json")
@guards.staff
def as_json() -> Response:
    """`next` is given back as `after`; null on the last page."""
    counted, number, wrong = _asked()
    if number is None or wrong is not None:
        answer = jsonify(error=wrong[0] if wrong else "")
        answer.status_code = wrong[1] if wrong else 400
        return answer
    found, columns = _listed(counted, number, EXPORTED), _columns(number)
    items = [{name: item.cell(name) for name in columns} for item in found.items]
    told = {**counted.choice.as_asked, "table": number.table, "of": str(number), "number": found.value, "total": found.total}
    return as_download(jsonify(**told, items=items, next=found.next), f"{number.table}-list.json", counted)


def _asked() -> tuple[Counted, Number | None, Wrong | None]:
    """The number that was asked for, else a sentence and a status."""
    counted, name = counted_now()[0], request.args.get("table", "")
    wrong = wrong_with(counted, name)
    if wrong is not None:
        return counted, None, wrong
    number = figure_lists.number_in(counted.tables[name], request.args.get("of", ""))
    return counted, number, None if number is not None else (desk().texts.gettext("figures.fault.number"), 400)


def _listed(counted: Counted, number: Number, size: int) -> Listed:
    leads = guards.Who.HELPDESK in here().roles
    seen = desk().look_up.seen if leads else lambda _: ()
    found = figure_lists.listed(counted, number, after=request.args.get("after"), size=size, seen=seen)
    return figure_lists.see(found, desk().store, here().oid, desk().clock())


def _columns(number: Number) -> list[str]:
    return [name for name in number.columns if name != "oid" or guards.Who.HELPDESK in here().roles]


def _address(counted: Counted, number: Number, after: str | None = None) -> str:
    asked = {"table": number.table, "of": str(number), **counted.choice.as_asked}
    return urlencode(asked | ({"after": after} if after else {}))
