"""MaaS360's words, each table with its source, and what they say together. A word that a table lacks is unknown, never good.

Next door: `maas360` (what is asked), `maas360_reading` (how answers are read).
"""

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from typing import Literal

from ..domain.bar import Facts, Ownership
from ..domain.compliance import MdmWord, Posture, Rule
from ..domain.device import Platform
from .fields import fold
from .http import Fields
from .maas360_reading import epoch, some, text

State = Literal["policy", "rule", "app", "passcode"]

# Field names: Milhound/maas360api devices/search.go
STATES: Mapping[State, str] = {
    "policy": "policyComplianceState",
    "rule": "ruleComplianceState",
    "app": "appComplianceState",
    "passcode": "passcodeCompliance",
}
# "In Compliance" and "Compliant": recorded by Stjubit/TA-MaaS360. The wording of the other side varies and is in no public list:
# a word that is in neither table is not proven, so it never grants, and neither does it say why.
GOOD = frozenset({"in compliance", "compliant"})
BAD = frozenset({"out of compliance", "ooc", "not compliant", "non-compliant", "noncompliant", "non compliant"})

# `maas360ManagedStatus`: the values of the search filter of the same name (Milhound/maas360api devices/search.go). While control
# is being removed, the device may still hold its profile: nothing is known of it.
MANAGED = {
    "enrolled": True,
    "activated": True,
    "inactive": False,
    "control removed": False,
    "user removed control": False,
    "not enrolled": False,
}
# `jailbreakStatus`: TA-MaaS360 maas360_utils.py
JAILBROKEN = {"yes": True, "no": False}

# `platformName`: the values of the search filter (Milhound/maas360api devices/search.go)
PLATFORMS = {"ios": Platform.IOS, "android": Platform.ANDROID, "mac": Platform.MACOS, "windows": Platform.WINDOWS}

# `ownership`: "Corporate Owned" is recorded; the others are the portal's own choices beside it
OWNERSHIP = {
    "corporate owned": Ownership.CORPORATE,
    "employee owned": Ownership.EMPLOYEE,
    "corporate shared": Ownership.SHARED,
}
# `encryptionStatus`: its words are in no public list, so none proves encryption to the organisation's own bar; these say that
# there is none
NOT_ENCRYPTED = frozenset({"not encrypted", "no", "none"})
# Our advice for the record's own facts, where no rule of an administrator's says the same
_OWN_ADVICE = {"passcode": "passcode"}
_FROM_BEST = (MdmWord.COMPLIANT, MdmWord.PENDING, MdmWord.UNKNOWN, MdmWord.NOT_COMPLIANT)


def folded(of: Fields, key: str) -> str:
    return fold((text(of, key) or "").strip())


def state_of(word: str) -> MdmWord:
    return MdmWord.COMPLIANT if word in GOOD else MdmWord.NOT_COMPLIANT if word in BAD else MdmWord.UNKNOWN


def platform(row: Fields) -> Platform:
    return PLATFORMS.get(folded(row, "platformName"), Platform.UNKNOWN)


def enrolled(row: Fields) -> bool | None:
    """Both must say so: a device that the portal calls inactive is not heard of any more."""
    managed = MANAGED.get(folded(row, "maas360ManagedStatus"))
    return None if managed is True and folded(row, "deviceStatus") != "active" else managed


def not_encrypted(row: Fields) -> bool:
    return folded(row, "encryptionStatus") in NOT_ENCRYPTED


def facts(row: Fields) -> Facts:
    """What the record says beside its posture."""
    return Facts(False if not_encrypted(row) else None, OWNERSHIP.get(folded(row, "ownership")))


def is_shared(row: Fields) -> bool:
    return OWNERSHIP.get(folded(row, "ownership")) is Ownership.SHARED


def posture(row: Fields, needed: Collection[State], failing: tuple[Rule, ...], read_at: datetime) -> Posture:
    """The states that the administrator needs must all be proven good; any of the four that says otherwise counts."""
    word = MdmWord.COMPLIANT
    for state, field in STATES.items():
        said = state_of(folded(row, field))
        if state in needed or said is MdmWord.NOT_COMPLIANT:
            word = worse(word, said)
    return Posture(
        word=MdmWord.NOT_COMPLIANT if failing else word,
        enrolled=enrolled(row),
        compromised=JAILBROKEN.get(folded(row, "jailbreakStatus")),
        failing=failing,
        last_seen=epoch(row, "lastReportedInEpochms"),
        read_at=read_at,
    )


def worse(one: MdmWord, other: MdmWord) -> MdmWord:
    return max(one, other, key=_FROM_BEST.index)


def failing_attributes(security: Fields) -> Iterator[tuple[str, str]]:
    """Name and word of each attribute that says out of compliance. Their keys are not public: whatever comes is shown."""
    attributes = security.within("complianceAttributes") if security.raw("complianceAttributes") is not None else None
    for attribute in some(attributes, "complianceAttribute") if attributes is not None else ():
        value = attribute.raw("value")
        if isinstance(value, str) and fold(value.strip()) in BAD:
            yield text(attribute, "key") or "", attribute.text("value") or ""


def failing_states(row: Fields) -> Iterator[Rule]:
    for state, field in STATES.items():
        if state_of(folded(row, field)) is MdmWord.NOT_COMPLIANT:
            yield Rule(field, text(row, field) or "", _OWN_ADVICE.get(state))
