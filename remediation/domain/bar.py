"""The organisation's own bar, on top of the MDM's word: what a device must be besides before it is called compliant.

It only ever lowers. What the MDM does not say is not held against a device as a failure, and is never good either: such a device is
*unknown*, so that what stands ends with its lease. The oldest allowed check-in is the lease's (`compliance.Lease.since_check_in`);
that a device is not compromised is asked of every device by `compliance.decide`.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import StrEnum

from .compliance import MdmWord, Rule
from .device import ManagedDevice, Platform


class Ownership(StrEnum):
    CORPORATE = "corporate"
    EMPLOYEE = "employee"
    SHARED = "shared"


@dataclass(frozen=True)
class Facts:
    """What a record says beside its posture; None is what it does not say."""

    encrypted: bool | None = None
    ownership: Ownership | None = None


@dataclass(frozen=True)
class Bar:
    """`least_os` by platform, such as `17.4`; `risk_of` gives a device's score, None where nobody knows it; `names` are what people
    read for each of `RULES`."""

    oldest_check_in: timedelta | None = None
    least_os: Mapping[Platform, str] = field(default_factory=dict)
    encryption: bool = False
    ownership: frozenset[Ownership] = frozenset()
    most_risk: float | None = None
    risk_of: Callable[[ManagedDevice], float | None] = lambda _: None
    names: Mapping[str, str] = field(default_factory=dict)


OS, ENCRYPTION, OWNERSHIP, RISK = RULES = ("least_os", "encryption", "ownership", "risk")
_ADVICE = {OS: "update", ENCRYPTION: "encryption"}
_NAMES = {OS: "System version", ENCRYPTION: "Encryption", OWNERSHIP: "Ownership", RISK: "Risk score"}
_FROM_BEST = (MdmWord.COMPLIANT, MdmWord.PENDING, MdmWord.UNKNOWN, MdmWord.NOT_COMPLIANT)


def held_to(bar: Bar, device: ManagedDevice, facts: Facts) -> ManagedDevice:
    """The same device, judged by the organisation's rules too. What the MDM reported with the same advice is not told twice."""
    failing, unclear = judged(bar, device, facts)
    posture = device.posture
    told = {rule.advice for rule in posture.failing if rule.advice is not None}
    rules = tuple(
        Rule(bar.names.get(rule, _NAMES[rule]), detail, _ADVICE.get(rule))
        for rule, detail in failing.items()
        if _ADVICE.get(rule) not in told or _ADVICE.get(rule) is None
    )
    word = MdmWord.NOT_COMPLIANT if failing else MdmWord.UNKNOWN if unclear else posture.word
    worse = max(posture.word, word, key=_FROM_BEST.index)
    return replace(device, posture=replace(posture, word=worse, failing=posture.failing + rules))


def judged(bar: Bar, device: ManagedDevice, facts: Facts) -> tuple[dict[str, str], tuple[str, ...]]:
    """The rules that fail, each with its detail, and those that cannot be judged by what is known."""
    failing: dict[str, str] = {}
    unclear: list[str] = []
    least = bar.least_os.get(device.platform)
    if least is not None:
        has = version(device.os_version)
        if has is None:
            unclear.append(OS)
        elif _older(has, version(least) or ()):
            failing[OS] = f"{least} or newer; this device reports {device.os_version}"
    if bar.encryption and facts.encrypted is not True:
        if facts.encrypted is False:
            failing[ENCRYPTION] = ""
        else:
            unclear.append(ENCRYPTION)
    if bar.ownership and facts.ownership not in bar.ownership:
        if facts.ownership is None:
            unclear.append(OWNERSHIP)
        else:
            failing[OWNERSHIP] = ""
    if bar.most_risk is not None:
        risk = bar.risk_of(device)
        if risk is None:
            unclear.append(RISK)
        elif risk > bar.most_risk:
            failing[RISK] = ""
    return failing, tuple(unclear)


def version(text: str | None) -> tuple[int, ...] | None:
    """The numbers that a version begins with: `17.4.1` and `10.0.22631.3447`; None where it begins with none."""
    found = re.match(r"\s*(\d{1,9}(?:\.\d{1,9})*)", text or "", re.ASCII)
    return tuple(int(number) for number in found[1].split(".")) if found else None


def _older(has: tuple[int, ...], least: tuple[int, ...]) -> bool:
    """17 is 17.0.0."""
    long = max(len(has), len(least))
    return has + (0,) * (long - len(has)) < least + (0,) * (long - len(least))
