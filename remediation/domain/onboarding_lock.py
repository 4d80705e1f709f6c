"""The step about the second lock: where it is wanted, *go* waits until its policy was seen to hold. Next door: `second_lock`."""

from .onboarding import DONE, Facts, Outcome, Role, Step, of_look

ATTRIBUTE, PLATFORMS = "REMEDIATION_SECOND_LOCK_ATTRIBUTE", "REMEDIATION_SECOND_LOCK_PLATFORMS"
LOOK, PREPARE, GIVE_UP = "second_lock", "second_lock_prepare", "second_lock_give_up"


def _judge(facts: Facts) -> Outcome:
    """Nobody has to want one."""
    if ATTRIBUTE not in facts.given:
        return DONE
    asked = next((facts.look(name) for name in (PREPARE, GIVE_UP) if facts.look(name).waiting), facts.look(LOOK))
    return of_look(asked)


SECOND_LOCK = Step("second_lock", Role.ACCESS, _judge, after=("channel",), fields=(ATTRIBUTE, PLATFORMS), looks=(LOOK,))
"""`PREPARE` and `GIVE_UP` are none of its looks: they are asked for by a button alone, since marks are written, or taken away."""
