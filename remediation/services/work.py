"""What needs people, oldest promise first, and who has taken it. One truth with `services/stuck.py`, which has the reasons.

The list is put together of its sources, each read in its order from one position on; so a page costs the same wherever it is, and
however many links there are. Next door: `domain/work.py` (what is promised), `store/work.py` (the reads).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ..domain.device import Platform
from ..domain.work import TAKEN_FOR, Kind, Position, Source, Wait, usual_wait
from ..errors import WhoActs
from ..ports import Actor, Claim, Store, WorkRow, WorkRows
from .look_up import Through, by_program, take_look
from .stuck import NEEDS_PEOPLE, Reason, explain

PAGE = 25
SCANNED = 100  # rows of each source that one turn reads
TURNS = 5  # of those, for one page: a filter that few rows meet gives a short page and a way on, not a slow one


@dataclass(frozen=True)
class Filter:
    """`mine` shows what this member of staff has taken, `free` what nobody has."""

    kind: Kind | None = None
    who: WhoActs | None = None
    platform: Platform | None = None
    mine: str | None = None
    free: bool = False

    def lets(self, item: "Item") -> bool:
        return (
            (self.kind is None or item.kind is self.kind)
            and (self.who is None or item.reason.who is self.who)
            and (self.platform is None or item.row.platform is self.platform)
            and (self.mine is None or (item.claim is not None and item.claim.oid == self.mine))
            and (not self.free or item.claim is None)
        )


@dataclass(frozen=True)
class Item:
    row: WorkRow
    kind: Kind
    reason: Reason
    claim: Claim | None = None


@dataclass(frozen=True)
class Listed:
    """`more` is where the next page begins, None on the last one."""

    items: Sequence[Item]
    more: Position | None
    wait: Wait


@dataclass
class _Merged:
    rows: list[WorkRow] = field(default_factory=list)
    through: Position | None = None
    """Everything up to here was read; None where that is all there is."""


def listed(rows: WorkRows, now: datetime, *, chosen: Filter, after: Position | None = None, size: int = PAGE) -> Listed:
    wait = usual_wait(rows.waits(now))
    found: list[Item] = []
    for _ in range(TURNS):
        merged = _merged(rows, after, now, wait)
        claims = rows.claims({row.id for row in merged.rows}, now) if merged.rows else {}
        for row in merged.rows:
            item = _item(row, claims)
            if chosen.lets(item):
                if len(found) == size:
                    return Listed(found, found[-1].row.position, wait)
                found.append(item)
        if merged.through is None:
            return Listed(found, None, wait)
        after = merged.through
        if len(found) == size:
            break
    return Listed(found, after, wait)


def _merged(rows: WorkRows, after: Position | None, now: datetime, wait: Wait) -> _Merged:
    asked: dict[str, Any] = {"usual": wait.usual, "needs_people": NEEDS_PEOPLE, "limit": SCANNED}
    read = {source: rows.rows(source, after, now, **asked) for source in Source}
    full = [some[-1].position for some in read.values() if len(some) == SCANNED]
    through = min(full) if full else None
    every = sorted((row for some in read.values() for row in some), key=lambda row: row.position)
    return _Merged([row for row in every if through is None or row.position <= through], through)


def _item(row: WorkRow, claims: Mapping[str, Claim]) -> Item:
    reason = explain(row.reason)
    return Item(row, _kind(row, reason), reason, claims.get(row.id))


def _kind(row: WorkRow, reason: Reason) -> Kind:
    match row.position.source:
        case Source.PENDING:
            return Kind.PENDING
        case Source.MISMATCH:
            return Kind.MISMATCHED
        case Source.ACCESS:
            return Kind.ACCESS
        case Source.ENDING:
            return Kind.ENDING
        case Source.LINK:
            return Kind.AGEING if reason.who is WhoActs.TIME else Kind.STUCK
        case Source.JOURNEY:
            if row.reason == "loop":
                return Kind.LOOPING
            ours = reason.who is WhoActs.TIME or reason.key == "our_fault" or reason.key.startswith("remote_")
            return Kind.STUCK if ours else Kind.HELP


def see(
    rows: WorkRows,
    store: Store,
    now: datetime,
    *,
    oid: str,
    chosen: Filter,
    after: Position | None,
    size: int = PAGE,
    through: Through | None = None,
) -> Listed:
    """For a member of staff who is shown names: it takes one of their turns, and whose names they saw is audited."""
    take_look(store, oid, now, through)
    found = listed(rows, now, chosen=chosen, after=after, size=size)
    with store.change(Actor("helpdesk", oid), "look_up.work_listed", about=("helpdesk", oid), at=now) as change:
        change.audit(found=sorted({item.row.oid for item in found.items}), **by_program(through))
    return found


def take(rows: WorkRows, store: Store, row_id: str, *, oid: str, name: str, now: datetime) -> bool:
    """*I take this.* Conflict where somebody else has; False for a row that is not there any more."""
    whose = rows.whose(row_id)
    if whose is None:
        return False
    with store.change(Actor("helpdesk", oid), "work.taken", about=("person", whose), at=now) as change:
        change.take_work(row_id, oid=oid, name=name, until=now + TAKEN_FOR)
    return True


def release(rows: WorkRows, store: Store, row_id: str, *, oid: str, now: datetime) -> bool:
    whose = rows.whose(row_id)
    if whose is None:
        return False
    with store.change(Actor("helpdesk", oid), "work.released", about=("person", whose), at=now) as change:
        change.release_work(row_id, oid=oid)
    return True
