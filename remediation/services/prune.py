"""Once a night, what nobody needs any more goes: sessions and sign-ins that ended, journeys past their age with their messages, the
cases of those who could not sign in, alarms that were told.

Links and pushes stay: the times that were told of a device must go on growing (invariant I11), and who looks back needs them. The
audit stays because it is one. Old wake-ups of the engine go by `worker/engine.py: forget`.
"""

from datetime import datetime, timedelta

from ..ports import Actor, PrunedRows, Store

EVERY = timedelta(hours=20)  # asked for each hour, it begins at about the same time each night
PRUNED = "rows.pruned"


def prune(store: Store, rows: PrunedRows, now: datetime, *, keep: timedelta, actor: Actor) -> dict[str, int] | None:
    """What went, by table; None where another worker, or this one, did it within the last hours. Twice at once does no harm."""
    last = rows.last_done(PRUNED)
    if last is not None and now - last < EVERY:
        return None
    gone = {"sessions": rows.ended_sessions(now), **rows.older_than(now - keep)}
    with store.change(actor, PRUNED, about=("tenant", store.tenant_id), at=now) as change:
        change.audit(keep_days=keep.days, **{f"gone_{name}": count for name, count in gone.items()})
    return gone
