"""A connection as its page and `remediation connections` show it: ids of our texts, moments, and what is left of a vendor's words.

Nothing here came from a person; what a remote said passes `names.shown` all the same.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from ..domain.budget import Budget, Limit
from ..domain.health import Condition, Connection, Health, Remembered
from ..domain.outage import MDM
from .helpdesk_cards import Fact, said
from .names import shown

SLOT_PLATFORMS = ("android", "ios", "macos")
SLOTS = ("ours", "not_enabled", "taken", "missing", "whose")


@dataclass(frozen=True)
class Shown:
    """`kind`, `condition` and `cause` key our texts; `name` is the MDM connection's own. `then` says what happens to people, None
    where nothing does."""

    kind: str
    name: str
    condition: str
    cause: str | None
    since: datetime | None
    then: str | None
    links: int
    ending: int
    first_end: datetime | None
    facts: tuple[Fact, ...]

    @property
    def looks(self) -> str:
        return {"well": "done", "unknown": "note"}.get(self.condition, "careful")


def in_words(health: Health, now: datetime) -> Shown:
    one, kind = health.connection, health.connection.kind
    rests = one.dependents
    failing = health.condition is Condition.FAILING
    return Shown(
        kind=kind,
        name=shown(one.name.removeprefix(MDM)) if kind == "mdm" else "",
        condition=health.condition.value,
        cause=health.cause.value if health.cause is not None else None,
        since=health.since,
        then=(kind if kind != "mdm" or rests.links else "nobody") if failing else None,
        links=rests.links,
        ending=rests.ending,
        first_end=rests.first_end if failing and kind == "mdm" else None,
        facts=said((*_answers(one, health), *_calls(one, now), *_lists(one, now), *_partner(one, now), *_events(one), _links(one))),
    )


def _answers(one: Connection, health: Health) -> Iterable[Fact]:
    row = health.told or one.row
    yield Fact("last_good", at=one.good_at)
    yield Fact("failed", at=row.failed_at)
    if row.failed_at is not None:
        told = (row.error, str(row.status) if row.status is not None else None, row.code)
        yield Fact("error", id=" · ".join(shown(part) for part in told if part))
        yield Fact("words", text=shown(row.words, 200))


def _calls(one: Connection, now: datetime) -> Iterable[Fact]:
    until = one.closed_until(now)
    yield Fact("calls", word="go" if until is None else "held")
    yield Fact("held_until", at=until)
    budget, row = next(iter(one.budgets), Budget()), one.row
    if one.kind != "entra" and row.rate and row.burst:  # Entra has several, of which none says how much is used
        cost = Limit(row.rate, row.burst).cost
        used = min(row.burst, -(-max((budget.full_at or now) - now, timedelta()) // cost))
        yield Fact("budget", text=f"{used} / {row.burst}")


def _lists(one: Connection, now: datetime) -> Iterable[Fact]:
    for watch in one.watches:
        if watch.polls:
            yield Fact("last_poll", at=watch.done_at)
            if watch.checkpoint is not None:
                yield Fact("behind", text=span(now - watch.checkpoint))
        elif watch.done_at is not None:
            yield Fact("whole_list", at=watch.done_at)


def _partner(one: Connection, now: datetime) -> Iterable[Fact]:
    """Of our place as compliance partner: whether Microsoft hears from us, and who held each platform when that was last asked."""
    if one.beat is not None:
        yield Fact("heartbeat", at=one.beat.good_at)
        if one.beat.good_at is not None:
            yield Fact("heartbeat_age", text=span(now - one.beat.good_at))
    for slot in one.slots:
        if slot.platform in SLOT_PLATFORMS:
            yield Fact(f"slot_{slot.platform}", word=f"slot_{slot.why if slot.why in SLOTS else 'whose'}")
            if slot.holder and slot.why != "ours":
                yield Fact(f"holder_{slot.platform}", text=f"{shown(slot.holder)} · {shown(slot.state)}")


def _events(one: Connection) -> Iterable[Fact]:
    row: Remembered = one.row
    if one.kind == "mdm":
        yield Fact("event", at=row.event_at)
        yield Fact("forged", text=str(row.forged) if row.forged else None)
        yield Fact("forged_last", at=row.forged_at)


def _links(one: Connection) -> Fact:
    return Fact("links", text=str(one.dependents.links))


def span(time: timedelta) -> str:
    """The signs of these units are the same in each of our languages."""
    minutes = max(int(time.total_seconds()) // 60, 0)
    parts = [f"{n} {unit}" for n, unit in ((minutes // 60, "h"), (minutes % 60, "min")) if n]
    return " ".join(parts) or "< 1 min"
