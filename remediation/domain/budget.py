"""How many calls one remote gets from all our processes together, and when it gets none.

A bucket of tokens kept as one moment (GCRA: when the bucket is full again), so that a row and a compare are all it takes. Beside it
what the remote itself said: closed until a moment, failures in a row, one probe at a time. Next door: `store/budgets.py` keeps the
rows, `adapters/gate.py` asks before each call.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import ceil

from .push import Lane

FIRST_PAUSE = 5.0  # seconds; Microsoft's floor where no Retry-After came
LONGEST_PAUSE = 60.0  # of our own making: a remote that is back is noticed within a minute and a half, and asked once a minute
LONGEST_CLOSED = 3600.0  # a remote that asks for six hours is asked again after one
SHORTEST_CLOSED = 1.0  # `Retry-After: 0` beside a 429 asks for a storm
OPENS_AT = 5  # failures in a row; fewer are the network's noise
PROBE_LASTS = timedelta(seconds=90)  # longer than any call may take; a probe that nobody answers for is then given up
ASK_AGAIN = 2.0  # seconds, while another's probe is under way
SKEW = timedelta(hours=1)  # a moment further off than a clock this wrong could put it is not believed

MDM_CALLS, DIRECTORY_CALLS = 2, 3  # of one pass over one link, at most
A_WHOLE_LOOK = 10  # calls of one look at a journey to one remote: the person, what they may, their devices, each by itself
MOST_ROWS = 100  # woken at a time
AHEAD = 0.5  # seconds; a row that is woken now is written a little later, when so much more has come in
DEBT = 2  # buckets

# graph-docs concepts/throttling-limits.md, identity and access: units in ten seconds for one app in one tenant, by its size
GRAPH_WINDOW, GRAPH_SMALLEST, GRAPH_LARGEST = timedelta(seconds=10), 3500, 8000

BUSY, UNREACHABLE, REFUSED, QUOTA, NO_TOKEN = "busy", "unreachable", "refused", "quota", "no_token"


@dataclass(frozen=True)
class Limit:
    """`burst` at once, then `rate` a second. The last `reserve` of the burst are for revocations alone."""

    rate: float
    burst: int
    reserve: int = 0

    @classmethod
    def of(cls, calls: int, seconds: float, *, at_once: int = 1) -> "Limit":
        """Never more than `calls` in any `seconds`: burst + rate * seconds is just that. A small burst, since what is gained by
        a large one at the start is lost in every second after it; but `at_once` calls, as many as one pass makes, must fit in what
        is not reserved: a pass begins at the top each time, and would else never come to its end."""
        whole = at_once + at_once // 4 + 1
        burst = max(2, calls // 20, min(whole, calls - 1))
        return cls((calls - burst) / seconds, burst, max(1, burst // 5))

    @property
    def cost(self) -> timedelta:
        """What one call moves the bucket by; rounded up, so that rounding never mints a token."""
        return timedelta(microseconds=ceil(1_000_000 / self.rate))

    def open_to(self, lane: Lane) -> int:
        return self.burst if lane is Lane.REVOKE else self.burst - self.reserve


@dataclass(frozen=True)
class Limits:
    """Of one remote: all calls, and those that write where the remote counts them apart."""

    calls: Limit
    writes: Limit | None = None


@dataclass(frozen=True)
class Budget:
    """The row. `full_at` and `writes_full_at` say when each bucket is full again, None where it is; `woken_full_at` the same of the
    bucket that follows the writes: rows that were woken, and are about to write, have drawn on it.

    `closed_until` may have passed: with `failures` the next caller then goes alone, as the probe, until `probe_until` at most.
    `reason` is why it closed: `busy`, `unreachable`, `quota`, or `refused` with the remote's code behind a blank.
    """

    full_at: datetime | None = None
    writes_full_at: datetime | None = None
    closed_until: datetime | None = None
    failures: int = 0
    probe_until: datetime | None = None
    reason: str | None = None
    woken_full_at: datetime | None = None

    @property
    def broken(self) -> bool:
        """The circuit is open, or half open: only a probe may tell how the remote is."""
        return self.failures > 0 and self.closed_until is not None

    def closed_at(self, now: datetime) -> bool:
        return self.closed_until is not None and now < self.closed_until


@dataclass(frozen=True)
class Admitted:
    """`budget` is to be stored. `probe` names the probe that this call is; `failing` says that a good answer would be news."""

    budget: Budget
    probe: datetime | None = None
    failing: bool = False


@dataclass(frozen=True)
class Refused:
    """No call may be made. `wait` is in seconds; `why` is NO_TOKEN (our own limit), or the reason for which the remote is closed,
    with its `code`. `budget` is to be stored where it differs."""

    budget: Budget
    wait: float
    why: str
    code: str | None = None


@dataclass(frozen=True)
class Outcome:
    """How a call ended. `trouble` is BUSY, UNREACHABLE or REFUSED, None for every answer of a remote that works, a 404 too.
    `closes_for`: seconds for which the remote wants no call, whatever it answered."""

    trouble: str | None = None
    closes_for: float | None = None
    code: str | None = None


@dataclass(frozen=True)
class Woken:
    """How many rows were woken, and how many of them may be about to write for the first time."""

    rows: int = 0
    to_write: int = 0


@dataclass(frozen=True)
class Room:
    """How many rows may be woken now, so that few wake-ups are only refused: revocations to send, rows whose message is out already
    (they only read), all others."""

    revocations: int = 100
    on_their_way: int = 100
    others: int = 100


def enter(budget: Budget, limits: Limits, now: datetime, lane: Lane, *, writes: bool = False) -> Admitted | Refused:
    """May a call be made now? One token of each bucket that it counts in, or none of any."""
    budget = _believable(budget, limits, now)
    if budget.closed_at(now):
        return _closed(budget, budget.closed_until or now, now)
    if budget.broken and budget.probe_until is not None and now < budget.probe_until:
        return _closed(budget, min(budget.probe_until, now + timedelta(seconds=ASK_AGAIN)), now)
    full_at, wait = _take(budget.full_at, limits.calls, now, lane)
    writes_full_at = budget.writes_full_at
    if writes and limits.writes is not None:
        writes_full_at, more = _take(budget.writes_full_at, limits.writes, now, lane)
        wait = max(wait, more)
    if wait > timedelta(0):
        comes_again = writes and lane is not Lane.REVOKE
        return Refused(_unwoken(budget, limits, now) if comes_again else budget, wait.total_seconds(), NO_TOKEN)
    taken = replace(budget, full_at=full_at, writes_full_at=writes_full_at)
    if budget.broken:
        probe = now + PROBE_LASTS
        return Admitted(replace(taken, probe_until=probe), probe, failing=True)
    return Admitted(replace(taken, closed_until=None, probe_until=None, reason=None), failing=budget.failures > 0)


def after(budget: Budget, outcome: Outcome, now: datetime, jitter: float, *, probe: datetime | None = None) -> Budget:
    """The row once a call has ended; the same row where that is no news. `jitter` is from 0 to 1.

    While the circuit is open only its probe is believed: what else comes in began before, and says nothing new.
    """
    is_probe = probe is not None and probe == budget.probe_until
    if is_probe:
        budget = replace(budget, probe_until=None)
    if outcome.closes_for is not None:
        seconds = min(max(outcome.closes_for, SHORTEST_CLOSED), LONGEST_CLOSED)
        reason = f"{outcome.trouble or QUOTA} {outcome.code or ''}".strip()
        if outcome.trouble == REFUSED:  # asked again by one call alone
            budget = replace(budget, failures=max(1, budget.failures))
        recovered = is_probe and outcome.trouble is None
        return _close(replace(budget, failures=0) if recovered else budget, now + timedelta(seconds=seconds), reason)
    if budget.broken and not is_probe:
        return budget
    if outcome.trouble is None:
        whole = replace(budget, failures=0)
        return whole if budget.closed_at(now) else replace(whole, closed_until=None, reason=None)
    if budget.closed_at(now):
        return budget  # asked to wait already: the other answers of one storm are not further failures
    failures = budget.failures + 1
    budget = replace(budget, failures=failures)
    pauses = failures if outcome.trouble == BUSY else failures - OPENS_AT + 1
    if pauses < 1:
        return budget
    seconds = min(FIRST_PAUSE * 2 ** min(pauses - 1, 10), LONGEST_PAUSE) * (1 + jitter / 2)
    return _close(budget, now + timedelta(seconds=seconds), outcome.trouble)


def woken(budget: Budget, limits: Limits, now: datetime, rows: int) -> Budget:
    """So many rows are on their way to a write. Where they turn out to have nothing to write, no more than as much again as the
    bucket holds is owed for it."""
    bucket = limits.writes or limits.calls
    owed = now + DEBT * bucket.open_to(Lane.SWEEP) * bucket.cost
    return replace(budget, woken_full_at=min(max(budget.woken_full_at or now, now) + rows * bucket.cost, owed))


def _unwoken(budget: Budget, limits: Limits, now: datetime) -> Budget:
    """A row that found no token comes again, and is woken again. But tokens that a full bucket could not hold are lost, and rows
    woken for them would be refused for ever: so many are forgotten."""
    if budget.woken_full_at is None:
        return budget
    bucket, full_at = (limits.writes, budget.writes_full_at) if limits.writes else (limits.calls, budget.full_at)
    in_step = (full_at or now) - timedelta(seconds=AHEAD)
    return replace(budget, woken_full_at=max(budget.woken_full_at - bucket.cost, in_step))


def to_wake(budget: Budget, limits: Limits, now: datetime) -> int:
    """How many rows may be woken that are about to write. A row woken now writes a little later: by the tokens alone, each pulse of
    each worker would wake others for what those are about to take, and all but one would have read both sides in vain. So wake-ups
    come as fast as writes are let, from a bucket of their own. Where the writes' own stands full, those that were woken write
    nothing: they are looked at for another reason, and nobody has to wait."""
    bucket = limits.writes or limits.calls
    whole, left = bucket.open_to(Lane.SWEEP), tokens(budget, limits, now, Lane.SWEEP, writes=True)
    return whole if left >= whole else _left(budget.woken_full_at, bucket, now, Lane.SWEEP)


def tokens(budget: Budget, limits: Limits, now: datetime, lane: Lane, *, writes: bool = False) -> int:
    """How many calls this lane could make now; one where a probe is wanted."""
    probing = budget.broken and budget.probe_until is not None and now < budget.probe_until
    if budget.closed_at(now) or probing:
        return 0
    left = _left(budget.full_at, limits.calls, now, lane)
    if writes and limits.writes is not None:
        left = min(left, _left(budget.writes_full_at, limits.writes, now, lane))
    return min(left, 1) if budget.broken else left


def _left(full_at: datetime | None, limit: Limit, now: datetime, lane: Lane) -> int:
    return max((now + limit.open_to(lane) * limit.cost - max(full_at or now, now)) // limit.cost, 0)


def room(budgets: Mapping[str, Budget], limits: Callable[[str], Limits], now: datetime) -> Room:
    """By what the remotes leave open. Of several MDMs the best one counts: rows of the others are parked by their own answer. Where
    a remote is shut, one row of each kind still goes: the other side may have news, and a lease ends without either."""

    def left(name: str, lane: Lane, *, writes: bool = False) -> int:
        return tokens(budgets.get(name, Budget()), limits(name), now, lane, writes=writes)

    def reads(lane: Lane) -> int:
        managers = [left(name, lane) // MDM_CALLS for name in budgets if name.startswith("mdm:")]
        return max(1, min(left("directory", lane) // DIRECTORY_CALLS, max(managers, default=MOST_ROWS), MOST_ROWS))

    channel, limit = budgets.get("channel", Budget()), limits("channel")
    if channel.broken or channel.closed_at(now):
        return Room(max(1, left("channel", Lane.REVOKE, writes=True)), reads(Lane.SWEEP), 1)
    soon = int((limit.writes or limit.calls).rate * AHEAD)
    revocations = max(1, left("channel", Lane.REVOKE, writes=True) + soon)
    return Room(min(reads(Lane.REVOKE), revocations), reads(Lane.SWEEP), min(reads(Lane.SWEEP), to_wake(channel, limit, now)))


def _take(full_at: datetime | None, limit: Limit, now: datetime, lane: Lane) -> tuple[datetime, timedelta]:
    """The bucket with one token less, and how long until it has one for this lane; not positive: now."""
    less = max(full_at or now, now) + limit.cost
    return less, less - now - limit.open_to(lane) * limit.cost


def _close(budget: Budget, until: datetime, reason: str) -> Budget:
    if budget.closed_until is not None and budget.closed_until >= until:
        return budget
    return replace(budget, closed_until=until, reason=reason)


def _closed(budget: Budget, until: datetime, now: datetime) -> Refused:
    why, _, code = (budget.reason or BUSY).partition(" ")
    return Refused(budget, (until - now).total_seconds(), why, code or None)


def _believable(budget: Budget, limits: Limits, now: datetime) -> Budget:
    """A host whose clock stood in another year must not have shut everybody out until then: such a bucket begins anew, empty."""

    def bucket(full_at: datetime | None, limit: Limit | None) -> datetime | None:
        empty = now + limit.burst * limit.cost if limit else now
        return empty if full_at is not None and full_at > empty + SKEW else full_at

    def soon(until: datetime | None) -> datetime | None:
        return until if until is None or until <= now + timedelta(seconds=LONGEST_CLOSED) + SKEW else now

    return replace(
        budget,
        full_at=bucket(budget.full_at, limits.calls),
        writes_full_at=bucket(budget.writes_full_at, limits.writes),
        woken_full_at=bucket(budget.woken_full_at, limits.writes),
        closed_until=soon(budget.closed_until),
        probe_until=soon(budget.probe_until),
    )
