"""Posture in, verdict out: what the MDM says, with reasons, and how long it may stand.

Only the literal known-good counts as compliant (invariant I4): unknown, null or a new word is never an upgrade.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum


class MdmWord(StrEnum):
    """The MDM's own overall word, translated by its adapter. A word that the adapter's table lacks is UNKNOWN."""

    COMPLIANT = "compliant"
    NOT_COMPLIANT = "not_compliant"
    PENDING = "pending"
    UNKNOWN = "unknown"


# What our catalogue of advice has words for, by platform and language.
ADVICE = frozenset({"passcode", "encryption", "jailbreak", "update"})


@dataclass(frozen=True)
class Rule:
    """One rule that fails. `advice` keys our catalogue of advice; None where we know no cure and show the MDM's own words. `says`
    is what the administrator wrote about it, by language, and goes before both."""

    name: str
    detail: str
    advice: str | None
    says: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Posture:
    """What the MDM says about a device. `last_seen` is the device's own last check-in, `read_at` our read."""

    word: MdmWord
    enrolled: bool | None
    compromised: bool | None
    failing: tuple[Rule, ...]
    last_seen: datetime | None
    read_at: datetime


class Verdict(StrEnum):
    COMPLIANT = "compliant"
    NOT_COMPLIANT = "not_compliant"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Lease:
    """How long *compliant* may stand without fresh evidence: counted from our read, and from the device's check-in."""

    since_read: timedelta = timedelta(hours=72)
    since_check_in: timedelta = timedelta(days=14)


@dataclass(frozen=True)
class Decision:
    """`reasons` are stable ids, first the one that a person should read first; `until` only with COMPLIANT."""

    verdict: Verdict
    reasons: tuple[str, ...]
    until: datetime | None


def in_own_words(posture: Posture, own: Mapping[str, Mapping[str, str]]) -> Posture:
    """With what the administrator wrote about these rules; `own` by the rule's name, folded, and then by language."""
    rules = (replace(rule, says=tuple(own.get(rule.name.casefold(), {}).items()) or rule.says) for rule in posture.failing)
    return replace(posture, failing=tuple(rules))


def decide(posture: Posture, now: datetime, lease: Lease) -> Decision:
    """The verdict that this posture justifies at this moment."""
    bad = _failures(posture)
    if bad:
        return Decision(Verdict.NOT_COMPLIANT, bad, None)
    if posture.word is not MdmWord.COMPLIANT or posture.enrolled is not True or posture.compromised is not False:
        reason = "mdm_pending" if posture.word is MdmWord.PENDING else "mdm_unclear"
        return Decision(Verdict.UNKNOWN, (reason,), None)
    if posture.last_seen is None:
        return Decision(Verdict.UNKNOWN, ("never_checked_in",), None)
    until = min(posture.read_at + lease.since_read, posture.last_seen + lease.since_check_in)
    if until <= now:
        return Decision(Verdict.NOT_COMPLIANT, ("not_seen_lately",), None)
    return Decision(Verdict.COMPLIANT, (), until)


def _failures(posture: Posture) -> tuple[str, ...]:
    found = []
    if posture.compromised is True:
        found.append("compromised")
    if posture.enrolled is False:
        found.append("unenrolled")
    if posture.word is MdmWord.NOT_COMPLIANT:
        found.append("rules_fail")
    return tuple(found)
