"""The steps of the set-up that say for whom it is, who carries, how people arrive, and which device proves it.

What each rests on is derived from rows (`services/set_up_facts.py`) and stands among the looks. Next door: `onboarding_steps`.
"""

from collections.abc import Sequence

from .onboarding import Role, Step, looked_good

PARTNER = Step("partner", Role.INTUNE, looked_good("partner"), after=("consent",))
SCOPE = Step("scope", Role.ENTRA, looked_good("scope"), after=("consent",))
ARRIVAL = Step("arrival", Role.MDM, looked_good("arrival"))
EXCLUDED = Step("excluded", Role.ACCESS, looked_good("excluded"), after=("consent",))
PILOT = Step("pilot", Role.MDM, looked_good("pilot"), optional=True)
"""Devices are linked only after *go*, so no device can prove anything before."""

BEFORE_MDM: Sequence[Step] = (PARTNER, SCOPE)
BEFORE_GO: Sequence[Step] = (ARRIVAL, EXCLUDED)
AFTER_GO: Sequence[Step] = (PILOT,)
