"""What does not move in a journey, since when, who can act, when it is tried next, and which repair is safe. Only from facts that
were stored: errors of the last look, what the worker wrote beside the push, what keeps the person out, which sources fail.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from ..domain.journey import Journey
from ..domain.standing import not_for_you
from ..domain.steps import help_why
from ..ports import Event, StuckRow
from ..services.look_up import File
from ..services.stuck import Reason, explain, of_remote

RETRY = "remediation stuck retry"


@dataclass(frozen=True)
class Stuck:
    """`key` keys our texts, `other` where we have none, and so does `repair`; `code` is quoted as it stands; `who` is one of
    `errors.WhoActs`; `command` is what whoever runs the product may type."""

    key: str
    code: str
    who: str
    repair: str
    since: datetime | None
    next_at: datetime | None = None
    command: str = ""
    source: str = ""


def stuck(file: File, journey: Journey, now: datetime) -> tuple[Stuck, ...]:
    """Of this journey of the person's. The sources that give no good answers now come last: they hold up more than this person."""
    found: dict[tuple[str, str], Stuck] = {}
    for one in (*_said(file), *_all(journey, now, file.timeline)):
        found.setdefault((one.key, one.code), one)
    return (*found.values(), *(_source(row) for row in file.failing))


def _said(file: File) -> Iterable[Stuck]:
    """First of all, and also in a case that is not the one it was said of: whoever calls may be whom it was said against."""
    if file.not_me_at is not None:
        yield _stuck(explain("possession_revoked"), file.not_me_at)


def _all(journey: Journey, now: datetime, timeline: Sequence[Event]) -> Iterable[Stuck]:
    look, push, proof = journey.look, journey.push, journey.possession
    why = help_why(journey, now)
    if why is not None:
        yield _stuck(explain(why), _last(timeline, "journey.needs_help"))
    reason = not_for_you(journey.standing) if journey.standing is not None else None
    if reason is not None and journey.standing is not None:
        yield _stuck(explain(reason), journey.standing.read_at)
    if look.reason is not None:
        yield _stuck(explain(look.reason), look.wanted_at, look.next_at, journey.id)
    if look.directory_error is not None:
        yield _stuck(of_remote("directory", look.directory_error), look.directory_read_at, look.next_at, journey.id)
    if look.mdm_error is not None:
        yield _stuck(of_remote("mdm", look.mdm_error), look.mdm_read_at, look.next_at, journey.id)
    if proof is not None and proof.error is not None and proof.proven_at is None:
        revoked = proof.error == "revoked"
        failed = explain("possession_revoked" if revoked else "possession_failed")
        yield _stuck(failed if revoked else replace(failed, code=proof.error), proof.wanted_at)
    if push is not None:
        reasons = push.reasons if not push.says_compliant else ()
        for reason in ((push.reason,) if push.reason is not None else ()) + reasons:
            yield _stuck(explain(reason), push.desired_at, push.next_look_at, push.link_id)


def _stuck(reason: Reason, since: datetime | None, next_at: datetime | None = None, row: str = "") -> Stuck:
    return Stuck(reason.key, reason.code, reason.who.value, reason.repair, since, next_at, f"{RETRY} {row}" if row else "")


def _source(row: StuckRow) -> Stuck:
    reason = explain(row.reason)
    return Stuck("source", reason.code, reason.who.value, reason.repair, row.since, row.next_at, f"{RETRY} {row.id}", row.what)


def _last(timeline: Sequence[Event], what: str) -> datetime | None:
    return next((event.at for event in timeline if event.what == what), None)
