"""The API's lists that go on page by page: what needs people, and what is behind a number of the figures.

Next door: `services/work.py`, `services/figure_lists.py` (the lists), `company` (figures as a whole).
"""

from datetime import datetime

from flask import g
from pydantic import Field

from ...domain.device import Platform
from ...domain.turns import FIGURES as FIGURE_TURNS
from ...domain.work import Kind, Source, position_in
from ...errors import TooOften, WhoActs
from ...services import figure_lists, figures, work
from ...services.figure_tables import NAMES
from ..bearer import caller
from ..desk import desk
from ..guards import Who
from ..names import shown
from . import cursors
from .operations import Shape, operation
from .people import through
from .problems import Fault, Refusal
from .shapes import Cursor, FiguresAsked, Limit, Moment

WORK, LISTED = "work list", "figures list"


class WorkAsked(Shape):
    since: Cursor | None = Field(default=None, description="`next` of the page before.")
    limit: Limit = Field(default=25, ge=1, le=100)
    kind: Kind | None = None
    who: WhoActs | None = Field(default=None, description="Who can act.")
    platform: Platform | None = None


class WorkRowShape(Shape):
    """`promised_at` is what the list is ordered by; `ours` where it is our own target and was told to nobody. `taken_by` is a
    member of staff, by object id."""

    id: str
    kind: Kind
    oid: str
    name: str
    user_name: str
    what: str
    platform: Platform
    case: str
    reason: str
    code: str
    who_acts: WhoActs
    since: Moment
    promised_at: Moment
    ours: bool
    taken_by: str | None
    taken_until: Moment | None


class WorkList(Shape):
    """Oldest promise first. `next` is null on the last page; a page may be short, or empty, and have a next one. `usual_s` is how
    long a push usually takes here, by `measured` of them."""

    rows: list[WorkRowShape]
    next: str | None
    usual_s: int
    measured: int


class FigureListAsked(FiguresAsked):
    table: str = Field(max_length=40, description="A table of the figures.")
    of: str = Field(max_length=300, description="The words of its row and the column, such as `all~all~begun`.")
    since: Cursor | None = Field(default=None, description="`next` of the page before.")
    limit: Limit = Field(default=100, ge=1, le=1000)


class FigureItem(Shape):
    """`seconds` is what the number measures, where it measures any; `oid` whom it is about, for `Helpdesk.Read` alone. Of
    `throttled` it is a day of a `remote`: `count` times it wanted fewer calls, the last of them `at`, with its own `code`."""

    at: Moment
    what: str
    platform: str
    connection: str | None
    entrance: str | None
    detail: str | None
    seconds: int | None
    oid: str | None
    remote: str | None
    code: str | None
    count: int | None


class FigureList(Shape):
    """`number` is what the table says, `total` how long its list is. Newest first."""

    number: str | int | None
    total: int
    items: list[FigureItem]
    next: str | None


def work_list(query: WorkAsked) -> WorkList:
    """What needs people, oldest promise first, of the people whom you see."""
    after = position_in(str(cursors.unseal(WORK, query.since)[0])) if query.since is not None else None
    chosen = work.Filter(kind=query.kind, who=query.who, platform=query.platform)
    asked = {"oid": caller().oid, "chosen": chosen, "after": after, "size": query.limit, "through": through()}
    found = work.see(desk().look_up.work, desk().store, desk().clock(), **asked)  # type: ignore[arg-type]
    return WorkList(
        rows=[_work(item) for item in found.items],
        next=cursors.seal(WORK, [str(found.more)]) if found.more is not None else None,
        usual_s=round(found.wait.usual.total_seconds()),
        measured=found.wait.measured,
    )


def figure_list(query: FigureListAsked) -> FigureList:
    """The journeys, links, actions and days of remotes that a number of the figures was made of."""
    now, look_up, purpose = desk().clock(), desk().look_up, f"{LISTED}: {query.table} {query.of}"
    after = str(cursors.unseal(purpose, query.since)[0]) if query.since is not None else None
    counted = _counted(query, now)
    number = figure_lists.number_in(counted.tables[query.table], query.of) if query.table in counted.tables else None
    if number is None:
        raise Refusal("invalid", errors=[Fault(where="query", what=_say("number" if query.table in counted.tables else "table"))])
    seen = look_up.seen if Who.HELPDESK in g.held else lambda _: ()
    found = figure_lists.listed(counted, number, after=after, size=query.limit, seen=seen)
    figure_lists.see(found, desk().store, caller().oid, now, through=through())
    goes_on = cursors.seal(purpose, [found.next]) if found.next is not None else None
    items = [FigureItem(**{name: getattr(item, name) for name in FigureItem.model_fields}) for item in found.items]
    return FigureList(number=found.value, total=found.total, items=items, next=goes_on)


def _counted(query: FigureListAsked, now: datetime) -> figures.Counted:
    again_at = desk().store.take_turn(f"figures:{caller().oid}", FIGURE_TURNS, at=now)
    if again_at is not None:
        raise TooOften(again_at)
    names, asked = (
        desk().look_up.connection_names(),
        query.model_dump(by_alias=True, include={"from_", "to", "platform", "connection"}),
    )
    counted = figures.count(desk().look_up, figures.choose(asked, names, now), now)
    if counted.choice.faults:
        raise Refusal("invalid", errors=[Fault(where="query", what=_say(one)) for one in counted.choice.faults])
    if counted.too_many:
        raise Refusal("too_large")
    return counted


def _say(fault: str) -> str:
    said = desk().texts.catalogues["en"].gettext(f"figures.fault.{fault}")
    return said % {"tables": ", ".join(NAMES)} if fault == "table" else said


def _work(item: work.Item) -> WorkRowShape:
    row, claim = item.row, item.claim
    return WorkRowShape(
        id=row.id,
        kind=item.kind,
        oid=row.oid,
        name=shown(row.name),
        user_name=shown(row.user_name),
        what=shown(row.what),
        platform=row.platform,
        case=row.case_code,
        reason=item.reason.key,
        code=item.reason.code,
        who_acts=item.reason.who,
        since=row.since,
        promised_at=row.position.at,
        ours=row.position.source not in (Source.LINK, Source.ENDING),
        taken_by=claim.oid if claim is not None else None,
        taken_until=claim.until if claim is not None else None,
    )


OPERATIONS = (
    operation("GET", "/work", work_list, role=Who.HELPDESK, refuses=("bad_cursor",)),
    operation("GET", "/figures/list", figure_list, role=Who.STAFF, refuses=("bad_cursor", "too_large")),
)
