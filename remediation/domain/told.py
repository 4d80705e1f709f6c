"""What figures are counted from: rows of the audit, and what is known of the links that they are about.

Figures are of the audit because it is what stays: a journey's own row goes after weeks, a person's when they are erased. What
remotes refused is no deed of anybody's, and counted apart.
Next door: `ways` (one journey each) and `runs` (one piece of news for Microsoft each), made of these.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from math import ceil
from statistics import median
from typing import Any, NamedTuple

from .device import Platform
from .journey import LASTS

STAFF = frozenset({"helpdesk", "operator"})
DESIRED = (
    *("verdict.changed", "drift.repaired", "drift.seen", "mark.repaired", "lease.ended"),
    *("push.failed", "push.not_applied", "push.resync"),
)
"""Each says a verdict, and begins the next sequence of its push."""
OF_A_PUSH = (*DESIRED, "link.made", "link.replaced", "link.ended", "push.sent", "push.accepted", "push.confirmed")
OF_A_JOURNEY = (
    *("journey.started", "journey.needs_help", "journey.still_blocked"),
    *("possession.wanted", "possession.proven", "case.opened"),
)


@dataclass(frozen=True)
class Period:
    """From `since` until just before `until`; what was begun in it is followed for as long as a journey lasts."""

    since: datetime
    until: datetime

    @property
    def followed_until(self) -> datetime:
        return self.until + LASTS

    def __contains__(self, at: datetime) -> bool:
        return self.since <= at < self.until


class Deed(NamedTuple):
    """One row of the audit. There are many of them."""

    at: datetime
    why: str
    actor_kind: str
    actor_id: str
    about_kind: str
    about_id: str
    detail: Mapping[str, Any]


@dataclass(frozen=True)
class KnownLink:
    """`failing` holds what our advice calls the rules that fail now: None for one that it does not know."""

    id: str
    oid: str
    platform: Platform
    connection: str
    record_id: str
    made_at: datetime
    ended_at: datetime | None = None
    registered_at: datetime | None = None
    failing: tuple[str | None, ...] = ()


@dataclass(frozen=True)
class Throttling:
    """That a remote wanted fewer calls, so many times in one day (UTC); when it last did on that day, and its own code then."""

    remote: str
    count: int
    last_at: datetime
    last_code: str | None


@dataclass(frozen=True)
class Told:
    """What the database has for a period. `deeds` are in their order; `before` has, of each link, the last deeds before the period.
    `problems` says of a journey why no managed device could be called the person's; `found_open` are people, by platform, whose
    only directory device is shown compliant; `lapsed` counts devices that stand as compliant though their lease is over, and
    `standing` has the first of them.
    `too_many`: there were more deeds than were asked for, and nothing is to be counted."""

    period: Period
    deeds: Sequence[Deed] = ()
    before: Sequence[Deed] = ()
    links: Mapping[str, KnownLink] = field(default_factory=dict)
    problems: Mapping[str, str] = field(default_factory=dict)
    found_open: frozenset[tuple[str, str]] = frozenset()
    lapsed: Mapping[tuple[str, str], int] = field(default_factory=dict)
    standing: Sequence[KnownLink] = ()
    throttlings: Sequence[Throttling] = ()
    too_many: bool = False

    @cached_property
    def by_link(self) -> Mapping[str, Sequence[Deed]]:
        """Everything that is known to have happened with each link, in its order; the end of one that was replaced stands with
        both."""
        found: dict[str, list[Deed]] = defaultdict(list)
        for deed in (*self.before, *self.deeds):
            if deed.about_kind != "link" or deed.why not in OF_A_PUSH:
                continue
            found[deed.about_id].append(deed)
            old = deed.detail.get("link") if deed.why == "link.replaced" else None
            if isinstance(old, str):
                found[old].append(deed._replace(why="link.ended", about_id=old, detail={"because": "replaced"}))
        return found


def middle(times: Iterable[timedelta]) -> float | None:
    """The median, in seconds."""
    seconds = [one.total_seconds() for one in times]
    return median(seconds) if seconds else None


def nine_of_ten(times: Iterable[timedelta]) -> float | None:
    """The 90th percentile by nearest rank, in seconds: nine of ten took no longer."""
    ordered = sorted(times)
    return ordered[ceil(len(ordered) * 0.9) - 1].total_seconds() if ordered else None
