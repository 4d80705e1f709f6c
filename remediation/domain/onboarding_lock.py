"""The step about the second lock: where it is wanted, *go* waits until its policy was seen to hold. Next door: `second_lock`."""

from .onboarding import DONE, Facts, Outcome, Role, Step, of_look

ATTRIBUTE, PLATFORMS = "REMEDIATION_SECOND_LOCK_ATTRIBUTE", "REMEDIATION_SECOND_LOCK_PLATFORMS"
LOOK, PREPARE = "second_lock", "second_lock_prepare"


def _judge(facts: Facts) -> Outcome:
    """Nobody has to want one."""
    if ATTRIBUTE not in facts.given:
        return DONE
    prepared = facts.look(PREPARE)
    return of_look(prepared) if prepared.waiting else of_look(facts.look(LOOK))


SECOND_LOCK = Step("second_lock", Role.ACCESS, _judge, after=("channel",), fields=(ATTRIBUTE, PLATFORMS), looks=(LOOK,))
"""`PREPARE` is none of its looks: it is asked for by a button alone, since marks are written from then on."""
