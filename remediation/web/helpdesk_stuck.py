"""What does not move in a journey, since when, and who can act. Only from facts that were stored: errors of the last look, what the
worker wrote beside the push, what keeps the person out.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from ..domain.journey import Journey
from ..domain.standing import not_for_you
from ..domain.steps import help_why
from ..errors import Busy, Garbled, NotFound, Refused, Unreachable, WhoActs
from ..ports import Event

BY_ERROR = {error.code: error.who_acts for error in (NotFound, Refused, Busy, Unreachable, Garbled)}
REMOTES = ("directory", "mdm", "channel")
# Stable ids that other rooms write down, and who can act on them. What is not here is shown by its id, and is the helpdesk's.
WHO = {
    # why only a person can help
    "conflict": WhoActs.HELPDESK,
    "evidence": WhoActs.HELPDESK,
    "owned_by_another": WhoActs.HELPDESK,
    "ambiguous_owner": WhoActs.HELPDESK,
    "shared_user": WhoActs.HELPDESK,
    "loop": WhoActs.ADMIN,
    "disabled_device": WhoActs.HELPDESK,
    "no_channel": WhoActs.ADMIN,
    # why it is not for this person
    "account_disabled": WhoActs.ADMIN,
    "guest": WhoActs.ADMIN,
    "not_in_group": WhoActs.ADMIN,
    "no_licence": WhoActs.ADMIN,
    # why the push does not rest
    "sent": WhoActs.TIME,
    "sent_again": WhoActs.TIME,
    "accepted_not_applied": WhoActs.TIME,
    "waiting_for_mdm": WhoActs.TIME,
    "no_fresh_evidence": WhoActs.TIME,
    "owner_unclear": WhoActs.HELPDESK,
    "mdm_pending": WhoActs.TIME,
    "mdm_unclear": WhoActs.HELPDESK,
    "never_checked_in": WhoActs.YOU,
    "not_seen_lately": WhoActs.YOU,
    "lease_ended": WhoActs.TIME,
    # of the posture
    "rules_fail": WhoActs.YOU,
    "compromised": WhoActs.YOU,
    "unenrolled": WhoActs.YOU,
    # of the message to the device
    "possession_failed": WhoActs.TIME,
    "possession_revoked": WhoActs.HELPDESK,
}


@dataclass(frozen=True)
class Stuck:
    """`key` keys our texts, `other` where we have none; `code` is quoted as it stands; `who` is one of `errors.WhoActs`."""

    key: str
    code: str
    who: str
    since: datetime | None


def stuck(journey: Journey, now: datetime, timeline: Sequence[Event]) -> tuple[Stuck, ...]:
    found: dict[tuple[str, str], Stuck] = {}
    for one in _all(journey, now, timeline):
        found.setdefault((one.key, one.code), one)
    return tuple(found.values())


def _all(journey: Journey, now: datetime, timeline: Sequence[Event]) -> Iterable[Stuck]:
    look, push, proof = journey.look, journey.push, journey.possession
    why = help_why(journey, now)
    if why is not None:
        yield _known(why, _last(timeline, "journey.needs_help"))
    reason = not_for_you(journey.standing) if journey.standing is not None else None
    if reason is not None and journey.standing is not None:
        yield _known(reason, journey.standing.read_at)
    if look.directory_error is not None:
        yield _remote("directory", look.directory_error, look.directory_read_at)
    if look.mdm_error is not None:
        yield _remote("mdm", look.mdm_error, look.mdm_read_at)
    if proof is not None and proof.error is not None and proof.proven_at is None:
        key = "possession_revoked" if proof.error == "revoked" else "possession_failed"
        yield Stuck(key, proof.error, WHO[key].value, proof.wanted_at)
    if push is not None:
        reasons = push.reasons if not push.says_compliant else ()
        for reason in ((push.reason,) if push.reason is not None else ()) + reasons:
            yield _pushed(reason, push.desired_at)


def _pushed(reason: str, since: datetime | None) -> Stuck:
    """A push's reason is `<remote>_<error>`, `failed_<Microsoft's code>`, or an id of its own."""
    remote, _, code = reason.partition("_")
    if remote in REMOTES and code in BY_ERROR:
        return _remote(remote, code, since)
    if remote == "failed":
        return Stuck("failed", code, WhoActs.ADMIN.value, since)
    return _known(reason, since)


def _known(key: str, since: datetime | None) -> Stuck:
    return Stuck(key if key in WHO else "other", key, WHO.get(key, WhoActs.HELPDESK).value, since)


def _remote(remote: str, code: str, since: datetime | None) -> Stuck:
    return Stuck(f"remote_{remote}", code, BY_ERROR.get(code, WhoActs.HELPDESK).value, since)


def _last(timeline: Sequence[Event], what: str) -> datetime | None:
    return next((event.at for event in timeline if event.what == what), None)
