"""How each remote is: what came of the calls to it, as one row keeps it, and what that means together with the lists. Pure.

A row is written as the worker works; nobody calls a remote to know how it is. Next door: `store/remotes` (the rows), `budget`
(whether a call may leave), `outage` (what is told of a source that gives no good answers).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from .budget import Budget
from .outage import MDM
from .partner import HEARTBEAT, KnownSlot
from .watch import LISTS_NOTHING, Watch

OVERDUE = timedelta(minutes=2)  # a pulse wakes what is due twice a second
LATELY = timedelta(hours=1)  # what is refused is tried again within the hour by whoever needs it
NOISE = 1  # failures in a row that are the network's, and say nothing


class Cause(StrEnum):
    """Why a remote gives no good answer, as far as its answer shows; each has one sentence on who can act and what to do."""

    CREDENTIALS = "credentials"
    EXPIRED = "expired"
    LOCKED = "locked"
    REVOKED = "revoked"
    GROUP = "group"
    PERMISSION = "permission"
    REFUSED = "refused"
    PAGE = "page"
    HALF = "half"
    LARGE = "large"
    ODD = "odd"
    MISSING = "missing"
    THROTTLED = "throttled"
    AWAY = "away"
    NAME = "name"
    TLS = "tls"
    TIMEOUT = "timeout"
    CONNECTION = "connection"
    ADDRESS = "address"
    # what no call to it shows
    NOTHING = "nothing"
    SIGN_IN = "sign_in"
    SLOT = "slot"
    OUR_FAULT = "our_fault"
    NO_WORKER = "no_worker"


OURS_TO_MEND = {Cause.CREDENTIALS, Cause.EXPIRED, Cause.LOCKED, Cause.GROUP, Cause.ADDRESS}
PARTLY = {Cause.PERMISSION, Cause.GROUP}
_BY_ERROR = {
    "not_found": Cause.MISSING,
    "refused": Cause.REFUSED,
    "busy": Cause.THROTTLED,
    "unreachable": Cause.AWAY,
    "garbled": Cause.ODD,
    "fault": Cause.OUR_FAULT,
}


@dataclass(frozen=True)
class Heard:
    """What came of one call. `error` is the code of one of the five, None for an answer, *there is no such thing* included. `code`
    is the vendor's own, `words` what is left of its words once nothing can name anybody."""

    error: str | None = None
    cause: Cause | None = None
    status: int | None = None
    code: str | None = None
    words: str = ""

    @property
    def of_one_thing(self) -> bool:
        """A refusal that may be about what was asked for alone: the remote is there and took our credential."""
        return self.cause is Cause.REFUSED


@dataclass(frozen=True)
class Remembered:
    """The row. `failing_since` and `failures` are of the failures in a row since the last good answer; the failure's own columns
    stay when it is over. `burst` and `rate` are the budget's, as the worker's settings have it. The last three are of the events
    that an MDM sends: the last one taken, those without its password, the last of these."""

    remote: str
    good_at: datetime | None = None
    failed_at: datetime | None = None
    failing_since: datetime | None = None
    failures: int = 0
    error: str | None = None
    cause: str | None = None
    status: int | None = None
    code: str | None = None
    words: str = ""
    rate: float | None = None
    burst: int | None = None
    event_at: datetime | None = None
    forged: int = 0
    forged_at: datetime | None = None

    @property
    def why(self) -> Cause:
        """A word of another version is shown by its error."""
        known = {cause.value: cause for cause in Cause}
        return known.get(self.cause or "") or _BY_ERROR.get(self.error or "", Cause.ODD)

    @property
    def fails(self) -> bool:
        return self.failures > NOISE or (self.failures > 0 and self.why in OURS_TO_MEND)


@dataclass(frozen=True)
class Dependents:
    """Active links that rest on a connection: all, those that stand as compliant, when the first lease of these ends, and how many
    end within a day."""

    links: int = 0
    standing: int = 0
    first_end: datetime | None = None
    ending: int = 0


@dataclass(frozen=True)
class Connection:
    """Everything stored about one remote. `name` is `entra`, `directory`, `channel` or `mdm:<connection>`; `rows` are its own, more
    than one for Entra alone. `beat` is the heartbeat's row and `slots` who held each platform then: of the channel alone."""

    name: str
    rows: tuple[Remembered, ...] = ()
    budgets: tuple[Budget, ...] = ()
    watches: tuple[Watch, ...] = ()
    dependents: Dependents = Dependents()
    beat: Watch | None = None
    slots: tuple[KnownSlot, ...] = ()

    @property
    def kind(self) -> str:
        return "mdm" if self.name.startswith(MDM) else self.name

    @property
    def row(self) -> Remembered:
        """The one that says most: failing before well, then the newest."""
        return max(self.rows, key=lambda row: (row.fails, _at(row.failed_at), _at(row.good_at)), default=Remembered(self.name))

    @property
    def good_at(self) -> datetime | None:
        known = (*(row.good_at for row in self.rows), *(watch.good_at for watch in self.watches))
        return max((at for at in known if at is not None), default=None)

    def closed_until(self, now: datetime) -> datetime | None:
        """No call is made before then; None while calls go through."""
        return max((one.closed_until for one in self.budgets if one.closed_until and one.closed_at(now)), default=None)


class Condition(StrEnum):
    WELL = "well"
    PARTLY = "partly"
    """It answers, and refuses some of what it is asked for."""
    FAILING = "failing"
    UNKNOWN = "unknown"
    """Nobody has asked it yet."""


@dataclass(frozen=True)
class Health:
    """`cause` and `since` are None where it is well; `told` is the row whose code and words belong to the cause."""

    connection: Connection
    condition: Condition
    cause: Cause | None = None
    since: datetime | None = None
    told: Remembered | None = None

    @property
    def well(self) -> bool:
        return self.condition is Condition.WELL


def judge(connections: Sequence[Connection], now: datetime) -> Sequence[Health]:
    """Where Entra gives no token, that is why Graph and the channel fail, and theirs to say."""
    no_token = any(one.kind == "entra" and one.row.fails for one in connections)
    return [_judge(one, now, no_token=no_token and one.kind in ("directory", "channel")) for one in connections]


def _judge(one: Connection, now: datetime, *, no_token: bool) -> Health:
    lists = (*one.watches, *((one.beat,) if one.beat is not None else ()))
    row, failing = one.row, [watch for watch in lists if _fails(watch)]
    since = min((at for at in (row.failing_since, *(watch.failing_since for watch in failing)) if at is not None), default=None)
    if row.fails:
        return Health(one, Condition.FAILING, row.why, since, row)
    if failing:
        cause, told = _of_list(failing[0], row, no_token=no_token)
        return Health(one, Condition.FAILING, cause, since, told)
    empty = [watch.done_at for watch in one.watches if watch.reason == LISTS_NOTHING and one.dependents.links]
    if empty:
        return Health(one, Condition.FAILING, Cause.NOTHING, empty[0])
    overdue = min((at for watch in one.watches if (at := watch.next_look_at) is not None and at < now - OVERDUE), default=None)
    if overdue is not None:
        return Health(one, Condition.FAILING, Cause.NO_WORKER, overdue)
    if row.failed_at is not None and row.failed_at > now - LATELY and row.why in PARTLY:
        return Health(one, Condition.PARTLY, row.why, row.failed_at, row)
    return Health(one, Condition.UNKNOWN if one.good_at is None else Condition.WELL)


def _fails(watch: Watch) -> bool:
    """One attempt that failed is the network's noise. What nobody lists (the channel's) counts none."""
    return watch.failing_since is not None and (watch.attempts != NOISE or (watch.reason or "").endswith("_refused"))


def _of_list(watch: Watch, row: Remembered, *, no_token: bool) -> tuple[Cause, Remembered | None]:
    """A list fails while other calls succeed. Its own failed call says why, where it is the last one that failed."""
    error = (watch.reason or "").partition("_")[2]
    if watch.name == HEARTBEAT and error in ("taken", "missing", "not_enabled"):
        return Cause.SLOT, None
    if row.error == error and _at(row.failed_at) >= _at(watch.failing_since):
        return row.why, row
    if error == "refused" and not watch.source.startswith(MDM):
        return (Cause.SIGN_IN if no_token else Cause.PERMISSION), None
    return (Cause.SIGN_IN if no_token else _BY_ERROR.get(error, Cause.ODD)), None


def _at(at: datetime | None) -> float:
    return at.timestamp() if at is not None else 0.0
