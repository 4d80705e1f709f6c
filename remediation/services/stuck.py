"""What does not move: the words' ids, who can act and which repair is safe, for every reason that a row can hold.

The helpdesk's panel and `remediation stuck` say the same by it. A reason is `<remote>_<error>`, `failed_<Microsoft's code>`, or an
id of its own. Next door: `store/stuck.py` (which rows), `web/helpdesk_stuck.py` (one person's).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from ..domain.push import Lane
from ..errors import Busy, Garbled, NotFound, Refused, Unreachable, WhoActs
from ..ports import Actor, Store, StuckPlace, StuckRow, StuckRows

BY_ERROR = {error.code: error.who_acts for error in (NotFound, Refused, Busy, Unreachable, Garbled)}
REMOTES = ("directory", "mdm", "channel", "lock")
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
    "named_another": WhoActs.HELPDESK,
    "certificate_another": WhoActs.HELPDESK,
    "certificate_refused": WhoActs.ADMIN,
    "no_channel": WhoActs.ADMIN,
    "possession_off": WhoActs.ADMIN,
    # why it is not for this person
    "account_disabled": WhoActs.ADMIN,
    "guest": WhoActs.ADMIN,
    "not_in_group": WhoActs.ADMIN,
    "no_licence": WhoActs.ADMIN,
    # why the push does not rest
    "waiting": WhoActs.TIME,
    "sent": WhoActs.TIME,
    "sent_again": WhoActs.TIME,
    "accepted_not_applied": WhoActs.TIME,
    "waiting_for_mdm": WhoActs.TIME,
    "mdm_does_not_know": WhoActs.YOU,
    "mark_not_shown": WhoActs.TIME,
    "lock_no_consent": WhoActs.ADMIN,
    "two_writers": WhoActs.ADMIN,
    "shows_other": WhoActs.ADMIN,
    "channel_not_approved": WhoActs.ADMIN,
    "no_fresh_evidence": WhoActs.TIME,
    "old_link_first": WhoActs.TIME,
    "owner_unclear": WhoActs.HELPDESK,
    "mdm_pending": WhoActs.TIME,
    "mdm_unclear": WhoActs.HELPDESK,
    "never_checked_in": WhoActs.YOU,
    "not_seen_lately": WhoActs.YOU,
    "lease_ended": WhoActs.TIME,
    "pilot": WhoActs.TIME,
    "our_fault": WhoActs.ADMIN,
    # of the service app, and of the compliance partner's slot
    "directory_no_consent": WhoActs.ADMIN,
    "channel_no_consent": WhoActs.ADMIN,
    "channel_not_set_up": WhoActs.ADMIN,
    "partner_taken": WhoActs.ADMIN,
    "partner_missing": WhoActs.ADMIN,
    "partner_not_enabled": WhoActs.ADMIN,
    "partner_leaving": WhoActs.ADMIN,
    # of the posture
    "rules_fail": WhoActs.YOU,
    "compromised": WhoActs.YOU,
    "unenrolled": WhoActs.YOU,
    # of the message to the device
    "possession_failed": WhoActs.TIME,
    "possession_revoked": WhoActs.HELPDESK,
    # of temporary access
    "access_asked": WhoActs.HELPDESK,
    "access_first": WhoActs.HELPDESK,
    "access_approved": WhoActs.HELPDESK,
    "access_failed": WhoActs.ADMIN,
    "access_ending": WhoActs.HELPDESK,
    # of an alarm
    "not_told": WhoActs.ADMIN,
}
_REPAIR = {WhoActs.YOU: "person", WhoActs.HELPDESK: "records", WhoActs.ADMIN: "setup", WhoActs.TIME: "retry"}
REPAIRS = {
    **dict.fromkeys(WHO, ""),
    "our_fault": "bug",
    "loop": "policy",
    "evidence": "prove",
    "not_told": "sink",
    "possession_revoked": "account",
    "possession_off": "doctor",
    "directory_no_consent": "consent",
    "channel_no_consent": "consent",
    "lock_no_consent": "consent",
    "channel_not_set_up": "intune",
    "partner_taken": "slot",
    "partner_missing": "slot",
    "partner_not_enabled": "slot",
    "partner_leaving": "provision",
    "mdm_does_not_know": "in_app",
    "two_writers": "one_writer",
    "shows_other": "one_writer",
    "channel_not_approved": "approval",
}
KINDS_OF_REPAIR = {*_REPAIR.values(), *REPAIRS.values(), "credentials"} - {""}


# What time alone does not mend.
NEEDS_PEOPLE = {
    *(reason for reason, who in WHO.items() if who is not WhoActs.TIME),
    *(f"{remote}_{code}" for remote in REMOTES for code, who in BY_ERROR.items() if who is not WhoActs.TIME),
}


@dataclass(frozen=True)
class Reason:
    """`key` and `repair` key the texts, `other` where there are none for it; `code` is quoted as it stands."""

    key: str
    code: str
    who: WhoActs
    repair: str


def explain(reason: str) -> Reason:
    remote, _, code = reason.partition("_")
    if remote in REMOTES and code in BY_ERROR:
        return of_remote(remote, code)
    if remote == "failed":
        return Reason("failed", code, WhoActs.ADMIN, "retry")
    who = WHO.get(reason, WhoActs.HELPDESK)
    return Reason(reason if reason in WHO else "other", reason, who, REPAIRS.get(reason) or _REPAIR[who])


def of_remote(remote: str, code: str) -> Reason:
    who = BY_ERROR.get(code, WhoActs.HELPDESK)
    return Reason(f"remote_{remote}", code, who, "credentials" if code == Refused.code else _REPAIR[who])


@dataclass(frozen=True)
class Stuck:
    row: StuckRow
    reason: Reason


@dataclass(frozen=True)
class AllStuck:
    counts: Mapping[tuple[str, str], int]
    shown: Sequence[Stuck]
    more: Mapping[str, StuckPlace] = field(default_factory=dict)

    @property
    def total(self) -> int:
        return sum(self.counts.values())


def find(stuck: StuckRows, now: datetime, *, limit: int, after: Mapping[str, StuckPlace] | None = None) -> AllStuck:
    page = stuck.rows(now, limit=limit, after=after)
    return AllStuck(stuck.count(now), [Stuck(row, explain(row.reason)) for row in page.rows], page.more)


def retry(store: Store, stuck: StuckRows, row_id: str, *, actor: Actor, why: str, now: datetime) -> str | None:
    """Have one row looked at now, which is safe at any time; returns its kind, None where no row has this id. An open revocation
    keeps its lane; what a remote asked us to wait for is asked again by the pass itself."""
    kind = stuck.find(row_id)
    if kind is None:
        return None
    with store.change(actor, "stuck.retried", about=(kind, row_id), at=now) as change:
        change.audit(because=why)
        if kind == "link":
            change.wake_link(row_id, lane=Lane.PERSON)
        elif kind == "journey":
            change.want_look(row_id)
        else:
            change.watch_soon(row_id)
    return kind
