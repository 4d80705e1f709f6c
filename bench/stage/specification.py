"""Which attempts may open company data, written apart from the product from the tables in docs/security.md, for `bench laundering`.

Nothing of `remediation` is used here. A case is somebody's attempt to have a phone called compliant; `opens` says whether the
directory device that the attempt is about may be. What stays open at a level is written here too: at `possession` somebody who
forwards the message to a second phone of their own gets through, at `certificate` they do not.
"""

from dataclasses import dataclass
from typing import Literal

Actor = Literal["owner", "forwards", "registers_the_other", "colleague", "thief", "lured", "swaps"]
Directory = Literal["none", "after", "only", "old", "two", "two_and_after", "newer", "disabled", "other_model", "not_theirs"]
Mdm = Literal["well", "failing", "jailbroken", "silent", "unclear", "unenrolled", "enrolled_anew", "gone", "second_record"]
Evidence = Literal["pressed", "opened_only", "late", "revoked", "used_before"]
Minimum = Literal["possession", "certificate"]


@dataclass(frozen=True)
class Case:
    actor: Actor
    directory: Directory
    mdm: Mdm
    evidence: Evidence
    minimum: Minimum


WHO = {
    "owner": True,  # taps the message on the managed phone, which is the registered one
    "forwards": True,  # sends the message to another phone of theirs, signs in and presses there: left open at `possession`
    "registers_the_other": True,  # taps the message on the managed phone and registers another one: left open at `possession`
    "colleague": False,  # signs in as themselves and presses the button of the owner's message
    "thief": False,  # has the owner's session, but no phone that the message comes to
    "lured": False,  # is sent a message of somebody else's journey, and presses
    "swaps": False,  # names somebody else's record as the phone in their hand
}
WHICH = {
    "none": False,
    "after": True,  # registered after the message was sent, whatever was registered before
    "only": True,
    "old": False,  # long before the phone was enrolled: perhaps the one it replaced
    "two": False,
    "two_and_after": True,
    "newer": False,  # runs a newer system than the MDM's record
    "disabled": False,
    "other_model": False,
    "not_theirs": False,  # listed as theirs, and by the time of the look it is somebody else's
}
POSTURE = {
    "well": True,
    "failing": False,
    "jailbroken": False,
    "silent": False,
    "unclear": False,
    "unenrolled": False,
    "enrolled_anew": False,  # since the button was pressed: the proof was another enrollment's
    "gone": False,
    "second_record": True,  # a further managed phone of theirs, without a link
}
PROOF = {
    "pressed": True,
    "opened_only": False,
    "late": False,
    "revoked": False,
    "used_before": False,  # pressed, then the phone was wiped, and the same message is pressed again
}


def opens(case: Case) -> bool:
    """Everything must be good at once; and where a second managed phone waits, only a registration after the message decides."""
    if case.minimum != "possession":
        return False
    if case.mdm == "second_record" and case.directory == "only":
        return False
    return WHO[case.actor] and WHICH[case.directory] and POSTURE[case.mdm] and PROOF[case.evidence]
