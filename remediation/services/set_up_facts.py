"""What the rows of scope, partner, arrival and pilot devices say of the steps of the set-up, by the name of each look.

Derived whenever somebody looks; no remote is called. Next door: `domain/onboarding_scope.py` (the steps themselves).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from ..domain.arrival import BUTTON
from ..domain.onboarding import Facts, Looked
from ..domain.pilot import PilotState
from ..domain.wishes import Kind, Wish
from ..ports import Store
from .scope import standing

GROUPS = "REMEDIATION_GROUPS"
SCOPE, PARTNER, ARRIVAL, EXCLUDED, PILOT = "scope", "partner", "arrival", "excluded", "pilot"
ERRORS = frozenset({"refused", "unreachable", "busy", "garbled", "not_found", "no_consent", "not_set_up"})
SAID = {Kind.PARTNER: Kind.PARTNER_SAID, Kind.POLICY: Kind.POLICY_SAID}


def with_rows(found: Facts, store: Store, now: datetime) -> Facts:
    """What the frame knows, and what these rows say besides."""
    return replace(found, looked={**found.looked, **looked(store, by_setting(found), now)})


def by_setting(found: Facts) -> tuple[str, ...]:
    """The groups that the environment names, of whichever process."""
    return tuple(group for group in found.values.get(GROUPS, "").split(",") if group)


def looked(store: Store, by_setting: Sequence[str], now: datetime) -> Mapping[str, Looked]:
    found = (_scope(store, by_setting, now), _of_wish(store, PARTNER, Kind.PARTNER, "slot", now), _arrival(store, now))
    more = (_of_wish(store, EXCLUDED, Kind.POLICY, "policy", now), _pilot(store))
    return {one.name: one for one in (*found, *more)}


def _scope(store: Store, by_setting: Sequence[str], now: datetime) -> Looked:
    stands = standing(store, by_setting)
    at = now if stands.by_setting else stands.chosen_at
    return Looked(SCOPE, looked_at=at, good_at=at)


def _of_wish(store: Store, name: str, kind: Kind, cause: str, now: datetime) -> Looked:
    """The newest answer, or what somebody said who looked for themselves where it cannot be read."""
    wish, said = store.last_wish(kind), store.last_wish(SAID[kind])
    if wish is not None and wish.done_at is None:
        return Looked(name, wanted_at=wish.asked_at)
    if wish is None or wish.done_at is None:
        at = said.asked_at if said is not None else None
        return Looked(name, looked_at=at, good_at=at)
    if said is not None and said.asked_at >= wish.done_at and _unreadable(wish):
        return Looked(name, looked_at=said.asked_at, good_at=said.asked_at)
    why = of_error(wish.failed) if wish.failed is not None else next(_wrong(wish.answer, cause), None)
    if why is None:
        return Looked(name, looked_at=wish.done_at, good_at=wish.done_at)
    return Looked(name, looked_at=wish.done_at, failed_at=wish.done_at, cause=why, detail={"code": wish.code or ""})


def of_error(failed: str) -> str:
    """What `<remote>_<why>` of a wish is called among the causes."""
    why = failed.partition("_")[2]
    return f"asked_{why}" if why in ERRORS else "asked_refused"


def _unreadable(wish: Wish) -> bool:
    return wish.failed is not None or any(one["why"] in ("not_readable", "whose") for one in wish.answer.get("findings", []))


def _wrong(answer: Mapping[str, Any], cause: str) -> Iterator[str]:
    for one in answer.get("findings", []):
        if one["state"] != "good":
            yield of_error(f"asked_{one['why']}") if one["why"] in ERRORS else f"{cause}_{one['why']}"
    if answer.get("differs"):
        yield f"{cause}_differs"


def _arrival(store: Store, now: datetime) -> Looked:
    """One way by which people were seen to arrive is enough; that Microsoft's button is none of ours is no fault."""
    tests = store.arrival_tests()
    here = max((one.seen_at for one in tests if one.seen_at is not None and one.state(now) == "here"), default=None)
    if here is not None:
        return Looked(ARRIVAL, looked_at=here, good_at=here)
    if any(one.state(now) == "open" for one in tests):
        return Looked(ARRIVAL, wanted_at=max(one.opened_at for one in tests))
    if not tests:
        return Looked(ARRIVAL)
    last = max(tests, key=lambda one: one.opened_at)
    cause = "arrival_button" if last.tested == BUTTON else "arrival_nobody"
    return Looked(ARRIVAL, looked_at=last.opened_at, failed_at=last.opened_at, cause=cause)


def _pilot(store: Store) -> Looked:
    known, said = store.pilots(), store.last_wish(Kind.PILOT_SAID)
    proven = max((one.ended_at for one in known if one.state is PilotState.PROVEN and one.ended_at is not None), default=None)
    if proven is not None:
        return Looked(PILOT, looked_at=proven, good_at=proven)
    running = next((one for one in known if one.state is PilotState.RUNNING), None)
    if running is not None:
        return Looked(PILOT, wanted_at=running.started_at)
    failed = next((one for one in known if one.state is PilotState.FAILED and one.ended_at is not None), None)
    if said is not None and (failed is None or failed.ended_at is None or failed.ended_at <= said.asked_at):
        return Looked(PILOT, looked_at=said.asked_at, good_at=said.asked_at)
    if failed is None:
        return Looked(PILOT)
    return Looked(PILOT, looked_at=failed.ended_at, failed_at=failed.ended_at, cause=f"pilot_{failed.why}")
