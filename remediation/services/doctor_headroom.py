"""What the doctor says of the calls that are left: by our own buckets, and by what the remotes told the worker of late.

Nothing is asked: the rows are read that every call passes. How much other apps of the tenant use, no interface tells. Next door:
`domain/budget` (the buckets), `connections` (the same rows as staff see them).
"""

from collections.abc import Iterator, Sequence
from datetime import timedelta

from ..domain.budget import BUSY, GRAPH_LARGEST, GRAPH_SMALLEST, GRAPH_WINDOW, QUOTA, Budget, Limit, Limits, tokens
from ..domain.finding import Finding, State
from ..domain.health import LATELY, Cause, Connection
from ..domain.push import Lane
from .doctor import Doctor


def headroom(doctor: Doctor, _: Sequence[Finding]) -> Iterator[Finding]:
    """Of each remote that was ever asked."""
    for one in doctor.connections.connections(doctor.world.clock()):
        if one.rows:
            yield _left(doctor, one)
    yield from _published(doctor)


def _left(doctor: Doctor, one: Connection) -> Finding:
    now, check = doctor.world.clock(), "headroom"
    waits = [
        held.closed_until for held in one.budgets if held.closed_at(now) and (held.reason or "").split()[:1] in ([BUSY], [QUOTA])
    ]
    until = max((at for at in waits if at is not None), default=None)
    if until is not None:
        return Finding(check, State.BAD, "told_to_wait", one.name, {"until": f"{until:%H:%M:%S} UTC"})
    slowed = [row.failed_at for row in one.rows if row.failed_at is not None and row.why is Cause.THROTTLED]
    last = max(slowed, default=None)
    if last is not None and last > now - LATELY:
        return Finding(check, State.BAD, "slowed_down", one.name, {"at": f"{last:%H:%M:%S} UTC"})
    limit = _limit(one)
    if limit is None:
        return Finding(check, State.GOOD, "not_slowed_down", one.name)
    free = tokens(next(iter(one.budgets), Budget()), Limits(limit), now, Lane.SWEEP)
    detail = {"free": str(free), "burst": str(limit.open_to(Lane.SWEEP)), "rate": f"{limit.rate:g}"}
    if free < 1:
        return Finding(check, State.UNKNOWN, "used_up", one.name, detail)
    return Finding(check, State.GOOD, "room", one.name, detail)


def _limit(one: Connection) -> Limit | None:
    """Our own, as the worker has it. Entra has several buckets, of which none says how much is used."""
    row = one.row
    if one.kind == "entra" or not row.rate or not row.burst:
        return None
    return Limit(row.rate, row.burst, max(1, row.burst // 5))


def _published(doctor: Doctor) -> Iterator[Finding]:
    """Only Graph's is public. A call costs one unit or more, so a limit of ours above it would have Graph refuse us."""
    directory = next((one for one in doctor.connections.connections(doctor.world.clock()) if one.kind == "directory"), None)
    limit = _limit(directory) if directory is not None else None
    if limit is None:
        return
    most = limit.burst + limit.rate * GRAPH_WINDOW / timedelta(seconds=1)
    detail = {"most": f"{most:.0f}", "smallest": str(GRAPH_SMALLEST), "largest": str(GRAPH_LARGEST)}
    if most > GRAPH_LARGEST:
        yield Finding("headroom", State.BAD, "above_published", "Graph", detail)
    elif most > GRAPH_SMALLEST:
        yield Finding("headroom", State.UNKNOWN, "above_smallest", "Graph", detail)
    else:
        yield Finding("headroom", State.GOOD, "below_published", "Graph", detail)
