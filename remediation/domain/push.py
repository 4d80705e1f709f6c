"""What Microsoft should be told about one linked device, what it was told, and what it confirmed: one row per link.

Level-triggered: work means *bring this row to rest*. The sequence rises with every change of what is desired; whoever carries an
older sequence has lost. Next door: `services/push_compliance.py` does the carrying.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum
from uuid import UUID, uuid5

from .calls import FailedCall
from .compliance import Verdict

MESSAGES = UUID("5f0c5a6e-8c57-4f0a-9b0b-3d2f5a7a9d11")  # our own namespace for message ids; changing it changes every id

POLLS = (2, 4, 8, 16, 30)  # seconds between looks while a person may be waiting
POLL_FAST_FOR = timedelta(minutes=10)
POLL_SLOW = timedelta(hours=1)
POLL_FAILED = timedelta(minutes=2)
USUAL = timedelta(minutes=5)  # how long Microsoft takes as a rule, and what the page promises at the worst
WORST = timedelta(hours=1)
FLIPS, FLIPS_WITHIN = 2, timedelta(hours=24)
TWO_WRITERS = "two_writers"  # why *compliant* is not told again
LAST_HALF = timedelta(minutes=1)  # what is left of a lease is halved no further


class Lane(IntEnum):
    """Lower goes first: revocations, then people who wait on a page, then sweeps."""

    REVOKE = 0
    PERSON = 1
    SWEEP = 2


@dataclass(frozen=True)
class Push:
    """The row. `desired` is None until the first posture was read. `wake` counts wake-ups and names their ids.

    `seen_before` is what Entra showed just before our send of `sent_seq`: it tells *changed by us* from *already so*.
    `observed` is what Entra showed when last read back, at `observed_at`. `following` says that the next pass only asks how far
    Microsoft is; whoever has news clears it. `…_listed_at` is when a whole list last showed that side,
    `noted_at` when the MDM's record was given the Azure device id. `flips` counts how often Entra came to show the other value
    after it had shown ours, each within a day of the one before, and `flipped_at` is the last time; `not_applied` how often
    Microsoft accepted a message and did not apply it within the hour. `tell_again_at`: Microsoft wants to be told it once more.
    """

    link_id: str
    desired: Verdict | None = None
    desired_seq: int = 0
    desired_at: datetime | None = None
    reasons: tuple[str, ...] = ()
    posture_read_at: datetime | None = None
    compliant_until: datetime | None = None
    message_id: str | None = None
    last_update_time: datetime | None = None
    seen_before: bool | None = None
    sent_seq: int = 0
    sent_at: datetime | None = None
    accepted_seq: int = 0
    accepted_at: datetime | None = None
    confirmed_seq: int = 0
    confirmed_at: datetime | None = None
    confirmed_by: str | None = None
    observed: bool | None = None
    observed_at: datetime | None = None
    lane: Lane = Lane.SWEEP
    wake: int = 0
    next_look_at: datetime | None = None
    attempts: int = 0
    reason: str | None = None
    following: bool = False
    mdm_listed_at: datetime | None = None
    directory_listed_at: datetime | None = None
    noted_at: datetime | None = None
    tell_again_at: datetime | None = None
    failed_calls: tuple[FailedCall, ...] = ()
    flips: int = 0
    flipped_at: datetime | None = None
    not_applied: int = 0

    @property
    def at_rest(self) -> bool:
        """Nothing is left to tell Microsoft: what is desired was seen in Entra after our send, or nothing was ever desired."""
        return self.confirmed_seq >= self.desired_seq

    @property
    def says_compliant(self) -> bool:
        """What the desired verdict means to Microsoft, which knows two words: unknown is told as not compliant."""
        return self.desired is Verdict.COMPLIANT

    @property
    def to_tell_again(self) -> bool:
        """What was told last has to be told once more; news that is still to be sent does it as well."""
        return self.tell_again_at is not None and self.sent_seq == self.desired_seq > 0

    def open_at(self, now: datetime) -> bool:
        """Entra itself showed this device compliant, for the news we last carried, and the lease still runs."""
        return (
            self.says_compliant
            and self.desired_seq > 0
            and self.at_rest
            and self.observed is True
            and self.compliant_until is not None
            and now < self.compliant_until
        )


def two_writers(push: Push, now: datetime) -> bool:
    """Somebody else writes this device's compliance too, and the other value at that."""
    return push.flips >= FLIPS and push.flipped_at is not None and now - push.flipped_at < FLIPS_WITHIN


def message_id(tenant_id: str, link_id: str, seq: int) -> str:
    """The id under which a message is sent: the same after any crash, so that a repeat has no second effect. Of the link and not of
    its directory device, since a device linked anew begins to count while the old link still tells of its end."""
    return str(uuid5(MESSAGES, f"{tenant_id}/{link_id}/{seq}"))


def update_time(previous: datetime | None, now: datetime) -> datetime:
    """A strictly growing time per device, by whole milliseconds: it orders messages at Microsoft (invariant I11)."""
    now = now.replace(microsecond=now.microsecond // 1000 * 1000)
    return now if previous is None else max(now, previous + timedelta(milliseconds=1))


def look_again(now: datetime, *, waiting_since: datetime, attempts: int, failed: bool = False) -> datetime:
    """When to look next while the remote has not shown what we wait for: 2, 4, 8 … 30 s for ten minutes, then hourly. A look that
    `failed` has shown nothing yet: somebody may stand there when the remote is back, so it is tried again sooner than that."""
    if now - waiting_since >= POLL_FAST_FOR:
        return now + (POLL_FAILED if failed else POLL_SLOW)
    return now + timedelta(seconds=POLLS[min(attempts, len(POLLS) - 1)])


def rests_until(now: datetime, until: datetime | None, recheck: timedelta, *, looked_at: datetime | None = None) -> datetime:
    """When a row at rest is looked at again: so long after the last direct look, and at half of what is left of its lease, so that
    one read that fails is not the last."""
    at = (looked_at or now) + recheck
    return at if until is None else min(at, until, now + max((until - now) / 2, LAST_HALF))


def back_off(now: datetime, attempts: int) -> datetime:
    """When to try again after an error: 4, 8, 16 … seconds, an hour at most."""
    return now + timedelta(seconds=min(4 * 2 ** min(attempts, 10), 3600))
