"""What one row of a list calls for: nothing, a longer lease, or a direct look. Pure, like all of the domain.

A list is older than a single read and has another shape, so a row never changes a verdict. It may renew *compliant* where it agrees
with all that we hold; whatever differs only marks the link, and a direct look decides. See docs/decisions/0005.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from .compliance import Lease, Verdict, decide
from .device import DeviceLink, DirectoryDevice, LinkState, ManagedDevice, Mark
from .evidence import Level, ends_link, suffices
from .partner import LEAVING
from .push import Lane, Push, rests_until
from .second_lock import Astray


@dataclass(frozen=True)
class Held:
    """What we hold of one link. `directory` is its directory device as last read, `listed_at` when a list last showed that,
    `last_seen` the device's check-in as of our last direct read of its record."""

    link: DeviceLink
    push: Push
    directory: DirectoryDevice | None = None
    listed_at: datetime | None = None
    last_seen: datetime | None = None


@dataclass(frozen=True)
class Rules:
    """What a renewal is judged by: the same as a direct look. `leaving`: we are about to be no compliance partner any more."""

    lease: Lease
    minimum: Level
    recheck: timedelta
    leaving: bool = False


@dataclass(frozen=True)
class Renewal:
    """*Compliant* may stand until `until`, by a list read at `read_at`; a row at rest is looked at again at `next_at`, which lists
    put off to the end of the lease, but not beyond the recheck that a direct look is due."""

    link_id: str
    read_at: datetime
    until: datetime
    next_at: datetime


@dataclass(frozen=True)
class PageNews:
    """What one page calls for. `listed` are the ids of our links that it shows; `look` those that want a direct look, by lane;
    `changed` the directory devices that differ from what is known, each as it was known and as it is listed."""

    listed: tuple[str, ...] = ()
    renewals: tuple[Renewal, ...] = ()
    look: Mapping[Lane, tuple[str, ...]] = field(default_factory=dict)
    changed: tuple[tuple[DirectoryDevice, DirectoryDevice], ...] = ()
    strays: tuple[str, ...] = ()
    """Device ids that bear a mark of the second lock, and for which no link of ours answers."""


@dataclass(frozen=True)
class Marks:
    """Of the second lock: whether it is on for a link's device, and what is wrong with the mark there."""

    governs: Callable[[DeviceLink], bool]
    wrong: Callable[[DeviceLink, Push, Mark | None], Astray | None]

    def astray(self, row: DirectoryDevice, held: Held) -> Astray | None:
        return self.wrong(held.link, held.push, row.mark) if self.governs(held.link) else None

    def strays(self, rows: Sequence[DirectoryDevice], links: Mapping[str, Held]) -> Iterator[str]:
        for row in rows:
            held = links.get(row.device_id)
            if row.mark is not None and (held is None or not self.governs(held.link)):
                yield row.device_id


def of_records(rows: Sequence[ManagedDevice], held: Sequence[Held], now: datetime, rules: Rules) -> PageNews:
    """One page of an MDM's list. A link that is held and whose row could not be read whole is looked at directly."""
    shown = {row.key: row for row in rows}
    renewals: list[Renewal] = []
    look: dict[str, Lane] = {}
    for one in held:
        row = shown.get(one.link.managed)
        calls_for = Lane.SWEEP if row is None else _of_record(row, one, now, rules)
        if isinstance(calls_for, Renewal):
            renewals.append(calls_for)
        elif calls_for is not None:
            look[one.link.id] = calls_for
    return PageNews(tuple(one.link.id for one in held), tuple(renewals), _by_lane(look))


def _of_record(row: ManagedDevice, held: Held, now: datetime, rules: Rules) -> Renewal | Lane | None:
    link, push = held.link, held.push
    if link.state is not LinkState.ACTIVE or push.desired is None:
        return None
    ends = ends_link(link, row, None) is not None
    decision = decide(row.posture, now, rules.lease)
    if ends or decision.verdict is Verdict.NOT_COMPLIANT:
        return Lane.REVOKE if push.says_compliant else Lane.SWEEP if ends else None
    if decision.verdict is Verdict.UNKNOWN or decision.until is None:
        known = push.reason is not None or not push.at_rest
        return Lane.SWEEP if push.says_compliant and not known else None
    if not push.says_compliant:
        stays_down = rules.leaving and LEAVING in push.reasons
        return Lane.SWEEP if push.at_rest and not stays_down else None
    return _renewal(row, held, decision.until, now, rules)


def _renewal(row: ManagedDevice, held: Held, until: datetime, now: datetime, rules: Rules) -> Renewal | None:
    """As a direct look would: the directory's side must be known good too, and known lately. A row that is behind what we read
    ourselves renews nothing."""
    link, entra = held.link, held.directory
    last_seen = row.posture.last_seen
    behind = last_seen is None or (held.last_seen is not None and last_seen < held.last_seen)
    if entra is None or behind or not suffices(link.evidence, rules.minimum):
        return None
    if not entra.enabled or entra.owner_oid != link.oid or entra.object_id != link.object_id:
        return None
    seen = max(at for at in (entra.read_at, held.listed_at) if at is not None)
    until = min(until, seen + rules.lease.since_read)
    if until <= now:
        return None
    looked_at = held.push.posture_read_at or now
    return Renewal(link.id, row.posture.read_at, until, rests_until(now, until, rules.recheck, looked_at=looked_at))


def of_directory(rows: Sequence[DirectoryDevice], held: Sequence[Held], marks: Marks | None = None) -> PageNews:
    """One page of the directory's list. Devices that belong to no link of ours are not ours to judge; a mark of ours on one is."""
    links = _judged(held)
    shown = {row.device_id: row for row in rows}
    look: dict[str, Lane] = {}
    changed: list[tuple[DirectoryDevice, DirectoryDevice]] = []
    for device_id, one in links.items():
        row = shown.get(device_id)
        calls_for = Lane.SWEEP if row is None else _of_directory(row, one, marks)
        if calls_for is not None:
            look[one.link.id] = calls_for
        if row is not None and one.directory is not None and _differs(row, one.directory):
            changed.append((one.directory, row))
    strays = tuple(marks.strays(rows, links)) if marks is not None else ()
    return PageNews(tuple(one.link.id for one in links.values()), (), _by_lane(look), tuple(changed), strays)


def _judged(held: Iterable[Held]) -> dict[str, Held]:
    """The link that answers for each device: the active one, else the one that ended last and was ever told of."""
    found: dict[str, Held] = {}
    for one in held:
        told = one.link.state is LinkState.ENDED and one.push.desired_seq > 0
        if one.link.state is LinkState.ACTIVE or told:
            other = found.get(one.link.device_id)
            if other is None or _rank(one) > _rank(other):
                found[one.link.device_id] = one
    return found


def _rank(held: Held) -> tuple[bool, datetime]:
    return held.link.state is LinkState.ACTIVE, held.link.ended_at or held.link.made_at


def _of_directory(row: DirectoryDevice, held: Held, marks: Marks | None) -> Lane | None:
    """Drift: Entra shows other than we had confirmed. Shown compliant where it must not be, or marked, goes with the
    revocations."""
    link, push = held.link, held.push
    if marks is not None and (wrong := marks.astray(row, held)) is not None:
        return Lane.SWEEP if wrong.what == "missing" else Lane.REVOKE
    shows = row.compliant is True
    resting = push.at_rest and push.desired_seq > 0
    if link.state is LinkState.ENDED:
        return Lane.REVOKE if shows and resting else None
    if ends_link(link, None, row) is not None:
        return Lane.REVOKE if shows or push.says_compliant else Lane.SWEEP
    if not resting:
        arrived = push.accepted_seq >= push.desired_seq > 0 and shows is push.says_compliant
        return Lane.SWEEP if arrived else None
    if shows is push.says_compliant:
        return None
    return Lane.REVOKE if shows else Lane.SWEEP


def _differs(row: DirectoryDevice, known: DirectoryDevice) -> bool:
    """In what is worth a row of the observations; an owner that the list did not tell is not another one."""
    same_owner = row.owner_oid is None or row.owner_oid == known.owner_oid
    told = (row.object_id, row.name, row.enabled, row.compliant, row.mark)
    return told != (known.object_id, known.name, known.enabled, known.compliant, known.mark) or not same_owner


def _by_lane(look: Mapping[str, Lane]) -> dict[Lane, tuple[str, ...]]:
    lanes = sorted(set(look.values()))
    return {lane: tuple(link_id for link_id, wanted in look.items() if wanted is lane) for lane in lanes}
