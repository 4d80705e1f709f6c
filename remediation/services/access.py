"""Temporary access: asked for by a person, approved by two of the staff, given and taken back by the worker.

Nothing here touches a device, a link or a verdict. Next door: `domain/access.py` (who may, and what counts as given),
`carry_access.py` (the worker's part).
"""

from datetime import datetime, timedelta
from uuid import uuid4

from ..domain.access import MOST_HOURS, MOST_WORDS, AccessRequest
from ..domain.incident import plain
from ..domain.journey import Journey
from ..domain.turns import ACCESS, SEARCHES
from ..ports import AccessRows, Actor, Store
from .ask import take_turn


def ask(store: Store, journey: Journey, message: str, *, oid: str, now: datetime) -> None:
    """Conflict where one of theirs is open. What they wrote stands in the row alone, never in the audit."""
    if journey.person.oid != oid:
        raise KeyError(journey.id)
    take_turn(store, f"access:{oid}", ACCESS, now)
    with store.change(Actor("person", oid), "access.asked", about=("person", oid), at=now) as change:
        change.audit(journey=journey.id)
        change.ask_for_access(str(uuid4()), oid=oid, case_code=journey.case_code, platform=journey.platform, message=words(message))


def see(rows: AccessRows, store: Store, request_id: str, *, by: str, now: datetime) -> AccessRequest | None:
    """For the staff: it takes one of their turns, and whose words they read is audited."""
    take_turn(store, f"look_up:{by}", SEARCHES, now)
    found = rows.one(request_id)
    if found is not None:
        with store.change(Actor("helpdesk", by), "look_up.access_viewed", about=("person", found.oid), at=now):
            pass
    return found


def approve_first(
    store: Store, request: AccessRequest, version: int, *, by: str, hours: int, answer: str, note: str, now: datetime
) -> None:
    """The first of two: for how long, what the person reads, what only the staff read."""
    if not 1 <= hours <= MOST_HOURS:
        raise ValueError("temporary access is for 1 to 24 hours")
    with store.change(Actor("helpdesk", by), "access.first_approved", about=("person", request.oid), at=now) as change:
        change.audit(hours=hours)
        change.approve_first(request.id, version, by=by, hours=hours, answer=words(answer), note=words(note))


def approve_second(store: Store, request: AccessRequest, version: int, *, by: str, carry: bool, now: datetime) -> None:
    """The second, who is never the first nor the person: from now on it has an end, which never moves."""
    if request.hours is None or not 1 <= request.hours <= MOST_HOURS:
        raise ValueError("temporary access without its hours")
    until = now + timedelta(hours=request.hours)
    with store.change(Actor("helpdesk", by), "access.approved", about=("person", request.oid), at=now) as change:
        change.audit(until=f"{until:%Y-%m-%dT%H:%M:%SZ}")
        change.approve_second(request.id, version, by=by, until=until, carry=carry)


def deny(store: Store, request: AccessRequest, version: int, *, by: str, answer: str, note: str, now: datetime) -> None:
    with store.change(Actor("helpdesk", by), "access.denied", about=("person", request.oid), at=now) as change:
        change.deny_access(request.id, version, by=by, answer=words(answer), note=words(note))


def end(store: Store, request: AccessRequest, version: int, *, by: str, carry: bool, now: datetime) -> None:
    with store.change(Actor("helpdesk", by), "access.end_wanted", about=("person", request.oid), at=now) as change:
        change.want_access_ended(request.id, version, by=by, carry=carry)


def words(text: str) -> str:
    return plain(text[: 4 * MOST_WORDS])[:MOST_WORDS]
