"""Once a night, what nobody needs any more goes, by class: sessions and sign-ins that ended; journeys past their age with their
messages, the cases of those who could not sign in, counts of what a policy would do with the people behind them, alarms that were
told; links that ended, with what was told of them, what was
seen, and devices and people whom nothing needs any more; the serial numbers of devices that were released; and the oldest rows of
the audit, behind a signed checkpoint, and as old counts of what remotes refused.

In the same hour, what an older version wrote is made findable (`mend_terms`).
Living links stay, and so does an ended one until Microsoft has taken its end. Old wake-ups of the engine go by
`worker/engine.py: forget`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from ..ports import Actor, AuditLog, PrunedRows, Store

EVERY = timedelta(hours=20)  # asked for each hour, it begins at about the same time each night
PRUNED = "rows.pruned"


@dataclass(frozen=True)
class Keep:
    """How long after its end each class stays."""

    journeys: timedelta
    links: timedelta
    audit: timedelta


def prune(
    store: Store, rows: PrunedRows, log: AuditLog, now: datetime, *, keep: Keep, audit_key: Callable[[], str], actor: Actor
) -> dict[str, int] | None:
    """What went, by table; None where another worker, or this one, did it within the last hours. Twice at once does no harm."""
    last = rows.last_done(PRUNED)
    if last is not None and now - last < EVERY:
        return None
    gone = {
        "sessions": rows.ended_sessions(now),
        **rows.older_than(now - keep.journeys),
        **rows.links_ended(now - keep.links),
        "throttlings": rows.throttlings(now - keep.audit),  # figures count both
        "serials": rows.released(),
        "audit": log.cut(now - keep.audit, audit_key(), actor, now),
    }
    found_again = rows.mend_terms()
    with store.change(actor, PRUNED, about=("tenant", store.tenant_id), at=now) as change:
        kept = {"keep_days": keep.journeys.days, "keep_links_days": keep.links.days, "keep_audit_days": keep.audit.days}
        change.audit(**kept, found_again=found_again, **{f"gone_{name}": count for name, count in gone.items()})
    return gone
