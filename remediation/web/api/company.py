"""The API's operations about the whole: who calls, what does not move, figures, and the audit for whoever keeps a copy of it."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from flask import g
from pydantic import Field, JsonValue

from ...domain.turns import FEED_NOTED
from ...domain.turns import FIGURES as FIGURE_TURNS
from ...errors import TooOften, WhoActs
from ...ports import Actor, FeedRow, StuckPlace
from ...services import figures as counting
from ...services.find_device import all_stuck
from ...services.look_up import by_program
from ...services.stuck import Stuck
from ..bearer import caller
from ..desk import desk
from ..guards import Who
from ..names import shown
from . import cursors
from .operations import Shape, operation
from .people import through
from .problems import Fault, Refusal
from .shapes import FeedAsked, FiguresAsked, Moment, StuckAsked

FEED, STUCK = "audit", "stuck"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class CallerShape(Shape):
    """`sees` are the parts of the company whose people this caller sees, null for everybody; `members_listed_at` since when the
    oldest of their lists of members is known, null where one is not."""

    oid: str
    app: str
    alone: bool
    roles: list[str]
    sees: list[str] | None
    members_listed_at: Moment | None


class StuckRowShape(Shape):
    """`kind` is link, journey, watch, remote or alarm."""

    kind: str
    id: str
    oid: str | None
    whose: str
    what: str
    reason: str
    code: str
    who_acts: WhoActs
    repair: str
    since: Moment | None
    next_at: Moment | None
    attempts: int


class StuckList(Shape):
    """`total` counts all of them, `rows` are the first of each kind, revocations and the oldest before others. With `next` each
    kind goes on that has more; null on the last page."""

    total: int
    rows: list[StuckRowShape]
    next: str | None


class FiguresShape(Shape):
    """Of these days. Each table is a list of rows; nothing in them names a person."""

    from_: str = Field(serialization_alias="from")
    to: str
    tables: dict[str, list[dict[str, str | int | float | None]]]


class AuditRow(Shape):
    """One row behind its seal. `what` is null where the row is gone and only its seal is left, which the product never does."""

    seq: int
    digest: str
    sealed_at: Moment
    at: Moment | None
    what: str | None
    actor_kind: str | None
    actor_id: str | None
    about_kind: str | None
    about_id: str | None
    detail: dict[str, JsonValue]


class AuditPage(Shape):
    """In the order of the seals, without a gap. Keep `next`, also where there is no more: the next question begins with it."""

    rows: list[AuditRow]
    next: str
    more: bool


def who_calls() -> CallerShape:
    """Who this token says you are, and whom you see."""
    who, look_up = caller(), desk().look_up
    listed: list[datetime | None] = list(look_up.listed_at().values())
    oldest = min((at for at in listed if at is not None), default=None) if None not in listed else None
    sees = None if look_up.reach.everybody else list(look_up.reach.parts)
    return CallerShape(oid=who.oid, app=who.app, alone=who.alone, roles=sorted(g.held), sees=sees, members_listed_at=oldest)


def stuck(query: StuckAsked) -> StuckList:
    """What does not move: of the people whom you see, and the sources that hold up everybody."""
    who = {"oid": caller().oid, "now": desk().clock(), "through": through()}
    after = places_in(cursors.unseal(STUCK, query.since)) if query.since is not None else None
    found = all_stuck(desk().look_up, desk().store, limit=query.limit, after=after, **who)  # type: ignore[arg-type]
    goes_on = cursors.seal(STUCK, told_as(found.more)) if found.more else None
    return StuckList(total=found.total, rows=[_stuck(one) for one in found.shown], next=goes_on)


def figures(query: FiguresAsked) -> FiguresShape:
    """Figures of a period, as the console's page has them: every table, nobody's name."""
    now, look_up = desk().clock(), desk().look_up
    again_at = desk().store.take_turn(f"figures:{caller().oid}", FIGURE_TURNS, at=now)
    if again_at is not None:
        raise TooOften(again_at)
    asked = query.model_dump(by_alias=True)
    counted = counting.count(look_up, counting.choose(asked, look_up.connection_names(), now), now)
    if counted.choice.faults:
        say = desk().texts.catalogues["en"].gettext
        raise Refusal("invalid", errors=[Fault(where="query", what=say(f"figures.fault.{one}")) for one in counted.choice.faults])
    if counted.too_many:
        raise Refusal("too_large")
    told = counting.as_json(counted)
    return FiguresShape(from_=told["from"], to=told["to"], tables=told["tables"])


def audit(query: FeedAsked) -> AuditPage:
    """The audit, row by row, for a SIEM: nothing is left out, whoever writes at the same time."""
    now = desk().clock()
    after = _place(cursors.unseal(FEED, query.since)) if query.since is not None else None
    page = desk().look_up.audit_after(after, limit=query.limit)
    if page.gap:
        raise Refusal("cut")
    if desk().store.take_turn(f"feed:{caller().oid}", FEED_NOTED, at=now) is None:
        with desk().store.change(Actor("helpdesk", caller().oid), "audit.read", about=("helpdesk", caller().oid), at=now) as change:
            change.audit(**by_program(through()))
    return AuditPage(rows=[_row(row) for row in page.rows], next=cursors.seal(FEED, [page.last]), more=page.more)


def told_as(more: Mapping[str, StuckPlace]) -> list[str | int]:
    places = ((kind, at.urgent, (at.since - EPOCH) // timedelta(microseconds=1), at.id) for kind, at in more.items())
    return [part for place in places for part in place]


def places_in(told: list[str | int]) -> dict[str, StuckPlace]:
    """Made by `told_as`, and signed."""
    parts = iter(told)
    return {
        str(kind): StuckPlace(int(urgent), EPOCH + timedelta(microseconds=int(since)), str(row_id))
        for kind, urgent, since, row_id in zip(parts, parts, parts, parts, strict=True)
    }


def _place(place: list[str | int]) -> int:
    [seq] = place
    return int(seq)


def _row(row: FeedRow) -> AuditRow:
    actor, about = row.actor or (None, None), row.about or (None, None)
    return AuditRow(
        **{name: getattr(row, name) for name in ("seq", "digest", "sealed_at", "at", "what")},
        actor_kind=actor[0],
        actor_id=actor[1],
        about_kind=about[0],
        about_id=about[1],
        detail=dict(row.detail or {}),
    )


def _stuck(one: Stuck) -> StuckRowShape:
    row, reason = one.row, one.reason
    said = {name: getattr(row, name) for name in ("kind", "id", "oid", "since", "next_at", "attempts")}
    return StuckRowShape(
        **said,
        whose=shown(row.whose),
        what=shown(row.what),
        reason=reason.key,
        code=reason.code,
        who_acts=reason.who,
        repair=reason.repair,
    )


OPERATIONS = (
    operation("GET", "/caller", who_calls, role=Who.STAFF),
    operation("GET", "/stuck", stuck, role=Who.HELPDESK, refuses=("bad_cursor",)),
    operation("GET", "/figures", figures, role=Who.STAFF, tagged=True, refuses=("too_large",)),
    operation("GET", "/audit", audit, role=Who.ADMIN, refuses=("bad_cursor", "cut")),
)
